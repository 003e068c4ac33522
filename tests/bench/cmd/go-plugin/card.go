// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	classDir = "sys/class/rngd_mgmt"
	pciDir   = "sys/bus/pci/devices"

	pciVendor = "0x1ed2"
	pciDevice = "0x0001" // RNGD

	coresPerCard = 8
)

var entryName = regexp.MustCompile(`^rngd!npu(\d+)mgmt$`)

// Suffixes of the device files that every partition of a card needs.
var sharedNodes = []string{
	"mgmt", "bar0", "bar2", "bar4", "dmar",
	"ch0", "ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7",
	"ch0r", "ch1r", "ch2r", "ch3r", "ch4r", "ch5r", "ch6r", "ch7r",
}

// A peNode is a device file that opens some cores, both ends included.
type peNode struct {
	suffix      string
	first, last int
}

var peNodes = []peNode{
	{"pe0", 0, 0}, {"pe1", 1, 1}, {"pe2", 2, 2}, {"pe3", 3, 3},
	{"pe4", 4, 4}, {"pe5", 5, 5}, {"pe6", 6, 6}, {"pe7", 7, 7},
	{"pe0-1", 0, 1}, {"pe2-3", 2, 3}, {"pe4-5", 4, 5}, {"pe6-7", 6, 7},
	{"pe0-3", 0, 3}, {"pe4-7", 4, 7},
}

type card struct {
	uuid    string
	index   string // of the kernel's name, as in "npu0"
	entry   string // its directory
	busname string
	numa    int             // or -1
	ranges  map[string]bool // core ranges that can be opened, as in "2-3"
	usable  bool            // its device files are all there
	alive   bool
}

// scanCards reads all cards below root.  A card that cannot be identified is
// left out; one that cannot be used is listed as such.
func scanCards(root string) ([]*card, error) {
	entries, err := os.ReadDir(filepath.Join(root, classDir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var cards []*card
	for _, entry := range entries {
		match := entryName.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		if c := readCard(root, entry.Name(), match[1]); c != nil {
			cards = append(cards, c)
		}
	}
	return cards, nil
}

func readCard(root, name, index string) *card {
	c := &card{index: index, entry: filepath.Join(root, classDir, name), numa: -1}
	if readAttribute(c.entry, "platform_type") != "FuriosaAI" {
		return nil
	}
	c.uuid = readAttribute(c.entry, "device_uuid")
	c.busname = readAttribute(c.entry, "busname")
	if c.uuid == "" || c.busname == "" {
		return nil
	}
	pci := filepath.Join(root, pciDir, c.busname)
	if readAttribute(pci, "vendor") != pciVendor || readAttribute(pci, "device") != pciDevice {
		return nil
	}
	if numa, err := strconv.Atoi(readAttribute(pci, "numa_node")); err == nil {
		c.numa = numa
	}
	c.ranges = make(map[string]bool)
	for text := range strings.SplitSeq(readAttribute(c.entry, "cur_pe_ids"), ",") {
		c.ranges[text] = true
	}
	c.usable = checkNodes(root, c.nodes(0, coresPerCard-1)) == nil
	c.alive = c.isAlive()
	return c
}

// isAlive looks at the card's state, and at its address to be sure that the
// entry still is the same card.
func (c *card) isAlive() bool {
	return readAttribute(c.entry, "device_state") == "1" &&
		readAttribute(c.entry, "busname") == c.busname
}

// nodes lists the device files for a range of cores.
func (c *card) nodes(first, last int) []string {
	prefix := "/dev/rngd/npu" + c.index
	paths := make([]string, 0, len(sharedNodes)+len(peNodes))
	for _, suffix := range sharedNodes {
		paths = append(paths, prefix+suffix)
	}
	for _, pe := range peNodes {
		if first <= pe.first && pe.last <= last {
			paths = append(paths, prefix+pe.suffix)
		}
	}
	return paths
}

// checkNodes makes sure that every device file is there and is one.
func checkNodes(root string, paths []string) error {
	for _, path := range paths {
		info, err := os.Stat(filepath.Join(root, path))
		if err != nil {
			return err
		}
		if info.Mode()&os.ModeCharDevice == 0 {
			return fmt.Errorf("'%s' is no character device", path)
		}
	}
	return nil
}

// readAttribute returns the trimmed content of a sysfs attribute, or "".
func readAttribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
