// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

const patience = 60 * time.Second

// plugin lists the devices that it is made with, and answers Allocate with nothing.
// What it lists need not be what the node has: that is what is tested.
type plugin struct {
	pluginapi.UnimplementedDevicePluginServer
	devices []*pluginapi.Device
}

func (p *plugin) GetDevicePluginOptions(context.Context, *pluginapi.Empty) (*pluginapi.DevicePluginOptions, error) {
	return &pluginapi.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *pluginapi.Empty, stream grpc.ServerStreamingServer[pluginapi.ListAndWatchResponse]) error {
	if err := stream.Send(&pluginapi.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (p *plugin) Allocate(_ context.Context, request *pluginapi.AllocateRequest) (*pluginapi.AllocateResponse, error) {
	response := &pluginapi.AllocateResponse{}
	for range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, &pluginapi.ContainerAllocateResponse{})
	}
	return response, nil
}

// servePlugin registers a plugin and waits until the kubelet has its devices.
func servePlugin(t *testing.T, kubelet *standin.Kubelet, resource string, devices ...*pluginapi.Device) {
	t.Helper()
	socket := filepath.Join(kubelet.PluginDir(), filepath.Base(resource)+".sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pluginapi.RegisterDevicePluginServer(server, &plugin{devices: devices})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := standin.Dial(ctx, kubelet.Socket(), standin.AuthorityLocalhost)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := pluginapi.NewRegistrationClient(conn).Register(ctx, &pluginapi.RegisterRequest{
		Version: pluginapi.Version, Endpoint: filepath.Base(socket), ResourceName: resource}); err != nil {
		t.Fatal(err)
	}
	if err := kubelet.Wait(patience, "the devices of "+resource, func() bool {
		return kubelet.Node()[resource].Capacity == len(devices)
	}); err != nil {
		t.Fatal(err)
	}
}

func healthy(id string) *pluginapi.Device {
	return &pluginapi.Device{ID: id, Health: pluginapi.Healthy}
}

func unhealthy(id string) *pluginapi.Device {
	return &pluginapi.Device{ID: id, Health: pluginapi.Unhealthy}
}
