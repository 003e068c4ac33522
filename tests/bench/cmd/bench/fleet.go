// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// A fleet is a plugin with several resources, each registered and watched in
// the way of a kubelet: after every registration it opens the stream anew.
type fleet struct {
	daemon
	dir     string
	kubelet *kubelet
	cancel  context.CancelFunc // ends the streams
	readers sync.WaitGroup

	mu        sync.Mutex
	resources map[string]watched
	err       error
	wake      chan struct{} // has an element when there is something new

	registeredAfter time.Duration // until the last resource, since before the fork
}

// Watched is what has been seen of one resource.
type watched struct {
	registrations int
	messages      int // lists
	ends          int // of streams
	units         int
	registeredAt  time.Time
	listedAt      time.Time
}

// startFleet returns when so many resources have sent their first list.
func startFleet(ctx context.Context, work *workspace, p program, setup setup, root string,
	resources int) (_ *fleet, err error) {
	dir, err := work.mkdir("k")
	if err != nil {
		return nil, err
	}
	streams, cancel := context.WithCancel(ctx)
	f := &fleet{
		dir: dir, cancel: cancel, resources: make(map[string]watched), wake: make(chan struct{}, 1),
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start %s: %w%s", p.name, err, f.logTail())
			err = joinErrors(err, f.stop())
		}
	}()
	f.kubelet, err = newKubelet(dir, func(r registration) { f.registered(streams, r) })
	if err != nil {
		return nil, err
	}
	start, err := f.exec(p, setup, root, dir)
	if err != nil {
		return nil, err
	}
	all, err := f.await(ctx, func(seen map[string]watched) bool {
		return len(seen) == resources && f.every(seen, func(w watched) bool { return w.units > 0 })
	})
	for _, w := range all {
		f.registeredAfter = max(f.registeredAfter, w.registeredAt.Sub(start))
	}
	return f, err
}

// stop takes a half-started fleet, too.
func (f *fleet) stop() error {
	f.cancel()
	err := f.terminate()
	if f.kubelet != nil {
		f.kubelet.stop()
	}
	f.readers.Wait()
	return err
}

func (f *fleet) registered(ctx context.Context, r registration) {
	f.note(r.resource, r.err, func(w *watched) {
		w.registrations++
		w.registeredAt = r.at
	})
	if r.err == nil {
		f.readers.Go(func() { f.read(ctx, r) })
	}
}

// read follows the stream of a resource until it ends.
func (f *fleet) read(ctx context.Context, r registration) {
	conn, err := dial(ctx, r.endpoint)
	if err == nil {
		defer conn.Close()
		var stream pluginapi.DevicePlugin_ListAndWatchClient
		stream, err = pluginapi.NewDevicePluginClient(conn).ListAndWatch(ctx, &pluginapi.Empty{})
		for err == nil {
			var response *pluginapi.ListAndWatchResponse
			if response, err = stream.Recv(); err == nil {
				f.note(r.resource, nil, func(w *watched) {
					w.messages++
					w.units = len(response.Devices)
					w.listedAt = time.Now()
				})
			}
		}
	}
	f.note(r.resource, nil, func(w *watched) { w.ends++ })
}

// note changes what is known of a resource and wakes who waits.
func (f *fleet) note(resource string, err error, change func(w *watched)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.resources[resource]
	change(&w)
	f.resources[resource] = w
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("registration of '%s': %w", resource, err)
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// seen is a copy of what is known.
func (f *fleet) seen() (map[string]watched, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.resources), f.err
}

// await returns what is known as soon as it is as wanted.
func (f *fleet) await(ctx context.Context, wanted func(seen map[string]watched) bool) (
	map[string]watched, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	for {
		seen, err := f.seen()
		if err != nil || wanted(seen) {
			return seen, err
		}
		select {
		case <-f.wake:
		case err := <-f.exited:
			f.exited <- err
			return seen, fmt.Errorf("it ended: %v", err)
		case <-ctx.Done():
			return seen, fmt.Errorf("waiting for lists: %w; seen: %v", ctx.Err(), seen)
		}
	}
}

func (f *fleet) every(seen map[string]watched, good func(w watched) bool) bool {
	for _, w := range seen {
		if !good(w) {
			return false
		}
	}
	return true
}
