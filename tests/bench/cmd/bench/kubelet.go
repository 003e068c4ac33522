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

// A kubelet takes the registration of one plugin, as the real one does: it
// calls back before it answers.
type kubelet struct {
	pluginapi.UnimplementedRegistrationServer
	dir        string
	server     *grpc.Server
	registered chan registration
}

type registration struct {
	at       time.Time // when the plugin's options were there
	endpoint string    // path of its socket
	err      error
}

func newKubelet(dir string) (*kubelet, error) {
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
		registered: make(chan registration, 1),
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
	r := registration{endpoint: filepath.Join(k.dir, "device-plugins", request.Endpoint)}
	r.err = k.callBack(ctx, request, r.endpoint)
	r.at = time.Now()
	select {
	case k.registered <- r:
	default: // only the first one counts
	}
	return &pluginapi.Empty{}, r.err
}

func (k *kubelet) callBack(ctx context.Context, request *pluginapi.RegisterRequest,
	endpoint string) error {
	if request.Version != pluginapi.Version || request.ResourceName != resourceName {
		return fmt.Errorf("registration of version '%s', resource '%s'", request.Version,
			request.ResourceName)
	}
	conn, err := dial(ctx, endpoint)
	if err != nil {
		return fmt.Errorf("dial the plugin: %w", err)
	}
	defer conn.Close()
	options, err := pluginapi.NewDevicePluginClient(conn).GetDevicePluginOptions(ctx,
		&pluginapi.Empty{})
	if err != nil {
		return fmt.Errorf("options of the plugin: %w", err)
	}
	if !options.GetPreferredAllocationAvailable {
		return fmt.Errorf("the plugin does not offer GetPreferredAllocation")
	}
	return nil
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
