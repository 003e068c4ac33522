// SPDX-License-Identifier: Apache-2.0

// Package writer puts silica-reservoir writer, with sanitizers, before an API server.
package writer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
	"silica/tests/kubelet/internal/program"
)

// deadline is reached by a failing test only.
const deadline = 60 * time.Second

// duration is that of the lease, in seconds: the least that is allowed.
const duration = 3

const leaseName = "reservoir"

type object = apiserver.Object

type world struct {
	*testing.T
	server *apiserver.Server
	dir    string
}

// begin makes a store and a server.
func begin(t *testing.T) *world {
	t.Helper()
	server, err := apiserver.New(apiserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	w := &world{T: t, server: server, dir: t.TempDir()}
	if err := program.Run("silica-reservoir", "init", "--store", w.store()); err != nil {
		t.Fatal(err)
	}
	w.configure("sync: {interval: 1s}\n")
	return w
}

func (w *world) store() string {
	return filepath.Join(w.dir, "store")
}

func (w *world) configure(text string) {
	w.Helper()
	if err := os.WriteFile(w.dir+"/config.yaml", []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// member is a replica.
type member struct {
	*program.Process
	w    *world
	name string
}

func (w *world) start(name string, more ...string) *member {
	w.Helper()
	arguments := append([]string{"writer", "--store", w.store(), "--config", w.dir + "/config.yaml",
		"--log-level", "debug"}, more...)
	process, err := program.Start(filepath.Join(w.dir, name+".log"), "silica-reservoir", arguments...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if process.Running() {
			process.Kill()
		}
	})
	return &member{process, w, name}
}

// join starts a replica that takes part in the election.
func (w *world) join(name string) *member {
	w.Helper()
	return w.start(name, "--kubeconfig", w.server.Kubeconfig(), "--namespace", apiserver.Namespace,
		"--lease", leaseName, "--identity", name, "--lease-duration", fmt.Sprintf("%ds", duration))
}

// end ends a replica; sanitizers have the last word.
func (m *member) end() {
	m.w.Helper()
	m.Signal(syscall.SIGTERM)
	if status, err := m.Wait(deadline); err != nil || status != 0 {
		m.Kill()
		m.w.Errorf("%s ended with %d, %v: %s", m.name, status, err, m.Log())
	}
}

func (m *member) leads() bool {
	return m.count("this is the writer now") > m.count("this is the writer no more")
}

func (m *member) count(text string) int {
	return strings.Count(m.Log(), text)
}

// child waits for a process of the replica, and stops it: it will not end by itself.
func (m *member) child() int {
	m.w.Helper()
	path := fmt.Sprintf("/proc/%d/task/%d/children", m.PID(), m.PID())
	pid := 0
	m.w.eventually("a child", func() bool {
		text, _ := os.ReadFile(path)
		_, err := fmt.Sscan(string(text), &pid)
		return err == nil && syscall.Kill(pid, syscall.SIGSTOP) == nil
	})
	return pid
}

func (w *world) wantGone(pid int) {
	w.Helper()
	w.eventually(fmt.Sprintf("process %d is gone", pid), func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if is() {
			return
		}
	}
	logs, _ := filepath.Glob(w.dir + "/*.log")
	var text strings.Builder
	for _, log := range logs {
		content, _ := os.ReadFile(log)
		fmt.Fprintf(&text, "%s:\n%s\n", log, content)
	}
	w.Fatalf("never: %s; lease %v; %s", what, w.server.Lease(leaseName), text.String())
}

func (w *world) spec(key string) any {
	spec, _ := w.server.Lease(leaseName)["spec"].(object)
	return spec[key]
}
