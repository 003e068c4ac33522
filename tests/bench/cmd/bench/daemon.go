// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	stopTimeout  = 30 * time.Second // a scan of 7,500 cards may have to end first
	logTailBytes = 2000
)

// A daemon is a device plugin that runs.
type daemon struct {
	name    string
	process *exec.Cmd
	exited  chan error
	log     string
}

// exec starts the program, bound to the life of this one.  It returns the
// moment before the fork.
func (d *daemon) exec(p program, s setup, hostRoot, dir string) (time.Time, error) {
	d.name, d.log = p.name, filepath.Join(dir, "log")
	args, err := p.args(s, hostRoot, dir)
	if err != nil {
		return time.Time{}, err
	}
	log, err := os.Create(d.log)
	if err != nil {
		return time.Time{}, err
	}
	defer log.Close()
	d.process = exec.Command(p.path, args...)
	d.process.Stdout = log
	d.process.Stderr = log
	// A group of its own: Ctrl-C is for bench, which then stops its servers.
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := d.process.Start(); err != nil {
		d.process = nil
		return start, err
	}
	d.exited = make(chan error, 1)
	go func() { d.exited <- d.process.Wait() }()
	return start, nil
}

func (d *daemon) pid() int {
	return d.process.Process.Pid
}

// terminate ends the daemon in the same way as a node does; one that does not
// go is killed.  One that was never started is gone already.
func (d *daemon) terminate() error {
	if d.process == nil {
		return nil
	}
	if err := d.process.Process.Signal(syscall.SIGTERM); err != nil &&
		!errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-d.exited:
		if err != nil {
			return fmt.Errorf("%s ended with %w%s", d.name, err, d.logTail())
		}
		return nil
	case <-time.After(stopTimeout):
		killErr := d.process.Process.Kill()
		<-d.exited
		return joinErrors(fmt.Errorf("%s did not end in %v", d.name, stopTimeout), killErr)
	}
}

// logTail returns the end of the daemon's output, for a message.
func (d *daemon) logTail() string {
	text, err := os.ReadFile(d.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + string(text[max(0, len(text)-logTailBytes):])
}
