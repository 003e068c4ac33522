// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	podresourcesapi "k8s.io/kubelet/pkg/apis/podresources/v1"
)

// lister dials PodResources as a client on the node does.
func lister(t *testing.T, k *Kubelet) podresourcesapi.PodResourcesListerClient {
	t.Helper()
	conn, err := Dial(t.Context(), k.PodResourcesSocket(), AuthorityLocalhost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return podresourcesapi.NewPodResourcesListerClient(conn)
}

// describe gives a line for each device, as in "default/p/main a@0", sorted.
func describe(pods ...*podresourcesapi.PodResources) []string {
	var lines []string
	for _, pod := range pods {
		for _, container := range pod.Containers {
			name := pod.Namespace + "/" + pod.Name + "/" + container.Name
			lines = append(lines, describeDevices(name+" ", container.Devices)...)
			if len(container.Devices) == 0 {
				lines = append(lines, name)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func describeDevices(prefix string, devices []*podresourcesapi.ContainerDevices) []string {
	var lines []string
	for _, device := range devices {
		line := prefix + strings.Join(device.DeviceIds, ",")
		for _, node := range device.Topology.GetNodes() {
			line += fmt.Sprintf("@%d", node.ID)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func mustList(t *testing.T, k *Kubelet) []string {
	t.Helper()
	response, err := lister(t, k).List(t.Context(), &podresourcesapi.ListPodResourcesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return describe(response.PodResources...)
}

func healthyOn(id string, nodes ...int64) *pluginapi.Device {
	device := &pluginapi.Device{ID: id, Health: pluginapi.Healthy}
	for _, node := range nodes {
		if device.Topology == nil {
			device.Topology = &pluginapi.TopologyInfo{}
		}
		device.Topology.Nodes = append(device.Topology.Nodes, &pluginapi.NUMANode{ID: node})
	}
	return device
}

func TestPodResourcesList(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"))
	plugin.devices = []*pluginapi.Device{healthyOn("a", 0, 1)}
	plugin.serve().mustRegister(k)
	waitCount(t, k, 1, 1)
	if got := mustList(t, k); len(got) != 0 {
		t.Errorf("before any pod: %q", got)
	}
	one := map[string]int{testResource: 1}
	if _, err := k.AdmitPod(t.Context(), Pod{UID: "1", Name: "train", Containers: []Container{
		{Name: "init", Kind: InitContainer, Resources: one},
		{Name: "sidecar", Kind: SidecarContainer},
		{Name: "main", Resources: one},
	}}); err != nil {
		t.Fatal(err)
	}
	plugin.setDevices(healthyOn("a", 0, 1), healthyOn("b"))
	waitCount(t, k, 2, 2)
	second := onePod("2", 1)
	second.Namespace = "team"
	if _, err := k.AdmitPod(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	want := []string{"default/train/main a@0", "default/train/main a@1", "default/train/sidecar", "team/2/main b"}
	if got := mustList(t, k); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	k.RemovePod("1")
	// Pods keep what they hold over a restart, plugins or none.
	if err := k.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := mustList(t, k); !slices.Equal(got, want[3:]) {
		t.Errorf("got %q", got)
	}
}

func TestPodResourcesGet(t *testing.T) {
	k := startKubelet(t, Options{})
	newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve().mustRegister(k)
	waitCount(t, k, 1, 1)
	if _, err := k.AdmitPod(t.Context(), onePod("p", 1)); err != nil {
		t.Fatal(err)
	}
	api := lister(t, k)
	response, err := api.Get(t.Context(),
		&podresourcesapi.GetPodResourcesRequest{PodName: "p", PodNamespace: "default"})
	if err != nil || !slices.Equal(describe(response.PodResources), []string{"default/p/main a"}) {
		t.Errorf("got %v, %v", response, err)
	}
	_, err = api.Get(t.Context(), &podresourcesapi.GetPodResourcesRequest{PodName: "p", PodNamespace: "q"})
	if status.Code(err) != codes.Unknown || status.Convert(err).Message() != "pod p in namespace q not found" {
		t.Errorf("got %v", err)
	}
}

func TestPodResourcesAllocatable(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"))
	sick := healthyOn("sick")
	sick.Health = pluginapi.Unhealthy
	nowhere := healthyOn("nowhere")
	nowhere.Topology = &pluginapi.TopologyInfo{}
	plugin.devices = []*pluginapi.Device{healthyOn("a", 0, 1), healthyOn("b"), sick, nowhere}
	plugin.serve().mustRegister(k)
	waitCount(t, k, 4, 3)
	if _, err := k.AdmitPod(t.Context(), onePod("p", 2)); err != nil {
		t.Fatal(err)
	}
	response, err := lister(t, k).GetAllocatableResources(t.Context(), &podresourcesapi.AllocatableResourcesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := describeDevices("", response.Devices); !slices.Equal(got, []string{"a@0", "a@1", "b"}) {
		t.Errorf("got %q", got)
	}
}

func TestPodResourcesRateLimit(t *testing.T) {
	start := time.Now()
	limit := &rateLimit{tokens: rateBurst, last: start}
	steps := []struct {
		at      time.Duration
		allowed int // of 100 calls at once
	}{
		{0, 10}, {0, 0}, {5 * time.Millisecond, 0}, {10 * time.Millisecond, 1}, {time.Second, 10},
		{time.Second + 35*time.Millisecond, 3},
	}
	for _, step := range steps {
		allowed := 0
		for range 100 {
			if limit.allow(start.Add(step.at)) {
				allowed++
			}
		}
		if allowed != step.allowed {
			t.Errorf("after %v: %d calls, not %d", step.at, allowed, step.allowed)
		}
	}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	limit.last = time.Now().Add(time.Hour) // nothing comes in before that
	_, err := limit.intercept(t.Context(), nil, nil, handler)
	if status.Code(err) != codes.ResourceExhausted || status.Convert(err).Message() != "rejected by rate limit" {
		t.Errorf("got %v", err)
	}
}

func TestPodResourcesFaults(t *testing.T) {
	k := startKubelet(t, Options{})
	api := lister(t, k)
	list := func(timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		_, err := api.List(ctx, &podresourcesapi.ListPodResourcesRequest{})
		return err
	}
	cases := []struct {
		name    string
		faults  Faults
		timeout time.Duration
		code    codes.Code
	}{
		{"refuses", Faults{PodResourcesCode: codes.Unimplemented}, patience, codes.Unimplemented},
		{"hangs", Faults{PodResourcesHang: true}, 200 * time.Millisecond, codes.DeadlineExceeded},
	}
	for _, c := range cases {
		k.SetFaults(c.faults)
		if err := list(c.timeout); status.Code(err) != c.code {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	waitFor(t, k, "events", func() bool { return countEvents(k, PodResourcesCalled) == len(cases) })

	k.SetFaults(Faults{PodResourcesHang: true})
	hung := make(chan error)
	go func() {
		_, err := api.List(t.Context(), &podresourcesapi.ListPodResourcesRequest{})
		hung <- err
	}()
	k.Stop() // must not wait for the caller
	if err := <-hung; err == nil {
		t.Error("answered")
	}
}

func TestPodResourcesAbsent(t *testing.T) {
	k := startKubelet(t, Options{})
	for _, absent := range []bool{true, false} {
		k.SetFaults(Faults{PodResourcesAbsent: absent})
		if err := k.Restart(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(k.PodResourcesSocket()); os.IsNotExist(err) != absent {
			t.Errorf("absent %v: got %v", absent, err)
		}
	}
	if got := mustList(t, k); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	k.Stop()
	if _, err := os.Stat(k.PodResourcesSocket()); err != nil {
		t.Errorf("a kubelet that ends leaves its socket: %v", err)
	}
}
