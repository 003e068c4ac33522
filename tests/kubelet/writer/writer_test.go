// SPDX-License-Identifier: Apache-2.0

package writer

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWriter_AcquiresAndRenews(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	w.eventually("a leads", a.leads)
	if w.spec("holderIdentity") != "a" || w.spec("leaseDurationSeconds") != float64(duration) {
		t.Errorf("lease %v", w.server.Lease(leaseName))
	}
	first, acquired := w.spec("renewTime"), w.spec("acquireTime")
	w.eventually("it is renewed", func() bool { return w.spec("renewTime") != first })
	if w.spec("acquireTime") != acquired || w.spec("leaseTransitions") != 0.0 {
		t.Errorf("a renewal has made %v", w.server.Lease(leaseName))
	}
	w.eventually("it syncs again and again", func() bool { return a.count("sync: begins") > 1 })
	a.end()
}

func TestWriter_OnlyOneWritesAndTheNextTakesOver(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	w.eventually("a leads", a.leads)
	b := w.join("b")
	w.eventually("b asks again and again", func() bool {
		n := 0
		for _, request := range w.server.Requests() {
			if request.Method == http.MethodGet {
				n++
			}
		}
		return n > 4
	})
	if b.leads() || b.count("sync: begins") > 0 {
		t.Fatalf("two write: %s", b.Log())
	}
	a.end()
	// Or b has it already.
	if w.spec("holderIdentity") == "a" {
		t.Errorf("it was not given back: %v", w.server.Lease(leaseName))
	}
	w.eventually("b leads", b.leads)
	if w.spec("leaseTransitions") != 1.0 {
		t.Errorf("%v", w.server.Lease(leaseName))
	}
	b.end()
}

func TestWriter_TakesOverFromTheDead(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	w.eventually("a leads", a.leads)
	a.Kill()
	at := time.Now()
	b := w.join("b")
	w.eventually("b leads", b.leads)
	// It counts from its first look, which was after the last renewal.
	if waited := time.Since(at); waited < duration*time.Second {
		t.Errorf("b has waited for %v only", waited)
	}
	b.end()
}

func TestWriter_StopsWhenTheServerIsAway(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	w.eventually("a leads", a.leads)
	pid := a.child()
	w.server.Intercept(func(rw http.ResponseWriter, _ *http.Request) bool {
		http.Error(rw, "{}", http.StatusServiceUnavailable)
		return true
	})
	w.eventually("a leads no more", func() bool { return !a.leads() })
	w.wantGone(pid)
	if text := a.Log(); !strings.Contains(text, "503") || !strings.Contains(text, "was lost") {
		t.Errorf("it does not say why: %s", text)
	}
	before := a.count("sync: begins")
	time.Sleep(1500 * time.Millisecond)
	if a.count("sync: begins") != before {
		t.Error("it writes on")
	}
	w.server.Intercept(nil)
	w.eventually("a leads again", a.leads)
	a.end()
}

func TestWriter_StopsWhenAnotherHasIt(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	w.eventually("a leads", a.leads)
	w.server.SetLease(leaseName, object{"holderIdentity": "thief", "leaseDurationSeconds": 3600,
		"acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z"})
	w.eventually("a leads no more", func() bool { return !a.leads() })
	if w.spec("holderIdentity") != "thief" {
		t.Errorf("it was overwritten: %v", w.server.Lease(leaseName))
	}
	a.end()
	if w.spec("holderIdentity") != "thief" {
		t.Errorf("what was not held was given back: %v", w.server.Lease(leaseName))
	}
}

func TestWriter_BelievesNoClock(t *testing.T) {
	w := begin(t)
	// Long run out by its times, and still it counts from when it was seen.
	w.server.SetLease(leaseName, object{"holderIdentity": "old", "leaseDurationSeconds": 4,
		"acquireTime": "2001-01-01T00:00:00.000000Z", "renewTime": "2001-01-01T00:00:00.000000Z"})
	at := time.Now()
	a := w.join("a")
	w.eventually("a leads", a.leads)
	if waited := time.Since(at); waited < 4*time.Second {
		t.Errorf("a has waited for %v only", waited)
	}
	a.end()
}

func TestWriter_SaysWhatIsForbidden(t *testing.T) {
	w := begin(t)
	w.server.Deny("create", "leases", true)
	a := w.join("a")
	w.eventually("it says so", func() bool { return a.count("the verb 'create' on the resource 'leases'") == 1 })
	w.server.Deny("create", "leases", false)
	w.eventually("a leads", a.leads)
	a.end()
}

func TestWriter_WritesWithoutALease(t *testing.T) {
	w := begin(t)
	a := w.start("a")
	w.eventually("it syncs again and again", func() bool { return a.count("sync: done") > 1 })
	a.end()
}

// It looks after the store all the same.
func TestWriter_SaysThatNothingComes(t *testing.T) {
	w := begin(t)
	w.configure("sync: {}\n")
	a := w.start("a")
	w.eventually("it says so", func() bool {
		return a.count("neither 'sync.interval' nor 'bundles.drop'") == 1
	})
}

func TestWriter_LeavesNoChildBehind(t *testing.T) {
	w := begin(t)
	a := w.join("a")
	pid := a.child()
	a.Kill()
	w.wantGone(pid)
}

// Bundles are watched for, by a process that is started again, and go before a sync.
func TestWriter_WatchesForBundles(t *testing.T) {
	w := begin(t)
	drop := t.TempDir()
	w.configure("bundles: {drop: " + drop + "}\n")
	a := w.start("a")
	w.eventually("it watches", func() bool { return a.count("watching "+drop) == 1 })
	if err := syscall.Kill(a.child(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.eventually("it watches again", func() bool { return a.count("watching "+drop) == 2 })
	a.end()
}

func TestWriter_ABundleEndsASync(t *testing.T) {
	w := begin(t)
	drop := t.TempDir()
	w.configure("bundles: {drop: " + drop + "}\nsync: {interval: 1s}\n")
	a := w.start("a")
	w.eventually("it watches", func() bool { return a.count("watching "+drop) == 1 })
	w.eventually("a bundle comes in the middle of a sync", func() bool {
		name := filepath.Join(drop, fmt.Sprintf("12345678-1.%d.minisig", time.Now().UnixNano()))
		return os.WriteFile(name, nil, 0o600) == nil && a.count("sync: was ended") > 0
	})
	a.end()
}
