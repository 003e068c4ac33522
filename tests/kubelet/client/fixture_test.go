// SPDX-License-Identifier: Apache-2.0

// Package client puts Silica's client of the API server, in a program with sanitizers,
// before an API server that behaves in all the ways that real ones and networks do.
package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
	"silica/tests/kubelet/internal/program"
)

// deadline is reached by a failing test only.
const deadline = 30 * time.Second

// reply is a line of the program.
type reply struct {
	Kind, Outcome, Error, Body string
	Status, Length             int
	RetryAfterMs               int
	Type, Name, Version, Label string
}

// requester is the program, with requests under way or not.
type requester struct {
	*testing.T
	command *exec.Cmd
	input   io.WriteCloser
	replies chan reply
	errors  bytes.Buffer
	output  strings.Builder
}

func serve(t *testing.T, options apiserver.Options) *apiserver.Server {
	t.Helper()
	options.Dir = t.TempDir()
	server, err := apiserver.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.AddNode(node("n1"))
	return server
}

func node(name string) apiserver.Object {
	return apiserver.Object{"metadata": apiserver.Object{"name": name,
		"labels": apiserver.Object{"test": "first"}}}
}

// connect starts the program with a kubeconfig, and an environment of its own.
func connect(t *testing.T, kubeconfig string, env ...string) *requester {
	t.Helper()
	path, err := program.Find("kube-requests")
	if err != nil {
		t.Fatal(err)
	}
	r := &requester{T: t, command: exec.Command(path, kubeconfig), replies: make(chan reply, 1024)}
	for _, variable := range os.Environ() {
		if !strings.Contains(strings.ToLower(variable), "_proxy=") {
			r.command.Env = append(r.command.Env, variable)
		}
	}
	r.command.Env = append(r.command.Env, env...)
	r.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.command.Stderr = &r.errors
	if r.input, err = r.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go r.read(stdout, read)
	t.Cleanup(func() { r.end(read) })
	return r
}

func (r *requester) read(stdout io.Reader, done chan struct{}) {
	defer close(done)
	defer close(r.replies)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line reply
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			line = reply{Kind: "garbage", Error: err.Error()}
		}
		r.output.Write(lines.Bytes())
		r.replies <- line
	}
}

// end ends the program, which must find nothing wrong with itself, and must never have
// written a secret.
func (r *requester) end(read chan struct{}) {
	r.input.Close()
	timer := time.AfterFunc(deadline, func() { _ = r.command.Process.Kill() })
	defer timer.Stop()
	go func() {
		for range r.replies {
		}
	}()
	<-read
	err := r.command.Wait()
	if r.errors.Len() > 0 {
		r.Errorf("the program has written: %s", r.errors.String())
	}
	if code := r.command.ProcessState.ExitCode(); code != 0 && code != 1 {
		r.Errorf("the program: %v", err)
	}
	for _, secret := range []string{"token-", "Bearer", "PRIVATE", "swordfish"} {
		if strings.Contains(r.output.String(), secret) {
			r.Errorf("the program has written %q", secret)
		}
	}
}

func (r *requester) send(format string, args ...any) {
	r.Helper()
	if _, err := fmt.Fprintf(r.input, format+"\n", args...); err != nil {
		r.Fatal(err)
	}
}

// next waits for a line.
func (r *requester) next() reply {
	r.Helper()
	select {
	case line, ok := <-r.replies:
		if !ok {
			r.Fatalf("the program has ended: %s", r.errors.String())
		}
		return line
	case <-time.After(deadline):
		r.Fatal("no line from the program")
	}
	return reply{}
}

// wants waits for a line of a kind, with an outcome, and with words in its error.
func (r *requester) wants(kind, outcome string, words ...string) reply {
	r.Helper()
	line := r.next()
	if line.Kind != kind || line.Outcome != outcome {
		r.Fatalf("%+v, want the %s '%s'", line, kind, outcome)
	}
	for _, word := range words {
		if !strings.Contains(line.Error, word) {
			r.Fatalf("error %q, want %q in it", line.Error, word)
		}
	}
	return line
}

func (r *requester) get(path string) {
	r.Helper()
	r.send("call\tGET\t%s\t10000\t0\t-\t-", path)
}

// asks gets a node, and wants what comes of it.
func (r *requester) asks(outcome string, words ...string) reply {
	r.Helper()
	r.get("/api/v1/nodes/n1")
	return r.wants("answer", outcome, words...)
}

func (r *requester) patches(path, kind, body string) {
	r.Helper()
	r.send("call\tPATCH\t%s\t10000\t0\t%s\t%s", path, kind, body)
}

// watches watches the node from a version, "-" for the beginning.
func (r *requester) watches(version string, timeout, silence, most int) {
	r.Helper()
	r.send("watch\t/api/v1/nodes?fieldSelector=metadata.name%%3Dn1\t%s\t%d\t%d\t%d", version,
		timeout, silence, most)
}

func (r *requester) wantsEvent(kind, label string) reply {
	r.Helper()
	line := r.next()
	if line.Kind != "event" || line.Type != kind || line.Label != label {
		r.Fatalf("%+v, want the event %s with the label %q", line, kind, label)
	}
	return line
}

func relabel(t *testing.T, server *apiserver.Server, label string) {
	t.Helper()
	err := server.UpdateNode("n1", "test", func(node apiserver.Object) {
		node["metadata"].(apiserver.Object)["labels"] = apiserver.Object{"test": label}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// raw listens where no API server is, and gives a kubeconfig that says that one is.
func raw(t *testing.T, server *apiserver.Server, talk func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				talk(conn)
			}()
		}
	}()
	return kubeconfig(t, server, fmt.Sprintf(
		"server: 'https://%s', certificate-authority: ca.crt", listener.Addr()), "tokenFile: token")
}

func kubeconfig(t *testing.T, server *apiserver.Server, cluster, user string) string {
	t.Helper()
	path, err := server.WriteKubeconfig("kubeconfig.other", cluster, user)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// streams answers every watch with chunks, as they are.
func streams(server *apiserver.Server, then func(w http.ResponseWriter), chunks ...string) {
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("watch") == "" {
			return false
		}
		w.WriteHeader(http.StatusOK)
		for _, chunk := range chunks {
			_, _ = io.WriteString(w, chunk)
			w.(http.Flusher).Flush()
		}
		if then != nil {
			then(w)
		}
		return true
	})
}
