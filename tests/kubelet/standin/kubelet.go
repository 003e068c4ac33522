// SPDX-License-Identifier: Apache-2.0

// Package standin behaves towards device plugins as a kubelet does: the same
// calls in the same order, with the same deadlines and the same bookkeeping,
// over the same gRPC library.  It needs no cluster, no container runtime and
// no privileges, and can be made to misbehave.
//
// Source: kubernetes/kubernetes pkg/kubelet/cm/devicemanager and
// pkg/kubelet/pluginmanager, release 1.36, for what is done and when.
package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options say which kubelet to be.
type Options struct {
	// Dir stands for /var/lib/kubelet: it holds device-plugins, plugins_registry
	// and pod-resources.
	Dir string
	// Authority is what the kubelet puts into :authority when it calls a plugin.
	Authority Authority
	// ClientsBySocket keeps one client for each socket, as kubelet 1.37 does.
	// Without it there is one for each resource, and the end of any stream
	// takes down whichever client is current.
	ClientsBySocket bool
	// WatchInterval is how often plugins_registry is looked at; 0 is 1 s, as
	// the kubelet's reconciler does.  Negative turns the watcher off.
	WatchInterval time.Duration
	// StopGrace is how long the capacity of a stopped endpoint is kept; 0 is 5 min.
	StopGrace time.Duration
	// Reroute, when set, maps the socket of a plugin to the one to dial instead.
	Reroute func(socket string) string
	// OnEvent, when set, gets every event in order.  It must not call back.
	OnEvent func(Event)
}

const (
	defaultWatchInterval = time.Second
	defaultStopGrace     = 5 * time.Minute
)

// Kubelet is the stand-in.  All methods may be called from any goroutine.
type Kubelet struct {
	options Options

	admission sync.Mutex // pods are admitted one at a time

	mu            sync.Mutex
	changed       chan struct{} // closed and replaced at every change
	run           *run          // nil while stopped
	faults        Faults
	clients       map[string]*client
	endpoints     map[string]*endpoint
	devices       map[string]map[string]Device // by resource and ID
	pods          map[string]*podState
	registrations []Registration
	refusals      []Refusal
	events        []Event
}

// run is everything that lives between Start and Stop.
type run struct {
	ctx      context.Context
	cancel   context.CancelFunc
	registry *registry
	pods     *podResources  // nil when absent
	tasks    sync.WaitGroup // added to only with Kubelet.mu held and stopping unset
	stopping bool
}

// New makes a kubelet that is stopped.
func New(options Options) *Kubelet {
	if options.WatchInterval == 0 {
		options.WatchInterval = defaultWatchInterval
	}
	if options.StopGrace == 0 {
		options.StopGrace = defaultStopGrace
	}
	return &Kubelet{
		options:   options,
		changed:   make(chan struct{}),
		clients:   make(map[string]*client),
		endpoints: make(map[string]*endpoint),
		devices:   make(map[string]map[string]Device),
		pods:      make(map[string]*podState),
	}
}

// PluginDir is the folder that plugins put their sockets into.
func (k *Kubelet) PluginDir() string {
	return filepath.Join(k.options.Dir, "device-plugins")
}

// RegistryDir is the folder that the plugin watcher looks at.
func (k *Kubelet) RegistryDir() string {
	return filepath.Join(k.options.Dir, "plugins_registry")
}

// Socket is where plugins register.
func (k *Kubelet) Socket() string {
	return filepath.Join(k.PluginDir(), "kubelet.sock")
}

// PodResourcesSocket is where the kubelet tells who holds which device.
func (k *Kubelet) PodResourcesSocket() string {
	return filepath.Join(k.options.Dir, "pod-resources", "kubelet.sock")
}

// Start does what a kubelet does when its process starts: every socket in
// device-plugins goes, kubelet.sock comes anew, and resources that were known
// before count nothing until they are registered again.
func (k *Kubelet) Start() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.run != nil {
		return errors.New("kubelet is running already")
	}
	if err := k.prepareFolders(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{ctx: ctx, cancel: cancel}
	if err := k.listen(r); err != nil {
		cancel()
		return err
	}
	k.run = r
	k.restoreCheckpoint()
	k.note(Event{Kind: Started, Socket: k.Socket()})
	k.spawn(r, r.registry.serve)
	if r.pods != nil {
		k.spawn(r, r.pods.serve)
	}
	if k.options.WatchInterval > 0 {
		k.spawn(r, newWatcher(k, r).loop)
	}
	return nil
}

// listen opens the sockets of a run; the caller holds k.mu.
func (k *Kubelet) listen(r *run) error {
	registry, err := newRegistry(k, r)
	if err != nil {
		return err
	}
	pods, err := newPodResources(k, r)
	if err != nil {
		registry.listener.Close()
		return err
	}
	r.registry, r.pods = registry, pods
	return nil
}

func (k *Kubelet) prepareFolders() error {
	if err := os.MkdirAll(k.PluginDir(), 0o750); err != nil {
		return err
	}
	if err := os.MkdirAll(k.RegistryDir(), 0o755); err != nil {
		return err
	}
	return removeSockets(k.PluginDir())
}

// Stop does what the end of a kubelet's process does: every connection closes
// and every socket file stays.  It returns when nothing of the run is left.
func (k *Kubelet) Stop() {
	k.mu.Lock()
	r := k.run
	if r == nil || r.stopping {
		k.mu.Unlock()
		return
	}
	r.stopping = true
	k.mu.Unlock()

	r.cancel()
	r.registry.stop()
	r.pods.stop()
	r.tasks.Wait()

	k.mu.Lock()
	defer k.mu.Unlock()
	k.run = nil
	k.note(Event{Kind: Stopped})
}

// Restart is Stop and Start.
func (k *Kubelet) Restart() error {
	k.Stop()
	return k.Start()
}

// restoreCheckpoint makes the state that a kubelet reads from its checkpoint:
// pods keep their devices, resources are known by name only.
func (k *Kubelet) restoreCheckpoint() {
	k.clients = make(map[string]*client)
	k.endpoints = make(map[string]*endpoint)
	for resource := range k.devices {
		k.devices[resource] = make(map[string]Device)
		k.endpoints[resource] = &endpoint{stopped: time.Now()}
	}
}

// spawn starts a task of a run; the caller holds k.mu.
func (k *Kubelet) spawn(r *run, task func()) bool {
	if r.stopping {
		return false
	}
	r.tasks.Add(1)
	go func() {
		defer r.tasks.Done()
		task()
	}()
	return true
}

// enter counts the calling goroutine as a task of a run until leave is called.
func (k *Kubelet) enter(r *run) (leave func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.stopping {
		return nil, errors.New("kubelet is stopping")
	}
	r.tasks.Add(1)
	return r.tasks.Done, nil
}

// removeSockets removes the sockets of a folder, and neither files nor folders.
func removeSockets(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type()&os.ModeSocket == 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("clean '%s': %w", dir, err)
		}
	}
	return nil
}
