// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const quickWatch = 20 * time.Millisecond

func registrySocket(k *Kubelet) string {
	return filepath.Join(k.RegistryDir(), "npu-reg.sock")
}

func TestWatcherRegistersAndDeregisters(t *testing.T) {
	k := startKubelet(t, Options{WatchInterval: quickWatch})
	plugin := newFakePlugin(t, registrySocket(k), "a").serve()
	waitCount(t, k, 1, 1)
	waitFor(t, k, "status", func() bool { return plugin.lastStatus() != nil })
	if status := plugin.lastStatus(); !status.PluginRegistered || status.Error != "" {
		t.Errorf("got %v", status)
	}
	if registrations := k.Registrations(); len(registrations) != 1 || !registrations[0].Watcher {
		t.Errorf("got %+v", registrations)
	}
	if err := os.Remove(plugin.socket); err != nil {
		t.Fatal(err)
	}
	waitCount(t, k, 1, 0)
}

func TestWatcherFindsPluginsAfterRestart(t *testing.T) {
	k := startKubelet(t, Options{WatchInterval: quickWatch})
	newFakePlugin(t, registrySocket(k), "a").serve()
	waitCount(t, k, 1, 1)
	if err := k.Restart(); err != nil {
		t.Fatal(err)
	}
	waitCount(t, k, 1, 1)
	if n := len(k.Registrations()); n != 2 {
		t.Errorf("%d registrations", n)
	}
}

func TestWatcherRefusesAndTriesAgain(t *testing.T) {
	cases := []struct {
		name, text string
		change     func(*fakePlugin)
	}{
		{"version", "manager version, v1beta1, is not among plugin supported versions [v1]",
			func(p *fakePlugin) { p.versions = []string{"v1"} }},
		{"name", `the ResourceName "npu" is invalid`, func(p *fakePlugin) { p.resource = "npu" }},
		{"options", "plugin registration failed with err: failed to get device plugin options",
			func(p *fakePlugin) { p.optionsErr = errors.New("no") }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := startKubelet(t, Options{WatchInterval: quickWatch})
			plugin := newFakePlugin(t, registrySocket(k), "a")
			c.change(plugin)
			plugin.serve()
			waitFor(t, k, "two tries", func() bool { return countEvents(k, WatchFailed) >= 2 })
			if status := plugin.lastStatus(); status.PluginRegistered || !strings.Contains(status.Error, c.text) {
				t.Errorf("got %v", status)
			}
			plugin.mu.Lock()
			defer plugin.mu.Unlock()
			if gap := plugin.infoTimes[1].Sub(plugin.infoTimes[0]); gap < watchBackoffMin {
				t.Errorf("tried again after %v", gap)
			}
		})
	}
}

func TestWatcherDeregistersWhenNotifyFails(t *testing.T) {
	k := startKubelet(t, Options{WatchInterval: quickWatch})
	plugin := newFakePlugin(t, registrySocket(k), "a")
	plugin.notifyErr = errors.New("no")
	plugin.serve()
	waitFor(t, k, "failure", func() bool { return countEvents(k, WatchFailed) > 0 })
	waitFor(t, k, "disconnect", func() bool { return countEvents(k, Disconnected) > 0 })
}

func TestWatcherIgnoresHiddenAndFiles(t *testing.T) {
	k := startKubelet(t, Options{WatchInterval: quickWatch})
	hidden := newFakePlugin(t, filepath.Join(k.RegistryDir(), ".hidden.sock"), "a").serve()
	if err := os.WriteFile(filepath.Join(k.RegistryDir(), "file.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	nested := filepath.Join(k.RegistryDir(), "sub")
	if err := os.Mkdir(nested, 0o700); err != nil {
		t.Fatal(err)
	}
	newFakePlugin(t, filepath.Join(nested, "b.sock"), "b").serve()
	waitCount(t, k, 1, 1) // the nested one, which is looked at after the others
	if hidden.lastStatus() != nil || countEvents(k, WatchFailed) != 0 {
		t.Errorf("events %+v", k.Events())
	}
}
