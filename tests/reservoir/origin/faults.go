// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A fault is a line:
//
//	PATTERN KIND [ARGUMENT] [p=PROBABILITY] [first=N] [after=N]
//
// The pattern is one of path.Match, or ends in "**" for all below.  It holds for the first
// N requests of each path, or for those after N, with a probability.  The first fault that
// fits is the one.  Kinds:
//
//	drop            the connection is closed without an answer
//	truncate        half of the body, and the connection is closed
//	flip            one byte of the body is another
//	status CODE [RETRY-AFTER]
//	drip [MS]       a byte every so many milliseconds (100)
//	hang            no answer for a minute
//	loop            a redirect to the same path
//	away URL        a redirect to another place
//	noranges        200 to whoever asks for a range
//	lieranges       206 with the right numbers and the wrong bytes
//	stale           the answer of an index before its last change
type fault struct {
	pattern, kind string
	arguments     []string
	probability   float64
	first, after  int
}

type faults struct {
	mu     sync.Mutex
	list   []fault
	random *rand.Rand
}

var kinds = map[string]bool{
	"drop": true, "truncate": true, "flip": true, "status": true, "drip": true, "hang": true,
	"loop": true, "away": true, "noranges": true, "lieranges": true, "stale": true,
}

func parseFault(line string) (fault, error) {
	f := fault{probability: 1}
	var err error
	for i, word := range strings.Fields(line) {
		name, value, isSetting := strings.Cut(word, "=")
		switch {
		case i == 0:
			f.pattern = word
		case i == 1:
			f.kind = word
		case isSetting && name == "p":
			f.probability, err = strconv.ParseFloat(value, 64)
		case isSetting && name == "first":
			f.first, err = strconv.Atoi(value)
		case isSetting && name == "after":
			f.after, err = strconv.Atoi(value)
		default:
			f.arguments = append(f.arguments, word)
		}
		if err != nil {
			return f, fmt.Errorf("fault %q: %w", line, err)
		}
	}
	if !kinds[f.kind] {
		return f, fmt.Errorf("fault %q: no such kind", line)
	}
	return f, nil
}

func parseFaults(text string, seed uint64) (*faults, error) {
	f := &faults{random: rand.New(rand.NewPCG(seed, 0))}
	return f, f.replace(text)
}

func (f *faults) replace(text string) error {
	var list []fault
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		one, err := parseFault(line)
		if err != nil {
			return err
		}
		list = append(list, one)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = list
	return nil
}

func (f fault) fits(name string, nth int) bool {
	if f.first > 0 && nth > f.first || nth <= f.after {
		return false
	}
	if prefix, ok := strings.CutSuffix(f.pattern, "**"); ok {
		return strings.HasPrefix(name, prefix)
	}
	ok, _ := path.Match(f.pattern, name)
	return ok
}

func (f *faults) find(name string, nth int) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.list {
		if one.fits(name, nth) && f.random.Float64() < one.probability {
			return &one
		}
	}
	return nil
}

// recorder keeps what a handler answers, so that it can be spoilt.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func record(next http.Handler, r *http.Request) *recorder {
	rec := &recorder{header: http.Header{}}
	next.ServeHTTP(rec, r)
	return rec
}

func (r *recorder) sendHead(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
}

func (f *faults) serve(w http.ResponseWriter, r *http.Request, nth int, next http.Handler) {
	one := f.find(r.URL.Path, nth)
	if one == nil {
		next.ServeHTTP(w, r)
		return
	}
	one.serve(w, r, next)
}

func (f *fault) argument(i int, other string) string {
	if i < len(f.arguments) {
		return f.arguments[i]
	}
	return other
}

func (f *fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch f.kind {
	case "drop":
		panic(http.ErrAbortHandler)
	case "hang":
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	case "status":
		code, _ := strconv.Atoi(f.argument(0, "503"))
		if after := f.argument(1, ""); after != "" {
			w.Header().Set("Retry-After", after)
		}
		http.Error(w, "a fault", code)
	case "loop":
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusFound)
	case "away":
		w.Header().Set("Location", f.argument(0, "/"))
		w.WriteHeader(http.StatusFound)
	case "noranges":
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	case "stale":
		r.Header.Set("X-Stale", "1")
		next.ServeHTTP(w, r)
	default:
		f.spoil(w, record(next, r))
	}
}

func (f *fault) spoil(w http.ResponseWriter, rec *recorder) {
	body := rec.body.Bytes()
	rec.header.Set("Content-Length", strconv.Itoa(len(body)))
	rec.sendHead(w)
	switch f.kind {
	case "truncate":
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "flip":
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		_, _ = w.Write(body)
	case "lieranges":
		if rec.status == http.StatusPartialContent {
			for i := range body {
				body[i] = 'x'
			}
		}
		_, _ = w.Write(body)
	case "drip":
		ms, _ := strconv.Atoi(f.argument(0, "100"))
		for i := range body {
			if _, err := w.Write(body[i : i+1]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
	}
}
