// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"silica/tests/kubelet/apiserver"
)

const (
	testNode = "n1"
	deadline = 30 * time.Second // reached by a failing test only
)

// A world is a node with one card, at a server.
type world struct {
	*testing.T
	root   string
	server *apiserver.Server
	hangup chan os.Signal
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *world) attribute(name, text string) {
	write(w.T, filepath.Join(w.root, classDir, "rngd!npu3mgmt", name), text)
}

// makeCard writes the files of an RNGD; overrides replace attributes.
func (w *world) makeCard(overrides map[string]string) {
	for name, text := range map[string]string{
		"platform_type": "FuriosaAI\n", "device_uuid": "U\n", "busname": "0000:27:00.0\n",
		"device_state": "1\n", "version": "2025.4.0+0e9e56a\n", "fw_version": "2025.1.0\n",
	} {
		if other, there := overrides[name]; there {
			text = other
		}
		w.attribute(name, text)
	}
	for name, text := range map[string]string{"vendor": "0x1ed2\n", "device": "0x0001\n",
		"numa_node": "1\n"} {
		if other, there := overrides[name]; there {
			text = other
		}
		write(w.T, filepath.Join(w.root, pciDir, "0000:27:00.0", name), text)
	}
}

func TestScanCards(t *testing.T) {
	cases := []struct {
		name      string
		overrides map[string]string
		listed    bool
		alive     bool
	}{
		{"a working card", nil, true, true},
		{"a failed card", map[string]string{"device_state": "3\n"}, true, false},
		{"another product", map[string]string{"device": "0x0002\n"}, false, false},
		{"another vendor", map[string]string{"vendor": "0x10de\n"}, false, false},
		{"another platform", map[string]string{"platform_type": "VITIS\n"}, false, false},
		{"without identity", map[string]string{"device_uuid": "\n"}, false, false},
	}
	for _, c := range cases {
		w := &world{T: t, root: t.TempDir()}
		w.makeCard(c.overrides)
		cards, err := scanCards(w.root)
		if err != nil || len(cards) == 1 != c.listed || c.listed && cards[0].alive != c.alive {
			t.Errorf("%s: %v, %v", c.name, cards, err)
		}
	}
	if cards, err := scanCards(t.TempDir()); len(cards) > 0 || err != nil {
		t.Errorf("without a driver: %v, %v", cards, err)
	}
}

// start runs a labeller that looks at its card often, or only when it is told to.
func start(t *testing.T, probes time.Duration) *world {
	t.Helper()
	server, err := apiserver.New(apiserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, root: t.TempDir(), server: server, hangup: make(chan os.Signal, 1)}
	t.Cleanup(server.Close)
	w.makeCard(nil)
	server.AddNode(apiserver.Object{"metadata": apiserver.Object{"name": testNode,
		"labels": apiserver.Object{"mine": "1"}}})
	config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	o := options{hostRoot: w.root, nodeName: testNode, probeInterval: probes, rescanInterval: time.Hour}
	go func() { ended <- newLabeller(o, client).run(ctx, w.hangup) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) label(name string) any {
	metadata := w.server.Node(testNode)["metadata"].(apiserver.Object)
	return metadata["labels"].(apiserver.Object)[name]
}

func (w *world) wantLabel(name string, want any) {
	w.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if w.label(name) == want {
			return
		}
	}
	w.Fatalf("%s is %v, not %v", name, w.label(name), want)
}

func TestLabellerKeepsLabels(t *testing.T) {
	w := start(t, time.Hour)
	w.wantLabel("furiosa.ai/npu.count", "1")
	err := w.server.UpdateNode(testNode, "somebody", func(node apiserver.Object) {
		labels := node["metadata"].(apiserver.Object)["labels"].(apiserver.Object)
		labels["furiosa.ai/npu.count"] = "9"
		delete(labels, "furiosa.ai/npu.family")
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wantLabel("furiosa.ai/npu.count", "1")
	w.wantLabel("furiosa.ai/npu.family", "rngd")
	w.wantLabel("mine", "1")
}

func TestLabellerFollowsCards(t *testing.T) {
	w := start(t, 5*time.Millisecond)
	w.wantLabel("silica.dev/furiosa.device.U", "healthy")
	w.attribute("device_state", "3\n")
	w.wantLabel("silica.dev/furiosa.device.U", "unhealthy")
	if err := os.RemoveAll(filepath.Join(w.root, classDir)); err != nil {
		t.Fatal(err)
	}
	w.wantLabel("silica.dev/furiosa.device.U", nil)
	w.wantLabel("furiosa.ai/npu.count", nil)
}

func TestLabellerScansWhenItIsTold(t *testing.T) {
	w := start(t, time.Hour)
	w.wantLabel("furiosa.ai/driver.version", "2025.4.0")
	w.attribute("version", "2025.5.0\n")
	w.hangup <- syscall.SIGHUP
	w.wantLabel("furiosa.ai/driver.version", "2025.5.0")
}

func TestLabellerTriesAgain(t *testing.T) {
	w := start(t, time.Hour)
	w.wantLabel("furiosa.ai/npu.count", "1")
	w.server.FailNext(1, "PATCH", 409, "")
	w.attribute("version", "2025.5.0\n")
	w.hangup <- syscall.SIGHUP
	w.wantLabel("furiosa.ai/driver.version", "2025.5.0")
}
