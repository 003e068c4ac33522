// SPDX-License-Identifier: Apache-2.0

// Package sync holds the tests of `silica-reservoir sync` against an upstream that fails.
package sync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"silica/tests/reservoir/origin"
)

const (
	done       = 0
	failed     = 1
	incomplete = 3
)

// site is a store and the upstream that it mirrors.
type site struct {
	t      *testing.T
	origin *origin.Origin
	server *httptest.Server
	dir    string
	env    []string
}

// report is one element of what `sync --json` prints.
type report struct {
	Name, Result, Error string
	Generation          int
	Missing, Notes      []string
	MissingCount        int
	Plan                *struct{ Files, FetchFiles, FetchBytes int }
	Fetched             struct{ Files, Bytes, Retries, Requests int }
}

func binary(t *testing.T) string {
	dir := os.Getenv("SILICA_BIN_DIR")
	if dir == "" {
		t.Skip("SILICA_BIN_DIR names no folder of programs")
	}
	return filepath.Join(dir, "silica-reservoir")
}

func newSite(t *testing.T, o origin.Options) *site {
	t.Helper()
	handler, err := origin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, origin: handler, server: httptest.NewServer(handler)}
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	s.dir = filepath.Join(t.TempDir(), "store")
	s.must(done, "init")
	s.configure("", "")
	return s
}

// configure writes the configuration of the archive, with more keys of sync, and more
// repositories.
func (s *site) configure(keys, repositories string) {
	s.t.Helper()
	s.write(fmt.Sprintf(`repositories:
- name: deb
  ecosystem: apt
  upstream: %s/apt
  apt:
    suites: [stable]
    unverified: true
%ssync:
  keepFree: 1Mi
  timeout: 2s
%s`, s.server.URL, repositories, keys))
}

func (s *site) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "reservoir.yaml"), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) command(ctx context.Context, words ...string) *exec.Cmd {
	words = append(words, "--store", s.dir)
	cmd := exec.CommandContext(ctx, binary(s.t), words...)
	cmd.Env = append(os.Environ(), s.env...)
	return cmd
}

// run gives the exit status, and standard output and error together.
func (s *site) run(words ...string) (int, string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := s.command(ctx, words...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return 0, string(out)
}

func (s *site) must(status int, words ...string) string {
	s.t.Helper()
	got, out := s.run(words...)
	if got != status {
		s.t.Fatalf("%v: exit status %d, expected %d:\n%s", words, got, status, out)
	}
	return out
}

func (s *site) sync(status int, words ...string) []report {
	s.t.Helper()
	var list []report
	out := s.must(status, append([]string{"sync", "--json"}, words...)...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		s.t.Fatalf("%v:\n%s", err, out)
	}
	return list
}

func (s *site) faults(lines string) {
	s.t.Helper()
	if err := s.origin.SetFaults(lines); err != nil {
		s.t.Fatal(err)
	}
	s.origin.Reset()
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// check sees that every object is what its name says, and how many there are.
func (s *site) check() int {
	s.t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(s.dir, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		sum, err := hashFile(path)
		if err == nil && !strings.Contains(filepath.Base(path), sum) {
			s.t.Errorf("%s hashes to %s", path, sum)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) staged() int {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, "staging"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(entries)
}

func (s *site) current() string {
	s.t.Helper()
	link, err := os.Readlink(filepath.Join(s.dir, "current"))
	if err != nil {
		s.t.Fatal(err)
	}
	return filepath.Base(link)
}
