// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// ContainerKind is the part that a container has in its pod.
type ContainerKind int

const (
	// AppContainer runs after all init containers.
	AppContainer ContainerKind = iota
	// InitContainer ends before the next one starts and leaves its devices to it.
	InitContainer
	// SidecarContainer is an init container that is restarted and keeps its devices.
	SidecarContainer
)

// Container asks for devices.
type Container struct {
	Name      string
	Kind      ContainerKind
	Resources map[string]int
	// NUMANodes is what the topology manager has chosen; nil for policy "none".
	NUMANodes []int64
}

// Pod is a list of containers, init containers first.
type Pod struct {
	UID        string
	Namespace  string // "default" when empty
	Name       string // the UID when empty
	Containers []Container
}

// Allocation is what one container got of one resource.
type Allocation struct {
	Container string
	Resource  string
	DeviceIDs []string // in the order in which Allocate had them
	// NUMANodes are those of each device that had some when it was allocated.
	NUMANodes map[string][]int64
	Response  *pluginapi.ContainerAllocateResponse
}

type podState struct {
	pod         Pod
	allocations []Allocation
	reusable    map[string]map[string]bool // by resource; left by init containers
}

// AdmitPod allocates devices for each container, one call for each container and
// resource.  Like in a kubelet an error rejects the whole pod.  The calls have no
// deadline but that of ctx, which a kubelet does not set.
func (k *Kubelet) AdmitPod(ctx context.Context, pod Pod) ([]Allocation, error) {
	k.admission.Lock()
	defer k.admission.Unlock()
	state := k.podState(pod)
	for _, container := range pod.Containers {
		if err := k.admitContainer(ctx, state, container); err != nil {
			k.RemovePod(pod.UID)
			return nil, fmt.Errorf("Allocate failed due to %w, which is unexpected", err)
		}
	}
	return k.Allocations(pod.UID), nil
}

// podState finds what is kept of a pod, or begins it.
func (k *Kubelet) podState(pod Pod) *podState {
	if pod.Namespace == "" {
		pod.Namespace = "default"
	}
	if pod.Name == "" {
		pod.Name = pod.UID
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pods[pod.UID] == nil {
		k.pods[pod.UID] = &podState{reusable: make(map[string]map[string]bool)}
	}
	k.pods[pod.UID].pod = pod
	return k.pods[pod.UID]
}

// RemovePod frees the devices of a pod; plugins are not told.
func (k *Kubelet) RemovePod(uid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pods, uid)
}

// Allocations gives what the containers of a pod hold.
func (k *Kubelet) Allocations(uid string) []Allocation {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pods[uid] == nil {
		return nil
	}
	return slices.Clone(k.pods[uid].allocations)
}

func (k *Kubelet) admitContainer(ctx context.Context, state *podState, container Container) error {
	for resource, required := range container.Resources {
		if err := k.admitResource(ctx, state, container, resource, required); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kubelet) admitResource(ctx context.Context, state *podState, container Container,
	resource string, required int) error {
	if held := k.held(state, container.Name, resource); held != nil {
		return k.checkHeld(resource, held, required)
	}
	choice := &choice{kubelet: k, container: container, resource: resource, required: required,
		reusable: state.reusable[resource]}
	ids, err := choice.choose(ctx)
	if err != nil {
		return err
	}
	response, err := k.allocate(ctx, resource, ids)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	state.allocations = append(state.allocations, Allocation{Container: container.Name, Resource: resource,
		DeviceIDs: ids, NUMANodes: k.numaNodes(resource, ids), Response: response})
	state.passOn(container.Kind, resource, ids)
	return nil
}

// held gives the IDs that a container has of a resource since before.
func (k *Kubelet) held(state *podState, container, resource string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, allocation := range state.allocations {
		if allocation.Container == container && allocation.Resource == resource {
			return allocation.DeviceIDs
		}
	}
	return nil
}

// checkHeld admits a container again: no call is made, but the devices must be
// healthy still.
func (k *Kubelet) checkHeld(resource string, held []string, required int) error {
	if len(held) != required {
		return fmt.Errorf("changed request for resource %q from %d to %d", resource, len(held), required)
	}
	for _, id := range held {
		if device, _ := k.Device(resource, id); !device.Healthy {
			return fmt.Errorf("previously allocated devices are no longer healthy; cannot allocate unhealthy devices %s",
				resource)
		}
	}
	return nil
}

// passOn leaves the devices of an init container to those that come after it;
// whoever keeps a device takes it out of what is left.
func (s *podState) passOn(kind ContainerKind, resource string, ids []string) {
	if s.reusable[resource] == nil {
		s.reusable[resource] = make(map[string]bool)
	}
	for _, id := range ids {
		if kind == InitContainer {
			s.reusable[resource][id] = true
		} else {
			delete(s.reusable[resource], id)
		}
	}
}

func (k *Kubelet) allocate(ctx context.Context, resource string, ids []string) (
	*pluginapi.ContainerAllocateResponse, error) {
	e, err := k.liveEndpoint(resource)
	if err != nil {
		return nil, err
	}
	response, err := e.client.api.Allocate(ctx, &pluginapi.AllocateRequest{
		ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: ids}},
	})
	if err != nil {
		return nil, err
	}
	if len(response.ContainerResponses) == 0 {
		return nil, errors.New("no containers return in allocation response")
	}
	return response.ContainerResponses[0], nil
}

// StartContainer calls PreStartContainer for each resource of a container whose
// plugin wants it; a kubelet does so before every start.
func (k *Kubelet) StartContainer(ctx context.Context, uid, container string) error {
	for _, allocation := range k.Allocations(uid) {
		if allocation.Container != container {
			continue
		}
		if err := k.preStart(ctx, allocation); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kubelet) preStart(ctx context.Context, allocation Allocation) error {
	e, err := k.liveEndpoint(allocation.Resource)
	if err != nil {
		return err
	}
	if !e.options.GetPreStartRequired() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pluginapi.KubeletPreStartContainerRPCTimeoutInSecs*time.Second)
	defer cancel()
	_, err = e.client.api.PreStartContainer(ctx,
		&pluginapi.PreStartContainerRequest{DevicesIds: allocation.DeviceIDs})
	return err
}
