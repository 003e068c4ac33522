// SPDX-License-Identifier: Apache-2.0

// Command go-plugin is a minimal device plugin in Go, the yardstick that
// silica-device-plugin is measured against.
//
// It gives the same answers from the same files: 1 unit per partition of an
// RNGD, with Silica's IDs, health and NUMA nodes, and the same device files in
// Allocate.  It does the same checks at the same moments: every device file of
// a card in a scan and of a partition in Allocate, the state of every card
// twice a second.  What a small plugin may leave out it leaves out: no
// configuration file, no hysteresis, no hot-plug events, no metrics, no second
// registration after a restart of the kubelet.
//
// SIGHUP scans the node again, SIGTERM ends the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

type options struct {
	hostRoot       string
	kubeletDir     string
	resource       string
	cores          int
	checkNodes     bool
	probeInterval  time.Duration
	rescanInterval time.Duration
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.hostRoot, "host-root", "/", "directory that stands for the host's root")
	flag.StringVar(&o.kubeletDir, "kubelet-dir", filepath.Dir(filepath.Clean(pluginapi.DevicePluginPath)),
		"the kubelet's directory")
	flag.StringVar(&o.resource, "resource", "furiosa.ai/npu", "resource name")
	flag.IntVar(&o.cores, "cores", 1, "cores of one partition: 1, 2 or 4")
	flag.BoolVar(&o.checkNodes, "check-nodes", true, "look at every device file in Allocate")
	flag.DurationVar(&o.probeInterval, "probe-interval", 500*time.Millisecond,
		"time between two looks at the state of the cards")
	flag.DurationVar(&o.rescanInterval, "rescan-interval", 5*time.Second, "time between two scans")
	flag.Parse()

	if o.cores != 1 && o.cores != 2 && o.cores != 4 {
		return o, fmt.Errorf("-cores %d: not 1, 2 or 4", o.cores)
	}
	if o.probeInterval <= 0 || o.rescanInterval <= 0 {
		return o, errors.New("an interval is not positive")
	}
	return o, nil
}

func main() {
	o, err := parseOptions()
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-plugin:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)

	p := newPlugin(o)
	if err := p.rescan(); err != nil {
		return err
	}
	server, err := serve(p)
	if err != nil {
		return err
	}
	defer server.stop()
	if err := register(ctx, o, server.endpoint); err != nil {
		return err
	}
	return watch(ctx, o, p, hangup)
}

// watch keeps the plugin's picture of the node fresh until ctx ends.
func watch(ctx context.Context, o options, p *plugin, hangup <-chan os.Signal) error {
	probe := time.NewTicker(o.probeInterval)
	defer probe.Stop()
	rescan := time.NewTicker(o.rescanInterval)
	defer rescan.Stop()

	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			err = p.rescan()
		case <-rescan.C:
			err = p.rescan()
		case <-probe.C:
			p.probe()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "go-plugin: scan failed, keeping the last picture:", err)
		}
	}
}
