// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// Registration is a plugin that was accepted.
type Registration struct {
	Time     time.Time
	Resource string
	Socket   string // the plugin's, as dialled
	Watcher  bool   // found by the plugin watcher instead of having called Register
	Options  *pluginapi.DevicePluginOptions
	// Announced is what Register said of the options; a kubelet ignores it.
	Announced *pluginapi.DevicePluginOptions
	// Deadline is how much time the plugin gave Register; 0 when it set none.
	Deadline time.Duration
}

// Refusal is a registration that failed, with what the plugin was told.
type Refusal struct {
	Time     time.Time
	Resource string
	Socket   string
	Err      error
}

// registry serves v1beta1.Registration on kubelet.sock for one run.
type registry struct {
	pluginapi.UnimplementedRegistrationServer
	kubelet  *Kubelet
	run      *run
	server   *grpc.Server
	listener *net.UnixListener
}

func newRegistry(k *Kubelet, r *run) (*registry, error) {
	listener, err := listenUnix(k.Socket())
	if err != nil {
		return nil, err
	}
	registry := &registry{kubelet: k, run: r, server: grpc.NewServer(), listener: listener}
	pluginapi.RegisterRegistrationServer(registry.server, registry)
	return registry, nil
}

func (s *registry) serve() {
	// Serve ends with an error only when stop has closed the listener.
	_ = s.server.Serve(s.listener)
}

func (s *registry) stop() {
	s.server.Stop()
}

// Register is called by plugins.  The plugin's own server is dialled before it
// returns, so a plugin must serve first and must not wait here in its only thread.
func (s *registry) Register(ctx context.Context, request *pluginapi.RegisterRequest) (*pluginapi.Empty, error) {
	leave, err := s.kubelet.enter(s.run)
	if err != nil {
		return nil, err
	}
	defer leave()

	if err := s.register(ctx, request); err != nil {
		s.kubelet.noteRefusal(request, err)
		return nil, err
	}
	return &pluginapi.Empty{}, nil
}

func (s *registry) register(ctx context.Context, request *pluginapi.RegisterRequest) error {
	if err := s.kubelet.registerFault(ctx); err != nil {
		return err
	}
	if request.Version != pluginapi.Version {
		return fmt.Errorf("requested API version %q is not supported by kubelet. Supported version is %q",
			request.Version, pluginapi.SupportedVersions)
	}
	if !IsExtendedResourceName(request.ResourceName) {
		return fmt.Errorf("the ResourceName %q is invalid", request.ResourceName)
	}
	socket := filepath.Join(s.kubelet.PluginDir(), request.Endpoint)
	registration := Registration{Resource: request.ResourceName, Socket: socket, Announced: request.Options}
	if deadline, ok := ctx.Deadline(); ok {
		registration.Deadline = time.Until(deadline)
	}
	return s.kubelet.connect(ctx, s.run, registration)
}
