// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

func TestContract_2_OptionsMatch(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	registration := f.kubelet.Registrations()[0]
	if registration.Announced != nil && !proto.Equal(registration.Announced, registration.Options) {
		t.Errorf("Register says %v, GetDevicePluginOptions %v", registration.Announced, registration.Options)
	}
	if !registration.Options.GetPreferredAllocationAvailable {
		t.Error("GetPreferredAllocation is not offered")
	}
	ids := f.ids(npu)
	if _, err := f.prefer(ids, nil, 1); err != nil {
		t.Error(err)
	}
	_, err := f.api(npu).PreStartContainer(f.call(), &pluginapi.PreStartContainerRequest{DevicesIds: ids[:1]})
	if err != nil {
		t.Error(err)
	}
}

// prefer calls GetPreferredAllocation for one container.
func (f *fixture) prefer(available, must []string, size int) ([]string, error) {
	f.Helper()
	return f.preferOf(npu, available, must, size)
}

func (f *fixture) preferOf(resource string, available, must []string, size int) ([]string, error) {
	f.Helper()
	response, err := f.api(resource).GetPreferredAllocation(f.call(), &pluginapi.PreferredAllocationRequest{
		ContainerRequests: []*pluginapi.ContainerPreferredAllocationRequest{{
			AvailableDeviceIDs: available, MustIncludeDeviceIDs: must, AllocationSize: int32(size)}}})
	if err != nil {
		return nil, err
	}
	if len(response.ContainerResponses) != 1 {
		return nil, fmt.Errorf("%d answers to one container", len(response.ContainerResponses))
	}
	return response.ContainerResponses[0].DeviceIDs, nil
}

// checkPreferred fails unless an answer is what a kubelet can use: exactly size
// different IDs, all available, all that must be included among them.
func (f *fixture) checkPreferred(got, available, must []string, size int) {
	f.Helper()
	if len(slices.Compact(sorted(got))) != size || len(got) != size {
		f.Errorf("want %d of %v with %v, got %v", size, available, must, got)
	}
	for _, id := range got {
		if !slices.Contains(available, id) {
			f.Errorf("%s was not available", id)
		}
	}
	for _, id := range must {
		if !slices.Contains(got, id) {
			f.Errorf("%s had to be included in %v", id, got)
		}
	}
}

func TestContract_2_PreferredExactSize(t *testing.T) {
	f := start(t, setup{cards: "rngd x6, numa 0/1"})
	f.waitNode(npu, 6, 6)
	ids := f.ids(npu)
	for available := 1; available <= len(ids); available++ {
		for size := 1; size <= available; size++ {
			for must := 0; must <= size; must += 2 {
				some := ids[:available]
				got, err := f.prefer(some, some[:must], size)
				if err != nil {
					t.Fatalf("%d of %d with %d: %v", size, available, must, err)
				}
				f.checkPreferred(got, some, some[:must], size)
			}
		}
	}
}

// An error would fail the admission of a pod, so there is none even for odd
// requests.
func TestContract_2_PreferredNeverErrors(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1"})
	f.waitNode(npu, 3, 3)
	ids := f.ids(npu)
	cases := []struct {
		name            string
		available, must []string
		size, want      int
	}{
		{"nothing wanted", ids, nil, 0, 0},
		{"nothing available", nil, nil, 2, 0},
		{"more wanted than available", ids, nil, 5, 3},
		{"more included than wanted", ids, ids, 2, 2},
		{"one ID twice", []string{ids[0], ids[0], ids[1]}, nil, 2, 2},
		{"an unknown ID beside good ones", []string{"no-such-device", ids[0], ids[1]}, nil, 2, 2},
		{"an unknown ID that must be included", append([]string{"no-such-device"}, ids...),
			[]string{"no-such-device"}, 2, 2},
	}
	for _, c := range cases {
		got, err := f.prefer(c.available, c.must, c.size)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(got) != c.want || len(slices.Compact(sorted(got))) != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestContract_2_PreferredSeveralContainers(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	one := &pluginapi.ContainerPreferredAllocationRequest{AvailableDeviceIDs: f.ids(npu), AllocationSize: 1}
	for _, n := range []int{0, 1, 3} {
		response, err := f.api(npu).GetPreferredAllocation(f.call(), &pluginapi.PreferredAllocationRequest{
			ContainerRequests: slices.Repeat([]*pluginapi.ContainerPreferredAllocationRequest{one}, n)})
		if err != nil || len(response.ContainerResponses) != n {
			t.Errorf("%d containers: got %v, %v", n, response, err)
		}
	}
}

// Two cards are taken from one NUMA node although the kubelet offers all of them.
func TestContract_2_PreferredThroughAdmission(t *testing.T) {
	f := start(t, setup{cards: "rngd x4, numa 0/1"})
	f.waitNode(npu, 4, 4)
	for _, uid := range []string{"a", "b"} {
		got, err := f.kubelet.AdmitPod(f.call(), pod(uid, npu, 2))
		if err != nil {
			t.Fatal(err)
		}
		first, _ := f.kubelet.Device(npu, got[0].DeviceIDs[0])
		second, _ := f.kubelet.Device(npu, got[0].DeviceIDs[1])
		if len(first.NUMANodes) != 1 || !slices.Equal(first.NUMANodes, second.NUMANodes) {
			t.Errorf("%s: NUMA nodes %v and %v", uid, first.NUMANodes, second.NUMANodes)
		}
	}
}

func TestContract_2_PreferredAvoidsUnhealthy(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1"})
	f.waitNode(npu, 3, 3)
	sick := f.node.Card("rngd1").UUID
	ids := f.ids(npu)
	f.sim("fail", "rngd1")
	f.waitHealth(sick, pluginapi.Unhealthy)
	got, err := f.prefer(ids, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	f.checkPreferred(got, ids, nil, 2)
	if slices.Contains(got, sick) {
		t.Errorf("%v has the unhealthy %s", got, sick)
	}
}
