// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

const patience = 20 * time.Second

// startKubelet runs a kubelet in a folder whose path is short enough for sockets.
func startKubelet(t *testing.T, options Options) *Kubelet {
	t.Helper()
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	options.Dir = dir
	k := New(options)
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Stop)
	return k
}

func waitFor(t *testing.T, k *Kubelet, what string, condition func() bool) {
	t.Helper()
	if err := k.Wait(patience, what, condition); err != nil {
		t.Fatalf("%v\nevents: %+v", err, k.Events())
	}
}

func waitCount(t *testing.T, k *Kubelet, capacity, allocatable int) {
	t.Helper()
	want := Count{Capacity: capacity, Allocatable: allocatable}
	waitFor(t, k, "capacity and allocatable", func() bool { return k.Node()[testResource] == want })
}

// countEvents tells how often something of a kind has happened.
func countEvents(k *Kubelet, kind EventKind) int {
	n := 0
	for _, event := range k.Events() {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

func pluginSocket(k *Kubelet, name string) string {
	return filepath.Join(k.PluginDir(), name)
}
