// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"silica/tests/kubelet/standin"
)

const (
	aligned     = "test.example/aligned"
	packed      = "test.example/packed"
	distributed = "test.example/distributed"
)

// policies offers the same cards three times, with a policy each.
func policies(keys ...string) string {
	item := func(name, policy, overlap string) string {
		return resource(name, append(keys, "preferred: "+policy, "overlap: "+overlap)...)
	}
	return configuration(item(aligned, "aligned", "false"), item(packed, "packed", "true"),
		item(distributed, "distributed", "true"))
}

// bridge is the PCI switch that a card is below.
func (f *fixture) bridge(card string) string {
	f.Helper()
	path, err := filepath.EvalSymlinks(filepath.Join(f.node.Host, "sys/bus/pci/devices", f.node.Card(card).BDF))
	f.must(err)
	return filepath.Dir(filepath.Dir(path))
}

// uuids gives the IDs of cards.
func (f *fixture) uuids(cards ...string) []string {
	var ids []string
	for _, card := range cards {
		ids = append(ids, f.node.Card(card).UUID)
	}
	return ids
}

// named gives the names of cards for their IDs, sorted.
func (f *fixture) named(ids []string) []string {
	var names []string
	for _, card := range f.node.Cards() {
		if slices.Contains(ids, f.node.Card(card).UUID) {
			names = append(names, card)
		}
	}
	return names
}

// Eight cards of two NUMA nodes, on each of which three are below one switch and
// the fourth is below another.
func TestContract_17_WholeCards(t *testing.T) {
	f := start(t, setup{cards: "rngd x8, numa 0/1, switch 3", config: policies()})
	for _, resource := range []string{aligned, packed, distributed} {
		f.waitNode(resource, 8, 8)
	}
	if f.bridge("rngd1") != f.bridge("rngd5") || f.bridge("rngd0") == f.bridge("rngd6") {
		t.Fatal("the node is not as described")
	}
	cases := []struct {
		resource  string
		available []string
		must      []string
		size      int
		want      []string
	}{
		// Near each other: the two below one switch, though it has a third.
		{aligned, []string{"rngd0", "rngd6", "rngd1", "rngd3", "rngd5"}, nil, 3, []string{"rngd1", "rngd3", "rngd5"}},
		{aligned, []string{"rngd0", "rngd6", "rngd1", "rngd3"}, nil, 2, []string{"rngd1", "rngd3"}},
		{aligned, []string{"rngd0", "rngd2", "rngd4", "rngd6", "rngd1", "rngd3", "rngd5", "rngd7"},
			[]string{"rngd7"}, 1, []string{"rngd7"}},
		{aligned, []string{"rngd0", "rngd2", "rngd1", "rngd3"}, []string{"rngd3"}, 2, []string{"rngd1", "rngd3"}},
		{aligned, []string{"rngd0", "rngd1", "rngd2", "rngd3", "rngd5", "rngd7"}, nil, 4,
			[]string{"rngd1", "rngd3", "rngd5", "rngd7"}},
		// The fuller part of the node, though its two cards are farther apart.
		{packed, []string{"rngd0", "rngd6", "rngd1", "rngd3", "rngd5"}, nil, 2, []string{"rngd0", "rngd6"}},
		{packed, []string{"rngd0", "rngd1", "rngd3", "rngd5"}, nil, 1, []string{"rngd0"}},
	}
	for _, c := range cases {
		available, must := f.uuids(c.available...), f.uuids(c.must...)
		got, err := f.preferOf(c.resource, available, must, c.size)
		f.must(err)
		f.checkPreferred(got, available, must, c.size)
		if !slices.Equal(f.named(got), c.want) {
			t.Errorf("%s %d of %v with %v: got %v, want %v", c.resource, c.size, c.available, c.must,
				f.named(got), c.want)
		}
	}
	for _, size := range []int{2, 4, 6, 8} {
		available := f.uuids(f.node.Cards()...)
		got, err := f.preferOf(distributed, available, nil, size)
		f.must(err)
		f.checkPreferred(got, available, nil, size)
		nodes := make(map[int64]int)
		for _, card := range f.named(got) {
			nodes[f.node.Card(card).NUMA]++
		}
		if nodes[0] != size/2 || nodes[1] != size/2 {
			t.Errorf("%d distributed: %v", size, f.named(got))
		}
	}
}

// Pods of one share each, as the kubelet admits them one after the other.
func TestContract_17_Shares(t *testing.T) {
	for _, c := range []struct {
		policy string
		cards  []int // how many are in use after 1, 2, 3 ... pods
	}{
		{"aligned", []int{1, 1, 2, 2, 3, 3, 4, 4}},
		{"packed", []int{1, 1, 2, 2, 3, 3, 4, 4}},
		{"distributed", []int{1, 2, 3, 4, 4, 4, 4, 4}},
	} {
		t.Run(c.policy, func(t *testing.T) {
			f := start(t, setup{cards: "rngd x4, numa 0/1", config: sharing(2, "preferred: "+c.policy)})
			f.waitNode(shared, 8, 8)
			var held []string
			for i, want := range c.cards {
				got, err := f.kubelet.AdmitPod(f.call(), pod(fmt.Sprint(i), shared, 1))
				f.must(err)
				held = append(held, got[0].DeviceIDs...)
				if n := len(parts(held)); n != want {
					t.Fatalf("%d pods are on %d cards, not %d: %v", i+1, n, want, held)
				}
				if c.policy == "distributed" && i == 1 {
					f.onBothNodes(held)
				}
			}
		})
	}
}

func (f *fixture) onBothNodes(ids []string) {
	f.Helper()
	nodes := make(map[int64]bool)
	for _, id := range ids {
		device, _ := f.kubelet.Device(shared, id)
		for _, node := range device.NUMANodes {
			nodes[node] = true
		}
	}
	if len(nodes) != 2 {
		f.Errorf("two pods are on the NUMA nodes %v", nodes)
	}
}

// A policy is part of the configuration, and changes with it while nothing that
// the kubelet is told does.
func TestContract_17_Reload(t *testing.T) {
	f := start(t, setup{cards: "rngd x4, numa 0/1", config: sharing(2, "preferred: packed")})
	f.waitNode(shared, 8, 8)
	all := f.ids(shared)
	must := all[:1]
	available := slices.Concat(f.sharesOf("rngd0", 2)[:1], f.sharesOf("rngd1", 2), f.sharesOf("rngd2", 2))
	single := func() bool {
		got, err := f.preferOf(shared, available, nil, 1)
		f.must(err)
		return partOf(got[0]) == f.node.Card("rngd0").UUID
	}
	if !single() {
		t.Error("packed: not of the card that is in use")
	}
	heard := f.heard(shared)
	f.renameConfig(sharing(2, "preferred: distributed"))
	f.wait("the other policy", func() bool { return !single() })
	if n := f.heard(shared); n != heard || f.events(standin.StreamEnded) != 0 {
		t.Errorf("the kubelet has heard of it: %d", n-heard)
	}
	got, err := f.preferOf(shared, all, must, 3)
	f.must(err)
	f.checkPreferred(got, all, must, 3)
}
