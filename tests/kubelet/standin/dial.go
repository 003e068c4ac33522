// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Authority is a way to fill the :authority header on a unix socket.
type Authority int

const (
	// AuthorityLocalhost is "localhost", of kubelets since 1.26.
	AuthorityLocalhost Authority = iota
	// AuthorityRawPath is the path of the socket, of kubelets before 1.26.
	AuthorityRawPath
	// AuthorityEncodedPath is that path percent-encoded, of the plugin watcher.
	AuthorityEncodedPath
)

const dialTimeout = 10 * time.Second

// Dial connects as a kubelet does and waits until the connection stands, at most
// 10 s and no longer than ctx lasts.
func Dial(ctx context.Context, socket string, authority Authority) (*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithBlock(),
		grpc.WithContextDialer(dialUnix),
	}
	switch authority {
	case AuthorityLocalhost:
		options = append(options, grpc.WithAuthority("localhost"))
	case AuthorityRawPath:
		options = append(options, grpc.WithAuthority(socket))
	case AuthorityEncodedPath: // what grpc-go makes of a path by itself
	}
	// A kubelet still dials with this call; its successor does not block.
	return grpc.DialContext(ctx, socket, options...)
}

// listenUnix listens on a socket whose file stays behind, as that of a kubelet
// that ends does.
func listenUnix(path string) (*net.UnixListener, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

func dialUnix(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", address)
}
