// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// sharing offers every card as so many shares.
func sharing(shares int, keys ...string) string {
	return configuration(resource(shared, append(keys, "unit: share", fmt.Sprintf("shares: %d", shares))...))
}

// sharesOf gives the IDs of the shares of a card.
func (f *fixture) sharesOf(card string, shares int) []string {
	var ids []string
	for i := range shares {
		ids = append(ids, fmt.Sprintf("%s::%d", f.node.Card(card).UUID, i))
	}
	return ids
}

// partOf gives what an ID of a share is a share of.
func partOf(id string) string {
	part, _, _ := strings.Cut(id, "::")
	return part
}

// parts counts what IDs of shares are shares of.
func parts(ids []string) map[string]int {
	n := make(map[string]int)
	for _, id := range ids {
		n[partOf(id)]++
	}
	return n
}

func TestContract_13_List(t *testing.T) {
	f := start(t, setup{config: sharing(4)})
	f.waitNode(shared, 8, 8)
	want := sorted(slices.Concat(f.sharesOf("rngd0", 4), f.sharesOf("rngd1", 4)))
	if got := f.ids(shared); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for _, card := range f.node.Cards() {
		for _, id := range f.sharesOf(card, 4) {
			device, _ := f.kubelet.Device(shared, id)
			if !slices.Equal(device.NUMANodes, []int64{f.node.Card(card).NUMA}) {
				t.Errorf("%s is on %v", id, device.NUMANodes)
			}
		}
	}
}

func TestContract_13_HealthOfAllShares(t *testing.T) {
	f := start(t, setup{config: sharing(4)})
	f.waitNode(shared, 8, 8)
	for _, card := range f.node.Cards() {
		lists := f.count(standin.Listed, shared)
		f.sim("fail", card)
		f.waitNode(shared, 8, 4)
		if n := f.count(standin.Listed, shared); n != lists+1 {
			t.Errorf("%d lists for one failure", n-lists)
		}
		for _, device := range f.kubelet.Devices(shared) {
			sick := partOf(device.ID) == f.node.Card(card).UUID
			if sick != (device.Health == pluginapi.Unhealthy) {
				t.Errorf("%s of %s: %s is %s", card, f.node.Card(card).UUID, device.ID, device.Health)
			}
		}
		_, err := f.allocate(shared, f.sharesOf(card, 4)[2])
		if err == nil || !strings.Contains(err.Error(), f.sharesOf(card, 4)[2]) {
			t.Errorf("got %v", err)
		}
		f.sim("recover", card)
		f.waitNode(shared, 8, 8)
	}
}

func TestContract_13_OneDeviceWhenPossible(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1", config: sharing(4)})
	f.waitNode(shared, 12, 12)
	a, b, c := f.sharesOf("rngd0", 4), f.sharesOf("rngd1", 4), f.sharesOf("rngd2", 4)
	cases := []struct {
		name      string
		available []string
		must      []string
		size      int
		cards     int // that the choice is of
	}{
		{"one", slices.Concat(a, b, c), nil, 1, 1},
		{"three", slices.Concat(a, b, c), nil, 3, 1},
		{"all of a card", slices.Concat(a, b, c), nil, 4, 1},
		{"more than a card has", slices.Concat(a, b, c), nil, 5, 2},
		{"two cards", slices.Concat(a, b, c), nil, 8, 2},
		{"only one card has enough", slices.Concat(a[:2], b[:2], c[:3]), nil, 3, 1},
		{"no card has enough", slices.Concat(a[:2], b[:2], c[:2]), nil, 3, 2},
		{"with an included one", slices.Concat(a, b, c), b[1:2], 3, 1},
		{"with included ones of two", slices.Concat(a, b, c), []string{b[1], c[1]}, 4, 2},
	}
	for _, k := range cases {
		got, err := f.preferOf(shared, k.available, k.must, k.size)
		f.must(err)
		f.checkPreferred(got, k.available, k.must, k.size)
		if n := len(parts(got)); n != k.cards {
			t.Errorf("%s: of %d cards: %v", k.name, n, got)
		}
	}
}

// The kubelet asks for what the plugin prefers, so pods get it.
func TestContract_13_PodsFillCards(t *testing.T) {
	f := start(t, setup{config: sharing(4)})
	f.waitNode(shared, 8, 8)
	for i, n := range []int{2, 3, 1, 2} {
		got, err := f.kubelet.AdmitPod(f.call(), pod(fmt.Sprint(i), shared, n))
		f.must(err)
		if len(parts(got[0].DeviceIDs)) != 1 {
			t.Errorf("pod %d: %v", i, got[0].DeviceIDs)
		}
	}
	if _, err := f.kubelet.AdmitPod(f.call(), pod("late", shared, 1)); err == nil {
		t.Error("a ninth share of eight")
	}
	f.kubelet.RemovePod("1")
	if _, err := f.kubelet.AdmitPod(f.call(), pod("late", shared, 3)); err != nil {
		t.Error(err)
	}
}

func TestContract_13_Allocate(t *testing.T) {
	const gib = 1 << 30
	whole, quarter, halved := "test.example/whole", "test.example/quarter", "test.example/halved"
	f := start(t, setup{cards: "rngd x3, numa 0/1", prepare: func(f *fixture) {
		f.setup.config = configuration(resource(whole, f.of("rngd0")),
			resource(quarter, f.of("rngd1"), "unit: share", "shares: 4"),
			resource(halved, f.of("rngd2"), "unit: share", "of: partition", "cores: 4", "shares: 2"))
	}})
	f.waitNode(whole, 1, 1)
	f.waitNode(quarter, 4, 4)
	f.waitNode(halved, 4, 4)
	b, c := f.node.Card("rngd1").UUID, f.node.Card("rngd2").UUID
	cases := []struct {
		resource string
		ids      []string
		devices  string
		shares   string
	}{
		{quarter, []string{b + "::0"}, b, "1/4"},
		{quarter, []string{b + "::3", b + "::1"}, b, "2/4"},
		{quarter, []string{b + "::3", b + "::3"}, b, "1/4"},
		{halved, []string{c + "_cores_0-3::1"}, c + "_cores_0-3", "1/2"},
		{halved, []string{c + "_cores_4-7::0", c + "_cores_0-3::0", c + "_cores_4-7::1"},
			c + "_cores_0-3," + c + "_cores_4-7", "1/2,2/2"},
	}
	for _, k := range cases {
		response := f.mustAllocate(k.resource, k.ids...)
		envs := response.Envs
		if envs["SILICA_DEVICES"] != k.devices || envs["SILICA_SHARES"] != k.shares {
			t.Errorf("%v: got %v", k.ids, envs)
		}
		if envs["SILICA_ENFORCEMENT"] != "none" {
			t.Errorf("%v: nothing keeps a share from the others, and it says %q", k.ids, envs["SILICA_ENFORCEMENT"])
		}
		if n := len(strings.Split(envs["SILICA_MEMORY_BYTES"], ",")); n != len(strings.Split(k.devices, ",")) {
			t.Errorf("%v: memory of %d devices: %v", k.ids, n, envs)
		}
	}
	if got := f.mustAllocate(quarter, b+"::0").Envs["SILICA_MEMORY_BYTES"]; got != fmt.Sprint(48*gib/4) {
		t.Errorf("a quarter of 48 GiB is %s bytes", got)
	}
	f.sameFilesAs(whole, quarter)
	if envs := f.mustAllocate(whole, f.ids(whole)...).Envs; envs["SILICA_SHARES"] != "" {
		t.Errorf("a whole card: %v", envs)
	}
}

// sameFilesAs fails unless a share has as many device files as a whole card.
func (f *fixture) sameFilesAs(whole, share string) {
	f.Helper()
	want := hostPaths(f.mustAllocate(whole, f.ids(whole)[0]))
	got := hostPaths(f.mustAllocate(share, f.ids(share)[0]))
	both := hostPaths(f.mustAllocate(share, f.ids(share)[:2]...))
	if len(got) != len(want) || !slices.Equal(got, both) {
		f.Errorf("whole %v\nshare %v\ntwo shares %v", want, got, both)
	}
}

func TestContract_13_OneShareOnly(t *testing.T) {
	const free = "test.example/free"
	one := resource(shared, "devices: {product: rngd}", "unit: share", "shares: 4", "failRequestsGreaterThanOne: true")
	f := start(t, setup{cards: "rngd x1, warboy x1, numa 0/1",
		config: configuration(one, resource(free, "devices: {product: warboy}", "unit: share", "shares: 4"))})
	f.waitNode(shared, 4, 4)
	f.waitNode(free, 4, 4)
	ids := f.ids(shared)
	f.mustAllocate(shared, ids[0])
	f.mustAllocate(shared, ids[1], ids[1])
	_, err := f.allocate(shared, ids[:2]...)
	if status.Code(err) != codes.InvalidArgument ||
		!containsAll(err.Error(), "2 of "+shared, "may have one", "failRequestsGreaterThanOne") {
		t.Errorf("got %v", err)
	}
	f.waitLogged(0, "Allocate", "failRequestsGreaterThanOne")
	_, err = f.kubelet.AdmitPod(f.call(), pod("greedy", shared, 3))
	if err == nil || !strings.Contains(err.Error(), "failRequestsGreaterThanOne") {
		t.Errorf("got %v", err)
	}
	two := standin.Pod{UID: "two", Containers: []standin.Container{
		{Name: "a", Resources: map[string]int{shared: 1}}, {Name: "b", Resources: map[string]int{shared: 1}}}}
	if _, err := f.kubelet.AdmitPod(f.call(), two); err != nil {
		t.Errorf("a share for each container: %v", err)
	}
	f.mustAllocate(free, f.ids(free)...)
}

func TestContract_13_UnknownShares(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", config: sharing(4)})
	f.waitNode(shared, 4, 4)
	uuid := f.node.Card("rngd0").UUID
	for _, id := range []string{uuid, uuid + "::4", uuid + "::-1", uuid + "::", uuid + "::00", uuid + "::1::1",
		uuid + ":1", "::1"} {
		if _, err := f.allocate(shared, id); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: got %v", id, err)
		}
	}
	f.mustAllocate(shared, uuid+"::3")
}
