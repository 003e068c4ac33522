// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"os"
	"syscall"
	"testing"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// The kubelet dials the plugin before Register returns.
func TestContract_1_ServeBeforeRegister(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	if refusals := f.kubelet.Refusals(); len(refusals) != 0 {
		t.Errorf("refused first: %v", refusals[0].Err)
	}
}

// The kubelet's dial may take 10 s of the deadline that the plugin sets.
func TestContract_1_RegisterDeadline(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	if deadline := f.kubelet.Registrations()[0].Deadline; deadline < 14*time.Second {
		t.Errorf("deadline is %v", deadline)
	}
}

func TestContract_1_ServesWhileRegisterIsSlow(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{RegisterDelay: 5 * time.Second})
	}})
	f.wait("socket", func() bool { return len(f.sockets()) == 1 })
	api := pluginapi.NewDevicePluginClient(f.dial(f.sockets()[0]))
	if _, err := api.GetDevicePluginOptions(f.call(), &pluginapi.Empty{}); err != nil {
		t.Error(err)
	}
	if n := len(f.kubelet.Registrations()); n != 0 {
		t.Fatalf("%d registrations: the kubelet was not slow", n)
	}
	f.waitNode(npu, 2, 2)
}

func TestContract_1_RetryWithBackoff(t *testing.T) {
	const refusals = 5
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{RegisterRefusals: refusals})
	}})
	f.waitNode(npu, 2, 2)
	refused := f.kubelet.Refusals()
	if len(refused) != refusals {
		t.Fatalf("%d refusals, then success", len(refused))
	}
	first := refused[1].Time.Sub(refused[0].Time)
	last := refused[refusals-1].Time.Sub(refused[refusals-2].Time)
	if first < 20*time.Millisecond || last <= first {
		t.Errorf("tried again after %v at first and %v at last: no backoff", first, last)
	}
}

func TestContract_1_RetryAfterRegisterHangs(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.kubelet.SetFaults(standin.Faults{RegisterDelay: time.Hour})
	}})
	f.wait("end of the first try", func() bool { return len(f.kubelet.Refusals()) > 0 })
	f.kubelet.SetFaults(standin.Faults{})
	f.waitNode(npu, 2, 2)
}

func TestContract_1_KubeletStartsLater(t *testing.T) {
	f := start(t, setup{noKubelet: true})
	f.stays("plugin runs", f.plugin.Running)
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}

func TestContract_1_KubeletSockIsStale(t *testing.T) {
	f := start(t, setup{noPlugin: true})
	f.kubelet.Stop()
	if _, err := os.Lstat(f.kubelet.Socket()); err != nil {
		t.Fatal(err)
	}
	f.startPlugin()
	f.stays("plugin runs", f.plugin.Running)
	f.startKubelet()
	f.waitNode(npu, 2, 2)
}

// A kubelet of today gives no second chance: nothing but the plugin tries again.
func TestContract_1_PluginStoppedAndContinued(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	f.plugin.Signal(syscall.SIGSTOP)
	if err := f.kubelet.Restart(); err != nil {
		t.Fatal(err)
	}
	f.plugin.Signal(syscall.SIGCONT)
	f.waitNode(npu, 2, 2)
}
