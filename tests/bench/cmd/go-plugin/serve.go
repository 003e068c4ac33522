// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	registerTimeout = 15 * time.Second // the kubelet dials back within 10 s

	// A request for a preferred allocation carries the ID of every free unit.
	maxRequestBytes = 16 << 20
)

type server struct {
	grpc     *grpc.Server
	endpoint string // name of its socket
}

// serve begins to answer on a socket of the plugin's own.
func serve(p *plugin, number int) (*server, error) {
	endpoint := fmt.Sprintf("go-plugin-%d-%d.sock", os.Getpid(), number)
	listener, err := net.Listen("unix", socketPath(p.options, endpoint))
	if err != nil {
		return nil, err
	}
	s := &server{
		grpc:     grpc.NewServer(grpc.MaxRecvMsgSize(maxRequestBytes)),
		endpoint: endpoint,
	}
	pluginapi.RegisterDevicePluginServer(s.grpc, p)
	go func() {
		if err := s.grpc.Serve(listener); err != nil {
			fmt.Fprintln(os.Stderr, "go-plugin: serve:", err)
		}
	}()
	return s, nil
}

// stop cuts the streams too; the listener removes its socket.
func (s *server) stop() {
	s.grpc.Stop()
}

func socketPath(o options, name string) string {
	return filepath.Join(o.kubeletDir, "device-plugins", name)
}

// register announces the plugin to the kubelet, which calls back before it answers.
func register(ctx context.Context, o options, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	conn, err := grpc.NewClient("unix:"+socketPath(o, "kubelet.sock"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = pluginapi.NewRegistrationClient(conn).Register(ctx, &pluginapi.RegisterRequest{
		Version:      pluginapi.Version,
		Endpoint:     endpoint,
		ResourceName: o.resource,
		Options:      &pluginapi.DevicePluginOptions{GetPreferredAllocationAvailable: true},
	})
	if err != nil {
		return fmt.Errorf("register with the kubelet: %w", err)
	}
	return nil
}
