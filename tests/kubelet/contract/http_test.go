// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"silica/tests/kubelet/internal/exposition"
)

// onSocket stands for a unix socket beside the node, which no other test has.
const onSocket = "unix"

// bodyMax is more than any answer of the plugin has.
const bodyMax = 8 << 20

func (f *fixture) metricsAddress() string {
	switch f.setup.metrics {
	case "":
		return "none"
	case onSocket:
		return "unix:" + f.metricsSocket()
	}
	return f.setup.metrics
}

func (f *fixture) metricsSocket() string {
	return filepath.Join(f.node.Dir, "m")
}

// get asks for a path at a unix socket, or at HOST:PORT.
func (f *fixture) get(address, path string) (status int, body string, header http.Header, err error) {
	transport := &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			network := "tcp"
			if strings.HasPrefix(address, "/") {
				network = "unix"
			}
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, address)
		}}
	client := &http.Client{Transport: transport, Timeout: callTimeout}
	response, err := client.Get("http://localhost" + path)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, bodyMax))
	return response.StatusCode, string(text), response.Header, err
}

// asks gives status and body of a path of the socket; 0 when there is no answer.
func (f *fixture) asks(path string) (int, string) {
	status, body, _, err := f.get(f.metricsSocket(), path)
	if err != nil {
		return 0, err.Error()
	}
	return status, body
}

// waitStatus waits until a path answers so, and gives the body.
func (f *fixture) waitStatus(path string, want int) string {
	f.Helper()
	var status int
	var body string
	if err := f.kubelet.Wait(patience, "", func() bool {
		status, body = f.asks(path)
		return status == want
	}); err != nil {
		f.Fatalf("%s answers %d, not %d: %s", path, status, want, body)
	}
	return body
}

// scrape asks for the metrics once and has them judged.
func (f *fixture) scrape() map[string]*dto.MetricFamily {
	f.Helper()
	status, body := f.asks("/metrics")
	if status != http.StatusOK {
		f.Fatalf("/metrics: %d: %s", status, body)
	}
	if err := exposition.Lint([]byte(body)); err != nil {
		f.Errorf("metrics: %v", err)
	}
	families, err := exposition.Parse([]byte(body))
	f.must(err)
	return families
}

// prefix begins the name of every metric.
const prefix = "silica_device_plugin_"

// value gives the sum of the series of a family that have all the labels, each as
// in "key=value", and how many series that are.  A histogram counts its observations.
func value(families map[string]*dto.MetricFamily, family string, labels ...string) (sum float64, n int) {
	for _, metric := range families[prefix+family].GetMetric() {
		has := make(map[string]bool)
		for _, label := range metric.GetLabel() {
			has[label.GetName()+"="+label.GetValue()] = true
		}
		matches := true
		for _, label := range labels {
			matches = matches && has[label]
		}
		if !matches {
			continue
		}
		n++
		sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue() +
			float64(metric.GetHistogram().GetSampleCount())
	}
	return sum, n
}

// waitMetric waits until the series of a family with the labels add up to a value.
func (f *fixture) waitMetric(want float64, family string, labels ...string) {
	f.Helper()
	what := fmt.Sprintf("%s %v is %v", family, labels, want)
	f.wait(what, func() bool {
		got, n := value(f.scrape(), family, labels...)
		return n > 0 && got == want
	})
}
