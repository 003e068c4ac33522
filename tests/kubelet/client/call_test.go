// SPDX-License-Identifier: Apache-2.0

package client

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
)

func TestClient_HTTP2(t *testing.T) {
	server := serve(t, apiserver.Options{})
	line := connect(t, server.Kubeconfig()).asks("ok")
	if line.Status != 200 || !strings.Contains(line.Body, `"name":"n1"`) {
		t.Errorf("%+v", line)
	}
	request := server.Requests()[0]
	if request.Proto != "HTTP/2.0" || !strings.HasPrefix(request.UserAgent, "kube-requests/") {
		t.Errorf("%+v", request)
	}
}

func TestClient_HTTP1(t *testing.T) {
	server := serve(t, apiserver.Options{HTTP1: true})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	r.patches("/api/v1/nodes/n1", "application/merge-patch+json", `{"metadata":{"labels":{"a":"b"}}}`)
	r.wants("answer", "ok")
	if proto := server.Requests()[1].Proto; proto != "HTTP/1.1" {
		t.Error(proto)
	}
}

func TestClient_IPv6(t *testing.T) {
	server := serve(t, apiserver.Options{Listen: "[::1]:0"})
	connect(t, server.Kubeconfig()).asks("ok")
}

func TestClient_Conflict(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.FailNext(3, http.MethodPatch, http.StatusConflict, "")
	for range 3 {
		r.patches("/api/v1/nodes/n1", "application/merge-patch+json", "{}")
		r.wants("answer", "conflict", "409 Conflict", "the test wants this")
	}
	r.patches("/api/v1/nodes/n1", "application/merge-patch+json", "{}")
	r.wants("answer", "ok")
}

// A JSON Patch whose test fails is no mistake in it.
func TestClient_JSONPatchTest(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.patches("/api/v1/nodes/n1", "application/json-patch+json",
		`[{"op":"test","path":"/metadata/labels/test","value":"other"}]`)
	if line := r.wants("answer", "conflict", "422"); line.Status != 422 {
		t.Errorf("%+v", line)
	}
	r.patches("/api/v1/nodes/n1", "application/json-patch+json",
		`[{"op":"test","path":"/metadata/labels/test","value":"first"}]`)
	r.wants("answer", "ok")
}

func TestClient_Throttled(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	for after, want := range map[string]int{"7": 7000, "": 0, "99999999": 600000, "-1": 0, "soon": 0} {
		server.FailNext(1, http.MethodGet, http.StatusTooManyRequests, after)
		if line := r.asks("retry", "429"); line.RetryAfterMs != want {
			t.Errorf("Retry-After %q: %+v", after, line)
		}
	}
	r.asks("ok")
}

func TestClient_ServerErrors(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	for status, outcome := range map[int]string{500: "retry", 502: "retry", 503: "retry", 504: "retry",
		408: "retry", 400: "refused", 404: "not found", 413: "refused", 422: "refused", 410: "gone"} {
		server.FailNext(1, http.MethodGet, status, "")
		if line := r.asks(outcome, strconv.Itoa(status), "the test wants this"); line.Status != status {
			t.Errorf("%+v", line)
		}
	}
	r.asks("ok")
}

func TestClient_Forbidden(t *testing.T) {
	server := serve(t, apiserver.Options{})
	server.Deny("get", "nodes", true)
	server.Deny("patch", "nodes/status", true)
	server.Deny("create", "events", true)
	server.Deny("watch", "nodes", true)
	r := connect(t, server.Kubeconfig())
	r.asks("forbidden", `nodes "n1" is forbidden`, "verb 'get'", "resource 'nodes'")
	r.patches("/api/v1/nodes/n1/status", "application/merge-patch+json", "{}")
	r.wants("answer", "forbidden", "verb 'patch'", "resource 'nodes/status'")
	r.send("call\tPOST\t/api/v1/namespaces/default/events\t1000\t0\t-\t{}")
	r.wants("answer", "forbidden", "verb 'create'", "resource 'events'")
	r.watches("-", 10, 0, 0)
	r.wants("end", "forbidden", "verb 'watch'", "resource 'nodes'")
	server.Deny("get", "nodes", false)
	r.asks("ok")
}

func TestClient_RedirectIsNotFollowed(t *testing.T) {
	server := serve(t, apiserver.Options{})
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/version", http.StatusFound)
		return true
	})
	connect(t, server.Kubeconfig()).asks("refused", "302", "redirects are not followed")
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// slowly writes a body that never ends.
func slowly(w http.ResponseWriter, r *http.Request) bool {
	for {
		if _, err := io.WriteString(w, " "); err != nil || r.Context().Err() != nil {
			return true
		}
		w.(http.Flusher).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

func TestClient_SlowBody(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.Intercept(slowly)
	r.send("call\tGET\t/version\t1000\t0\t-\t-")
	r.wants("answer", "retry", "timed out")
	server.Intercept(nil)
	r.asks("ok")
}

func TestClient_TruncatedBody(t *testing.T) {
	for _, http1 := range []bool{false, true} {
		server := serve(t, apiserver.Options{HTTP1: http1})
		r := connect(t, server.Kubeconfig())
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"kind":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		if line := r.asks("retry"); line.Status != 0 || line.Error == "" {
			t.Errorf("%+v", line)
		}
		server.Intercept(nil)
		r.asks("ok")
	}
}

func TestClient_OversizedBody(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		return true
	})
	r.send("call\tGET\t/version\t10000\t4999\t-\t-")
	r.wants("answer", "refused", "longer than 4999 bytes")
	r.send("call\tGET\t/version\t10000\t5000\t-\t-")
	if line := r.wants("answer", "ok"); line.Length != 5000 {
		t.Errorf("%+v", line)
	}
}

// What is small on the wire is measured as it is unpacked.
func TestClient_PackedBody(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	size := 1000
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			return false
		}
		w.Header().Set("Content-Encoding", "gzip")
		packer := gzip.NewWriter(w)
		_, _ = io.CopyN(packer, zeros{}, int64(size))
		return packer.Close() == nil
	})
	if line := r.asks("ok"); line.Length != size {
		t.Errorf("%+v", line)
	}
	size = 1 << 30
	r.asks("refused", "longer than 16777216 bytes")
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

func TestClient_OversizedHeaders(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-Header-%d", i), strings.Repeat("x", 1000))
		}
		return false
	})
	r.asks("refused", "headers of an answer")
}

func TestClient_UnknownApply(t *testing.T) {
	server := serve(t, apiserver.Options{})
	server.SetApply(false)
	r := connect(t, server.Kubeconfig())
	const body = `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","labels":{"a":"b"}}}`
	r.patches("/api/v1/nodes/n1?fieldManager=me", "application/apply-patch+yaml", body)
	r.wants("answer", "unsupported", "415")
	server.SetApply(true)
	r.patches("/api/v1/nodes/n1?fieldManager=me", "application/apply-patch+yaml", body)
	r.wants("answer", "ok")
}

// Many at a time share a connection, and each has its own answer.
func TestClient_AtATime(t *testing.T) {
	server := serve(t, apiserver.Options{})
	var mu sync.Mutex
	connections := map[string]bool{}
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		connections[r.RemoteAddr] = true
		_, _ = io.WriteString(w, r.URL.Path)
		return true
	})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	seen := map[string]bool{}
	for i := range 50 {
		r.get(fmt.Sprintf("/version/%d", i))
	}
	for range 50 {
		seen[r.wants("answer", "ok").Body] = true
	}
	if len(seen) != 50 || len(connections) != 1 {
		t.Errorf("%d answers over %d connections", len(seen), len(connections))
	}
}

// A connection that hangs is not used for what comes after.
func TestClient_HungConnection(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	var mu sync.Mutex
	hung := ""
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		if hung == "" {
			hung = r.RemoteAddr
		}
		hangs := hung == r.RemoteAddr
		mu.Unlock()
		if hangs {
			<-r.Context().Done()
		}
		return hangs
	})
	// Long enough for a busy machine to have it arrive.
	r.send("call\tGET\t/version\t5000\t0\t-\t-")
	r.wants("answer", "retry", "timed out")
	for range 3 {
		r.asks("ok")
	}
}

func TestClient_Cancel(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	arrived := len(server.Requests())
	for range 5 {
		r.get("/version")
	}
	r.watches("-", 10, 0, 0)
	for len(server.Requests()) < arrived+6 {
		time.Sleep(10 * time.Millisecond)
	}
	r.send("cancel")
	server.Intercept(nil)
	r.asks("ok")
}

func TestClient_Away(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	server.Away()
	r.asks("retry") // over the connection that is no more, or none
	for range 20 {
		r.asks("retry", "connect")
	}
	if err := server.Back(); err != nil {
		t.Fatal(err)
	}
	r.asks("ok")
}

func TestClient_BadRequests(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	for _, request := range []string{"TRACE\t/version", "GET\tversion", "GET\t/a b", "GET\t/a#b", "GET\t/a\x01b"} {
		r.send("call\t%s\t1000\t0\t-\t-", request)
		r.wants("failed", "")
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}
