// SPDX-License-Identifier: Apache-2.0

package labeller

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sickness is how long a server stays sick, and many what a labeller that does not pause
// would ask it in that time many times over.
const (
	sickness = 4 * time.Second
	many     = 15
)

// asked counts the requests of a while.
func (w *world) asked(method string) int {
	before := w.server.CountRequests(method)
	time.Sleep(sickness)
	return w.server.CountRequests(method) - before
}

func (w *world) wantPauses(method string) {
	w.Helper()
	if n := w.asked(method); n > many {
		w.Errorf("%d requests %s in %v", n, method, sickness)
	}
}

func TestLabeller_AcceptedWithoutEffect(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.Intercept(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.server.Node(nodeName))
		return true
	})
	w.start()
	w.wantLogged("does a webhook change them?")
	w.wantPauses(http.MethodPatch)
	w.server.Intercept(nil)
	w.relabel("a.b/c", "1")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_AConditionOfSomebodyElse(t *testing.T) {
	w := begin(t, "rngd x1")
	if err := w.server.UpdateStatus(nodeName, "somebody", func(node object) {
		node["status"] = object{"conditions": []any{object{"type": "AcceleratorsHealthy", "status": "True"}}}
	}); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.wantLabel(countLabel, "1")
	w.wantPauses(http.MethodPatch)
	if w.condition() == nil {
		t.Error("a condition of somebody else is gone")
	}
}

func TestLabeller_ASickServerIsLeftInPeace(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.FailNext(1000, http.MethodPatch, http.StatusInternalServerError, "")
	w.start()
	w.wantLogged("cannot change the node")
	w.wantPauses(http.MethodPatch)
	w.server.Intercept(nil)
	w.wantLabel(countLabel, "1")
}

func TestLabeller_WatchesThatEndAtOnce(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusGone} {
		w := begin(t, "rngd x2")
		w.server.Intercept(func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("watch") == "" {
				return false
			}
			rw.WriteHeader(status)
			return true
		})
		w.start()
		w.wantLabel("silica.dev/accelerator.healthy", "2")
		w.wantPauses(http.MethodGet)
		w.sim("fail", "rngd0")
		w.wantLabel("silica.dev/accelerator.healthy", "1")
	}
}

func TestLabeller_ReadyAfterAChangeOfNothing(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("")
	socket := filepath.Join(w.node.Dir, "m")
	w.start("--config", w.config, "--output", "nfd", "--nfd-dir", w.node.Dir, "--interval", "1h",
		"--listen-metrics", "unix:"+socket)
	w.eventually("ready", func() bool { return probe(socket, "/readyz") == http.StatusOK })
	w.configure("rescanInterval: 7s\n")
	w.wantLogged("is in force")
	w.eventually("ready again", func() bool { return probe(socket, "/readyz") == http.StatusOK })
}

func TestLabeller_ARefusedStartIsInTheMetrics(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("nonsense: 1\n")
	socket := filepath.Join(w.node.Dir, "m")
	w.start("--config", w.config, "--listen-metrics", "unix:"+socket)
	w.eventually("the metric", func() bool {
		return strings.Contains(fetch(socket, "/metrics"), "config_last_reload_successful 0\n")
	})
}

func TestLabeller_CleanupOutlastsFailures(t *testing.T) {
	w := begin(t, "rngd x1")
	process := w.start()
	w.wantLabel(countLabel, "1")
	w.end(process)
	w.server.FailNext(2, http.MethodGet, http.StatusServiceUnavailable, "")
	w.once(0, "--cleanup", "--all-nodes")
	w.wantLabel(countLabel, nil)
}

func TestLabeller_CleanupOfANodeThatGoes(t *testing.T) {
	w := begin(t, "rngd x1")
	process := w.start()
	w.wantLabel(countLabel, "1")
	w.end(process)
	w.server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+nodeName) {
			w.server.DeleteNode(nodeName)
		}
		return false
	})
	w.once(0, "--cleanup", "--all-nodes")
}
