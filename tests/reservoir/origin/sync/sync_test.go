// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"silica/tests/reservoir/origin"
)

var small = origin.Options{Debs: 30, Size: 4000, Seed: 1}

func TestSync_Complete(t *testing.T) {
	s := newSite(t, small)
	first := s.sync(done)[0]
	if first.Result != "published" || first.Generation != 1 || first.Plan.FetchFiles < 30 {
		t.Errorf("%+v", first)
	}
	if n := s.check(); n < 33 {
		t.Errorf("%d objects", n)
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stayed in staging", n)
	}
}

func TestSync_NothingNew(t *testing.T) {
	s := newSite(t, small)
	s.sync(done)
	s.origin.Reset()
	again := s.sync(done)[0]
	if again.Result != "unchanged" || s.origin.Requests() > 3 || s.current() != "1" {
		t.Errorf("%+v after %d requests, generation %s", again, s.origin.Requests(), s.current())
	}
}

func TestSync_DryRun(t *testing.T) {
	s := newSite(t, small)
	plan := s.sync(done, "--dry-run")[0]
	if plan.Result != "planned" || plan.Plan.FetchFiles < 30 || s.current() != "0" {
		t.Errorf("%+v", plan)
	}
	if s.origin.Requests() > 5 {
		t.Errorf("%d requests for a plan", s.origin.Requests())
	}
}

// What passes costs time, and nothing else.
func TestSync_PassingFaults(t *testing.T) {
	for name, faults := range map[string]string{
		"drop":      "/apt/pool/** drop first=1",
		"some drop": "/apt/** drop p=0.1",
		"truncate":  "/apt/pool/** truncate first=1",
		"flip":      "/apt/pool/** flip first=1",
		"503":       "/apt/pool/** status 503 0 p=0.1",
		"429":       "/apt/pool/** status 429 1 first=1 p=0.2",
		"no ranges": "/apt/pool/** truncate first=1\n/apt/pool/** noranges",
		"lies":      "/apt/pool/** truncate first=1\n/apt/pool/** lieranges",
		"hang":      "/apt/pool/main/p/package-0003/* hang first=1",
		"drip":      "/apt/pool/main/p/package-0003/* drip 500 first=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small)
			s.faults(faults)
			if r := s.sync(done)[0]; r.Result != "published" || r.MissingCount != 0 {
				t.Errorf("%+v", r)
			}
			s.check()
		})
	}
}

// What stays is told by name, and what was published stays too.
func TestSync_StayingFaults(t *testing.T) {
	const victim = "/apt/pool/main/p/package-0003/*"
	for fault, text := range map[string]string{
		"flip": "hash", "truncate": "remaining", "status 404": "", "status 403": "403", "drop": "", "loop": "",
		"away file:///etc/passwd": "",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small)
			s.faults(victim + " " + fault)
			r := s.sync(incomplete)[0]
			result, current := "incomplete", "0"
			if fault == "status 404" {
				result, current = "published", "1" // without it
			}
			if r.Result != result || r.MissingCount != 1 || s.current() != current ||
				!strings.Contains(r.Missing[0], "package-0003") || !strings.Contains(r.Missing[0], text) {
				t.Errorf("%+v", r)
			}
			s.check()
			s.faults("")
			if r := s.sync(done)[0]; r.Result != "published" || r.Plan.FetchFiles > 3 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestSync_OneThatFailsHoldsNoOtherBack(t *testing.T) {
	s := newSite(t, small)
	s.configure("", "- name: other\n  ecosystem: apt\n  upstream: "+s.server.URL+
		"/none\n  apt: {suites: [stable], unverified: true}\n")
	list := s.sync(incomplete)
	if len(list) != 2 || list[0].Result != "published" || list[1].Result == "published" ||
		list[1].Result == "unchanged" {
		t.Errorf("%+v", list)
	}
	if out := s.must(failed, "sync", "nobody"); !strings.Contains(out, "'nobody'") {
		t.Error(out)
	}
}

func TestSync_EncryptedOnlyWithItsCA(t *testing.T) {
	s := newSite(t, small)
	s.server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	config, err := origin.MakeTLS(ca)
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(s.origin)
	s.server.TLS, s.server.EnableHTTP2 = config, true
	s.server.StartTLS()
	s.configure("", "")
	s.sync(incomplete)
	s.env = []string{"CURL_CA_BUNDLE=", "SSL_CERT_DIR=", "SSL_CERT_FILE=" + ca}
	s.sync(done)
}

func TestSync_OutsideOfTheWindow(t *testing.T) {
	s := newSite(t, small)
	at := func(d time.Duration) string { return time.Now().Add(d).Format("15:04") }
	s.configure("  window: "+at(2*time.Hour)+"-"+at(3*time.Hour)+"\n", "")
	if out := s.must(done, "sync"); !strings.Contains(out, "opens in 1 hours and 59 minutes") {
		if !strings.Contains(out, "opens in 2 hours") && !strings.Contains(out, "opens in 1 hours") {
			t.Error(out)
		}
	}
	s.configure("  window: "+at(-2*time.Hour)+"-"+at(2*time.Hour)+"\n", "")
	s.sync(done)
}

func TestSync_NoRoom(t *testing.T) {
	s := newSite(t, small)
	s.configure("", "")
	s.write(strings.Replace(s.read(), "keepFree: 1Mi", "keepFree: 1024Ti", 1))
	r := s.sync(incomplete)[0]
	if r.Result != "failed" || r.Error == "" || s.current() != "0" {
		t.Errorf("%+v", r)
	}
}

func (s *site) read() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "reservoir.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// interrupt starts a sync and sends a signal after a while.
func (s *site) interrupt(after time.Duration, signal syscall.Signal) int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := s.command(ctx, "sync")
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Signal(signal)
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

func TestSync_Stopped(t *testing.T) {
	s := newSite(t, origin.Options{Debs: 200, Size: 4000, Latency: 40 * time.Millisecond})
	if status := s.interrupt(time.Second, syscall.SIGTERM); status != incomplete {
		t.Errorf("exit status %d", status)
	}
	kept := s.check()
	if kept == 0 || s.current() != "0" {
		t.Errorf("%d objects, generation %s", kept, s.current())
	}
	if r := s.sync(done)[0]; r.Plan.FetchFiles > 205-kept {
		t.Errorf("%d of %d were here, and %d fetched", kept, 203, r.Plan.FetchFiles)
	}
}

// Killed at any moment, a sync loses the bytes in flight and nothing else.
func TestSync_Killed(t *testing.T) {
	const debs, average, inFlight = 150, 40000, 16
	kills := 200
	if testing.Short() {
		kills = 20
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s := newSite(t, origin.Options{Debs: debs, Size: average, Latency: 2 * time.Millisecond})
	whole := 1
	for range kills {
		s.interrupt(time.Duration(random.IntN(250))*time.Millisecond, syscall.SIGKILL)
		if s.current() != "0" { /* it was done: begin with nothing */
			s.fresh()
			whole++
		}
	}
	s.check()
	s.sync(done)
	s.check()
	/* All once, and again what was on its way at each kill: a file for each transfer. */
	sent := s.origin.Bytes()
	if most := int64(whole*debs*average*11/10 + kills*inFlight*average); sent > most {
		t.Errorf("%d bytes were sent, more than %d", sent, most)
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stayed in staging", n)
	}
	t.Logf("%d bytes were sent to %d runs, %d of which came to their end", sent, kills, whole-1)
	s.origin.Reset()
	if r := s.sync(done)[0]; r.Result != "unchanged" {
		t.Errorf("%+v", r)
	}
}

// A big file goes on where a killed run has left it.
func TestSync_Resumed(t *testing.T) {
	const size = 30 << 20
	s := newSite(t, origin.Options{Debs: 1, Size: size})
	whole := s.sync(done, "--dry-run")[0].Plan.FetchBytes
	text := s.read()
	s.write(text + "  bandwidth: 4Mi\n")
	s.interrupt(3*time.Second, syscall.SIGKILL)
	s.write(text)
	s.origin.Reset()
	s.sync(done)
	if sent := s.origin.Bytes(); sent > int64(whole)-size/20 {
		t.Errorf("%d of %d bytes were sent again", sent, whole)
	}
	s.check()
}

func (s *site) fresh() {
	s.t.Helper()
	text := s.read()
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Fatal(err)
	}
	s.must(done, "init")
	s.write(text)
}
