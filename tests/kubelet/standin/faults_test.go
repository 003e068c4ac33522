// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestStoppedReader(t *testing.T) {
	k := startKubelet(t, Options{})
	k.SetFaults(Faults{StopReading: true})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
	plugin.mustRegister(k)
	waitFor(t, k, "stream", func() bool { return plugin.streamCount() == 1 })
	if n := countEvents(k, Listed); n != 0 {
		t.Errorf("%d lists were read", n)
	}
	k.Stop() // must not wait for a list
}

func TestCallRaw(t *testing.T) {
	k := startKubelet(t, Options{})
	newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve().mustRegister(k)
	conn, err := k.Plugin(testResource)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, method string
		request      []byte
		code         codes.Code
	}{
		{"good", "/v1beta1.DevicePlugin/GetDevicePluginOptions", nil, codes.OK},
		{"garbage", "/v1beta1.DevicePlugin/Allocate", []byte{0xff, 0xff}, codes.Internal},
		{"unknown method", "/v1beta1.DevicePlugin/Deallocate", nil, codes.Unimplemented},
	}
	for _, c := range cases {
		if _, err := CallRaw(t.Context(), conn, c.method, c.request); status.Code(err) != c.code {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestAuthorities(t *testing.T) {
	for _, authority := range []Authority{AuthorityLocalhost, AuthorityRawPath, AuthorityEncodedPath} {
		k := startKubelet(t, Options{Authority: authority})
		plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
		plugin.mustRegister(k)
		waitCount(t, k, 1, 1)
	}
}

func TestReroutedConnectionFreezes(t *testing.T) {
	k := startKubelet(t, Options{Reroute: func(socket string) string { return socket + ".p" }})
	plugin := newFakePlugin(t, pluginSocket(k, "a.sock"), "a").serve()
	proxy, err := NewProxy(plugin.socket+".p", plugin.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	plugin.mustRegister(k)
	waitCount(t, k, 1, 1)

	proxy.Freeze(FromPlugin)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := k.AdmitPod(ctx, onePod("p", 1)); err == nil {
		t.Error("an answer came through")
	}
	proxy.Thaw(FromPlugin)
	if _, err := k.AdmitPod(t.Context(), onePod("p", 1)); err != nil {
		t.Error(err)
	}
}

func TestProxyLosesNothing(t *testing.T) {
	dir := startKubelet(t, Options{}).PluginDir()
	far, err := net.Listen("unix", filepath.Join(dir, "far"))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	proxy, err := NewProxy(filepath.Join(dir, "near"), filepath.Join(dir, "far"))
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	proxy.Freeze(ToPlugin)
	near, err := net.Dial("unix", filepath.Join(dir, "near"))
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	if _, err := near.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	conn, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("a byte came through a frozen proxy")
	}
	proxy.Thaw(ToPlugin)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 5)
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, []byte("hello")) {
		t.Errorf("got %q, %v", got, err)
	}
}
