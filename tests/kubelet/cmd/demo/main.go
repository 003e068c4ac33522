// SPDX-License-Identifier: Apache-2.0

// demo shows silica-device-plugin at work on simulated nodes: no cluster, no
// NPU, no privileges.  Each step checks what it prints; the exit status is 0
// only if everything was as it has to be.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// demos run one after the other, each on a node of its own.
var demos = []struct {
	title  string
	cards  string
	config string
	play   func(*scene) error
}{
	{"Whole cards", "rngd x2, warboy x1, numa 0/1", "", playWholeCards},
	{"Partitions", "rngd x2, numa 0/1", partitionConfig, playPartitions},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	out := &transcript{out: os.Stdout}
	out.text("Silica: accelerators for a kubelet.  The plugin is the real one; the node and the kubelet are")
	out.text("stand-ins below a temporary folder.  Times are measured on this machine as it is now.")
	for _, demo := range demos {
		out.title(demo.title)
		if err := play(ctx, out, demo.cards, demo.config, demo.play); err != nil {
			out.text("")
			out.text("NOT AS IT HAS TO BE: " + err.Error())
			os.Exit(1)
		}
	}
	out.text("")
	out.text(fmt.Sprintf("All %d steps were as they have to be.", out.steps))
}

// play makes the scene, plays and takes the scene down again in every case.
func play(ctx context.Context, out *transcript, cards, config string, steps func(*scene) error) error {
	s, err := newScene(ctx, out, cards, config)
	if err != nil {
		return err
	}
	defer s.end()
	if err := steps(s); err != nil {
		return fmt.Errorf("%w\nThe end of the plugin's log:\n%s", err, s.logTail())
	}
	return nil
}
