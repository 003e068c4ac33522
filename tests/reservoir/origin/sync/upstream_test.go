// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"silica/tests/reservoir/origin"
)

// index configures the site for the package index instead of the archive.
func (s *site) index(url string) {
	s.write(fmt.Sprintf(`repositories:
- name: pypi
  ecosystem: pypi
  upstream: %s
  pypi: {all: true}
sync: {keepFree: 1Mi, timeout: 2s}
`, url))
}

func TestSync_Index(t *testing.T) {
	s := newSite(t, origin.Options{Projects: 12, Files: 2, Size: 3000})
	s.index(s.server.URL + "/simple/")
	if r := s.sync(done)[0]; r.Result != "published" || r.Plan.FetchFiles < 48 {
		t.Errorf("%+v", r)
	}
	s.origin.Reset()
	if r := s.sync(done)[0]; r.Result != "unchanged" || s.origin.Requests() > 3 {
		t.Errorf("%+v after %d requests", r, s.origin.Requests())
	}
	/* What is asked for is what has changed, whatever the number of projects. */
	s.origin.Change(2)
	s.origin.Reset()
	if r := s.sync(done)[0]; r.Result != "published" || r.Plan.FetchFiles > 6 ||
		s.origin.Requests() > 1+2+6 {
		t.Errorf("%+v after %d requests", r, s.origin.Requests())
	}
	s.check()
}

func TestSync_IndexWithFaults(t *testing.T) {
	s := newSite(t, origin.Options{Projects: 12, Files: 2, Size: 3000, Seed: 3})
	s.index(s.server.URL + "/simple/")
	s.faults("/files/** drop p=0.1\n/files/** flip first=1 p=0.1\n/simple/** status 503 0 p=0.1\n" +
		"/files/** truncate first=1 p=0.2")
	if r := s.sync(done)[0]; r.Result != "published" || r.MissingCount != 0 {
		t.Errorf("%+v", r)
	}
	s.check()
	s.origin.Change(1)
	s.faults("/files/** flip")
	if r := s.sync(incomplete)[0]; r.MissingCount == 0 || s.current() != "1" {
		t.Errorf("%+v", r)
	}
}

func TestSync_LocalTree(t *testing.T) {
	s := newSite(t, small)
	tree := t.TempDir()
	if err := s.origin.WriteArchive(tree); err != nil {
		t.Fatal(err)
	}
	s.write(strings.Replace(s.read(), s.server.URL+"/apt", "file://"+tree, 1))
	if r := s.sync(done)[0]; r.Result != "published" {
		t.Errorf("%+v", r)
	}
	if r := s.sync(done)[0]; r.Result != "unchanged" || s.origin.Requests() != 0 {
		t.Errorf("%+v", r)
	}
	s.check()
}

func TestSync_ThroughAProxy(t *testing.T) {
	s := newSite(t, small)
	var proxied atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Add(1)
		(&httputil.ReverseProxy{Director: func(*http.Request) {}}).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	s.env = []string{"http_proxy=" + proxy.URL, "no_proxy="}
	s.sync(done)
	if proxied.Load() < 30 {
		t.Errorf("%d requests came by the proxy", proxied.Load())
	}
	proxied.Store(0)
	s.env = []string{"http_proxy=" + proxy.URL, "no_proxy=127.0.0.1"}
	s.sync(done)
	if proxied.Load() != 0 {
		t.Errorf("%d requests came by the proxy", proxied.Load())
	}
}

func TestSync_Credentials(t *testing.T) {
	s := newSite(t, small)
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if name != "hub" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.origin.ServeHTTP(w, r)
	}))
	defer locked.Close()
	open := s.read()
	text := strings.ReplaceAll(open, s.server.URL, locked.URL)
	s.write(text)
	s.sync(incomplete)
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte("machine 127.0.0.1 login hub password secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.write(text + "  netrcFile: " + netrc + "\n")
	s.sync(done)
	/* In the URL they would be in every log: refused, and not shown even then. */
	s.write(strings.ReplaceAll(open, "http://", "http://hub:secret@"))
	if out := s.must(failed, "sync"); strings.Contains(out, "secret") {
		t.Error(out)
	}
}

func TestSync_TwoWriters(t *testing.T) {
	s := newSite(t, small)
	s.faults("/apt/pool/main/p/package-0003/* hang first=1")
	first := s.command(t.Context(), "sync")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for s.origin.Requests() < 5 {
		time.Sleep(time.Millisecond)
	}
	out := s.must(failed, "sync")
	if !strings.Contains(out, fmt.Sprint(first.Process.Pid)) {
		t.Error(out)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}
