// SPDX-License-Identifier: Apache-2.0

// Package origin is an upstream that does not exist: a package index and an archive whose
// files are made up as they are asked for, always the same for the same names, with
// faults where a test wants them.
//
//	/simple/            an index as PyPI has it (PEP 503, 691, 700, 714, serials)
//	/files/             its files
//	/apt/               an archive as Debian has it, unsigned
//	/tree/              the directory of -tree
//	/_stats             GET: requests per path, as JSON
//	/_faults            PUT: the faults that hold from now on, a line each; see faults.go
//	/_change            POST ?projects=N: N projects get another file and serial
package origin

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say what there is.
type Options struct {
	Projects, Files int    // of the index, and releases of each
	Debs            int    // of the archive
	Size            int    // bytes of a file on the average
	Tree            string // directory that is served below /tree/
	Faults          string // separated by ';' or lines
	Seed            uint64 // of what faults hit
	Latency         time.Duration
}

// counter counts the requests of each path.
type counter struct {
	mu    sync.Mutex
	paths map[string]int
	bytes int64
}

func (c *counter) count(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths[path]++
	return c.paths[path]
}

func (c *counter) sum() int {
	total := 0
	for _, n := range c.paths {
		total += n
	}
	return total
}

func (c *counter) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum()
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := c.sum()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"requests": total, "bytes": c.bytes, "paths": c.paths,
	})
	if r.Method == http.MethodDelete {
		c.paths, c.bytes = map[string]int{}, 0
	}
}

// counted tells the counter how many bytes of bodies went out.
type counted struct {
	http.ResponseWriter
	counter *counter
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.counter.mu.Lock()
	c.counter.bytes += int64(n)
	c.counter.mu.Unlock()
	return n, err
}

func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Origin is the handler of all paths.
type Origin struct {
	options Options
	counter counter
	faults  *faults
	index   *index
	archive *archive
	mux     *http.ServeMux
}

// New makes an origin.
func New(o Options) (*Origin, error) {
	faults, err := parseFaults(strings.ReplaceAll(o.Faults, ";", "\n"), o.Seed)
	if err != nil {
		return nil, err
	}
	s := &Origin{options: o, faults: faults, mux: http.NewServeMux()}
	s.counter.paths = map[string]int{}
	s.index = newIndex(o.Projects, o.Files, o.Size)
	s.archive = newArchive(o.Debs, o.Size)
	s.mux.Handle("/simple/", s.index)
	s.mux.HandleFunc("/files/", s.index.serveFile)
	s.mux.Handle("/apt/", s.archive)
	if o.Tree != "" {
		s.mux.Handle("/tree/", http.StripPrefix("/tree/", http.FileServer(http.Dir(o.Tree))))
	}
	return s, nil
}

func (s *Origin) control(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_stats":
		s.counter.ServeHTTP(w, r)
	case "/_faults":
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = s.faults.replace(string(text))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	case "/_change":
		n, err := strconv.Atoi(r.URL.Query().Get("projects"))
		if err != nil || n < 0 || n > s.options.Projects {
			http.Error(w, "projects=N", http.StatusBadRequest)
			return
		}
		s.index.change(n)
	default:
		http.NotFound(w, r)
	}
}

func (s *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_") {
		s.control(w, r)
		return
	}
	nth := s.counter.count(r.URL.Path)
	if s.options.Latency > 0 {
		time.Sleep(s.options.Latency)
	}
	s.faults.serve(counted{w, &s.counter}, r, nth, s.mux)
}

// Requests is how many requests have come since Reset.
func (s *Origin) Requests() int { return s.counter.total() }

// Bytes is how many bytes of bodies went out since Reset.
func (s *Origin) Bytes() int64 {
	s.counter.mu.Lock()
	defer s.counter.mu.Unlock()
	return s.counter.bytes
}

// Reset forgets the counts; faults of the first requests hold again.
func (s *Origin) Reset() {
	s.counter.mu.Lock()
	defer s.counter.mu.Unlock()
	s.counter.paths, s.counter.bytes = map[string]int{}, 0
}

// SetFaults replaces the faults.
func (s *Origin) SetFaults(lines string) error { return s.faults.replace(lines) }

// Change gives the next n projects another release each.
func (s *Origin) Change(n int) { s.index.change(n) }

// WriteArchive puts what is below /apt/ in a directory.
func (s *Origin) WriteArchive(dir string) error { return s.archive.write(dir) }
