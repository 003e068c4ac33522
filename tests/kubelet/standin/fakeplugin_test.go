// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const testResource = "example.com/npu"

// fakePlugin is a device plugin that does as it is told and remembers what it
// was asked.
type fakePlugin struct {
	pluginapi.UnimplementedDevicePluginServer
	registerapi.UnimplementedRegistrationServer
	t        *testing.T
	socket   string
	resource string
	server   *grpc.Server
	done     chan struct{}

	// set before serve
	options       *pluginapi.DevicePluginOptions
	optionsErr    error
	versions      []string
	emptyAllocate bool
	prefer        func(*pluginapi.ContainerPreferredAllocationRequest) []string
	notifyErr     error

	mu        sync.Mutex
	devices   []*pluginapi.Device
	changed   chan struct{}
	allocates [][]string
	prestarts [][]string
	preferred []*pluginapi.ContainerPreferredAllocationRequest
	statuses  []*registerapi.RegistrationStatus
	streams   int
	infoTimes []time.Time
}

func newFakePlugin(t *testing.T, socket string, ids ...string) *fakePlugin {
	p := &fakePlugin{t: t, socket: socket, resource: testResource, changed: make(chan struct{}),
		options: &pluginapi.DevicePluginOptions{}, versions: []string{"v1beta1"}}
	for _, id := range ids {
		p.devices = append(p.devices, &pluginapi.Device{ID: id, Health: pluginapi.Healthy})
	}
	return p
}

// serve listens and serves until the test ends or stop is called.
func (p *fakePlugin) serve() *fakePlugin {
	p.t.Helper()
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		p.t.Fatal(err)
	}
	p.server = grpc.NewServer()
	p.done = make(chan struct{})
	pluginapi.RegisterDevicePluginServer(p.server, p)
	registerapi.RegisterRegistrationServer(p.server, p)
	go func() {
		defer close(p.done)
		_ = p.server.Serve(listener)
	}()
	p.t.Cleanup(p.stop)
	return p
}

func (p *fakePlugin) stop() {
	p.server.Stop()
	<-p.done
}

// register calls the kubelet like a plugin does.
func (p *fakePlugin) register(k *Kubelet, version string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := Dial(ctx, k.Socket(), AuthorityLocalhost)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = pluginapi.NewRegistrationClient(conn).Register(ctx, &pluginapi.RegisterRequest{
		Version: version, Endpoint: filepath.Base(p.socket), ResourceName: p.resource})
	return err
}

func (p *fakePlugin) mustRegister(k *Kubelet) {
	p.t.Helper()
	if err := p.register(k, "v1beta1"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *fakePlugin) setDevices(devices ...*pluginapi.Device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices = devices
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *fakePlugin) GetDevicePluginOptions(context.Context, *pluginapi.Empty) (*pluginapi.DevicePluginOptions, error) {
	return p.options, p.optionsErr
}

func (p *fakePlugin) ListAndWatch(_ *pluginapi.Empty, stream grpc.ServerStreamingServer[pluginapi.ListAndWatchResponse]) error {
	p.mu.Lock()
	p.streams++
	p.mu.Unlock()
	for {
		p.mu.Lock()
		devices, changed := p.devices, p.changed
		p.mu.Unlock()
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

func (p *fakePlugin) GetPreferredAllocation(_ context.Context, request *pluginapi.PreferredAllocationRequest) (
	*pluginapi.PreferredAllocationResponse, error) {
	container := request.ContainerRequests[0]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.preferred = append(p.preferred, container)
	return &pluginapi.PreferredAllocationResponse{
		ContainerResponses: []*pluginapi.ContainerPreferredAllocationResponse{{DeviceIDs: p.prefer(container)}},
	}, nil
}

func (p *fakePlugin) Allocate(_ context.Context, request *pluginapi.AllocateRequest) (*pluginapi.AllocateResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(request.ContainerRequests) != 1 {
		return nil, fmt.Errorf("%d containers", len(request.ContainerRequests))
	}
	ids := slices.Sorted(slices.Values(request.ContainerRequests[0].DevicesIds))
	p.allocates = append(p.allocates, ids)
	if p.emptyAllocate {
		return &pluginapi.AllocateResponse{}, nil
	}
	return &pluginapi.AllocateResponse{ContainerResponses: []*pluginapi.ContainerAllocateResponse{{}}}, nil
}

func (p *fakePlugin) PreStartContainer(_ context.Context, request *pluginapi.PreStartContainerRequest) (
	*pluginapi.PreStartContainerResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prestarts = append(p.prestarts, request.DevicesIds)
	return &pluginapi.PreStartContainerResponse{}, nil
}

func (p *fakePlugin) GetInfo(context.Context, *registerapi.InfoRequest) (*registerapi.PluginInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.infoTimes = append(p.infoTimes, time.Now())
	return &registerapi.PluginInfo{Type: registerapi.DevicePlugin, Name: p.resource, SupportedVersions: p.versions}, nil
}

func (p *fakePlugin) NotifyRegistrationStatus(_ context.Context, status *registerapi.RegistrationStatus) (
	*registerapi.RegistrationStatusResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses = append(p.statuses, status)
	return &registerapi.RegistrationStatusResponse{}, p.notifyErr
}

func (p *fakePlugin) lastStatus() *registerapi.RegistrationStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.statuses) == 0 {
		return nil
	}
	return p.statuses[len(p.statuses)-1]
}

func (p *fakePlugin) allocated() [][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.allocates)
}

func (p *fakePlugin) streamCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams
}
