// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const (
	getInfoTimeout  = time.Second
	notifyTimeout   = 5 * time.Second
	watchBackoffMin = 500 * time.Millisecond
	watchBackoffMax = 2*time.Minute + 2*time.Second
)

// watcher brings what plugins_registry holds and what is registered into line,
// over and over, as the kubelet's plugin manager does.  It belongs to one run
// and is used by one goroutine.
type watcher struct {
	kubelet    *Kubelet
	run        *run
	registered map[string]*watchedPlugin // by path of the registration socket
	failed     map[string]*watchFailure
}

// watchedPlugin is a registration that stands.
type watchedPlugin struct {
	created  time.Time // of the socket file: another time is another plugin
	resource string
	endpoint string
}

// watchFailure holds back the next try.
type watchFailure struct {
	created time.Time
	backoff time.Duration
	retry   time.Time
}

func newWatcher(k *Kubelet, r *run) *watcher {
	return &watcher{
		kubelet:    k,
		run:        r,
		registered: make(map[string]*watchedPlugin),
		failed:     make(map[string]*watchFailure),
	}
}

func (w *watcher) loop() {
	ticker := time.NewTicker(w.kubelet.options.WatchInterval)
	defer ticker.Stop()
	for {
		w.reconcile(findSockets(w.kubelet.RegistryDir()))
		select {
		case <-ticker.C:
		case <-w.run.ctx.Done():
			return
		}
	}
}

// reconcile lets go of plugins whose socket is gone or new, then registers.
func (w *watcher) reconcile(sockets map[string]time.Time) {
	for path, plugin := range w.registered {
		if created, there := sockets[path]; !there || !created.Equal(plugin.created) {
			delete(w.registered, path)
			w.kubelet.deregister(plugin)
		}
	}
	for path, created := range sockets {
		if w.registered[path] == nil && w.due(path, created) {
			w.try(path, created)
		}
	}
}

// due reports whether a socket is to be tried now.
func (w *watcher) due(path string, created time.Time) bool {
	failure := w.failed[path]
	return failure == nil || !failure.created.Equal(created) || !time.Now().Before(failure.retry)
}

func (w *watcher) try(path string, created time.Time) {
	plugin, err := w.register(path)
	if err == nil {
		plugin.created = created
		w.registered[path] = plugin
		delete(w.failed, path)
		return
	}
	backoff := watchBackoffMin
	if before := w.failed[path]; before != nil && before.created.Equal(created) {
		backoff = min(2*before.backoff, watchBackoffMax)
	}
	w.failed[path] = &watchFailure{created: created, backoff: backoff, retry: time.Now().Add(backoff)}
	w.kubelet.mu.Lock()
	defer w.kubelet.mu.Unlock()
	w.kubelet.note(Event{Kind: WatchFailed, Socket: path, Text: err.Error()})
}

// register goes through the whole conversation with one registration socket.
func (w *watcher) register(path string) (*watchedPlugin, error) {
	conn, err := Dial(w.run.ctx, path, AuthorityEncodedPath)
	if err != nil {
		return nil, fmt.Errorf("dial failed at socket %s, err: %w", path, err)
	}
	defer conn.Close()
	api := registerapi.NewRegistrationClient(conn)
	info, err := w.getInfo(api)
	if err != nil {
		return nil, fmt.Errorf("failed to get plugin info using RPC GetInfo at socket %s, err: %w", path, err)
	}
	plugin := &watchedPlugin{resource: info.Name, endpoint: info.Endpoint}
	if plugin.endpoint == "" {
		plugin.endpoint = path
	}
	if err := w.accept(plugin, info); err != nil {
		w.notify(api, err.Error())
		return nil, err
	}
	if err := w.notify(api, ""); err != nil {
		w.kubelet.deregister(plugin)
		return nil, err
	}
	return plugin, nil
}

func (w *watcher) getInfo(api registerapi.RegistrationClient) (*registerapi.PluginInfo, error) {
	ctx, cancel := context.WithTimeout(w.run.ctx, getInfoTimeout)
	defer cancel()
	return api.GetInfo(ctx, &registerapi.InfoRequest{})
}

// accept validates what a plugin says of itself and connects to it.
func (w *watcher) accept(plugin *watchedPlugin, info *registerapi.PluginInfo) error {
	if info.Type != registerapi.DevicePlugin {
		return fmt.Errorf("RegisterPlugin error -- no handler registered for plugin type: %s", info.Type)
	}
	if err := validatePlugin(info); err != nil {
		return fmt.Errorf("RegisterPlugin error -- plugin validation failed with err: %w", err)
	}
	registration := Registration{Resource: plugin.resource, Socket: plugin.endpoint, Watcher: true}
	if err := w.kubelet.connect(w.run.ctx, w.run, registration); err != nil {
		return fmt.Errorf("RegisterPlugin error -- plugin registration failed with err: %w", err)
	}
	return nil
}

func validatePlugin(info *registerapi.PluginInfo) error {
	if !slices.Contains(info.SupportedVersions, pluginapi.Version) {
		return fmt.Errorf("manager version, %s, is not among plugin supported versions %v",
			pluginapi.Version, info.SupportedVersions)
	}
	if !IsExtendedResourceName(info.Name) {
		return fmt.Errorf("invalid name of device plugin socket: the ResourceName %q is invalid", info.Name)
	}
	return nil
}

// notify tells the plugin how its registration went; failure is "" if well.
func (w *watcher) notify(api registerapi.RegistrationClient, failure string) error {
	ctx, cancel := context.WithTimeout(w.run.ctx, notifyTimeout)
	defer cancel()
	status := &registerapi.RegistrationStatus{PluginRegistered: failure == "", Error: failure}
	_, err := api.NotifyRegistrationStatus(ctx, status)
	return err
}

// deregister disconnects the client of a plugin whose registration is gone.
func (k *Kubelet) deregister(plugin *watchedPlugin) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.clientKey(&client{resource: plugin.resource, socket: plugin.endpoint})
	if current := k.clients[key]; current != nil {
		k.disconnect(current)
	}
}

// findSockets gives the sockets below a folder and when each was made.  Names
// that begin with a dot are passed over, and so is what vanishes meanwhile.
func findSockets(dir string) map[string]time.Time {
	sockets := make(map[string]time.Time)
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if path != dir && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode()&fs.ModeSocket != 0 {
			sockets[path] = info.ModTime()
		}
		return nil
	})
	return sockets
}
