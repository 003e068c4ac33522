// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"os"
	"syscall"
	"testing"

	"silica/tests/kubelet/standin"
)

func TestContract_11_KubeletRestartsInARow(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for range 5 { // without waiting for the plugin in between
		if err := f.kubelet.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	f.waitNode(npu, 2, 2)
	f.stays("devices", func() bool { return f.kubelet.Node()[npu].Allocatable == 2 })
	f.serves(npu)
}

func TestContract_11_KubeletRestartsOneByOne(t *testing.T) {
	f := start(t, setup{})
	for range 5 {
		f.waitNode(npu, 2, 2)
		if err := f.kubelet.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	f.waitNode(npu, 2, 2)
	f.wait("one socket", func() bool { return len(f.sockets()) == 1 })
}

func TestContract_11_PluginKilledAndRestarted(t *testing.T) {
	f := start(t, setup{})
	for range 3 {
		f.waitNode(npu, 2, 2)
		f.plugin.Kill()
		f.waitNode(npu, 2, 0)
		f.startPlugin()
	}
	f.waitNode(npu, 2, 2)
	f.serves(npu)
}

func TestContract_11_StreamCutTenTimes(t *testing.T) {
	f := start(t, setup{})
	for i := range 10 {
		f.waitNode(npu, 2, 2)
		if err := f.kubelet.CutStream(npu); err != nil {
			t.Fatal(err)
		}
		f.wait("registration", func() bool { return f.registrations(npu) >= i+2 })
	}
	f.waitNode(npu, 2, 2)
	if _, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 2)); err != nil {
		t.Error(err)
	}
}

// Running containers keep their devices over every restart, without Allocate.
func TestContract_11_PodsOverRestarts(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	before, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 1))
	if err != nil {
		t.Fatal(err)
	}
	restarts := []func(){
		func() { f.plugin.Kill(); f.startPlugin() },
		func() { f.restartKubelet() },
		func() { f.kubelet.Stop(); f.plugin.Kill(); f.startPlugin(); f.startKubelet() },
		func() { f.plugin.Kill(); f.restartKubelet(); f.startPlugin() },
	}
	for _, restart := range restarts {
		seen := f.registrations(npu)
		restart()
		f.wait("registration", func() bool { return f.registrations(npu) > seen })
		f.waitNode(npu, 2, 2)
		again, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 1))
		if err != nil || again[0].DeviceIDs[0] != before[0].DeviceIDs[0] {
			t.Errorf("got %v, %v", again, err)
		}
	}
	if _, err := f.kubelet.AdmitPod(f.call(), pod("q", npu, 1)); err != nil {
		t.Error(err)
	}
}

func (f *fixture) restartKubelet() {
	f.Helper()
	if err := f.kubelet.Restart(); err != nil {
		f.Fatal(err)
	}
}

func TestContract_11_CardFailsWhileKubeletIsDown(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.kubelet.Stop()
	f.sim("fail", "rngd0")
	f.startKubelet()
	f.waitNode(npu, 2, 1)
}

func TestContract_11_KilledWhileStopped(t *testing.T) {
	f := start(t, setup{noKubelet: true})
	f.stays("plugin runs", f.plugin.Running)
	f.plugin.Kill()
	f.startPlugin()
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}

func TestContract_11_HangupsInARow(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for range 50 {
		f.plugin.Signal(syscall.SIGHUP)
	}
	f.sim("fail", "rngd0")
	f.waitNode(npu, 2, 1)
	if n := f.registrations(npu); n != 1 {
		t.Errorf("%d registrations", n)
	}
	f.stays("the stream", func() bool { return f.events(standin.StreamEnded) == 0 })
}

// An open file or a thread that is left behind each time adds up.
func TestContract_11_NothingLeaks(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	cut := func(times int) {
		for range times {
			seen := f.registrations(npu)
			if err := f.kubelet.CutStream(npu); err != nil {
				t.Fatal(err)
			}
			f.wait("registration", func() bool { return f.registrations(npu) > seen })
			f.waitNode(npu, 2, 2)
		}
	}
	cut(3)
	before := f.openFiles()
	cut(10)
	const slack = 5 // files that are open for a moment
	f.wait("as many open files as before", func() bool { return f.openFiles() <= before+slack })
}

func (f *fixture) openFiles() int {
	f.Helper()
	entries, err := os.ReadDir(procFD(f.plugin.PID()))
	if err != nil {
		f.Fatal(err)
	}
	return len(entries)
}
