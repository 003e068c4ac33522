// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// A list is a message of ListAndWatch.
type list struct {
	at      time.Time // when it was received and decoded
	devices []*pluginapi.Device
}

// A watcher keeps the newest list of a plugin.
type watcher struct {
	mu     sync.Mutex
	newest list
	err    error
	wake   chan struct{} // has an element when there is something new
}

// watch opens the stream; it ends with ctx.
func watch(ctx context.Context, conn *grpc.ClientConn) (*watcher, error) {
	stream, err := pluginapi.NewDevicePluginClient(conn).ListAndWatch(ctx, &pluginapi.Empty{})
	if err != nil {
		return nil, err
	}
	w := &watcher{wake: make(chan struct{}, 1)}
	go func() {
		for {
			response, err := stream.Recv()
			w.put(list{at: time.Now(), devices: response.GetDevices()}, err)
			if err != nil {
				return
			}
		}
	}()
	return w, nil
}

func (w *watcher) put(l list, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.err = err
	} else {
		w.newest = l
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) get() (list, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest, w.err
}

// await returns the first list from now on, or the present one, that is wanted.
func (w *watcher) await(ctx context.Context, wanted func(l list) bool) (list, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	for {
		l, err := w.get()
		if err != nil {
			return l, fmt.Errorf("ListAndWatch: %w", err)
		}
		if wanted(l) {
			return l, nil
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return l, fmt.Errorf("waiting for an update: %w", ctx.Err())
		}
	}
}
