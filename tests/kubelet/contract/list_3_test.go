// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// stream is a ListAndWatch stream beside the kubelet's own.
type stream struct {
	f     *fixture
	rpc   grpc.ServerStreamingClient[pluginapi.ListAndWatchResponse]
	close context.CancelFunc
}

func (f *fixture) watch(socket string) *stream {
	f.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	f.Cleanup(cancel)
	rpc, err := pluginapi.NewDevicePluginClient(f.dial(socket)).ListAndWatch(ctx, &pluginapi.Empty{})
	if err != nil {
		f.Fatal(err)
	}
	return &stream{f: f, rpc: rpc, close: cancel}
}

// next waits for the next list.
func (s *stream) next() []*pluginapi.Device {
	s.f.Helper()
	response, err := s.rpc.Recv()
	if err != nil {
		s.f.Fatal(err)
	}
	return response.Devices
}

// until reads lists until one shows a device with a health.
func (s *stream) until(id, health string) []*pluginapi.Device {
	s.f.Helper()
	for {
		list := s.next()
		for _, device := range list {
			if device.ID == id && device.Health == health {
				return list
			}
		}
	}
}

func (f *fixture) socket() string {
	registrations := f.kubelet.Registrations()
	return registrations[len(registrations)-1].Socket
}

func TestContract_3_FirstListImmediate(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	// Nothing changes on the node, so nothing but the stream's start causes a list.
	if list := f.watch(f.socket()).next(); len(list) != 2 {
		t.Errorf("got %v", list)
	}
}

// An empty list first would take the devices of running pods away.
func TestContract_3_FirstListIsNotEmpty(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for _, event := range f.kubelet.Events() {
		if event.Kind == standin.Listed && event.Devices != 2 {
			t.Errorf("a list of %d devices", event.Devices)
		}
	}
}

func TestContract_3_FullListsAndExactHealth(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1"})
	f.waitNode(npu, 3, 3)
	watch := f.watch(f.socket())
	sick := f.node.Card("rngd1").UUID
	f.sim("fail", "rngd1")
	list := watch.until(sick, "Unhealthy")
	healthy := 0
	for _, device := range list {
		if device.Health == "Healthy" {
			healthy++
		}
	}
	if len(list) != 3 || healthy != 2 {
		t.Errorf("got %v", list)
	}
}

func TestContract_3_IDsUnique(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, warboy x2, numa 0/1"})
	f.waitNode(npu, 5, 5)
	var ids []string
	for _, device := range f.watch(f.socket()).next() {
		ids = append(ids, device.ID)
	}
	if len(slices.Compact(sorted(ids))) != 5 || len(ids) != 5 {
		t.Errorf("got %v", ids)
	}
	for _, card := range f.node.Cards() {
		if !slices.Contains(ids, f.node.Card(card).UUID) {
			t.Errorf("%s is missing from %v", card, ids)
		}
	}
}

func TestContract_3_IDsStableOverPluginRestart(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	before := f.ids(npu)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
	f.waitNode(npu, 2, 0)
	f.startPlugin()
	f.waitNode(npu, 2, 2)
	if after := f.ids(npu); !slices.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestContract_3_IDsStableOverRenumbering(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	before, card := f.ids(npu), f.node.Card("rngd1").UUID
	f.sim("renumber", "rngd1", "7")
	f.plugin.Signal(syscall.SIGHUP)
	f.wait("device files of the new index", func() bool {
		response, err := f.allocate(npu, card)
		return err == nil && slices.Contains(hostPaths(response), "/dev/rngd/npu7mgmt")
	})
	f.waitNode(npu, 2, 2)
	if after := f.ids(npu); !slices.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestContract_3_NoTopologyWhenNumaUnknown(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.sim("set", "rngd0", "pci/numa_node", `-1\n`)
	}})
	f.waitNode(npu, 2, 2)
	device, _ := f.kubelet.Device(npu, f.node.Card("rngd0").UUID)
	if device.HasTopology {
		t.Errorf("got %+v", device)
	}
}

func TestContract_3_NoTopologyWithoutNuma(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, warboy x1, numa -1"})
	f.waitNode(npu, 2, 2)
	for _, device := range f.kubelet.Devices(npu) {
		if device.HasTopology {
			t.Errorf("got %+v", device)
		}
	}
}

func TestContract_3_TopologyIsTheNumaNode(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, warboy x2, numa 0/1"})
	f.waitNode(npu, 4, 4)
	seen := make(map[int64]bool)
	for _, name := range f.node.Cards() {
		card := f.node.Card(name)
		device, known := f.kubelet.Device(npu, card.UUID)
		if !known || !slices.Equal(device.NUMANodes, []int64{card.NUMA}) {
			t.Errorf("%s on NUMA node %d: got %+v", name, card.NUMA, device)
		}
		seen[card.NUMA] = true
	}
	if !seen[0] || !seen[1] {
		t.Errorf("the node has no cards on both NUMA nodes: %v", seen)
	}
}

func TestContract_3_DeadDevicesStayListed(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.sim("unplug", "rngd0")
	f.waitHealth(f.node.Card("rngd0").UUID, pluginapi.Unhealthy)
	f.waitNode(npu, 2, 1)
	f.stays("both are listed", func() bool { return f.kubelet.Node()[npu].Capacity == 2 })
	f.sim("plug", "rngd0")
	f.waitNode(npu, 2, 2)
}

func TestContract_3_FailedDeviceRecovers(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, warboy x1, numa 0/1"})
	f.waitNode(npu, 2, 2)
	for _, card := range []string{"rngd0", "warboy0"} {
		id := f.node.Card(card).UUID
		f.sim("fail", card)
		f.waitHealth(id, pluginapi.Unhealthy)
		f.sim("recover", card)
		f.waitHealth(id, pluginapi.Healthy)
	}
	f.waitNode(npu, 2, 2)
}

// A node without devices is a normal node, and may get one later.
func TestContract_3_NoDevicesAtStart(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", prepare: func(f *fixture) { f.sim("unplug", "rngd0") }})
	f.stays("plugin runs and offers nothing", f.offersNothing)
	f.sim("plug", "rngd0")
	f.waitNode(npu, 1, 1)
}

func TestContract_3_NoDevicesEver(t *testing.T) {
	f := start(t, setup{cards: "numa 0"})
	f.stays("plugin runs and offers nothing", f.offersNothing)
	if err := f.kubelet.Restart(); err != nil {
		t.Fatal(err)
	}
	f.stays("plugin runs and offers nothing", f.offersNothing)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
}

// offersNothing holds whether or not the plugin has registered.
func (f *fixture) offersNothing() bool {
	return f.plugin.Running() && f.kubelet.Node()[npu] == standin.Count{}
}

// What differs between releases of the driver makes no difference to a kubelet.
func TestContract_3_DriverReleases(t *testing.T) {
	for _, variant := range []string{"spelling old", "newlines off", "p2pmem", "serial empty",
		"serial none", "pe-entries off"} {
		t.Run(variant, func(t *testing.T) {
			f := start(t, setup{cards: "rngd x2, warboy x1, numa 0/1, " + variant})
			f.waitNode(npu, 3, 3)
			for _, card := range f.node.Cards() {
				f.mustAllocate(npu, f.node.Card(card).UUID)
			}
		})
	}
}

// Each list makes a kubelet write its checkpoint.
func TestContract_3_UnchangedListsAreNotRepeated(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for range 3 {
		f.plugin.Signal(syscall.SIGHUP)
		f.stays("one list", func() bool { return f.events(standin.Listed) == 1 })
	}
}
