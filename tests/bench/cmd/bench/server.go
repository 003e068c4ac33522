// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const serverTimeout = 60 * time.Second // for anything that a server should do at once

// A server is a device plugin that runs, registered and watched.
type server struct {
	daemon
	kubelet *kubelet
	conn    *grpc.ClientConn
	socket  string
	nodes   int // device files of one unit
	watcher *watcher
	cancel  context.CancelFunc // ends the stream
	ids     []string           // of its units, in its order

	registeredAfter time.Duration // since before the fork
	listedAfter     time.Duration
}

// startServer returns when the first list is there.
func startServer(ctx context.Context, work *workspace, p program, setup setup, t *tree) (
	_ *server, err error) {
	dir, err := work.mkdir("k")
	if err != nil {
		return nil, err
	}
	s := &server{nodes: setup.nodesPerUnit}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start %s: %w%s", p.name, err, s.logTail())
			err = joinErrors(err, s.stop())
		}
	}()
	registered := make(chan registration, 1)
	s.kubelet, err = newKubelet(dir, func(r registration) {
		select {
		case registered <- r:
		default: // only the first one counts
		}
	})
	if err != nil {
		return nil, err
	}
	start, err := s.exec(p, setup, t.root, dir)
	if err != nil {
		return nil, err
	}
	if err := s.awaitRegistration(ctx, start, registered); err != nil {
		return nil, err
	}
	if err := s.awaitList(ctx, start, len(t.cards)*setup.unitsPerCard); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) awaitRegistration(ctx context.Context, start time.Time,
	registered <-chan registration) error {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	select {
	case r := <-registered:
		s.registeredAfter = r.at.Sub(start)
		s.socket = r.endpoint
		if r.err == nil && (r.resource != resourceName || !r.preferred) {
			return fmt.Errorf("registration of '%s', preferred allocation: %v", r.resource,
				r.preferred)
		}
		return r.err
	case err := <-s.exited:
		s.exited <- err
		return fmt.Errorf("it ended before it registered: %v", err)
	case <-ctx.Done():
		return fmt.Errorf("no registration: %w", ctx.Err())
	}
}

func (s *server) awaitList(ctx context.Context, start time.Time, units int) error {
	var err error
	if s.conn, err = dial(ctx, s.socket); err != nil {
		return err
	}
	stream, cancel := context.WithCancel(ctx)
	s.cancel = cancel
	if s.watcher, err = watch(stream, s.conn); err != nil {
		return err
	}
	first, err := s.watcher.await(ctx, func(l list) bool { return len(l.devices) == units })
	if err != nil {
		return fmt.Errorf("%d of %d units: %w", len(first.devices), units, err)
	}
	s.listedAfter = first.at.Sub(start)
	s.ids = make([]string, 0, units)
	for _, d := range first.devices {
		if d.Health != pluginapi.Healthy {
			return fmt.Errorf("unit '%s' is %s", d.ID, d.Health)
		}
		s.ids = append(s.ids, d.ID)
	}
	return nil
}

// stop takes a half-started server, too.
func (s *server) stop() error {
	if s.cancel != nil {
		s.cancel()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	err := s.terminate()
	if s.kubelet != nil {
		s.kubelet.stop()
	}
	return err
}
