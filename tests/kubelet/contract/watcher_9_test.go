// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"silica/tests/kubelet/standin"
)

// registrySockets lists the registration sockets of plugins.
func (f *fixture) registrySockets() []string {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(f.kubelet.RegistryDir(), "silica-*-reg.sock"))
	if err != nil {
		f.Fatal(err)
	}
	return paths
}

func TestContract_9_WatcherRegisters(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	if registration := f.kubelet.Registrations()[0]; !registration.Watcher {
		t.Errorf("got %+v", registration)
	}
	if _, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 2)); err != nil {
		t.Error(err)
	}
	if sockets := f.sockets(); len(sockets) != 0 {
		t.Errorf("sockets in device-plugins: %v", sockets)
	}
}

func TestContract_9_GetInfo(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	info, err := registerapi.NewRegistrationClient(f.dial(f.registrySockets()[0])).
		GetInfo(f.call(), &registerapi.InfoRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if info.Type != registerapi.DevicePlugin || info.Name != npu || info.Endpoint != "" ||
		!slices.Contains(info.SupportedVersions, pluginapi.Version) {
		t.Errorf("got %v", info)
	}
}

func TestContract_9_WatcherKubeletRestarts(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	for range 3 {
		f.waitNode(npu, 2, 2)
		if err := f.kubelet.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	f.waitNode(npu, 2, 2)
	f.serves(npu)
}

// When only the stream ends, the kubelet does nothing until the registration
// socket is made again.
func TestContract_9_WatcherStreamCancelled(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	if err := f.kubelet.CutStream(npu); err != nil {
		t.Fatal(err)
	}
	f.wait("second registration", func() bool { return f.registrations(npu) >= 2 })
	f.waitNode(npu, 2, 2)
}

func TestContract_9_WatcherSocketUnlinked(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	for _, path := range f.registrySockets() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	f.wait("second registration", func() bool { return f.registrations(npu) >= 2 })
	f.waitNode(npu, 2, 2)
}

func TestContract_9_WatcherSigterm(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
	if sockets := f.registrySockets(); len(sockets) != 0 {
		t.Errorf("left behind: %v", sockets)
	}
	f.waitNode(npu, 2, 0)
}

func TestContract_9_WatcherHealth(t *testing.T) {
	f := start(t, setup{registration: "watcher"})
	f.waitNode(npu, 2, 2)
	f.sim("fail", "rngd0")
	f.waitNode(npu, 2, 1)
	f.sim("recover", "rngd0")
	f.waitNode(npu, 2, 2)
}

func TestContract_9_WatcherKubeletStartsLater(t *testing.T) {
	f := start(t, setup{registration: "watcher", noKubelet: true})
	f.stays("plugin runs", f.plugin.Running)
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}

// Whatever the kubelet makes of two registrations, the devices end up usable
// and stay so.
func TestContract_9_BothWays(t *testing.T) {
	f := start(t, setup{registration: "both", kubelet: standin.Options{ClientsBySocket: true}})
	f.wait("both registrations", func() bool {
		ways := make(map[bool]bool)
		for _, registration := range f.kubelet.Registrations() {
			ways[registration.Watcher] = true
		}
		return ways[true] && ways[false]
	})
	f.waitNode(npu, 2, 2)
	f.stays("devices",
		func() bool { return f.kubelet.Node()[npu] == standin.Count{Capacity: 2, Allocatable: 2} })
	if err := f.kubelet.Restart(); err != nil {
		t.Fatal(err)
	}
	f.waitNode(npu, 2, 2)
	if _, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 1)); err != nil {
		t.Error(err)
	}
}
