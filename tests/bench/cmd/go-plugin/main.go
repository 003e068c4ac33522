// SPDX-License-Identifier: Apache-2.0

// Command go-plugin is a minimal device plugin in Go, the yardstick that
// silica-device-plugin is measured against.
//
// It gives the same answers from the same files: 1 unit per partition of an
// RNGD, with Silica's IDs, health and NUMA nodes, and the same device files in
// Allocate.  It does the same checks at the same moments: every device file of
// a card in a scan and of a partition in Allocate, the state of every card
// twice a second.  What a small plugin may leave out it leaves out: no
// hysteresis, no hot-plug events, no metrics, no second registration after a
// restart of the kubelet.
//
// With -replicas a card is offered whole, so many times, and -preferred chooses
// among the replicas.  With -resources there are several resources, each with
// cards of its own, read from a file.
//
// SIGHUP scans the node again; where there is a file of resources it is read
// again, and everything is torn down and built anew, as the plugins in use do.
// SIGTERM ends the program.
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
	resources      string // path of the file that says more than the flags, or ""
	cores          int
	replicas       int // 0: partitions
	preferred      string
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
	flag.StringVar(&o.resources, "resources", "", "file with a list of resources, in JSON")
	flag.IntVar(&o.replicas, "replicas", 0, "offer a card so many times, instead of partitions")
	flag.StringVar(&o.preferred, "preferred", "aligned", "aligned, packed or distributed")
	flag.BoolVar(&o.checkNodes, "check-nodes", true, "look at every device file in Allocate")
	flag.DurationVar(&o.probeInterval, "probe-interval", 500*time.Millisecond,
		"time between two looks at the state of the cards")
	flag.DurationVar(&o.rescanInterval, "rescan-interval", 5*time.Second, "time between two scans")
	flag.Parse()

	if o.cores != 1 && o.cores != 2 && o.cores != 4 {
		return o, fmt.Errorf("-cores %d: not 1, 2 or 4", o.cores)
	}
	if o.replicas < 0 {
		return o, fmt.Errorf("-replicas %d: negative", o.replicas)
	}
	if _, known := policies[o.preferred]; !known {
		return o, fmt.Errorf("-preferred '%s': not aligned, packed or distributed", o.preferred)
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

	for {
		again, err := runOnce(ctx, o, hangup)
		if err != nil || !again {
			return err
		}
	}
}

// runOnce serves all resources until the program ends, or is to begin again.
func runOnce(ctx context.Context, o options, hangup <-chan os.Signal) (again bool, err error) {
	plugins, err := makePlugins(o)
	if err != nil {
		return false, err
	}
	if err := rescan(o, plugins); err != nil {
		return false, err
	}
	for i, p := range plugins {
		server, err := serve(p, i)
		if err != nil {
			return false, err
		}
		defer server.stop()
		if err := register(ctx, p.options, server.endpoint); err != nil {
			if ctx.Err() != nil {
				return false, nil // told to end meanwhile
			}
			return false, err
		}
	}
	return watch(ctx, o, plugins, hangup), nil
}

// rescan reads the node anew, once for all plugins.
func rescan(o options, plugins []*plugin) error {
	cards, err := scanCards(o.hostRoot)
	if err != nil {
		return err
	}
	for _, p := range plugins {
		p.take(cards)
	}
	return nil
}

// watch keeps the picture of the node fresh until ctx ends, or until a file of
// resources is to be read again.
func watch(ctx context.Context, o options, plugins []*plugin, hangup <-chan os.Signal) (
	again bool) {
	probe := time.NewTicker(o.probeInterval)
	defer probe.Stop()
	ticks := time.NewTicker(o.rescanInterval)
	defer ticks.Stop()

	for {
		var err error
		select {
		case <-ctx.Done():
			return false
		case <-hangup:
			if o.resources != "" {
				return true
			}
			err = rescan(o, plugins)
		case <-ticks.C:
			err = rescan(o, plugins)
		case <-probe.C:
			for _, p := range plugins {
				p.probe()
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "go-plugin: scan failed, keeping the last picture:", err)
		}
	}
}
