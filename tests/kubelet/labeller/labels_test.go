// SPDX-License-Identifier: Apache-2.0

package labeller

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLabeller_LabelsAreApplied(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel(countLabel, "2")
	w.wantLabel("silica.dev/accelerator", "true")
	if w.label("kubernetes.io/hostname") != nodeName {
		t.Error("a label of somebody else has gone")
	}
	for _, request := range w.server.Requests() {
		if !strings.HasPrefix(request.Path, "/api/v1/nodes") {
			t.Errorf("%s %s is not about nodes", request.Method, request.Path)
		}
		if !strings.HasPrefix(request.UserAgent, "silica-node-labeller/") {
			t.Errorf("user agent %q", request.UserAgent)
		}
	}
}

func TestLabeller_NothingIsWrittenTwice(t *testing.T) {
	w := begin(t, "rngd x1")
	w.start("--interval", "1s")
	w.wantLabel(countLabel, "1")
	n := w.server.CountRequests(http.MethodPatch)
	w.never("a patch without a reason", func() bool {
		return w.server.CountRequests(http.MethodPatch) > n
	})
}

func TestLabeller_ChangesOfTheNodeAreRepaired(t *testing.T) {
	w := begin(t, "rngd x1")
	w.start()
	w.wantLabel(countLabel, "1")
	w.relabel(countLabel, "77")
	w.wantLabel(countLabel, "1")
	w.relabel(countLabel, nil)
	w.wantLabel(countLabel, "1")
	w.relabel("somebody.example/label", "mine")
	w.never("a label of somebody else is gone", func() bool {
		return w.label("somebody.example/label") != "mine"
	})
}

func TestLabeller_CardsComeAndGo(t *testing.T) {
	w := begin(t, "rngd x2")
	w.configure("health: {forgetAfter: 0s}\n")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "2")
	w.sim("unplug", "rngd0")
	w.wantLabel(countLabel, "1")
	w.sim("unplug", "rngd1")
	w.eventually("no label of a card", func() bool {
		return w.label(countLabel) == nil || w.label(countLabel) == "0"
	})
	if label := w.label("silica.dev/furiosa.product.rngd"); label != nil {
		t.Errorf("the product of a card that is gone: %v", label)
	}
	w.sim("plug", "rngd1")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_AGoneCardIsNotLabelled(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel(countLabel, "2")
	w.sim("unplug", "rngd0")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_LabelsStayWhenItEnds(t *testing.T) {
	w := begin(t, "rngd x1")
	process := w.start()
	w.wantLabel(countLabel, "1")
	w.end(process)
	if w.label(countLabel) != "1" {
		t.Error("the labels have gone with the labeller")
	}
}

func TestLabeller_Cleanup(t *testing.T) {
	w := begin(t, "rngd x1", object{"key": "a.b/mine", "effect": "NoSchedule"})
	w.configure("node: {exclusiveTaints: true, condition: true}\n")
	process := w.start("--config", w.config)
	w.wantTaints("a.b/mine=:NoSchedule", "furiosa.ai/npu=exclusive:NoSchedule")
	w.eventually("the condition", func() bool { return w.condition() != nil })
	w.end(process)
	w.once(0, "--cleanup")
	w.wantTaints("a.b/mine=:NoSchedule")
	for key := range get(w.server.Node(nodeName), "metadata", "labels").(object) {
		if key != "kubernetes.io/hostname" {
			t.Errorf("label %s is left", key)
		}
	}
	if w.condition() != nil {
		t.Error("the condition is left")
	}
	if annotations, _ := get(w.server.Node(nodeName), "metadata", "annotations").(object); len(annotations) > 0 {
		t.Errorf("annotations %v are left", annotations)
	}
}

func TestLabeller_CleanupOfAllNodes(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.AddNode(object{"metadata": object{"name": "n2", "labels": object{"silica.dev/x": "mine"}}})
	process := w.start()
	w.wantLabel(countLabel, "1")
	w.end(process)
	log := w.once(0, "--cleanup", "--all-nodes")
	if !strings.Contains(log, "node 'n1' is clean") || strings.Contains(log, "'n2'") {
		t.Errorf("log: %s", log)
	}
	if w.label(countLabel) != nil {
		t.Error("a label is left")
	}
	if get(w.server.Node("n2"), "metadata", "labels", "silica.dev/x") != "mine" {
		t.Error("a label that nobody of Silica has set is gone")
	}
}

func TestLabeller_Once(t *testing.T) {
	w := begin(t, "rngd x1")
	w.once(0, "--once")
	if w.label(countLabel) != "1" {
		t.Errorf("count %v", w.label(countLabel))
	}
	w.server.Deny("patch", "nodes", true)
	w.sim("unplug", "rngd0")
	log := w.once(1, "--once")
	if !strings.Contains(log, "patch") || !strings.Contains(log, "nodes") {
		t.Errorf("it does not say what is forbidden: %s", log)
	}
}

func TestLabeller_AServerWithoutApply(t *testing.T) {
	w := begin(t, "rngd x2")
	w.server.SetApply(false)
	w.configure("health: {forgetAfter: 0s}\n")
	process := w.start("--config", w.config)
	w.wantLabel(countLabel, "2")
	w.relabel(countLabel, "5")
	w.wantLabel(countLabel, "2")
	w.configure("health: {forgetAfter: 0s}\nlabels: {families: [neutral]}\n")
	w.wantLabel(countLabel, nil)
	w.wantLabel("silica.dev/accelerator.count", "2")
	w.end(process)
	w.once(0, "--cleanup")
	if labels := get(w.server.Node(nodeName), "metadata", "labels").(object); len(labels) != 1 {
		t.Errorf("labels %v are left", labels)
	}
}

func TestLabeller_TheConfigurationChoosesLabels(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("labels: {families: [vendor]}\n")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "1")
	if w.label("silica.dev/accelerator") != nil {
		t.Error("a neutral label")
	}
	w.configure("labels: {families: [neutral]}\n")
	w.wantLabel("silica.dev/accelerator", "true")
	w.wantLabel(countLabel, nil)
}

func TestLabeller_NFD(t *testing.T) {
	w := begin(t, "rngd x1")
	dir := filepath.Join(w.node.Dir, "features.d")
	process := w.start("--output", "nfd", "--nfd-dir", dir)
	w.wantLogged("features.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	process.Signal(hangup)
	w.eventually("the file", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "silica"))
		return strings.Contains(string(text), "\n"+countLabel+"=1\n") &&
			strings.HasPrefix(string(text), "# +expiry-time=")
	})
	if n := len(w.server.Requests()); n > 0 {
		t.Errorf("%d requests to the API server", n)
	}
	w.end(process)
	w.once(0, "--output", "nfd", "--nfd-dir", dir, "--cleanup")
	if _, err := os.Stat(filepath.Join(dir, "silica")); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
}

func TestLabeller_Stdout(t *testing.T) {
	w := begin(t, "rngd x1")
	out := w.once(0, "--once", "--output", "stdout", "--log-level", "error")
	if !strings.Contains(out, "\n"+countLabel+"=1\n") {
		t.Errorf("output %s", out)
	}
}

func TestLabeller_TwoOnOneNode(t *testing.T) {
	w := begin(t, "rngd x1")
	first := w.start()
	w.wantLabel(countLabel, "1")
	w.start("--listen-metrics", "unix:"+filepath.Join(w.node.Dir, "m"))
	w.wantLogged("another labeller is at work on this node")
	w.sim("unplug", "rngd0")
	w.end(first)
	w.wantLogged("the other labeller has gone")
	w.sim("plug", "rngd0")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_Probes(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.Deny("patch", "nodes", true)
	socket := filepath.Join(w.node.Dir, "m")
	w.start("--listen-metrics", "unix:"+socket, "--interval", "1s")
	w.eventually("alive, not ready", func() bool {
		return probe(socket, "/healthz") == http.StatusOK &&
			probe(socket, "/readyz") == http.StatusServiceUnavailable
	})
	w.server.Deny("patch", "nodes", false)
	w.eventually("ready", func() bool { return probe(socket, "/readyz") == http.StatusOK })
	text := fetch(socket, "/metrics")
	for _, want := range []string{"silica_node_labeller_settled 1",
		`silica_node_labeller_devices{state="healthy"} 1`,
		`silica_node_labeller_publishes_total{target="labels",result="accepted"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}

func TestLabeller_RefreshWithinTwoSeconds(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel("silica.dev/accelerator.healthy", "2")
	begin := time.Now()
	w.sim("fail", "rngd0")
	w.wantLabel("silica.dev/accelerator.healthy", "1")
	t.Logf("seen after %v", time.Since(begin))
}
