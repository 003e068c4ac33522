// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"slices"
	"strings"
	"testing"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

func onePod(uid string, n int) Pod {
	return Pod{UID: uid, Containers: []Container{{Name: "main", Resources: map[string]int{testResource: n}}}}
}

func TestAdmissionTakesFreeDevices(t *testing.T) {
	k := startKubelet(t, Options{})
	newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b", "c").serve().mustRegister(k)
	waitCount(t, k, 3, 3)
	first, err := k.AdmitPod(t.Context(), onePod("1", 2))
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.AdmitPod(t.Context(), onePod("2", 1))
	if err != nil {
		t.Fatal(err)
	}
	ids := slices.Sorted(slices.Values(slices.Concat(first[0].DeviceIDs, second[0].DeviceIDs)))
	if !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("got %v", ids)
	}
	_, err = k.AdmitPod(t.Context(), onePod("3", 1))
	want := "requested number of devices unavailable for " + testResource + ". Requested: 1, Available: 0"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	k.RemovePod("1")
	if _, err := k.AdmitPod(t.Context(), onePod("3", 2)); err != nil {
		t.Error(err)
	}
}

func TestInitContainersLeaveTheirDevices(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 2, 2)
	one := map[string]int{testResource: 1}
	got, err := k.AdmitPod(t.Context(), Pod{UID: "p", Containers: []Container{
		{Name: "init", Kind: InitContainer, Resources: one},
		{Name: "sidecar", Kind: SidecarContainer, Resources: one},
		{Name: "main", Resources: one},
	}})
	if err != nil {
		t.Fatal(err)
	}
	init, sidecar, main := got[0].DeviceIDs[0], got[1].DeviceIDs[0], got[2].DeviceIDs[0]
	if init != sidecar || main == sidecar {
		t.Errorf("init %s, sidecar %s, main %s", init, sidecar, main)
	}
	if calls := plugin.allocated(); len(calls) != 3 {
		t.Errorf("%d calls of Allocate", len(calls))
	}
}

func TestAdmissionAgainNeedsHealthyDevices(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b").serve()
	plugin.mustRegister(k)
	waitCount(t, k, 2, 2)
	got, err := k.AdmitPod(t.Context(), onePod("p", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.AdmitPod(t.Context(), onePod("p", 1)); err != nil || len(plugin.allocated()) != 1 {
		t.Errorf("error %v after %d calls", err, len(plugin.allocated()))
	}
	plugin.setDevices(&pluginapi.Device{ID: got[0].DeviceIDs[0], Health: pluginapi.Unhealthy})
	waitCount(t, k, 1, 0)
	_, err = k.AdmitPod(t.Context(), onePod("p", 1))
	if err == nil || !strings.Contains(err.Error(), "previously allocated devices are no longer healthy") {
		t.Errorf("got %v", err)
	}
}

func TestPreferredAllocation(t *testing.T) {
	cases := []struct {
		name   string
		prefer []string
		want   func(ids []string) bool
	}{
		{"exact answer is taken", []string{"b", "c"},
			func(ids []string) bool { return slices.Equal(ids, []string{"b", "c"}) }},
		{"unknown IDs are ignored", []string{"c", "x"},
			func(ids []string) bool { return slices.Contains(ids, "c") && !slices.Contains(ids, "x") }},
		{"empty answer is filled up", nil, func(ids []string) bool { return len(ids) == 2 }},
		{"surplus is cut", []string{"a", "b", "c", "d"}, func(ids []string) bool { return len(ids) == 2 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := startKubelet(t, Options{})
			plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b", "c", "d")
			plugin.options.GetPreferredAllocationAvailable = true
			plugin.prefer = func(*pluginapi.ContainerPreferredAllocationRequest) []string { return c.prefer }
			plugin.serve().mustRegister(k)
			waitCount(t, k, 4, 4)
			got, err := k.AdmitPod(t.Context(), onePod("p", 2))
			if err != nil {
				t.Fatal(err)
			}
			ids := slices.Sorted(slices.Values(got[0].DeviceIDs))
			if len(ids) != 2 || !c.want(ids) {
				t.Errorf("got %v", ids)
			}
		})
	}
}

func TestPreferredMustIncludeTheReused(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a", "b", "c")
	plugin.options.GetPreferredAllocationAvailable = true
	plugin.prefer = func(request *pluginapi.ContainerPreferredAllocationRequest) []string {
		return request.AvailableDeviceIDs[:request.AllocationSize]
	}
	plugin.serve().mustRegister(k)
	waitCount(t, k, 3, 3)
	got, err := k.AdmitPod(t.Context(), Pod{UID: "p", Containers: []Container{
		{Name: "init", Kind: InitContainer, Resources: map[string]int{testResource: 1}},
		{Name: "main", Resources: map[string]int{testResource: 2}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	request := plugin.preferred[1]
	init := got[0].DeviceIDs[0]
	if !slices.Equal(request.MustIncludeDeviceIDs, []string{init}) || request.AllocationSize != 2 ||
		len(request.AvailableDeviceIDs) != 3 || !slices.Contains(got[1].DeviceIDs, init) {
		t.Errorf("request %v, answer %v", request, got[1].DeviceIDs)
	}
}

func TestAffinity(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"))
	plugin.options.GetPreferredAllocationAvailable = true
	plugin.prefer = func(*pluginapi.ContainerPreferredAllocationRequest) []string { return nil }
	for id, node := range map[string]int64{"a0": 0, "b0": 0, "a1": 1} {
		plugin.devices = append(plugin.devices, &pluginapi.Device{ID: id, Health: pluginapi.Healthy,
			Topology: &pluginapi.TopologyInfo{Nodes: []*pluginapi.NUMANode{{ID: node}}}})
	}
	plugin.serve().mustRegister(k)
	waitCount(t, k, 3, 3)
	pod := onePod("p", 2)
	pod.Containers[0].NUMANodes = []int64{0}
	got, err := k.AdmitPod(t.Context(), pod)
	if err != nil {
		t.Fatal(err)
	}
	if ids := slices.Sorted(slices.Values(got[0].DeviceIDs)); !slices.Equal(ids, []string{"a0", "b0"}) {
		t.Errorf("got %v", ids)
	}
	if len(plugin.preferred) != 0 {
		t.Error("asked although the aligned devices were just enough")
	}
}

func TestAllocateWithoutContainers(t *testing.T) {
	k := startKubelet(t, Options{})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a")
	plugin.emptyAllocate = true
	plugin.serve().mustRegister(k)
	waitCount(t, k, 1, 1)
	_, err := k.AdmitPod(t.Context(), onePod("p", 1))
	if err == nil || !strings.Contains(err.Error(), "no containers return in allocation response") {
		t.Errorf("got %v", err)
	}
}

func TestPreStartContainer(t *testing.T) {
	for _, required := range []bool{false, true} {
		k := startKubelet(t, Options{})
		plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a")
		plugin.options.PreStartRequired = required
		plugin.serve().mustRegister(k)
		waitCount(t, k, 1, 1)
		if _, err := k.AdmitPod(t.Context(), onePod("p", 1)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := k.StartContainer(t.Context(), "p", "main"); err != nil {
				t.Fatal(err)
			}
		}
		want := 0
		if required {
			want = 2
		}
		if len(plugin.prestarts) != want {
			t.Errorf("required %v: %d calls", required, len(plugin.prestarts))
		}
	}
}
