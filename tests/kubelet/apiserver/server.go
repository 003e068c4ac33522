// SPDX-License-Identifier: Apache-2.0

// Package apiserver is as much of an API server as Silica talks to: nodes with
// server-side apply, patches and watches, events, and leases, over real TLS.  It can be
// told to fail in the ways that real ones do.
package apiserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// User is who the token belongs to, in the messages of refusals.
const User = "system:serviceaccount:silica:silica"

// Namespace is that of the service account.
const Namespace = "silica"

// Options say what a server is like.
type Options struct {
	Dir         string    // for certificates, the token and the kubeconfig
	Listen      string    // host and port; 127.0.0.1 and any by default
	HTTP1       bool      // does not offer HTTP/2
	ClientCerts bool      // asks for a client certificate instead of a token
	NotAfter    time.Time // when the server's certificate runs out; in an hour by default
	Hosts       []string  // in the server's certificate; the loopback's by default
}

// Server is a running server.
type Server struct {
	options   Options
	ca        *authority
	config    *tls.Config
	address   string
	store     *store
	mu        sync.Mutex // guards what is below
	server    *http.Server
	token     string
	noApply   bool
	denied    map[string]bool // by verb and resource
	intercept Handler
	requests  []Request
}

// Request is one that has arrived.
type Request struct {
	Method, Path, Query, ContentType, UserAgent, Proto, Body string
}

// Handler answers a request in place of the server, unless it gives false.
type Handler func(w http.ResponseWriter, r *http.Request) bool

// New starts a server without nodes.
func New(options Options) (*Server, error) {
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	if options.NotAfter.IsZero() {
		options.NotAfter = time.Now().Add(time.Hour)
	}
	if options.Hosts == nil {
		options.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	ca, err := newAuthority("silica-test-ca")
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, ca: ca, store: newStore(), denied: map[string]bool{}}
	if err := s.makeConfig(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	if err := s.writeFiles(); err != nil {
		listener.Close()
		return nil, err
	}
	s.serve(listener)
	return s, nil
}

func (s *Server) makeConfig() error {
	certificate, err := s.ca.issue("kube-apiserver", s.options.Hosts, s.options.NotAfter)
	if err != nil {
		return err
	}
	s.config = &tls.Config{Certificates: []tls.Certificate{certificate.pair}}
	if s.options.ClientCerts {
		s.config.ClientCAs = x509.NewCertPool()
		s.config.ClientCAs.AddCert(s.ca.certificate)
		s.config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return nil
}

func (s *Server) serve(listener net.Listener) {
	server := &http.Server{Handler: http.HandlerFunc(s.handle), TLSConfig: s.config.Clone(),
		ErrorLog: discard, ReadHeaderTimeout: time.Minute}
	if s.options.HTTP1 {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go func() { _ = server.ServeTLS(listener, "", "") }()
}

// Close ends the server and all connections.
func (s *Server) Close() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
	s.store.endWatches()
}

// Away closes the port and all connections, as a server does that restarts.
func (s *Server) Away() {
	s.Close()
}

// Back listens on the port of before.
func (s *Server) Back() error {
	var err error
	for range 100 {
		var listener net.Listener
		listener, err = net.Listen("tcp", s.address)
		if err == nil {
			s.serve(listener)
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// Host and port that the server listens on.
func (s *Server) Address() string {
	return s.address
}

// URL is where the server is.
func (s *Server) URL() string {
	return "https://" + s.address
}

// Path gives the path of one of the server's files: ca.crt, token, namespace (with
// these the folder is that of a service account), client.crt, client.key, kubeconfig.
func (s *Server) Path(name string) string {
	return filepath.Join(s.options.Dir, name)
}

// Kubeconfig is the path of a kubeconfig for the server.
func (s *Server) Kubeconfig() string {
	return s.Path("kubeconfig")
}

// WriteKubeconfig writes another kubeconfig beside the first, with lines of its own
// for the cluster and the user.
func (s *Server) WriteKubeconfig(name, cluster, user string) (string, error) {
	path := s.Path(name)
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: test
  cluster: {%s}
contexts:
- name: test
  context: {cluster: test, user: test, namespace: %s}
current-context: test
preferences: {}
users:
- name: test
  user: {%s}
`, cluster, Namespace, user)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func (s *Server) writeFiles() error {
	client, err := s.ca.issue("silica", nil, time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	files := map[string][]byte{"ca.crt": s.ca.pem, "namespace": []byte(Namespace),
		"client.crt": client.certificate, "client.key": client.key}
	for name, content := range files {
		if err := os.WriteFile(s.Path(name), content, 0o600); err != nil {
			return err
		}
	}
	user := "tokenFile: token"
	if s.options.ClientCerts {
		user = "client-certificate: client.crt, client-key: client.key"
	}
	if _, err := s.WriteKubeconfig("kubeconfig",
		fmt.Sprintf("server: %q, certificate-authority: ca.crt", s.URL()), user); err != nil {
		return err
	}
	return s.RotateToken("token-0", true)
}

// RotateToken makes another token the only one that is accepted, and writes it to the
// token file, or leaves that for later.
func (s *Server) RotateToken(token string, write bool) error {
	s.mu.Lock()
	s.token = token
	s.mu.Unlock()
	if !write {
		return nil
	}
	temporary := s.Path("token.new")
	if err := os.WriteFile(temporary, []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, s.Path("token"))
}

// SetApply says whether the server knows server-side apply.
func (s *Server) SetApply(known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noApply = !known
}

// Deny takes a verb on a resource away, as in "patch" and "nodes/status", or gives it back.
func (s *Server) Deny(verb, resource string, denied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[verb+" "+resource] = denied
}

// Intercept puts a handler in front of the server; nil takes it away.  Who asks was
// checked before.
func (s *Server) Intercept(handler Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = handler
}

// FailNext makes the next requests of a method fail with a status, n in all; after is
// the value of Retry-After, "" for none.
func (s *Server) FailNext(n int, method string, status int, after string) {
	var mu sync.Mutex
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Method != method || n <= 0 {
			return false
		}
		n--
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		refuse(w, status, "Test", "the test wants this to fail")
		return true
	})
}

// Requests gives what has arrived so far, in order, refused or not.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// CountRequests counts the requests of a method so far.
func (s *Server) CountRequests(method string) int {
	n := 0
	for _, request := range s.Requests() {
		if request.Method == method {
			n++
		}
	}
	return n
}

// EndWatches ends all watches in order, as a server does now and then.
func (s *Server) EndWatches() {
	s.store.endWatches()
}

// Compact forgets all events: watches that go on from an earlier version get a 410.
func (s *Server) Compact() {
	s.store.compact()
}

// AddNode adds a node, or replaces it; what is missing of an object is filled in.
func (s *Server) AddNode(node Object) {
	s.store.put(node)
}

// DeleteNode takes a node away.
func (s *Server) DeleteNode(name string) {
	s.store.remove(name)
}

// Node gives a copy of a node, nil when there is none.
func (s *Server) Node(name string) Object {
	return s.store.get(name)
}

// Follow calls seen with a node as it is and with every version that follows, one after
// the other, until stop is called.  What it is given is not to be changed.
func (s *Server) Follow(name string, seen func(node Object)) (stop func(), err error) {
	feed, err := s.store.subscribe(name, "", false)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() {
		defer s.store.unsubscribe(feed)
		for {
			for _, event := range s.store.take(feed) {
				if event["type"] == "ADDED" || event["type"] == "MODIFIED" {
					seen(child(event, "object"))
				}
			}
			select {
			case <-feed.news:
			case <-feed.ended:
				return
			case <-over:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(over) }), nil
}

// UpdateNode changes a node, as a manager of fields that does not apply: what it
// changes is its own then.
func (s *Server) UpdateNode(name, manager string, change func(node Object)) error {
	return s.update(name, manager, "", change)
}

// UpdateStatus does the same to the status of a node, as a kubelet does.
func (s *Server) UpdateStatus(name, manager string, change func(node Object)) error {
	return s.update(name, manager, "status", change)
}

func (s *Server) update(name, manager, subresource string, change func(node Object)) error {
	node := s.store.get(name)
	if node == nil {
		return errors.New("no node " + name)
	}
	change(node)
	return s.store.update(name, manager, subresource, node)
}

// Events gives all events that were created, in order, as they are now.
func (s *Server) Events() []Object {
	return s.store.allEvents()
}

// DropEvents forgets all events, as servers do after an hour.
func (s *Server) DropEvents() {
	s.store.dropEvents()
}

// Bookmark sends a bookmark to all watches.
func (s *Server) Bookmark() {
	s.store.bookmark()
}

// Watches is how many watches go on.
func (s *Server) Watches() int {
	return s.store.watches()
}
