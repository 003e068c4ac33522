// SPDX-License-Identifier: Apache-2.0

// Package labeller puts silica-node-labeller, with sanitizers, before an API server on
// a simulated node.
package labeller

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
	"silica/tests/kubelet/internal/program"
	"silica/tests/kubelet/internal/simnode"
)

// deadline is reached by a failing test only.
const deadline = 30 * time.Second

// quiet is how long nothing may happen for it to count as never.
const quiet = 1500 * time.Millisecond

const (
	nodeName   = "n1"
	countLabel = "furiosa.ai/npu.count"
	manager    = "silica-node-labeller"
)

type object = apiserver.Object

// world is a node, its cluster, and perhaps a labeller.
type world struct {
	*testing.T
	node   *simnode.Node
	server *apiserver.Server
	config string // path of the configuration
	log    string // of all labellers
}

// begin makes a node with cards, and a server that has it, with taints or without.
func begin(t *testing.T, cards string, taints ...any) *world {
	t.Helper()
	node, err := simnode.Make(cards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Remove)
	server, err := apiserver.New(apiserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.AddNode(object{"metadata": object{"name": nodeName,
		"labels": object{"kubernetes.io/hostname": nodeName}}, "spec": object{"taints": taints}})
	return &world{T: t, node: node, server: server,
		config: filepath.Join(node.Dir, "config.yaml"), log: filepath.Join(node.Dir, "log")}
}

// arguments of a labeller of the node.
func (w *world) arguments(more ...string) []string {
	return append([]string{"--host-root", w.node.Host, "--node-name", nodeName,
		"--kubeconfig", w.server.Kubeconfig()}, more...)
}

// start starts a labeller, which must end well.
func (w *world) start(more ...string) *program.Process {
	w.Helper()
	process, err := program.Start(w.log, "silica-node-labeller", w.arguments(more...)...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.end(process) })
	return process
}

// end ends a labeller; sanitizers have the last word.
func (w *world) end(process *program.Process) {
	w.Helper()
	process.Signal(syscall.SIGTERM)
	if status, err := process.Wait(deadline); err != nil || status != 0 {
		process.Kill()
		w.Errorf("the labeller ended with %d, %v: %s", status, err, process.Log())
	}
}

// once runs a labeller to its end and wants an exit status.
func (w *world) once(status int, more ...string) string {
	w.Helper()
	_ = os.Remove(w.log + ".once")
	process, err := program.Start(w.log+".once", "silica-node-labeller", w.arguments(more...)...)
	if err != nil {
		w.Fatal(err)
	}
	got, err := process.Wait(deadline)
	if err != nil || got != status {
		process.Kill()
		w.Fatalf("exit status %d, %v, want %d: %s", got, err, status, process.Log())
	}
	return process.Log()
}

// configure writes the configuration as a ConfigMap volume is: in one step.
func (w *world) configure(text string) {
	w.Helper()
	if err := os.WriteFile(w.config+".new", []byte("version: v1\n"+text), 0o600); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(w.config+".new", w.config); err != nil {
		w.Fatal(err)
	}
}

func (w *world) sim(command string, args ...string) {
	w.Helper()
	if err := w.node.Sim(command, args...); err != nil {
		w.Fatal(err)
	}
}

// eventually waits until something is so.
func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	text, _ := os.ReadFile(w.log)
	w.Fatalf("never: %s; node %v; log:\n%s", what, w.server.Node(nodeName), text)
}

// never waits for a while, in which something must not be so.
func (w *world) never(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(quiet); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			w.Fatalf("%s; node %v", what, w.server.Node(nodeName))
		}
	}
}

func get(o object, path ...string) any {
	var value any = o
	for _, key := range path {
		child, ok := value.(object)
		if !ok {
			return nil
		}
		value = child[key]
	}
	return value
}

func (w *world) label(key string) any {
	return get(w.server.Node(nodeName), "metadata", "labels", key)
}

func (w *world) wantLabel(key string, value any) {
	w.Helper()
	w.eventually("label "+key, func() bool { return w.label(key) == value })
}

// taints gives "key=value:effect" of the node's taints, sorted.
func (w *world) taints() []string {
	list, _ := get(w.server.Node(nodeName), "spec", "taints").([]any)
	var ret []string
	for _, item := range list {
		taint := item.(object)
		value, _ := taint["value"].(string)
		ret = append(ret, taint["key"].(string)+"="+value+":"+taint["effect"].(string))
	}
	slices.Sort(ret)
	return ret
}

func (w *world) wantTaints(want ...string) {
	w.Helper()
	slices.Sort(want)
	w.eventually("taints "+strings.Join(want, " "), func() bool { return slices.Equal(w.taints(), want) })
}

// condition gives the node's condition of the accelerators, or nil.
func (w *world) condition() object {
	list, _ := get(w.server.Node(nodeName), "status", "conditions").([]any)
	for _, item := range list {
		if condition := item.(object); condition["type"] == "AcceleratorsHealthy" {
			return condition
		}
	}
	return nil
}

// register puts a resource into the node's capacity, as the kubelet does.
func (w *world) register(resource, amount string) {
	w.Helper()
	err := w.server.UpdateStatus(nodeName, "kubelet", func(node object) {
		status, _ := node["status"].(object)
		if status == nil {
			status = object{}
			node["status"] = status
		}
		status["capacity"] = object{resource: amount}
	})
	if err != nil {
		w.Fatal(err)
	}
}

// events gives those with a reason.
func (w *world) events(reason string) []object {
	var ret []object
	for _, event := range w.server.Events() {
		if event["reason"] == reason {
			ret = append(ret, event)
		}
	}
	return ret
}

func (w *world) logged(text string) bool {
	log, _ := os.ReadFile(w.log)
	return strings.Contains(string(log), text)
}

func (w *world) wantLogged(text string) {
	w.Helper()
	w.eventually("a line with "+text, func() bool { return w.logged(text) })
}

// relabel sets a label as somebody else; nil takes it away.
func (w *world) relabel(key string, value any) {
	w.Helper()
	err := w.server.UpdateNode(nodeName, "somebody", func(node object) {
		labels := get(node, "metadata", "labels").(object)
		if value == nil {
			delete(labels, key)
		} else {
			labels[key] = value
		}
	})
	if err != nil {
		w.Fatal(err)
	}
}
