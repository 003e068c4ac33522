// SPDX-License-Identifier: Apache-2.0

// Command go-labeller is a minimal node labeller in Go, the yardstick that
// silica-node-labeller is measured against.
//
// It writes the same labels of RNGDs with the same values, by server-side apply
// with a field manager of its own, and puts right what others change: it watches
// its node through an informer of client-go, as programs of this kind do.  It
// looks at the state of every card twice a second and scans every 5 s.  What a
// small labeller may leave out it leaves out: no other vendors, no events,
// taints, conditions or metrics, no hysteresis, no pauses for who fights over a
// label, no look at device files.
//
// It is not held back either: no limit on requests, and of the node only the
// labels are kept in memory.
//
// SIGHUP scans the node again.  SIGTERM ends the program; the labels stay.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

type options struct {
	hostRoot       string
	nodeName       string
	kubeconfig     string
	probeInterval  time.Duration
	rescanInterval time.Duration
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.hostRoot, "host-root", "/", "directory that stands for the host's root")
	flag.StringVar(&o.nodeName, "node-name", os.Getenv("NODE_NAME"), "name of this node")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API server, \"\" as a pod does")
	flag.DurationVar(&o.probeInterval, "probe-interval", 500*time.Millisecond,
		"time between two looks at the state of the cards")
	flag.DurationVar(&o.rescanInterval, "rescan-interval", 5*time.Second, "time between two scans")
	flag.Parse()

	if o.nodeName == "" {
		return o, errors.New("-node-name is missing")
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
		fmt.Fprintln(os.Stderr, "go-labeller:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)

	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // it is alone on its node; the server limits it, if anybody
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return newLabeller(o, client).run(ctx, hangup)
}
