// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

func TestContract_7_AnyAuthority_Localhost(t *testing.T) {
	acceptsAuthority(t, standin.AuthorityLocalhost)
}

func TestContract_7_AnyAuthority_RawPath(t *testing.T) {
	acceptsAuthority(t, standin.AuthorityRawPath)
}

func TestContract_7_AnyAuthority_EncodedPath(t *testing.T) {
	acceptsAuthority(t, standin.AuthorityEncodedPath)
}

func acceptsAuthority(t *testing.T, authority standin.Authority) {
	t.Helper()
	f := start(t, setup{kubelet: standin.Options{Authority: authority}})
	f.waitNode(npu, 2, 2)
	if _, err := f.kubelet.AdmitPod(f.call(), pod("p", npu, 1)); err != nil {
		t.Error(err)
	}
}

// manyIDs makes different IDs that together take about as many bytes in a request.
func manyIDs(bytes int) []string {
	const each = 62 // an ID of 60 bytes, its tag and its length
	ids := make([]string, bytes/each)
	for i := range ids {
		ids[i] = fmt.Sprintf("%060d", i)
	}
	return ids
}

// The default limit of gRPC; a kubelet with very many devices comes close to it.
func TestContract_7_RequestBelowTheLimit(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	good := f.ids(npu)
	got, err := f.prefer(append(manyIDs(4<<20-1<<12), good...), nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sorted(got), sorted(good)) {
		t.Errorf("got %v", got)
	}
}

func TestContract_7_RequestAboveTheLimit(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	_, err := f.allocate(npu, manyIDs(64<<20)...)
	code := status.Code(err)
	if code != codes.ResourceExhausted && code != codes.InvalidArgument && code != codes.NotFound {
		t.Errorf("got %.200v", err)
	}
	f.mustAllocate(npu, f.ids(npu)...)
}

// The end of a connection would take all devices away, so a plugin ends none
// because of its age or because it is idle.
func TestContract_7_IdleConnectionStays(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for deadline := time.Now().Add(6 * quiet); time.Now().Before(deadline); {
		f.stays("the stream", func() bool { return f.events(standin.StreamEnded) == 0 })
	}
	f.sim("fail", "rngd0")
	f.waitNode(npu, 2, 1)
}

func TestContract_7_ManyConnections(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for range 100 {
		conn := f.dial(f.socket())
		_, err := pluginapi.NewDevicePluginClient(conn).GetDevicePluginOptions(f.call(), &pluginapi.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	f.serves(npu)
}
