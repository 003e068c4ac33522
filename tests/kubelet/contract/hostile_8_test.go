// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// Bytes that are no message: a length that points past the end, a field with
// number 0, a varint without end, a wire type that does not exist.
var malformed = [][]byte{
	{0x0a, 0xff, 0xff, 0xff, 0x7f, 'x'},
	{0x00},
	bytes.Repeat([]byte{0xff}, 16),
	{0x0f},
}

// malformedInside is well formed but for the message in its first field.
var malformedInside = []byte{0x0a, 0x05, 0x0a, 0x50, 'a', 'b', 'c'}

func TestContract_8_MalformedMessages(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	cases := []struct {
		method   string
		messages [][]byte
	}{
		{"Allocate", append(slices.Clone(malformed), malformedInside)},
		{"GetPreferredAllocation", append(slices.Clone(malformed), malformedInside)},
		{"PreStartContainer", malformed},
	}
	for _, c := range cases {
		for _, message := range c.messages {
			_, err := standin.CallRaw(f.call(), f.conn(npu), "/v1beta1.DevicePlugin/"+c.method, message)
			switch status.Code(err) {
			case codes.OK, codes.DeadlineExceeded, codes.Unavailable:
				t.Errorf("%s % x: got %v", c.method, message, err)
			}
		}
	}
	f.mustAllocate(npu, f.ids(npu)...)
}

// No kubelet sends these; refusing them is as good as an empty answer.
func TestContract_8_EmptyAndNegativeRequests(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for name, request := range map[string]*pluginapi.AllocateRequest{
		"no container": {},
		"no device":    {ContainerRequests: []*pluginapi.ContainerAllocateRequest{{}}},
	} {
		response, err := f.api(npu).Allocate(f.call(), request)
		for _, container := range response.GetContainerResponses() {
			if len(container.Devices) != 0 {
				t.Errorf("%s: got %v", name, container)
			}
		}
		f.refusedOrNothing(name, err)
	}
	got, err := f.prefer(f.ids(npu), nil, -1)
	if len(got) != 0 {
		t.Errorf("-1 preferred: got %v", got)
	}
	f.refusedOrNothing("-1 preferred", err)
	f.mustAllocate(npu, f.ids(npu)...)
}

func (f *fixture) refusedOrNothing(name string, err error) {
	f.Helper()
	if code := status.Code(err); code != codes.OK && code != codes.InvalidArgument {
		f.Errorf("%s: %v", name, err)
	}
}

func TestContract_8_UnknownMethods(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for _, method := range []string{"/v1beta1.DevicePlugin/Deallocate", "/v1beta2.DevicePlugin/Allocate",
		"/x/y", "/v1beta1.DevicePlugin/", "/v1beta1.DevicePlugin/allocate"} {
		ctx, cancel := context.WithTimeout(f.call(), time.Second)
		_, err := standin.CallRaw(ctx, f.conn(npu), method, nil)
		cancel()
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: got %v", method, err)
		}
	}
	f.serves(npu)
}

// Bytes that are no HTTP/2, and connections that never say anything.
func TestContract_8_NotHTTP2(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	talk := []string{"", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\x00\xff", 5000),
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\xff", 100)}
	for range 8 {
		for _, text := range talk {
			conn, err := net.Dial("unix", f.socket())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			_, _ = conn.Write([]byte(text)) // the plugin may have hung up already
		}
	}
	f.mustAllocate(npu, f.ids(npu)...)
	f.sim("fail", "rngd0")
	f.waitNode(npu, 2, 1)
}

func TestContract_8_CallsThatAreGivenUp(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	ids := f.ids(npu)
	request := &pluginapi.AllocateRequest{
		ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: ids}}}
	for i := range 100 {
		ctx, cancel := context.WithTimeout(f.call(), time.Duration(i)*20*time.Microsecond)
		_, _ = f.api(npu).Allocate(ctx, request) // in time or not
		cancel()
	}
	f.mustAllocate(npu, ids...)
}

func TestContract_8_KubeletDirAppearsLater(t *testing.T) {
	f := start(t, setup{noKubelet: true})
	if _, err := os.Stat(f.node.Kubelet); !os.IsNotExist(err) {
		t.Fatalf("the kubelet dir is there: %v", err)
	}
	f.stays("plugin runs", f.plugin.Running)
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}

func TestContract_8_InvalidResourceName(t *testing.T) {
	cases := []struct{ broken, name, rule string }{
		{"no prefix", "npu", "/"},
		{"native", "kubernetes.io/npu", "kubernetes.io/"},
		{"quota", "requests.furiosa.ai/npu", "requests."},
		{"capitals", "Furiosa.AI/npu", "DNS"},
		{"hyphen first", "furiosa.ai/-npu", "name"},
		{"long", "furiosa.ai/" + strings.Repeat("n", 64), "63"},
	}
	for _, c := range cases {
		t.Run(c.broken, func(t *testing.T) {
			config := fmt.Sprintf("version: v1\nresources:\n- name: %q\n  devices: {vendor: furiosa}\n  unit: whole\n", c.name)
			f := start(t, setup{config: config})
			status, err := f.plugin.Wait(patience)
			if err != nil {
				t.Fatal(err)
			}
			if log := f.plugin.Log(); status <= 0 || !containsAll(log, c.name, c.rule) {
				t.Errorf("exit status %d, log:\n%s", status, log)
			}
		})
	}
}

func TestContract_8_InvalidConfiguration(t *testing.T) {
	cases := []struct{ name, config, want string }{
		{"unknown key", "version: v1\nresorces: []\n", "resorces"},
		{"unknown unit", "version: v1\nresources:\n- name: furiosa.ai/npu\n  devices: {vendor: furiosa}\n  unit: slice\n", "slice"},
		{"unknown version", "version: v9\n", "v9"},
		{"no YAML", "version: [v1\n", "config.yaml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := start(t, setup{config: c.config})
			status, err := f.plugin.Wait(patience)
			if err != nil {
				t.Fatal(err)
			}
			if log := f.plugin.Log(); status <= 0 || !strings.Contains(log, c.want) {
				t.Errorf("exit status %d, log:\n%s", status, log)
			}
		})
	}
}

func TestContract_8_CardVanishes(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	gone, left := f.node.Card("rngd0").UUID, f.node.Card("rngd1").UUID
	f.sim("unplug", "rngd0")
	f.waitHealth(gone, pluginapi.Unhealthy)
	if _, err := f.allocate(npu, gone); err == nil {
		t.Error("a card that is gone was allocated")
	}
	f.mustAllocate(npu, left)
	f.sim("unplug", "rngd1")
	f.waitNode(npu, 2, 0)
	f.sim("plug", "rngd0")
	f.sim("plug", "rngd1")
	f.waitNode(npu, 2, 2)
}

func TestContract_8_ZeroUUIDs(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1, uuid zero"})
	f.waitNode(npu, 3, 3)
	ids := f.ids(npu)
	for _, id := range ids {
		if strings.HasPrefix(id, "00000000-") {
			t.Errorf("%s is an ID", id)
		}
		f.mustAllocate(npu, id)
	}
	f.sim("fail", "rngd0")
	f.waitNode(npu, 3, 2)
}

func TestContract_8_EqualUUIDs(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.sim("set", "rngd1", "device_uuid", f.node.Card("rngd0").UUID+`\n`)
	}})
	f.waitNode(npu, 2, 2)
}

func TestContract_8_MissingNode(t *testing.T) {
	cases := []struct{ card, node string }{
		{"rngd0", "mgmt"}, {"rngd0", "pe0"}, {"warboy0", "pe1"},
	}
	for _, c := range cases {
		t.Run(c.card+" "+c.node, func(t *testing.T) {
			f := start(t, setup{cards: "rngd x1, warboy x1, numa 0/1"})
			f.waitNode(npu, 2, 2)
			f.sim("remove-node", c.card, c.node)
			f.waitHealth(f.node.Card(c.card).UUID, pluginapi.Unhealthy)
			f.waitNode(npu, 2, 1)
			f.sim("restore-node", c.card, c.node)
			f.waitNode(npu, 2, 2)
		})
	}
}

// What the attributes of a card hold is not to be trusted.
func TestContract_8_BrokenAttributes(t *testing.T) {
	values := []string{"", "\\n", "not a number\\n", "\\x00\\x01\\xff", strings.Repeat("9", 5000)}
	f := start(t, setup{cards: "rngd x1, warboy x1, numa 0/1"})
	f.waitNode(npu, 2, 2)
	sick, well := f.node.Card("rngd0").UUID, f.node.Card("warboy0").UUID
	for _, value := range values {
		f.sim("set", "rngd0", "device_state", value)
		f.waitHealth(sick, pluginapi.Unhealthy)
		f.mustAllocate(npu, well)
		f.sim("set", "rngd0", "device_state", "1\\n")
		f.waitHealth(sick, pluginapi.Healthy)
	}
}
