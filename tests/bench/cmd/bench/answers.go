// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const sampledUnits = 32

// Answers are what a server says, in a form that two servers can be compared by.
type answers struct {
	devices []string            // "id health numa", sorted
	nodes   map[string][]string // of a sample of units: its device files, sorted

	listBytes, allocateBytes int // encoded
}

func collectAnswers(ctx context.Context, s *server) (answers, error) {
	l, err := s.watcher.get()
	if err != nil {
		return answers{}, err
	}
	a := answers{
		nodes:     make(map[string][]string),
		listBytes: proto.Size(&pluginapi.ListAndWatchResponse{Devices: l.devices}),
	}
	for _, d := range l.devices {
		a.devices = append(a.devices, fmt.Sprint(d.ID, " ", d.Health, " ", d.GetTopology().GetNodes()))
	}
	slices.Sort(a.devices)
	ids := slices.Sorted(slices.Values(s.ids))
	for i := range min(sampledUnits, len(ids)) {
		id := ids[i*len(ids)/sampledUnits%len(ids)]
		answer, err := allocate(ctx, s.conn, id)
		if err != nil {
			return a, err
		}
		a.allocateBytes = proto.Size(answer)
		a.nodes[id] = nodeNames(answer)
	}
	return a, nil
}

func nodeNames(answer *pluginapi.ContainerAllocateResponse) []string {
	var names []string
	for _, d := range answer.Devices {
		names = append(names, d.HostPath+" "+d.ContainerPath+" "+d.Permissions)
	}
	slices.Sort(names)
	return names
}

// differ names the first thing that two servers say differently.
func differ(a, b answers) error {
	if i := firstDifference(a.devices, b.devices); i >= 0 {
		return fmt.Errorf("the lists differ: %s, %s", at(a.devices, i), at(b.devices, i))
	}
	for id, nodes := range a.nodes {
		if i := firstDifference(nodes, b.nodes[id]); i >= 0 {
			return fmt.Errorf("the device files of unit '%s' differ: %s, %s", id, at(nodes, i),
				at(b.nodes[id], i))
		}
	}
	return nil
}

func firstDifference(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

func at(texts []string, i int) string {
	if i >= len(texts) {
		return "nothing"
	}
	return fmt.Sprintf("%q", texts[i])
}
