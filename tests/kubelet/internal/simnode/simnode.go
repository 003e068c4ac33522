// SPDX-License-Identifier: Apache-2.0

// Package simnode makes simulated nodes with silica-sim, each in a folder of its
// own under the temporary folder, with a path short enough for unix sockets.
package simnode

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"silica/tests/kubelet/internal/program"
)

// Node is a simulated node and the folder of its kubelet.
type Node struct {
	Dir     string // holds all else; removed by Remove
	Host    string // the host root
	Kubelet string // the kubelet dir; not made here
	cards   map[string]Card
}

// Card is what a card was when the node was made.
type Card struct {
	UUID string
	BDF  string
	NUMA int64
}

// Make makes a node with cards, as in "rngd x2, warboy x1, numa 0/1".
func Make(cards string) (*Node, error) {
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		return nil, err
	}
	n := &Node{Dir: dir, Host: filepath.Join(dir, "h"), Kubelet: filepath.Join(dir, "k")}
	if err := program.Run("silica-sim", "create", n.Host, cards); err != nil {
		n.Remove()
		return nil, err
	}
	if err := n.readCards(); err != nil {
		n.Remove()
		return nil, err
	}
	return n, nil
}

// Remove removes all that Make has made.
func (n *Node) Remove() {
	_ = os.RemoveAll(n.Dir)
}

// Sim runs a silica-sim command on the node, as in Sim("fail", "rngd0").
func (n *Node) Sim(command string, args ...string) error {
	return program.Run("silica-sim", slices.Concat([]string{command, n.Host}, args)...)
}

// Card gives a card by the name that silica-sim has for it.
func (n *Node) Card(name string) Card {
	return n.cards[name]
}

// Cards gives the names of all cards, sorted.
func (n *Node) Cards() []string {
	names := make([]string, 0, len(n.cards))
	for name := range n.cards {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n *Node) pciDevice(bdf string) string {
	return filepath.Join(n.Host, "sys/bus/pci/devices", bdf)
}

// products are the management classes; the number in an entry's name is the index.
var products = []struct {
	name  string
	class string
	entry *regexp.Regexp
}{
	{"rngd", "rngd_mgmt", regexp.MustCompile(`^rngd!npu(\d+)_?mgmt$`)},
	{"warboy", "npu_mgmt", regexp.MustCompile(`^npu(\d+)_mgmt$`)},
}

// readCards names the cards of each product by ascending index, from 0.
func (n *Node) readCards() error {
	n.cards = make(map[string]Card)
	for _, product := range products {
		class := filepath.Join(n.Host, "sys/class", product.class)
		byIndex, err := entries(class, product.entry)
		if err != nil {
			return err
		}
		indices := make([]int, 0, len(byIndex))
		for index := range byIndex {
			indices = append(indices, index)
		}
		slices.Sort(indices)
		for i, index := range indices {
			card, err := n.readCard(filepath.Join(class, byIndex[index]))
			if err != nil {
				return err
			}
			n.cards[fmt.Sprintf("%s%d", product.name, i)] = card
		}
	}
	return nil
}

func entries(class string, pattern *regexp.Regexp) (map[int]string, error) {
	found := make(map[int]string)
	listing, err := os.ReadDir(class)
	if os.IsNotExist(err) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range listing {
		match := pattern.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		index, err := strconv.Atoi(match[1])
		if err != nil {
			return nil, err
		}
		found[index] = entry.Name()
	}
	return found, nil
}

func (n *Node) readCard(entry string) (Card, error) {
	uuid, err := readAttribute(entry, "device_uuid")
	if err != nil {
		return Card{}, err
	}
	bdf, err := readAttribute(entry, "busname")
	if err != nil {
		return Card{}, err
	}
	text, err := readAttribute(n.pciDevice(bdf), "numa_node")
	if err != nil {
		return Card{}, err
	}
	numa, err := strconv.ParseInt(text, 10, 64)
	return Card{UUID: uuid, BDF: bdf, NUMA: numa}, err
}

func readAttribute(dir, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	return strings.TrimSpace(string(text)), err
}
