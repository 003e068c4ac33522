// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// set is a set of device IDs; its order of iteration is arbitrary on purpose,
// because that of a kubelet is.
type set = map[string]bool

// choice decides which devices of one resource a container gets.
type choice struct {
	kubelet   *Kubelet
	container Container
	resource  string
	required  int
	reusable  set

	chosen []string
	taken  set
}

// choose takes what init containers have left, then devices that fit the NUMA
// nodes, then whatever the plugin prefers, then any.
func (c *choice) choose(ctx context.Context) ([]string, error) {
	c.taken = make(set)
	healthy, err := c.healthy()
	if err != nil {
		return nil, err
	}
	if c.take(c.reusable) {
		return c.chosen, nil
	}
	available := c.available(healthy)
	if needed := c.required - len(c.chosen); len(available) < needed {
		return nil, fmt.Errorf("requested number of devices unavailable for %s. Requested: %d, Available: %d",
			c.resource, needed, len(available))
	}
	aligned, others := c.byAffinity(available)
	if c.required-len(c.chosen) < len(aligned) {
		return c.takePreferred(ctx, aligned)
	}
	if c.take(aligned) {
		return c.chosen, nil
	}
	return c.takePreferred(ctx, available, others...)
}

// takePreferred asks the plugin to choose among candidates, takes what it names
// of them, and fills up from the pools, in order, or else from the candidates.
func (c *choice) takePreferred(ctx context.Context, candidates set, pools ...set) ([]string, error) {
	preferred, err := c.askPlugin(ctx, candidates)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(preferred, func(id string, _ bool) bool { return !candidates[id] })
	for _, pool := range append([]set{preferred}, append(pools, candidates)...) {
		if c.take(pool) {
			return c.chosen, nil
		}
	}
	return nil, fmt.Errorf("unexpectedly allocated less resources than required. Requested: %d, Got: %d",
		c.required, len(c.chosen))
}

// take moves devices of a pool into the choice until there are enough.
func (c *choice) take(pool set) bool {
	for id := range pool {
		if len(c.chosen) >= c.required {
			break
		}
		if !c.taken[id] {
			c.taken[id] = true
			c.chosen = append(c.chosen, id)
		}
	}
	return len(c.chosen) >= c.required
}

func (c *choice) healthy() (set, error) {
	c.kubelet.mu.Lock()
	defer c.kubelet.mu.Unlock()
	devices, registered := c.kubelet.devices[c.resource]
	if !registered {
		return nil, fmt.Errorf("cannot allocate unregistered device %s", c.resource)
	}
	healthy := make(set)
	for id, device := range devices {
		if device.Healthy {
			healthy[id] = true
		}
	}
	if len(healthy) == 0 {
		return nil, fmt.Errorf("no healthy devices present; cannot allocate unhealthy devices %s", c.resource)
	}
	return healthy, nil
}

// available is what is healthy and held by no pod.
func (c *choice) available(healthy set) set {
	c.kubelet.mu.Lock()
	defer c.kubelet.mu.Unlock()
	available := maps.Clone(healthy)
	for _, pod := range c.kubelet.pods {
		for _, allocation := range pod.allocations {
			if allocation.Resource != c.resource {
				continue
			}
			for _, id := range allocation.DeviceIDs {
				delete(available, id)
			}
		}
	}
	return available
}

// byAffinity splits devices into those on the wanted NUMA nodes and two pools:
// those on other nodes, and those on none.
func (c *choice) byAffinity(available set) (aligned set, others []set) {
	aligned = make(set)
	unaligned, without := make(set), make(set)
	for id := range available {
		device, _ := c.kubelet.Device(c.resource, id)
		onWanted := func(node int64) bool { return slices.Contains(c.container.NUMANodes, node) }
		switch {
		case c.container.NUMANodes == nil || len(device.NUMANodes) == 0:
			without[id] = true
		case slices.ContainsFunc(device.NUMANodes, onWanted):
			aligned[id] = true
		default:
			unaligned[id] = true
		}
	}
	return aligned, []set{unaligned, without}
}

// askPlugin calls GetPreferredAllocation where the plugin offers it.
func (c *choice) askPlugin(ctx context.Context, candidates set) (set, error) {
	e, err := c.kubelet.liveEndpoint(c.resource)
	if err != nil {
		return nil, err
	}
	if !e.options.GetGetPreferredAllocationAvailable() {
		return nil, nil
	}
	available := maps.Clone(candidates)
	maps.Copy(available, c.taken)
	response, err := e.client.api.GetPreferredAllocation(ctx, &pluginapi.PreferredAllocationRequest{
		ContainerRequests: []*pluginapi.ContainerPreferredAllocationRequest{{
			AvailableDeviceIDs:   slices.Collect(maps.Keys(available)),
			MustIncludeDeviceIDs: slices.Clone(c.chosen),
			AllocationSize:       int32(c.required),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("device plugin GetPreferredAllocation rpc failed with err: %w", err)
	}
	preferred := make(set)
	if len(response.ContainerResponses) > 0 {
		for _, id := range response.ContainerResponses[0].DeviceIDs {
			preferred[id] = true
		}
	}
	return preferred, nil
}
