// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

func TestContract_4_KubeletSockRecreated(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	if err := f.kubelet.Restart(); err != nil {
		t.Fatal(err)
	}
	f.waitNode(npu, 2, 2)
	if n := f.registrations(npu); n != 2 {
		t.Errorf("%d registrations", n)
	}
}

func TestContract_4_OwnSocketUnlinked(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for _, path := range f.sockets() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	f.wait("second registration", func() bool { return f.registrations(npu) >= 2 })
	f.wait("socket", func() bool { return len(f.sockets()) == 1 })
	f.waitNode(npu, 2, 2)
	f.serves(npu)
}

func TestContract_4_StreamCancelled(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	if err := f.kubelet.CutStream(npu); err != nil {
		t.Fatal(err)
	}
	f.wait("second registration", func() bool { return f.registrations(npu) == 2 })
	f.waitNode(npu, 2, 2)
}

func TestContract_4_TwoStreamsBothUpdated(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	id := f.node.Card("rngd0").UUID
	watches := []*stream{f.watch(f.socket()), f.watch(f.socket()), f.watch(f.socket())}
	for _, watch := range watches {
		watch.until(id, pluginapi.Healthy)
	}
	f.sim("fail", "rngd0")
	for _, watch := range watches {
		watch.until(id, pluginapi.Unhealthy)
	}
	f.sim("recover", "rngd0")
	for _, watch := range watches {
		watch.until(id, pluginapi.Healthy)
	}
	f.waitNode(npu, 2, 2)
}

// The kubelet's stream is cut while another one, of a kubelet that has lost track
// of it or of a person who looks, stays open: the kubelet still needs a new
// registration, and does nothing for it.
func TestContract_4_StreamCancelledWhileAnotherIsOpen(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.watch(f.socket()).next()
	if err := f.kubelet.CutStream(npu); err != nil {
		t.Fatal(err)
	}
	f.wait("second registration", func() bool { return f.registrations(npu) >= 2 })
	f.waitNode(npu, 2, 2)
}

// The other way round: whatever the plugin does about it, the kubelet ends up
// with the truth.
func TestContract_4_OtherStreamEnds(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	watch := f.watch(f.socket())
	watch.next()
	watch.close()
	f.stays("plugin runs", f.plugin.Running)
	f.waitNode(npu, 2, 2)
	f.sim("fail", "rngd0")
	f.waitNode(npu, 2, 1)
	f.serves(npu)
}

func TestContract_4_StoppedReader(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{StopReading: true})
	}})
	f.wait("registration", func() bool { return f.registrations(npu) == 1 })
	id := f.node.Card("rngd0").UUID
	watch := f.watch(f.socket())
	for range 10 {
		f.sim("fail", "rngd0")
		watch.until(id, pluginapi.Unhealthy)
		f.sim("recover", "rngd0")
		watch.until(id, pluginapi.Healthy)
	}
	f.mustAllocate(npu, id)
	watch.close()
	f.kubelet.SetFaults(standin.Faults{})
	if err := f.kubelet.CutStream(npu); err != nil {
		t.Fatal(err)
	}
	f.waitNode(npu, 2, 2)
}

// A connection that is open but passes nothing on costs neither the other
// streams nor the newest list.
func TestContract_4_HalfOpenConnection(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	id := f.node.Card("rngd0").UUID
	cases := []struct {
		name      string
		direction standin.Direction
	}{{"from", standin.FromPlugin}, {"to", standin.ToPlugin}}
	for _, c := range cases {
		proxy, err := standin.NewProxy(filepath.Join(f.node.Dir, c.name), f.socket())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Close)
		watch := f.watch(filepath.Join(f.node.Dir, c.name))
		watch.until(id, pluginapi.Healthy)
		proxy.Freeze(c.direction)
		f.sim("fail", "rngd0")
		f.waitHealth(id, pluginapi.Unhealthy)
		f.mustAllocate(npu, f.node.Card("rngd1").UUID)
		proxy.Thaw(c.direction)
		watch.until(id, pluginapi.Unhealthy)
		f.sim("recover", "rngd0")
		f.waitHealth(id, pluginapi.Healthy)
		watch.until(id, pluginapi.Healthy)
	}
}

// An upgrade with kubelets up to 1.36: the end of the old instance takes down
// the new one's stream, which then has to register again.
func TestContract_4_OldInstanceEnds_ClientsByResource(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.replaceInstance()
	f.wait("third registration", func() bool { return f.registrations(npu) >= 3 })
	f.waitNode(npu, 2, 2)
	f.serves(npu)
}

// The same with kubelets that keep a client for each socket: no gap.
func TestContract_4_OldInstanceEnds_ClientsBySocket(t *testing.T) {
	f := start(t, setup{kubelet: standin.Options{ClientsBySocket: true}})
	f.waitNode(npu, 2, 2)
	f.replaceInstance()
	f.stays("devices of the new one",
		func() bool { return f.kubelet.Node()[npu] == standin.Count{Capacity: 2, Allocatable: 2} })
	if n := f.registrations(npu); n != 2 {
		t.Errorf("%d registrations", n)
	}
	f.serves(npu)
}

// replaceInstance starts a second plugin, and stops the first once both stand.
func (f *fixture) replaceInstance() {
	f.Helper()
	old, before := f.plugin, f.sockets()
	f.startPlugin()
	f.wait("registration of the new one", func() bool { return f.registrations(npu) >= 2 })
	f.wait("list of the new one", func() bool { return f.events(standin.Listed) >= 2 })
	if slices.Contains(before, f.socket()) {
		f.Fatalf("both use %s", f.socket())
	}
	old.Signal(syscall.SIGTERM)
	f.exits(old, 0)
	f.wait("end of the old stream", func() bool { return f.events(standin.StreamEnded) >= 1 })
}

func TestContract_4_PluginDirRemovedAndMade(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.kubelet.Stop()
	if err := os.RemoveAll(f.kubelet.PluginDir()); err != nil {
		t.Fatal(err)
	}
	f.stays("plugin runs", f.plugin.Running)
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}
