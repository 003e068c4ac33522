// SPDX-License-Identifier: Apache-2.0

// Package contract checks silica-device-plugin against what a kubelet does to
// device plugins.  Each test has a node, a kubelet and a plugin process of its
// own; the numbers in the names are explained in the README beside this folder.
package contract

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/internal/program"
	"silica/tests/kubelet/internal/simnode"
	"silica/tests/kubelet/standin"
)

const (
	npu = "furiosa.ai/npu" // the resource of a plugin without configuration
	// patience is how long anything may take that must happen: it decides how
	// long a failing test runs, and is no measure of speed.
	patience = 60 * time.Second
	// callTimeout is the same for one call.
	callTimeout = 20 * time.Second
	// quiet is how long something must not happen to count as not happening; a
	// card is probed six times within it.
	quiet = 3 * time.Second
)

// setup says what a fixture is made of; the zero value is a node with two cards
// on two NUMA nodes and a plugin that calls Register.
type setup struct {
	cards        string // as silica-sim takes them
	config       string // YAML, or "" for none
	configFile   string // where the configuration is, below node.Dir; "" is config.yaml
	registration string // "classic" by default
	metrics      string // address of metrics and probes, onSocket, or "" for none
	kubelet      standin.Options
	noKubelet    bool // made, but not started
	noPlugin     bool
	prepare      func(f *fixture) // runs before kubelet and plugin start
}

type fixture struct {
	*testing.T
	setup   setup
	node    *simnode.Node
	kubelet *standin.Kubelet
	plugin  *program.Process // the one started last
}

func start(t *testing.T, s setup) *fixture {
	t.Helper()
	t.Parallel()
	if s.cards == "" {
		s.cards = "rngd x2, numa 0/1"
	}
	if s.registration == "" {
		s.registration = "classic"
	}
	node, err := simnode.Make(s.cards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Remove)
	s.kubelet.Dir = node.Kubelet
	if s.kubelet.WatchInterval == 0 {
		s.kubelet.WatchInterval = 100 * time.Millisecond
	}
	f := &fixture{T: t, setup: s, node: node, kubelet: standin.New(s.kubelet)}
	t.Cleanup(f.kubelet.Stop)
	f.begin()
	return f
}

func (f *fixture) begin() {
	f.Helper()
	if f.setup.prepare != nil {
		f.setup.prepare(f)
	}
	if !f.setup.noKubelet {
		f.startKubelet()
	}
	if !f.setup.noPlugin {
		f.startPlugin()
	}
}

func (f *fixture) startKubelet() {
	f.Helper()
	if err := f.kubelet.Start(); err != nil {
		f.Fatal(err)
	}
}

// startPlugin starts a plugin process, beside others if there are any.
func (f *fixture) startPlugin() *program.Process {
	f.Helper()
	args := []string{"--host-root", f.node.Host, "--kubelet-dir", f.node.Kubelet,
		"--registration", f.setup.registration, "--log-level", "debug",
		"--listen-metrics", f.metricsAddress()}
	if f.setup.config != "" {
		args = append(args, "--config", f.writeConfig(f.setup.config))
	} else if f.setup.configFile != "" {
		args = append(args, "--config", f.configPath())
	}
	plugin, err := program.Start(filepath.Join(f.node.Dir, "log"), "silica-device-plugin", args...)
	if err != nil {
		f.Fatal(err)
	}
	f.plugin = plugin
	f.Cleanup(func() {
		alive := plugin.Running()
		plugin.Kill()
		if f.Failed() {
			f.Logf("plugin %d, alive at the end: %v, log:\n%s", plugin.PID(), alive, plugin.Log())
			f.Logf("kubelet's last events: %+v", lastEvents(f.kubelet, 20))
		}
	})
	return plugin
}

func lastEvents(k *standin.Kubelet, n int) []standin.Event {
	events := k.Events()
	return events[max(0, len(events)-n):]
}

// configPath is where the plugin finds its configuration.
func (f *fixture) configPath() string {
	file := f.setup.configFile
	if file == "" {
		file = "config.yaml"
	}
	return filepath.Join(f.node.Dir, file)
}

// writeConfig writes the configuration over what is there, in place.
func (f *fixture) writeConfig(text string) string {
	f.Helper()
	path := f.configPath()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	return path
}

func (f *fixture) wait(what string, condition func() bool) {
	f.Helper()
	if err := f.kubelet.Wait(patience, what, condition); err != nil {
		f.Fatal(err)
	}
}

// waitNode waits until the node counts a resource so.
func (f *fixture) waitNode(resource string, capacity, allocatable int) {
	f.Helper()
	want := standin.Count{Capacity: capacity, Allocatable: allocatable}
	if err := f.kubelet.Wait(patience, "", func() bool { return f.kubelet.Node()[resource] == want }); err != nil {
		f.Fatalf("%s is %+v, not %+v", resource, f.kubelet.Node()[resource], want)
	}
}

// waitHealth waits until one device of npu is listed with a health.
func (f *fixture) waitHealth(id, health string) {
	f.Helper()
	f.wait(id+" is "+health, func() bool {
		device, known := f.kubelet.Device(npu, id)
		return known && device.Health == health
	})
}

// stays fails if a condition ceases to hold within the quiet time.
func (f *fixture) stays(what string, condition func() bool) {
	f.Helper()
	for deadline := time.Now().Add(quiet); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if !condition() {
			f.Fatalf("ceased to hold: %s", what)
		}
	}
}

func (f *fixture) sim(command string, args ...string) {
	f.Helper()
	if err := f.node.Sim(command, args...); err != nil {
		f.Fatal(err)
	}
}

// call gives a context for one call.
func (f *fixture) call() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	f.Cleanup(cancel)
	return ctx
}

// conn gives the kubelet's connection to the plugin of a resource.
func (f *fixture) conn(resource string) *grpc.ClientConn {
	f.Helper()
	conn, err := f.kubelet.Plugin(resource)
	if err != nil {
		f.Fatal(err)
	}
	return conn
}

func (f *fixture) api(resource string) pluginapi.DevicePluginClient {
	f.Helper()
	return pluginapi.NewDevicePluginClient(f.conn(resource))
}

// dial opens another connection to a socket of a plugin.
func (f *fixture) dial(socket string) *grpc.ClientConn {
	f.Helper()
	conn, err := standin.Dial(f.call(), socket, standin.AuthorityLocalhost)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	return conn
}

// serves fails unless the plugin of a resource answers.
func (f *fixture) serves(resource string) {
	f.Helper()
	if _, err := f.api(resource).GetDevicePluginOptions(f.call(), &pluginapi.Empty{}); err != nil {
		f.Fatalf("plugin does not answer: %v", err)
	}
}

// sockets lists the sockets of plugins in device-plugins.
func (f *fixture) sockets() []string {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(f.kubelet.PluginDir(), "silica-*.sock"))
	if err != nil {
		f.Fatal(err)
	}
	return paths
}

func (f *fixture) ids(resource string) []string {
	var ids []string
	for _, device := range f.kubelet.Devices(resource) {
		ids = append(ids, device.ID)
	}
	return ids
}

// registrations counts the accepted registrations of a resource.
func (f *fixture) registrations(resource string) int {
	n := 0
	for _, registration := range f.kubelet.Registrations() {
		if registration.Resource == resource {
			n++
		}
	}
	return n
}

// events counts what has happened of a kind.
func (f *fixture) events(kind standin.EventKind) int {
	n := 0
	for _, event := range f.kubelet.Events() {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

// allocate calls Allocate for one container.
func (f *fixture) allocate(resource string, ids ...string) (*pluginapi.ContainerAllocateResponse, error) {
	f.Helper()
	response, err := f.api(resource).Allocate(f.call(), &pluginapi.AllocateRequest{
		ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: ids}}})
	if err != nil {
		return nil, err
	}
	if len(response.ContainerResponses) != 1 {
		f.Fatalf("%d answers to one container", len(response.ContainerResponses))
	}
	return response.ContainerResponses[0], nil
}

func (f *fixture) mustAllocate(resource string, ids ...string) *pluginapi.ContainerAllocateResponse {
	f.Helper()
	response, err := f.allocate(resource, ids...)
	if err != nil {
		f.Fatal(err)
	}
	return response
}

// exits waits for the end of the plugin and compares the exit status.
func (f *fixture) exits(plugin *program.Process, want int) {
	f.Helper()
	status, err := plugin.Wait(patience)
	if err != nil {
		f.Fatal(err)
	}
	if status != want {
		f.Fatalf("exit status %d, not %d", status, want)
	}
}

// pod asks for n devices of a resource in one container.
func pod(uid, resource string, n int) standin.Pod {
	return standin.Pod{UID: uid, Containers: []standin.Container{
		{Name: "main", Resources: map[string]int{resource: n}}}}
}

// hostPaths gives the device files of an answer, sorted.
func hostPaths(response *pluginapi.ContainerAllocateResponse) []string {
	var paths []string
	for _, device := range response.Devices {
		paths = append(paths, device.HostPath)
	}
	slices.Sort(paths)
	return paths
}

func sorted(ids []string) []string {
	return slices.Sorted(slices.Values(ids))
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// procFD is the folder that lists the open files of a process.
func procFD(pid int) string {
	return fmt.Sprintf("/proc/%d/fd", pid)
}
