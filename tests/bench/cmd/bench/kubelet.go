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

const dialTimeout = 10 * time.Second // the kubelet's

// A kubelet takes registrations, as the real one does: it calls back before it
// answers.
type kubelet struct {
	pluginapi.UnimplementedRegistrationServer
	dir        string
	server     *grpc.Server
	registered func(r registration) // called before the answer
}

type registration struct {
	at        time.Time // when the plugin's options were there
	resource  string
	endpoint  string // path of its socket
	preferred bool   // GetPreferredAllocation is offered
	err       error
}

func newKubelet(dir string, registered func(r registration)) (*kubelet, error) {
	for _, name := range []string{"device-plugins", "plugins_registry"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "device-plugins", "kubelet.sock"))
	if err != nil {
		return nil, err
	}
	k := &kubelet{
		dir:        dir,
		server:     grpc.NewServer(),
		registered: registered,
	}
	pluginapi.RegisterRegistrationServer(k.server, k)
	go k.server.Serve(listener) // ends by stop(); until then nothing can fail but Accept
	return k, nil
}

func (k *kubelet) stop() {
	k.server.Stop()
}

func (k *kubelet) Register(ctx context.Context, request *pluginapi.RegisterRequest) (
	*pluginapi.Empty, error) {
	r := registration{
		resource: request.ResourceName,
		endpoint: filepath.Join(k.dir, "device-plugins", request.Endpoint),
	}
	r.preferred, r.err = k.callBack(ctx, request, r.endpoint)
	r.at = time.Now()
	k.registered(r)
	return &pluginapi.Empty{}, r.err
}

func (k *kubelet) callBack(ctx context.Context, request *pluginapi.RegisterRequest,
	endpoint string) (preferred bool, err error) {
	if request.Version != pluginapi.Version {
		return false, fmt.Errorf("registration of version '%s'", request.Version)
	}
	conn, err := dial(ctx, endpoint)
	if err != nil {
		return false, fmt.Errorf("dial the plugin: %w", err)
	}
	defer conn.Close()
	options, err := pluginapi.NewDevicePluginClient(conn).GetDevicePluginOptions(ctx,
		&pluginapi.Empty{})
	if err != nil {
		return false, fmt.Errorf("options of the plugin: %w", err)
	}
	return options.GetPreferredAllocationAvailable, nil
}

// dial opens a connection with the options of a kubelet since 1.26; the calls
// are deprecated in grpc-go and what the kubelet uses.
func dial(ctx context.Context, path string) (*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return grpc.DialContext(ctx, path,
		grpc.WithAuthority("localhost"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithBlock(),
		grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}))
}
