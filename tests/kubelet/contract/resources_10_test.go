// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

const (
	warboy = "furiosa.ai/warboy"
	half   = "furiosa.ai/rngd-4core.24gb"
)

// partitions is a configuration that cuts RNGD cards, and offers Warboys whole.
func partitions(resource string, cores int) string {
	return fmt.Sprintf(`version: v1
resources:
- name: %s
  devices: {vendor: furiosa, product: rngd}
  unit: partition
  cores: %d
- name: %s
  devices: {vendor: furiosa, product: warboy}
  unit: whole
`, resource, cores, warboy)
}

func TestContract_10_SeveralResourcesOneProcess(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, warboy x1, numa 0/1", config: partitions(half, 4)})
	f.waitNode(half, 4, 4)
	f.waitNode(warboy, 1, 1)
	ids := slices.Concat(f.ids(half), f.ids(warboy))
	if len(slices.Compact(sorted(ids))) != 5 {
		t.Errorf("IDs are not unique across resources: %v", ids)
	}
	got, err := f.kubelet.AdmitPod(f.call(), standin.Pod{UID: "p", Containers: []standin.Container{
		{Name: "main", Resources: map[string]int{half: 2, warboy: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	f.checkNoConflict(got)
	if _, err := f.allocate(warboy, f.ids(half)[0]); err == nil {
		t.Error("a device of another resource was allocated")
	}
}

// checkNoConflict fails if two answers for one container set the same thing,
// of which a kubelet would keep one.
func (f *fixture) checkNoConflict(allocations []standin.Allocation) {
	f.Helper()
	seen := make(map[string]bool)
	add := func(kind, key string) {
		if seen[kind+key] {
			f.Errorf("%s %s is set twice", kind, key)
		}
		seen[kind+key] = true
	}
	for _, allocation := range allocations {
		for key := range allocation.Response.Envs {
			add("env", key)
		}
		for key := range allocation.Response.Annotations {
			add("annotation", key)
		}
		for _, device := range allocation.Response.Devices {
			add("device", device.ContainerPath)
		}
		for _, mount := range allocation.Response.Mounts {
			add("mount", mount.ContainerPath)
		}
	}
}

func TestContract_10_HealthOfSeveralResources(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, warboy x1, numa 0/1", config: partitions(half, 4)})
	f.waitNode(half, 4, 4)
	f.waitNode(warboy, 1, 1)
	f.sim("fail", "rngd1")
	f.waitNode(half, 4, 2)
	f.sim("fail", "warboy0")
	f.waitNode(warboy, 1, 0)
	f.sim("recover", "rngd1")
	f.sim("recover", "warboy0")
	f.waitNode(half, 4, 4)
	f.waitNode(warboy, 1, 1)
}

func TestContract_10_OneOfSeveralStreamsCut(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, warboy x1, numa 0/1", config: partitions(half, 4)})
	f.waitNode(half, 2, 2)
	f.waitNode(warboy, 1, 1)
	if err := f.kubelet.CutStream(half); err != nil {
		t.Fatal(err)
	}
	f.wait("second registration", func() bool { return f.registrations(half) >= 2 })
	f.waitNode(half, 2, 2)
	f.waitNode(warboy, 1, 1)
}

// The core files of each partition, %d being the index; a file is given when all
// its cores are the partition's.
// Source: furiosa-ai/libfuriosa-kubernetes pkg/cdi_spec/partitioned_device_renderer.go
var partitionCases = []struct {
	cores      int
	partitions map[string]string // from suffix of the ID to names
}{
	{1, map[string]string{
		"0": "npu%dpe0", "1": "npu%dpe1", "2": "npu%dpe2", "3": "npu%dpe3",
		"4": "npu%dpe4", "5": "npu%dpe5", "6": "npu%dpe6", "7": "npu%dpe7",
	}},
	{2, map[string]string{
		"0-1": "npu%dpe0 npu%dpe1 npu%dpe0-1",
		"2-3": "npu%dpe2 npu%dpe3 npu%dpe2-3",
		"4-5": "npu%dpe4 npu%dpe5 npu%dpe4-5",
		"6-7": "npu%dpe6 npu%dpe7 npu%dpe6-7",
	}},
	{4, map[string]string{
		"0-3": "npu%dpe0 npu%dpe1 npu%dpe2 npu%dpe3 npu%dpe0-1 npu%dpe2-3 npu%dpe0-3",
		"4-7": "npu%dpe4 npu%dpe5 npu%dpe6 npu%dpe7 npu%dpe4-5 npu%dpe6-7 npu%dpe4-7",
	}},
}

func TestContract_10_PartitionFiles(t *testing.T) {
	for _, c := range partitionCases {
		t.Run(fmt.Sprintf("%d cores", c.cores), func(t *testing.T) {
			resource := fmt.Sprintf("furiosa.ai/rngd-%dcore.%dgb", c.cores, c.cores*6)
			f := start(t, setup{cards: "rngd x2, numa 0/1", config: partitions(resource, c.cores)})
			f.waitNode(resource, 2*len(c.partitions), 2*len(c.partitions))
			for _, card := range f.node.Cards() {
				for suffix, cores := range c.partitions {
					response := f.mustAllocate(resource, f.node.Card(card).UUID+"_cores_"+suffix)
					names := slices.Concat(rngdShared, strings.Fields(cores))
					want := files("/dev/rngd/", f.index(response), names...)
					if got := hostPaths(response); !slices.Equal(got, want) {
						t.Errorf("%s %s:\ngot  %v\nwant %v", card, suffix, got, want)
					}
				}
			}
		})
	}
}

// Two partitions of a card share its files, each of which is given once.
func TestContract_10_TwoPartitionsOfOneCard(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", config: partitions(half, 4)})
	f.waitNode(half, 2, 2)
	response := f.mustAllocate(half, f.ids(half)...)
	want := files("/dev/rngd/", f.index(response), slices.Concat(rngdShared, rngdCores)...)
	if got := hostPaths(response); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestContract_10_PartitionsFailTogether(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, numa 0/1", config: partitions("furiosa.ai/rngd-2core.12gb", 2)})
	f.waitNode("furiosa.ai/rngd-2core.12gb", 8, 8)
	f.sim("fail", "rngd0")
	f.waitNode("furiosa.ai/rngd-2core.12gb", 8, 4)
	f.sim("recover", "rngd0")
	f.waitNode("furiosa.ai/rngd-2core.12gb", 8, 8)
}

// A card that is started is finished first, so that whole cards stay free.
func TestContract_10_PreferredPacksCards(t *testing.T) {
	const quarter = "furiosa.ai/rngd-2core.12gb"
	f := start(t, setup{cards: "rngd x2, numa 0/1", config: partitions(quarter, 2)})
	f.waitNode(quarter, 8, 8)
	ids := f.ids(quarter)
	started, whole := f.node.Card("rngd1").UUID, f.node.Card("rngd0").UUID
	available := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == started+"_cores_0-1" })
	cases := []struct {
		size int
		card string // of which all must be
	}{{1, started}, {2, started}, {3, started}, {4, whole}}
	for _, c := range cases {
		got, err := f.preferOf(quarter, available, nil, c.size)
		if err != nil {
			t.Fatal(err)
		}
		f.checkPreferred(got, available, nil, c.size)
		for _, id := range got {
			if !strings.HasPrefix(id, c.card+"_") {
				t.Errorf("%d of %v: got %v", c.size, available, got)
			}
		}
	}
	must := []string{whole + "_cores_4-5"}
	got, err := f.preferOf(quarter, available, must, 2)
	if err != nil {
		t.Fatal(err)
	}
	f.checkPreferred(got, available, must, 2)
	for _, id := range got {
		if !strings.HasPrefix(id, whole+"_") {
			t.Errorf("with %v: got %v", must, got)
		}
	}
}

func TestContract_10_UnknownPartitions(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", config: partitions(half, 4)})
	f.waitNode(half, 2, 2)
	uuid := f.node.Card("rngd0").UUID
	for _, id := range []string{uuid, uuid + "_cores_0-1", uuid + "_cores_1-4", uuid + "_cores_0-3x",
		uuid + "_cores_00-3", uuid + "_cores_8-11"} {
		if _, err := f.allocate(half, id); err == nil {
			t.Errorf("%s was allocated", id)
		}
	}
	f.mustAllocate(half, uuid+"_cores_0-3")
}

func TestContract_10_PartitionTopology(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, numa 0/1", config: partitions(half, 4)})
	f.waitNode(half, 4, 4)
	for _, card := range f.node.Cards() {
		for _, suffix := range []string{"0-3", "4-7"} {
			device, _ := f.kubelet.Device(half, f.node.Card(card).UUID+"_cores_"+suffix)
			if device.Health != pluginapi.Healthy || !slices.Equal(device.NUMANodes, []int64{f.node.Card(card).NUMA}) {
				t.Errorf("%s %s: got %+v", card, suffix, device)
			}
		}
	}
}
