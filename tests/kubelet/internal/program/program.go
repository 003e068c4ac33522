// SPDX-License-Identifier: Apache-2.0

// Package program runs Silica's programs and keeps what they print.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// binDir is where the programs are, below the root of the source tree.
const binDir = "build/release/bin"

// Find gives the path of a program: in $SILICA_BIN_DIR, else in build/release/bin
// of the source tree that the working directory lies in.
func Find(name string) (string, error) {
	if dir := os.Getenv("SILICA_BIN_DIR"); dir != "" {
		return find(dir, name)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if path, err := find(filepath.Join(dir, binDir), name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no '%s' in '%s' of this folder or one above; run make, or set SILICA_BIN_DIR", name, binDir)
}

func find(dir, name string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	return path, nil
}

// Run runs a program to its end; the error holds what it printed.
func Run(name string, args ...string) error {
	path, err := Find(name)
	if err != nil {
		return err
	}
	output, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, output)
	}
	return nil
}

// Process is a program that runs in the background.
type Process struct {
	command *exec.Cmd
	log     string
	ended   chan struct{} // closed when command.ProcessState is valid
}

// Start starts a program; all that it prints is appended to the file log.  It
// does not outlive this process.
func Start(log, name string, args ...string) (*Process, error) {
	path, err := Find(name)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = file, file
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: command, log: log, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = command.Wait() // the exit status is read from ProcessState
	}()
	return p, nil
}

// PID is the process ID.
func (p *Process) PID() int {
	return p.command.Process.Pid
}

// Signal sends a signal; one that comes after the end is no error.
func (p *Process) Signal(signal os.Signal) {
	_ = p.command.Process.Signal(signal)
}

// Kill ends the process the hard way and waits for it.
func (p *Process) Kill() {
	p.Signal(os.Kill)
	<-p.ended
}

// Running tells whether the process is there still.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Wait waits for the end and gives the exit status, -1 after a signal.
func (p *Process) Wait(timeout time.Duration) (int, error) {
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode(), nil
	case <-time.After(timeout):
		return 0, fmt.Errorf("process %d has not ended within %v", p.PID(), timeout)
	}
}

// Log gives what the process and those that shared its file have printed.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
