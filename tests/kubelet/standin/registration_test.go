// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

func TestIsExtendedResourceName(t *testing.T) {
	cases := []struct {
		name string
		want bool
	}{
		{"furiosa.ai/npu", true},
		{"furiosa.ai/rngd-2core.12gb", true},
		{strings.Repeat("a", 63) + ".ai/npu", true},
		{"npu", false},
		{"", false},
		{"/npu", false},
		{"furiosa.ai/", false},
		{"furiosa.ai/a/b", false},
		{"Furiosa.ai/npu", false},
		{"furiosa.ai/-npu", false},
		{"furiosa.ai/npu_", false},
		{"kubernetes.io/npu", false},
		{"node.kubernetes.io/npu", false},
		{"requests.furiosa.ai/npu", false},
		{"furiosa.ai/" + strings.Repeat("n", 63), true},
		{"furiosa.ai/" + strings.Repeat("n", 64), false},
		{strings.Repeat("a.", 121) + "aa/npu", true},
		{strings.Repeat("a.", 121) + "aaa/npu", false},
	}
	for _, c := range cases {
		if got := IsExtendedResourceName(c.name); got != c.want {
			t.Errorf("%q: got %v", c.name, got)
		}
	}
}

func TestRegisterRefusals(t *testing.T) {
	k := startKubelet(t, Options{})
	cases := []struct {
		name, version, resource, text string
		optionsErr                    error
	}{
		{name: "version", version: "v1alpha", resource: testResource,
			text: `requested API version "v1alpha" is not supported by kubelet. Supported version is ["v1beta1"]`},
		{name: "resource", version: "v1beta1", resource: "npu", text: `the ResourceName "npu" is invalid`},
		{name: "options", version: "v1beta1", resource: testResource, optionsErr: errors.New("no"),
			text: "failed to get device plugin options: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			plugin := newFakePlugin(t, pluginSocket(k, c.name+".sock"), "a")
			plugin.resource, plugin.optionsErr = c.resource, c.optionsErr
			err := plugin.serve().register(k, c.version)
			if status.Code(err) != codes.Unknown || !strings.HasPrefix(status.Convert(err).Message(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
	if len(k.Registrations()) != 0 || len(k.Refusals()) != len(cases) {
		t.Errorf("%d accepted, %d refused", len(k.Registrations()), len(k.Refusals()))
	}
}

func TestRegisterDialsWithinTheCall(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "absent.sock"))
	start := time.Now()
	err := plugin.register(k, "v1beta1") // nothing listens there
	if err == nil || !strings.Contains(err.Error(), "failed to dial device plugin: context deadline exceeded") {
		t.Errorf("got %v", err)
	}
	if waited := time.Since(start); waited < 9*time.Second {
		t.Errorf("gave up after %v", waited)
	}
}

func TestDeviceListSemantics(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 2, 2)

	topology := &pluginapi.TopologyInfo{Nodes: []*pluginapi.NUMANode{{ID: 1}}}
	plugin.setDevices(
		&pluginapi.Device{ID: "c", Health: pluginapi.Unhealthy},
		&pluginapi.Device{ID: "d", Health: "healthy"}, // health is an exact string
		&pluginapi.Device{ID: "c", Health: pluginapi.Healthy, Topology: topology})
	waitCount(t, k, 2, 1)
	device, known := k.Device(testResource, "c")
	if !known || !device.HasTopology || len(device.NUMANodes) != 1 || device.NUMANodes[0] != 1 {
		t.Errorf("got %+v", device)
	}
	if _, known := k.Device(testResource, "a"); known {
		t.Error("a device of the list of before is still known")
	}
}

func TestStreamEndStopsTheEndpoint(t *testing.T) {
	k := startKubelet(t, Options{StopGrace: 300 * time.Millisecond})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 2, 2)
	if err := k.CutStream(testResource); err != nil {
		t.Fatal(err)
	}
	waitCount(t, k, 2, 0)
	waitCount(t, k, 0, 0) // after the grace period the key stays
	if _, known := k.Node()[testResource]; !known {
		t.Error("the resource is gone")
	}
	if _, err := k.AdmitPod(t.Context(), onePod("p", 1)); err == nil {
		t.Error("admitted with a stopped endpoint")
	}
	if n := plugin.streamCount(); n != 1 {
		t.Errorf("%d streams: tried again", n)
	}
}

func TestListOverTheLimitEndsTheStream(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 1, 1)
	plugin.setDevices(&pluginapi.Device{ID: strings.Repeat("x", 4<<20), Health: pluginapi.Healthy})
	waitCount(t, k, 1, 0)
	ended := k.Events()[len(k.Events())-2]
	if ended.Kind != StreamEnded || !strings.Contains(ended.Text, "received message larger than max") {
		t.Errorf("got %+v", ended)
	}
}

func TestRestartRemovesSocketsOnly(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 1, 1)
	file := pluginSocket(k, "kubelet_internal_checkpoint")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.Stop()
	for _, path := range []string{k.Socket(), plugin.socket, file} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("after stop: %v", err)
		}
	}
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(plugin.socket); !os.IsNotExist(err) {
		t.Error("the plugin's socket is still there")
	}
	if _, err := os.Lstat(file); err != nil {
		t.Error(err)
	}
	if count, known := k.Node()[testResource]; !known || count != (Count{}) {
		t.Errorf("got %+v, known %v", count, known)
	}
}

func TestDuplicateRegistration(t *testing.T) {
	cases := []struct {
		name        string
		bySocket    bool
		allocatable int
	}{
		{"by resource: the old one takes the new one down", false, 0},
		{"by socket: the new one stays", true, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := startKubelet(t, Options{ClientsBySocket: c.bySocket})
			old := newFakePlugin(t, pluginSocket(k, "old.sock"), "a").serve()
			old.mustRegister(k)
			waitCount(t, k, 1, 1)
			newFakePlugin(t, pluginSocket(k, "new.sock"), "a").serve().mustRegister(k)
			waitFor(t, k, "list of the new one", func() bool { return countEvents(k, Listed) == 2 })
			old.stop()
			waitFor(t, k, "end of the old stream", func() bool { return countEvents(k, StreamEnded) > 0 })
			waitCount(t, k, 1, c.allocatable)
		})
	}
}

func TestRegisterFaults(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
	k.SetFaults(Faults{RegisterRefusals: 2, RegisterDelay: 50 * time.Millisecond})
	for try, wantErr := range []bool{true, true, false} {
		start := time.Now()
		if err := plugin.register(k, "v1beta1"); (err != nil) != wantErr {
			t.Errorf("try %d: got %v", try, err)
		}
		if time.Since(start) < 50*time.Millisecond {
			t.Errorf("try %d was not slow", try)
		}
	}
}
