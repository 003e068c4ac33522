// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	serverTimeout = 60 * time.Second // for anything that a server should do at once
	stopTimeout   = 30 * time.Second // a scan of 7,500 cards may have to end first
	logTailBytes  = 2000
)

// A server is a device plugin that runs, registered and watched.
type server struct {
	name    string
	process *exec.Cmd
	exited  chan error
	log     string
	kubelet *kubelet
	conn    *grpc.ClientConn
	socket  string
	watcher *watcher
	cancel  context.CancelFunc // ends the stream
	ids     []string           // of its units, in its order

	registeredAfter time.Duration // since before the fork
	listedAfter     time.Duration
}

// startServer returns when the first list is there.
func startServer(ctx context.Context, work *workspace, p program, pace pace, t *tree) (
	_ *server, err error) {
	dir, err := work.mkdir("k")
	if err != nil {
		return nil, err
	}
	s := &server{name: p.name, log: filepath.Join(dir, "log")}
	defer func() {
		if err != nil {
			err = fmt.Errorf("start %s: %w%s", p.name, err, s.logTail())
			err = joinErrors(err, s.stop())
		}
	}()
	if s.kubelet, err = newKubelet(dir); err != nil {
		return nil, err
	}
	start, err := s.exec(p.path, p.args(pace, t.root, dir))
	if err != nil {
		return nil, err
	}
	if err := s.awaitRegistration(ctx, start); err != nil {
		return nil, err
	}
	if err := s.awaitList(ctx, start, len(t.cards)*unitsPerCard); err != nil {
		return nil, err
	}
	return s, nil
}

// exec starts the program, bound to the life of this one.
func (s *server) exec(path string, args []string) (time.Time, error) {
	log, err := os.Create(s.log)
	if err != nil {
		return time.Time{}, err
	}
	defer log.Close()
	s.process = exec.Command(path, args...)
	s.process.Stdout = log
	s.process.Stderr = log
	// A group of its own: Ctrl-C is for bench, which then stops its servers.
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := s.process.Start(); err != nil {
		s.process = nil
		return start, err
	}
	s.exited = make(chan error, 1)
	go func() { s.exited <- s.process.Wait() }()
	return start, nil
}

func (s *server) awaitRegistration(ctx context.Context, start time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	select {
	case r := <-s.kubelet.registered:
		s.registeredAfter = r.at.Sub(start)
		s.socket = r.endpoint
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

func (s *server) pid() int {
	return s.process.Process.Pid
}

// stop ends the server in the same way as a node does; one that does not go is
// killed.  It takes a half-started one, too.
func (s *server) stop() error {
	if s.cancel != nil {
		s.cancel()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	var err error
	if s.process != nil {
		err = s.terminate()
	}
	if s.kubelet != nil {
		s.kubelet.stop()
	}
	return err
}

func (s *server) terminate() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil &&
		!errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-s.exited:
		if err != nil {
			return fmt.Errorf("%s ended with %w%s", s.name, err, s.logTail())
		}
		return nil
	case <-time.After(stopTimeout):
		killErr := s.process.Process.Kill()
		<-s.exited
		return joinErrors(fmt.Errorf("%s did not end in %v", s.name, stopTimeout), killErr)
	}
}

// logTail returns the end of the server's output, for a message.
func (s *server) logTail() string {
	text, err := os.ReadFile(s.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + string(text[max(0, len(text)-logTailBytes):])
}
