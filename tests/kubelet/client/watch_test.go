// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
)

func event(kind, label string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"metadata":{"name":"n1","resourceVersion":"7","labels":{"test":%q}}}}`,
		kind, label) + "\n"
}

func TestClient_Watch(t *testing.T) {
	for _, http1 := range []bool{false, true} {
		server := serve(t, apiserver.Options{HTTP1: http1})
		r := connect(t, server.Kubeconfig())
		r.watches("-", 60, 0, 0)
		r.wantsEvent("ADDED", "first")
		relabel(t, server, "second")
		version := r.wantsEvent("MODIFIED", "second").Version
		server.Bookmark()
		if later := r.wantsEvent("BOOKMARK", "").Version; later <= version {
			t.Errorf("bookmark %q after %q", later, version)
		}
		r.asks("ok") // beside a watch
		server.AddNode(node("n2"))
		server.EndWatches()
		r.wants("end", "ok")
		relabel(t, server, "third")
		r.watches(version, 60, 0, 0)
		r.wantsEvent("MODIFIED", "third")
		server.DeleteNode("n1")
		r.wantsEvent("DELETED", "third")
	}
}

func TestClient_WatchAsksToEnd(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.watches("-", 1, 0, 0)
	r.wantsEvent("ADDED", "first")
	r.wants("end", "ok")
	query := server.Requests()[0].Query
	for _, word := range []string{"timeoutSeconds=1", "allowWatchBookmarks=true", "watch=1",
		"fieldSelector=metadata.name%3Dn1"} {
		if !strings.Contains(query, word) {
			t.Errorf("query %q, want %q in it", query, word)
		}
	}
}

// Where chunks end means nothing.
func TestClient_WatchChunks(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	text := event("ADDED", "a") + "\n" + event("MODIFIED", "b") + event("MODIFIED", "c")
	var bytes []string
	for i := range len(text) {
		bytes = append(bytes, text[i:i+1])
	}
	for _, chunks := range [][]string{{text}, bytes, {text[:100], text[100:102], text[102:]}} {
		streams(server, nil, chunks...)
		r.watches("-", 10, 0, 0)
		r.wantsEvent("ADDED", "a")
		r.wantsEvent("MODIFIED", "b")
		r.wantsEvent("MODIFIED", "c")
		r.wants("end", "ok")
	}
}

// More comes than is kept, in events that are as long as they may be.
func TestClient_WatchFlood(t *testing.T) {
	for _, http1 := range []bool{false, true} {
		server := serve(t, apiserver.Options{HTTP1: http1})
		r := connect(t, server.Kubeconfig())
		long := strings.TrimSuffix(event("MODIFIED", strings.Repeat("x", 50000)), "\n")
		streams(server, nil, strings.Repeat(long+"\n", 200))
		r.watches("-", 10, 0, len(long))
		for range 200 {
			r.wantsEvent("MODIFIED", strings.Repeat("x", 50000))
		}
		r.wants("end", "ok")
		r.watches("-", 10, 0, len(long)-1)
		r.wants("end", "refused", "longer than")
	}
}

func TestClient_WatchOversizedEvent(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	streams(server, nil, event("ADDED", "a")+strings.Repeat("x", 9<<20))
	r.watches("-", 10, 0, 0)
	r.wantsEvent("ADDED", "a")
	r.wants("end", "refused", "longer than 4194304 bytes")
}

func TestClient_WatchGarbage(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	for _, text := range []string{"garbage\n", "[]\n", "{}\n", `{"type":"ADDED"}` + "\n",
		`{"type":"NEW","object":{}}` + "\n", strings.Repeat("[", 100000) + "\n"} {
		streams(server, nil, event("ADDED", "a")+text+event("ADDED", "b"))
		r.watches("-", 10, 0, 0)
		r.wantsEvent("ADDED", "a")
		r.wants("end", "retry")
	}
}

func TestClient_WatchCutOff(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	streams(server, nil, event("ADDED", "a")+`{"type":`)
	r.watches("-", 10, 0, 0)
	r.wantsEvent("ADDED", "a")
	r.wants("end", "retry", "ended within an event")
	streams(server, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, event("ADDED", "a"))
	r.watches("-", 10, 0, 0)
	r.wantsEvent("ADDED", "a")
	r.wants("end", "retry")
	server.Intercept(nil)
	r.watches("-", 10, 0, 0)
	r.wantsEvent("ADDED", "first")
	server.Away()
	r.wants("end", "retry")
}

func TestClient_WatchSilent(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	streams(server, func(http.ResponseWriter) { <-hang }, event("ADDED", "a"))
	r.watches("-", 60, 1, 0)
	r.wantsEvent("ADDED", "a")
	r.wants("end", "retry", "nothing was heard for 1 s")
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		<-hang
		return true
	})
	r.watches("-", 60, 1, 0)
	r.wants("end", "retry", "nothing was heard for 1 s")
}

// As long as something comes, a watch is not silent.
func TestClient_WatchSlow(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	streams(server, func(w http.ResponseWriter) {
		for _, c := range event("ADDED", "a") {
			fmt.Fprintf(w, "%c", c)
			w.(http.Flusher).Flush()
			time.Sleep(40 * time.Millisecond)
		}
	})
	r.watches("-", 60, 3, 0)
	r.wantsEvent("ADDED", "a")
	r.wants("end", "ok")
}

func TestClient_WatchGone(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.watches("-", 60, 0, 0)
	version := r.wantsEvent("ADDED", "first").Version
	server.Compact()
	r.send("cancel")
	r.watches(version, 60, 0, 0)
	r.wants("end", "gone", "410", "too old resource version")
	server.FailNext(1, http.MethodGet, http.StatusGone, "")
	r.watches(version, 60, 0, 0)
	r.wants("end", "gone", "410")
	r.watches("-", 60, 0, 0)
	r.wantsEvent("ADDED", "first")
}

func TestClient_WatchRefused(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	server.FailNext(1, http.MethodGet, http.StatusServiceUnavailable, "3")
	r.watches("-", 60, 0, 0)
	if line := r.wants("end", "retry", "503"); line.RetryAfterMs != 3000 {
		t.Errorf("%+v", line)
	}
	if err := server.RotateToken("token-1", false); err != nil {
		t.Fatal(err)
	}
	r.watches("-", 60, 0, 0)
	r.wants("end", "unauthorized", "401")
	for _, version := range []string{"1 2", "1&x=y", strings.Repeat("1", 65)} {
		r.watches(version, 60, 0, 0)
		r.wants("failed", "")
	}
}

// switches counts how often a process has gone to sleep.
func switches(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// While nothing happens nothing is done.
func TestClient_WatchSleeps(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.watches("-", 60, 0, 0)
	r.wantsEvent("ADDED", "first")
	before := switches(t, r.command.Process.Pid)
	time.Sleep(3 * time.Second)
	if n := switches(t, r.command.Process.Pid) - before; n > 5 {
		t.Errorf("the program has woken %d times in 3 s", n)
	}
}
