// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	podresourcesapi "k8s.io/kubelet/pkg/apis/podresources/v1"
)

// podResources serves v1.PodResourcesLister for one run: who holds which device.
//
// Source: kubernetes/kubernetes pkg/kubelet/apis/podresources and
// pkg/kubelet/apis/grpc, release 1.36.
type podResources struct {
	podresourcesapi.UnimplementedPodResourcesListerServer
	kubelet  *Kubelet
	run      *run
	server   *grpc.Server
	listener *net.UnixListener
}

// newPodResources gives nil when the socket is to be absent.
func newPodResources(k *Kubelet, r *run) (*podResources, error) {
	if err := os.MkdirAll(filepath.Dir(k.PodResourcesSocket()), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(k.PodResourcesSocket()); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if k.faults.PodResourcesAbsent {
		return nil, nil
	}
	listener, err := listenUnix(k.PodResourcesSocket())
	if err != nil {
		return nil, err
	}
	s := &podResources{kubelet: k, run: r, listener: listener}
	limit := &rateLimit{tokens: rateBurst, last: time.Now()}
	s.server = grpc.NewServer(grpc.ChainUnaryInterceptor(s.note, limit.intercept, s.misbehave))
	podresourcesapi.RegisterPodResourcesListerServer(s.server, s)
	return s, nil
}

func (s *podResources) serve() {
	// Serve ends with an error only when stop has closed the listener.
	_ = s.server.Serve(s.listener)
}

func (s *podResources) stop() {
	if s != nil {
		s.server.Stop()
	}
}

// note makes an event of each call and what became of it.
func (s *podResources) note(ctx context.Context, request any, info *grpc.UnaryServerInfo,
	handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	s.kubelet.mu.Lock()
	defer s.kubelet.mu.Unlock()
	s.kubelet.note(Event{Kind: PodResourcesCalled, Socket: s.kubelet.PodResourcesSocket(),
		Text: fmt.Sprintf("%s: %v", path.Base(info.FullMethod), status.Code(err))})
	return response, err
}

// misbehave stands between the limit and the answer.
func (s *podResources) misbehave(ctx context.Context, request any, _ *grpc.UnaryServerInfo,
	handler grpc.UnaryHandler) (any, error) {
	s.kubelet.mu.Lock()
	faults := s.kubelet.faults
	s.kubelet.mu.Unlock()
	if faults.PodResourcesHang {
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-s.run.ctx.Done():
			return nil, status.Error(codes.Unavailable, "hung until the end")
		}
	}
	if faults.PodResourcesCode != codes.OK {
		return nil, status.Error(faults.PodResourcesCode, "refused as asked for")
	}
	return handler(ctx, request)
}

const (
	rateQPS   = 100
	rateBurst = 10
)

// rateLimit is a bucket of calls that fills up with time.
type rateLimit struct {
	mu     sync.Mutex
	tokens float64
	last   time.Time
}

func (l *rateLimit) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = min(rateBurst, l.tokens+rateQPS*now.Sub(l.last).Seconds())
	l.last = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

func (l *rateLimit) intercept(ctx context.Context, request any, _ *grpc.UnaryServerInfo,
	handler grpc.UnaryHandler) (any, error) {
	if !l.allow(time.Now()) {
		return nil, status.Error(codes.ResourceExhausted, "rejected by rate limit")
	}
	return handler(ctx, request)
}

// List gives every pod, with devices or without, in any order.
func (s *podResources) List(context.Context, *podresourcesapi.ListPodResourcesRequest) (
	*podresourcesapi.ListPodResourcesResponse, error) {
	s.kubelet.mu.Lock()
	defer s.kubelet.mu.Unlock()
	response := &podresourcesapi.ListPodResourcesResponse{}
	for _, pod := range s.kubelet.pods {
		response.PodResources = append(response.PodResources, pod.resources())
	}
	return response, nil
}

// Get gives one pod.
func (s *podResources) Get(_ context.Context, request *podresourcesapi.GetPodResourcesRequest) (
	*podresourcesapi.GetPodResourcesResponse, error) {
	s.kubelet.mu.Lock()
	defer s.kubelet.mu.Unlock()
	for _, pod := range s.kubelet.pods {
		if pod.pod.Name == request.PodName && pod.pod.Namespace == request.PodNamespace {
			return &podresourcesapi.GetPodResourcesResponse{PodResources: pod.resources()}, nil
		}
	}
	return nil, fmt.Errorf("pod %s in namespace %s not found", request.PodName, request.PodNamespace)
}

// GetAllocatableResources gives the healthy devices, held or not.  One that has
// a topology without nodes is left out, as a kubelet does.
func (s *podResources) GetAllocatableResources(context.Context, *podresourcesapi.AllocatableResourcesRequest) (
	*podresourcesapi.AllocatableResourcesResponse, error) {
	s.kubelet.mu.Lock()
	defer s.kubelet.mu.Unlock()
	response := &podresourcesapi.AllocatableResourcesResponse{}
	for resource, devices := range s.kubelet.devices {
		for id, device := range devices {
			switch {
			case !device.Healthy:
			case !device.HasTopology:
				response.Devices = append(response.Devices, withoutTopology(resource, id))
			default:
				response.Devices = append(response.Devices, onNodes(resource, id, device.NUMANodes)...)
			}
		}
	}
	return response, nil
}

// resources gives what the containers of a pod hold, sidecars first.  Plain init
// containers are never listed.
func (s *podState) resources() *podresourcesapi.PodResources {
	pod := &podresourcesapi.PodResources{Name: s.pod.Name, Namespace: s.pod.Namespace}
	for _, container := range s.pod.Containers {
		if container.Kind == InitContainer {
			continue
		}
		pod.Containers = append(pod.Containers, &podresourcesapi.ContainerResources{
			Name: container.Name, Devices: s.containerDevices(container.Name)})
	}
	return pod
}

func (s *podState) containerDevices(container string) []*podresourcesapi.ContainerDevices {
	var devices []*podresourcesapi.ContainerDevices
	for _, allocation := range s.allocations {
		if allocation.Container != container {
			continue
		}
		for _, id := range allocation.DeviceIDs {
			if nodes := allocation.NUMANodes[id]; len(nodes) > 0 {
				devices = append(devices, onNodes(allocation.Resource, id, nodes)...)
			} else {
				devices = append(devices, withoutTopology(allocation.Resource, id))
			}
		}
	}
	return devices
}

// onNodes lists a device once for each of its NUMA nodes.
func onNodes(resource, id string, nodes []int64) []*podresourcesapi.ContainerDevices {
	var devices []*podresourcesapi.ContainerDevices
	for _, node := range nodes {
		device := withoutTopology(resource, id)
		device.Topology = &podresourcesapi.TopologyInfo{Nodes: []*podresourcesapi.NUMANode{{ID: node}}}
		devices = append(devices, device)
	}
	return devices
}

func withoutTopology(resource, id string) *podresourcesapi.ContainerDevices {
	return &podresourcesapi.ContainerDevices{ResourceName: resource, DeviceIds: []string{id}}
}

// numaNodes gives the NUMA nodes of those devices that have some; the caller
// holds k.mu.
func (k *Kubelet) numaNodes(resource string, ids []string) map[string][]int64 {
	nodes := make(map[string][]int64)
	for _, id := range ids {
		if device := k.devices[resource][id]; len(device.NUMANodes) > 0 {
			nodes[id] = slices.Clone(device.NUMANodes)
		}
	}
	return nodes
}
