// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"silica/tests/kubelet/internal/exposition"
)

// families are the metrics and what they say of a node with two healthy cards, one
// of which has one half taken, after the calls of the test.  Want -1: at least one.
var families = []struct {
	family string
	labels []string
	want   float64
}{
	{"build_info", nil, 1},
	{"devices", []string{"vendor=furiosa", "state=healthy"}, 2},
	{"devices", []string{"vendor=furiosa", "state=unhealthy"}, 0},
	{"devices", []string{"vendor=furiosa", "state=gone"}, 0},
	{"device_info", []string{"vendor=furiosa", "product=rngd"}, 2},
	{"device_healthy", nil, 2},
	{"device_memory_bytes", nil, 2 * 48 << 30},
	{"units", []string{"resource=" + whole, "state=healthy"}, 1},
	{"units", []string{"resource=" + whole, "state=hidden"}, 1},
	{"units", []string{"resource=" + whole, "state=unhealthy"}, 0},
	{"units", []string{"resource=" + halves, "state=healthy"}, 4},
	{"units", []string{"resource=" + shared, "state=hidden"}, 4},
	{"unit_enforcement_info", []string{"resource=" + whole, "tier=hardware"}, 1},
	{"unit_enforcement_info", []string{"resource=" + shared, "tier=none"}, 1},
	{"resource_watched", []string{"registration=classic"}, 3},
	{"allocations_total", []string{"resource=" + halves}, 2},
	{"rpc_duration_seconds", []string{"method=Allocate"}, 3},
	{"rpc_duration_seconds", []string{"method=GetDevicePluginOptions"}, -1},
	{"rpc_duration_seconds", []string{"method=GetPreferredAllocation"}, -1},
	{"rpc_errors_total", []string{"resource=" + halves, "method=Allocate"}, 1},
	{"registrations_total", []string{"resource=" + whole, "registration=classic", "result=accepted"}, 1},
	{"pod_resources_requests_total", []string{"result=answered"}, -1},
	{"config_reloads_total", []string{"result=accepted"}, 1},
	{"config_last_reload_successful", nil, 1},
	{"config_last_reload_success_timestamp_seconds", nil, -1},
	{"scan_duration_seconds", nil, -1},
}

func TestContract_16_Values(t *testing.T) {
	f := start(t, setup{config: overlapping, metrics: onSocket})
	f.waitOverlapping(2, 2, 4, 8)
	f.admit("p", halves)
	f.waitOverlapping(2, 1, 4, 4)
	f.mustAllocate(halves, f.kubelet.Allocations("p")[0].DeviceIDs[0])
	if _, err := f.allocate(halves, "no-such-device"); err == nil {
		t.Error("what is not there was allocated")
	}
	f.waitMetric(3, "resource_watched", "registration=classic")
	got := f.scrape()
	known := make(map[string]bool)
	for _, want := range families {
		known[prefix+want.family] = true
		sum, n := value(got, want.family, want.labels...)
		if n == 0 || sum != want.want && (want.want != -1 || sum < 1) {
			t.Errorf("%s %v: %v in %d series, not %v", want.family, want.labels, sum, n, want.want)
		}
	}
	for name := range got {
		if !known[name] && !strings.HasPrefix(name, prefix+"device_") {
			t.Errorf("%s is not in the table of this test", name)
		}
	}
}

func TestContract_16_ValuesMove(t *testing.T) {
	f := start(t, setup{config: configuration(resource(npu)), metrics: onSocket})
	f.waitNode(npu, 2, 2)
	id := "device=" + f.node.Card("rngd0").UUID
	f.sim("fail", "rngd0")
	f.waitMetric(0, "device_healthy", id)
	f.waitMetric(1, "device_unhealthy_info", id)
	f.waitMetric(1, "units", "resource="+npu, "state=unhealthy")
	f.sim("recover", "rngd0")
	f.waitMetric(1, "device_healthy", id)
	if _, n := value(f.scrape(), "device_unhealthy_info"); n != 0 {
		t.Error("a healthy card has a reason not to be")
	}
	f.sim("unplug", "rngd1")
	f.waitMetric(1, "devices", "state=gone")
	f.sim("plug", "rngd1")
	f.waitMetric(2, "devices", "state=healthy")
	f.must(f.kubelet.CutStream(npu))
	f.waitMetric(2, "registrations_total", "resource="+npu, "result=accepted")
	f.waitMetric(1, "resource_watched", "resource="+npu)
	before, _ := value(f.scrape(), "config_last_reload_success_timestamp_seconds")
	f.renameConfig(configuration(resource(warboy, "devices: {product: warboy}")))
	f.waitMetric(2, "config_reloads_total", "result=accepted")
	after, _ := value(f.scrape(), "config_last_reload_success_timestamp_seconds")
	if now := float64(time.Now().Unix()); after < before || after > now+1 || now-after > 600 {
		t.Errorf("the last reload was at %v, the one before at %v, now it is %v", after, before, now)
	}
	f.wait("no series of a resource that is gone", func() bool {
		_, n := value(f.scrape(), "units")
		_, watched := value(f.scrape(), "resource_watched")
		return n == 0 && watched == 0
	})
}

func TestContract_16_ContentType(t *testing.T) {
	f := start(t, setup{metrics: onSocket})
	f.waitStatus("/metrics", http.StatusOK)
	_, _, header, err := f.get(f.metricsSocket(), "/metrics")
	if err != nil || header.Get("Content-Type") != exposition.ContentType {
		t.Errorf("got %v, %v", header, err)
	}
	for path, want := range map[string]int{"/": 404, "/metrics/": 404, "/healthz?verbose=1": 200, "/nothing": 404} {
		if status, body := f.asks(path); status != want {
			t.Errorf("%s: got %d: %s", path, status, body)
		}
	}
}

// Readiness follows the kubelet's stream; without devices there is nothing to wait for.
func TestContract_16_Readyz(t *testing.T) {
	f := start(t, setup{metrics: onSocket, noKubelet: true, config: configuration(resource(npu), resource(warboy))})
	body := f.waitStatus("/readyz", http.StatusServiceUnavailable)
	f.wait("which resource it is", func() bool {
		_, body = f.asks("/readyz")
		return strings.Contains(body, npu)
	})
	if strings.Contains(body, warboy) {
		t.Errorf("there is no %s: %s", warboy, body)
	}
	for range 2 {
		f.startKubelet()
		f.waitNode(npu, 2, 2)
		f.waitStatus("/readyz", http.StatusOK)
		f.waitStatus("/healthz", http.StatusOK)
		f.kubelet.Stop()
		f.waitStatus("/readyz", http.StatusServiceUnavailable)
	}
	f.waitStatus("/healthz", http.StatusOK) // it is the kubelet that is away
}

func TestContract_16_ReadyWithoutDevices(t *testing.T) {
	f := start(t, setup{metrics: onSocket, config: configuration(resource(warboy, "devices: {product: warboy}"))})
	f.waitStatus("/readyz", http.StatusOK)
	f.waitStatus("/healthz", http.StatusOK)
}

// loseSocket takes the plugin's socket away where no kubelet is that it could make
// another one for.
func (f *fixture) loseSocket() string {
	f.Helper()
	f.waitNode(npu, 2, 2)
	f.waitStatus("/healthz", http.StatusOK)
	socket := f.socket()
	f.kubelet.Stop()
	f.must(os.Remove(f.kubelet.Socket()))
	f.waitStatus("/readyz", http.StatusServiceUnavailable)
	f.must(os.Remove(socket))
	return socket
}

func TestContract_16_HealthzSocketGone(t *testing.T) {
	f := start(t, setup{metrics: onSocket, config: configuration(resource(npu))})
	f.loseSocket()
	body := f.waitStatus("/healthz", http.StatusServiceUnavailable)
	if !strings.Contains(body, "does not answer") {
		t.Errorf("got %q", body)
	}
	f.startKubelet()
	f.waitStatus("/healthz", http.StatusOK)
	f.waitStatus("/readyz", http.StatusOK)
}

// Somebody else listens where the plugin's socket was, and never answers.
func TestContract_16_HealthzUnanswered(t *testing.T) {
	f := start(t, setup{metrics: onSocket, config: configuration(resource(npu))})
	socket := f.loseSocket()
	mute, err := net.Listen("unix", socket)
	f.must(err)
	defer mute.Close()
	body := f.waitStatus("/healthz", http.StatusServiceUnavailable)
	if !strings.Contains(body, "does not answer") {
		t.Errorf("got %q", body)
	}
	// Questions beside each other are all answered, if only with 503.
	var asked sync.WaitGroup
	for range 16 {
		asked.Go(func() {
			if status, body := f.asks("/healthz"); status != http.StatusServiceUnavailable {
				t.Errorf("got %d: %s", status, body)
			}
		})
	}
	asked.Wait()
	if status, _ := f.asks("/metrics"); status != http.StatusOK {
		t.Errorf("/metrics: %d", status)
	}
	f.startKubelet()
	f.waitStatus("/healthz", http.StatusOK)
	f.waitNode(npu, 2, 2)
}

var listening = regexp.MustCompile(`metrics and probes on '([^']+)'`)

// waitListening waits until the log says where metrics are, and gives the address.
func (f *fixture) waitListening() string {
	f.Helper()
	f.waitLogged(0, "metrics and probes on")
	return listening.FindStringSubmatch(f.plugin.Log())[1]
}

func TestContract_16_TCP(t *testing.T) {
	f := start(t, setup{metrics: "127.0.0.1:0"})
	address := f.waitListening()
	f.waitNode(npu, 2, 2)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		f.wait(path+" at "+address, func() bool {
			status, _, _, err := f.get(address, path)
			return err == nil && status == http.StatusOK
		})
	}
	f.plugin.Signal(os.Interrupt)
	f.exits(f.plugin, 0)
	if _, _, _, err := f.get(address, "/healthz"); err == nil {
		t.Error("somebody answers still")
	}
}

func TestContract_16_SocketOverRestarts(t *testing.T) {
	f := start(t, setup{metrics: onSocket})
	for range 2 {
		f.waitStatus("/healthz", http.StatusOK)
		f.plugin.Kill() // the socket stays behind
		f.startPlugin()
	}
	f.waitStatus("/healthz", http.StatusOK)
}

func TestContract_16_AddressInUse(t *testing.T) {
	for name, listen := range map[string]func(f *fixture) (net.Listener, error){
		"TCP":         func(*fixture) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		"unix socket": func(f *fixture) (net.Listener, error) { return net.Listen("unix", f.metricsSocket()) },
	} {
		t.Run(name, func(t *testing.T) {
			var taken net.Listener
			f := start(t, setup{config: configuration(resource(npu)), prepare: func(f *fixture) {
				var err error
				taken, err = listen(f)
				f.must(err)
				f.setup.metrics = fmt.Sprint(taken.Addr())
				if taken.Addr().Network() == "unix" {
					f.setup.metrics = onSocket
				}
			}})
			f.waitNode(npu, 2, 2)
			f.waitLogged(0, "warning", "probes", "no metrics and probes until then")
			f.mustAllocate(npu, f.ids(npu)...)
			f.stays("it was told once", func() bool {
				return f.logged("no metrics and probes") == 1 && f.logged("metrics and probes on") == 0
			})
			f.must(taken.Close())
			f.waitListening()
			address := f.setup.metrics
			if address == onSocket {
				address = f.metricsSocket()
			}
			f.wait("an answer", func() bool {
				status, _, _, err := f.get(address, "/readyz")
				return err == nil && status == http.StatusOK
			})
		})
	}
}
