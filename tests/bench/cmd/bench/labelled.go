// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"silica/tests/kubelet/apiserver"
)

const (
	labelledNode   = "node-1"
	kubeconfigFile = "kubeconfig" // that the API server writes
	hostnameLabel  = "kubernetes.io/hostname"
)

func findLabellers(ctx context.Context, work *workspace) (p [serverCount]program, err error) {
	var paths [serverCount]string
	if paths[silica], err = findSilica("silica-node-labeller"); err != nil {
		return p, err
	}
	if paths[golang], err = findGo(ctx, work, "go-labeller"); err != nil {
		return p, err
	}
	p[silica] = program{name: serverNames[silica], path: paths[silica], args: silicaLabellerArgs}
	p[golang] = program{name: serverNames[golang], path: paths[golang], args: goLabellerArgs}
	return p, nil
}

func silicaLabellerArgs(s setup, hostRoot, dir string) ([]string, error) {
	args := []string{"--host-root", hostRoot, "--node-name", labelledNode,
		"--kubeconfig", filepath.Join(dir, kubeconfigFile)}
	config, err := silicaConfig(s, dir)
	return append(args, config...), err
}

func goLabellerArgs(s setup, hostRoot, dir string) ([]string, error) {
	return append([]string{"-host-root", hostRoot, "-node-name", labelledNode,
		"-kubeconfig", filepath.Join(dir, kubeconfigFile)}, goPaces[s.pace]...), nil
}

// clientVersion is that of the client library of the Go labeller.
func clientVersion(p program) string {
	info, err := buildinfo.ReadFile(p.path)
	if err != nil {
		return "unknown"
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool {
		return m.Path == "k8s.io/client-go"
	})
	if i < 0 {
		return "unknown"
	}
	return info.Deps[i].Version
}

type labels map[string]string

// labelsOf copies the labels of a node, but for the one that it had before.
func labelsOf(node apiserver.Object) labels {
	metadata, _ := node["metadata"].(apiserver.Object)
	values, _ := metadata["labels"].(apiserver.Object)
	result := make(labels, len(values))
	for name, value := range values {
		if text, ok := value.(string); ok && name != hostnameLabel {
			result[name] = text
		}
	}
	return result
}

// differ names a label that two nodes do not have alike, "" if there is none.
func (l labels) differ(other labels) string {
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if value, there := other[name]; !there || value != l[name] {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		if _, there := l[name]; !there {
			return name
		}
	}
	return ""
}

// A version is labels of the node as they were at the API server.
type version struct {
	at     time.Time
	labels labels
}

// A labelled is a labeller that runs, its node, and an API server for the two.
type labelled struct {
	daemon
	server   *apiserver.Server
	unfollow func()
	started  time.Time // the moment before the fork

	mu       sync.Mutex
	versions []version
	wake     chan struct{} // has an element when there is something new
}

// startLabelled does not wait for labels.
func startLabelled(l *lab, which int, pace pace, root string) (_ *labelled, err error) {
	dir, err := l.work.mkdir("l")
	if err != nil {
		return nil, err
	}
	n := &labelled{wake: make(chan struct{}, 1), unfollow: func() {}}
	if n.server, err = apiserver.New(apiserver.Options{Dir: dir}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = joinErrors(err, n.stop())
		}
	}()
	n.server.AddNode(apiserver.Object{"metadata": apiserver.Object{"name": labelledNode,
		"labels": apiserver.Object{hostnameLabel: labelledNode}}})
	if n.unfollow, err = n.server.Follow(labelledNode, n.note); err != nil {
		return n, err
	}
	n.started, err = n.exec(l.programs.labellers[which], setup{pace: pace}, root, dir)
	return n, err
}

// stop takes a half-started one, too.
func (n *labelled) stop() error {
	err := n.terminate()
	n.unfollow()
	n.server.Close()
	return err
}

func (n *labelled) note(node apiserver.Object) {
	v := version{time.Now(), labelsOf(node)}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.versions = append(n.versions, v)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// mark stands for the versions so far.
func (n *labelled) mark() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.versions)
}

func (n *labelled) newest() labels {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.versions[len(n.versions)-1].labels
}

func (n *labelled) since(mark int) []version {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.versions[mark:]
}

// await returns when the labels became as wanted, after a mark.
func (n *labelled) await(ctx context.Context, mark int, wanted labels) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	for {
		for _, v := range n.since(mark) {
			if maps.Equal(v.labels, wanted) {
				return v.at, nil
			}
			mark++
		}
		select {
		case <-n.wake:
		case err := <-n.exited:
			n.exited <- err
			return time.Time{}, fmt.Errorf("%s ended: %v%s", n.name, err, n.logTail())
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%s: waiting for labels: %w; '%s' is not right%s", n.name,
				ctx.Err(), wanted.differ(n.newest()), n.logTail())
		}
	}
}

// overwrite sets a label as somebody else does.
func (n *labelled) overwrite(name, value string) error {
	return n.server.UpdateNode(labelledNode, "somebody", func(node apiserver.Object) {
		metadata := node["metadata"].(apiserver.Object)
		metadata["labels"].(apiserver.Object)[name] = value
	})
}
