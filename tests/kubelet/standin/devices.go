// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"fmt"
	"maps"
	"slices"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// Device is a device as its plugin listed it last.
type Device struct {
	ID          string
	Healthy     bool // as the kubelet sees it: false once the stream has ended
	Health      string
	HasTopology bool
	NUMANodes   []int64
}

// Count is what a node's status says of one resource.
type Count struct {
	Capacity    int
	Allocatable int
}

// updateDevices replaces all devices of a resource; the last of equal IDs wins.
func (k *Kubelet) updateDevices(c *client, list []*pluginapi.Device) {
	devices := make(map[string]Device, len(list))
	healthy := 0
	for _, listed := range list {
		devices[listed.ID] = newDevice(listed)
	}
	for _, device := range devices {
		if device.Healthy {
			healthy++
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.devices[c.resource]
	k.devices[c.resource] = devices
	k.note(Event{Kind: Listed, Resource: c.resource, Socket: c.socket, Devices: len(list),
		Text: fmt.Sprintf("%d devices, %d healthy", len(list), healthy)})
	k.noteHealth(c, before, devices)
}

func newDevice(listed *pluginapi.Device) Device {
	device := Device{ID: listed.ID, Health: listed.Health, Healthy: listed.Health == pluginapi.Healthy}
	device.HasTopology = listed.Topology != nil
	for _, node := range listed.Topology.GetNodes() {
		device.NUMANodes = append(device.NUMANodes, node.GetID())
	}
	return device
}

// noteHealth makes an event of each device that came, went or changed health.
func (k *Kubelet) noteHealth(c *client, before, after map[string]Device) {
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if old, known := before[id]; !known || old.Healthy != after[id].Healthy {
			k.note(Event{Kind: HealthChanged, Resource: c.resource, Device: id, Text: after[id].Health})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if _, known := after[id]; !known {
			k.note(Event{Kind: HealthChanged, Resource: c.resource, Device: id, Text: "no longer listed"})
		}
	}
}

// markUnhealthy keeps the devices of a resource and trusts none; the caller
// holds k.mu.
func (k *Kubelet) markUnhealthy(resource string) {
	devices := k.devices[resource]
	for id, device := range devices {
		device.Healthy = false
		devices[id] = device
	}
}

// Node gives capacity and allocatable of every resource that the node has had.
func (k *Kubelet) Node() map[string]Count {
	k.mu.Lock()
	defer k.mu.Unlock()
	node := make(map[string]Count, len(k.devices))
	for resource, devices := range k.devices {
		node[resource] = k.count(resource, devices)
	}
	return node
}

func (k *Kubelet) count(resource string, devices map[string]Device) Count {
	e := k.endpoints[resource]
	if e == nil || !e.stopped.IsZero() && time.Since(e.stopped) > k.options.StopGrace {
		return Count{} // the key stays, with nothing in it
	}
	count := Count{Capacity: len(devices)}
	for _, device := range devices {
		if device.Healthy {
			count.Allocatable++
		}
	}
	return count
}

// Devices gives the devices of a resource, sorted by ID.
func (k *Kubelet) Devices(resource string) []Device {
	k.mu.Lock()
	defer k.mu.Unlock()
	byID := k.devices[resource]
	devices := make([]Device, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		devices = append(devices, byID[id])
	}
	return devices
}

// Device gives one device of a resource.
func (k *Kubelet) Device(resource, id string) (Device, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	device, known := k.devices[resource][id]
	return device, known
}
