// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

type plugin struct {
	pluginapi.UnimplementedDevicePluginServer
	options options
	uuids   []string // of its cards; nil for all

	mu      sync.RWMutex // guards everything below
	cards   []*card
	units   map[string]*unit
	devices []*pluginapi.Device // what the kubelet is told; replaced, never changed
	changed chan struct{}       // closed when devices is replaced
}

func newPlugin(o options, uuids []string) *plugin {
	return &plugin{options: o, uuids: uuids, changed: make(chan struct{})}
}

// take makes the units of those cards that are the plugin's.
func (p *plugin) take(cards []*card) {
	if p.uuids != nil {
		cards = slices.DeleteFunc(slices.Clone(cards), func(c *card) bool {
			return !slices.Contains(p.uuids, c.uuid)
		})
	}
	list := p.makeUnits(cards)
	units := make(map[string]*unit, len(list))
	for _, u := range list {
		units[u.id] = u
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	p.cards = cards
	p.units = units
	p.publish(list)
}

func (p *plugin) makeUnits(cards []*card) []*unit {
	if p.options.replicas > 0 {
		return makeReplicas(cards, p.options.replicas)
	}
	return makeUnits(cards, p.options.cores)
}

// probe looks at the state of the cards that are known.  Only the goroutine that
// scans calls it, so reading cards needs no lock; slow reads are done before it.
func (p *plugin) probe() {
	alive := make([]bool, len(p.cards))
	for i, c := range p.cards {
		alive[i] = c.isAlive()
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	changed := false
	for i, c := range p.cards {
		changed = changed || c.alive != alive[i]
		c.alive = alive[i]
	}
	if changed {
		p.publish(p.makeUnits(p.cards))
	}
}

// publish tells the kubelet when its list is out of date.
func (p *plugin) publish(units []*unit) {
	if slices.EqualFunc(units, p.devices, (*unit).describedBy) {
		return
	}
	p.devices = make([]*pluginapi.Device, 0, len(units))
	for _, u := range units {
		p.devices = append(p.devices, u.device())
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *plugin) list() ([]*pluginapi.Device, <-chan struct{}) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.devices, p.changed
}

func (p *plugin) GetDevicePluginOptions(context.Context, *pluginapi.Empty) (
	*pluginapi.DevicePluginOptions, error) {
	return &pluginapi.DevicePluginOptions{GetPreferredAllocationAvailable: true}, nil
}

func (p *plugin) ListAndWatch(_ *pluginapi.Empty,
	stream pluginapi.DevicePlugin_ListAndWatchServer) error {
	for {
		devices, changed := p.list()
		if err := stream.Send(&pluginapi.ListAndWatchResponse{Devices: devices}); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (p *plugin) Allocate(_ context.Context, request *pluginapi.AllocateRequest) (
	*pluginapi.AllocateResponse, error) {
	response := &pluginapi.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		answer, err := p.allocate(container.DevicesIds)
		if err != nil {
			return nil, err
		}
		response.ContainerResponses = append(response.ContainerResponses, answer)
	}
	return response, nil
}

func (p *plugin) allocate(ids []string) (*pluginapi.ContainerAllocateResponse, error) {
	units, err := p.findHealthy(ids)
	if err != nil {
		return nil, err
	}
	answer := &pluginapi.ContainerAllocateResponse{}
	seen := make(map[string]bool)
	whole := make(map[*card]bool)
	for _, u := range units {
		if whole[u.card] {
			continue // all of it was looked at and handed out
		}
		whole[u.card] = u.whole
		paths := u.card.nodes(u.first, u.last)
		if p.options.checkNodes {
			if err := checkNodes(p.options.hostRoot, paths); err != nil {
				return nil, status.Errorf(codes.FailedPrecondition, "unit '%s': %v", u.id, err)
			}
		}
		for _, path := range paths {
			if seen[path] {
				continue
			}
			seen[path] = true
			answer.Devices = append(answer.Devices, &pluginapi.DeviceSpec{
				ContainerPath: path, HostPath: path, Permissions: "rw",
			})
		}
	}
	return answer, nil
}

func (p *plugin) findHealthy(ids []string) ([]*unit, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	units := make([]*unit, 0, len(ids))
	for _, id := range ids {
		u := p.units[id]
		if u == nil {
			return nil, status.Errorf(codes.InvalidArgument, "unknown unit '%s'", id)
		}
		if !u.healthy() {
			return nil, status.Errorf(codes.FailedPrecondition, "unit '%s' is unhealthy", id)
		}
		units = append(units, u)
	}
	return units, nil
}

func (p *plugin) GetPreferredAllocation(_ context.Context,
	request *pluginapi.PreferredAllocationRequest) (*pluginapi.PreferredAllocationResponse, error) {
	response := &pluginapi.PreferredAllocationResponse{}
	for _, container := range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses,
			&pluginapi.ContainerPreferredAllocationResponse{DeviceIDs: p.prefer(container)})
	}
	return response, nil
}

func (p *plugin) prefer(request *pluginapi.ContainerPreferredAllocationRequest) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	choose := policies[p.options.preferred]
	return choose(p.units, request.AvailableDeviceIDs, request.MustIncludeDeviceIDs,
		int(request.AllocationSize))
}

func (p *plugin) PreStartContainer(context.Context, *pluginapi.PreStartContainerRequest) (
	*pluginapi.PreStartContainerResponse, error) {
	return &pluginapi.PreStartContainerResponse{}, nil
}
