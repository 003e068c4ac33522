// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

func TestContract_5_UniqueSocketName(t *testing.T) {
	f := start(t, setup{kubelet: standin.Options{ClientsBySocket: true}})
	f.waitNode(npu, 2, 2)
	first := f.plugin
	f.startPlugin()
	f.wait("second registration", func() bool { return f.registrations(npu) == 2 })
	sockets := f.sockets()
	if len(sockets) != 2 {
		t.Fatalf("two instances have the sockets %v", sockets)
	}
	for _, socket := range sockets {
		if list := f.watch(socket).next(); len(list) != 2 {
			t.Errorf("%s lists %v", socket, list)
		}
	}
	if !first.Running() || !f.plugin.Running() {
		t.Error("an instance has ended")
	}
}

func TestContract_5_SigtermEndsStreams(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	watch := f.watch(f.socket())
	watch.next()
	f.plugin.Signal(syscall.SIGTERM)
	if _, err := watch.rpc.Recv(); !errors.Is(err, io.EOF) && status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
	f.exits(f.plugin, 0)
	f.waitNode(npu, 2, 0)
	if sockets := f.sockets(); len(sockets) != 0 {
		t.Errorf("left behind: %v", sockets)
	}
}

func TestContract_5_SigintEndsToo(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.plugin.Signal(syscall.SIGINT)
	f.exits(f.plugin, 0)
}

func TestContract_5_SigtermWhileRegisterHangs(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{RegisterDelay: time.Hour})
	}})
	f.wait("socket", func() bool { return len(f.sockets()) == 1 })
	f.stays("plugin runs", f.plugin.Running)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
}

func TestContract_5_SigtermWithoutKubelet(t *testing.T) {
	f := start(t, setup{noKubelet: true})
	f.stays("plugin runs", f.plugin.Running)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
}

func TestContract_5_SigtermWhileReaderIsStopped(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{StopReading: true})
	}})
	f.wait("registration", func() bool { return f.registrations(npu) == 1 })
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
}

func TestContract_5_SigtermDuringCalls(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	id := f.ids(npu)[:1]
	ended := make(chan error, 1)
	api, ctx := f.api(npu), f.call()
	go func() {
		for {
			_, err := api.Allocate(ctx, &pluginapi.AllocateRequest{
				ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: id}}})
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	f.plugin.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if code := status.Code(err); code != codes.Unavailable && code != codes.Canceled {
			t.Errorf("the last call ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("calls are still answered")
	}
	f.exits(f.plugin, 0)
}

// What others have put into the folder is none of the plugin's business.
func TestContract_5_ForeignFilesStay(t *testing.T) {
	f := start(t, setup{noPlugin: true})
	names := []string{"kubelet_internal_checkpoint", "other.sock", "silica"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(f.kubelet.PluginDir(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.startPlugin()
	f.waitNode(npu, 2, 2)
	f.plugin.Signal(syscall.SIGTERM)
	f.exits(f.plugin, 0)
	entries, err := os.ReadDir(f.kubelet.PluginDir())
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if want := sorted(append(names, "kubelet.sock")); !slices.Equal(left, want) {
		t.Errorf("left: %v", left)
	}
}

// Whoever can write to the socket can allocate devices.
func TestContract_5_SocketIsPrivate(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	info, err := os.Stat(f.socket())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		t.Errorf("mode %o", mode)
	}
}
