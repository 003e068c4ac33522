// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Object is an object of the API, as JSON has it.
type Object = map[string]any

// bodyMax is the limit of a real server for one request.
const bodyMax = 3 << 20

// failure is an error with the status that a server answers with.
type failure struct {
	status          int
	reason, message string
}

func (f *failure) Error() string {
	return f.message
}

func fail(status int, reason, format string, args ...any) error {
	return &failure{status, reason, fmt.Sprintf(format, args...)}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func statusObject(status int, reason, message string) Object {
	return Object{"kind": "Status", "apiVersion": "v1", "metadata": Object{}, "status": "Failure",
		"message": message, "reason": reason, "code": status}
}

func refuse(w http.ResponseWriter, status int, reason, message string) {
	answer(w, status, statusObject(status, reason, message))
}

func refuseError(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{http.StatusBadRequest, "BadRequest", err.Error()}
	}
	refuse(w, f.status, f.reason, f.message)
}

// target is what a path names.
type target struct {
	namespace, resource, name, subresource string
}

func (t target) String() string {
	if t.subresource != "" {
		return t.resource + "/" + t.subresource
	}
	return t.resource
}

func parseTarget(path string) (target, bool) {
	rest, ok := strings.CutPrefix(path, "/api/v1/")
	if !ok {
		rest, ok = strings.CutPrefix(path, leases)
	}
	if !ok {
		return target{}, false
	}
	var t target
	parts := strings.Split(rest, "/")
	if parts[0] == "namespaces" && len(parts) > 2 {
		t.namespace = parts[1]
		parts = parts[2:]
	}
	for i, field := range []*string{&t.resource, &t.name, &t.subresource} {
		if i < len(parts) {
			*field = parts[i]
		}
	}
	return t, len(parts) <= 3
}

func verbOf(r *http.Request, t target) string {
	switch {
	case r.Method == http.MethodPost:
		return "create"
	case r.Method == http.MethodPatch:
		return "patch"
	case r.Method == http.MethodPut:
		return "update"
	case r.Method == http.MethodDelete:
		return "delete"
	case isWatch(r):
		return "watch"
	case t.name == "":
		return "list"
	}
	return "get"
}

func isWatch(r *http.Request) bool {
	value := r.URL.Query().Get("watch")
	return value == "1" || value == "true"
}

func (s *Server) note(r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMax+1))
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery,
		r.Header.Get("Content-Type"), r.UserAgent(), r.Proto, string(body)})
	s.mu.Unlock()
	if len(body) > bodyMax {
		return fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "too large")
	}
	return nil
}

// authorize checks who asks, and whether they may.
func (s *Server) authorize(r *http.Request, t target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := r.TLS != nil && len(r.TLS.VerifiedChains) > 0
	if !known && r.Header.Get("Authorization") != "Bearer "+s.token {
		return fail(http.StatusUnauthorized, "Unauthorized", "Unauthorized")
	}
	verb := verbOf(r, t)
	if s.denied[verb+" "+t.String()] {
		scope := "at the cluster scope"
		if t.namespace != "" {
			scope = fmt.Sprintf("in the namespace %q", t.namespace)
		}
		return fail(http.StatusForbidden, "Forbidden",
			"%s %q is forbidden: User %q cannot %s resource %q in API group \"\" %s",
			t.resource, t.name, User, verb, t.String(), scope)
	}
	return nil
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if err := s.note(r); err != nil {
		refuseError(w, err)
		return
	}
	t, ok := parseTarget(r.URL.Path)
	if err := s.authorize(r, t); err != nil {
		refuseError(w, err)
		return
	}
	s.mu.Lock()
	intercept := s.intercept
	s.mu.Unlock()
	if intercept != nil && intercept(w, r) {
		return
	}
	switch {
	case r.URL.Path == "/version":
		answer(w, http.StatusOK, Object{"major": "1", "minor": "36", "gitVersion": "v1.36.0"})
	case ok && t.resource == "nodes" && t.namespace == "":
		s.handleNode(w, r, t)
	case ok && t.resource == "leases" && t.namespace != "":
		s.handleLease(w, r, t)
	case ok && t.resource == "events" && t.namespace != "":
		s.handleEvent(w, r, t)
	default:
		refuse(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}
}

func (s *Server) handleNode(w http.ResponseWriter, r *http.Request, t target) {
	switch {
	case r.Method == http.MethodGet && t.name == "" && isWatch(r):
		s.watch(w, r)
	case r.Method == http.MethodGet && t.name == "":
		s.listNodes(w, r)
	case r.Method == http.MethodGet:
		s.giveNode(w, t.name, s.store.get(t.name))
	case r.Method == http.MethodPatch && t.name != "":
		node, err := s.patchNode(r, t)
		if err != nil {
			refuseError(w, err)
			return
		}
		s.giveNode(w, t.name, node)
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method")
	}
}

func (s *Server) listNodes(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 0
	}
	list, err := s.store.list(selectedName(r), limit, query.Get("continue"))
	if err != nil {
		refuseError(w, err)
		return
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) giveNode(w http.ResponseWriter, name string, node Object) {
	if node == nil {
		refuse(w, http.StatusNotFound, "NotFound", fmt.Sprintf("nodes %q not found", name))
		return
	}
	answer(w, http.StatusOK, node)
}

// manager is who changes fields: a parameter, else the name of the program.
func manager(r *http.Request) string {
	if name := r.URL.Query().Get("fieldManager"); name != "" {
		return name
	}
	name, _, _ := strings.Cut(r.UserAgent(), "/")
	return name
}

func (s *Server) patchNode(r *http.Request, t target) (Object, error) {
	if t.subresource != "" && t.subresource != "status" {
		return nil, fail(http.StatusNotFound, "NotFound", "no subresource %q", t.subresource)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	noApply := s.noApply
	s.mu.Unlock()
	kind := r.Header.Get("Content-Type")
	if kind == applyPatch && !noApply {
		query := r.URL.Query()
		if query.Get("fieldManager") == "" {
			return nil, fail(http.StatusBadRequest, "BadRequest", "fieldManager is required for apply patch")
		}
		return s.store.apply(t, query.Get("fieldManager"), query.Get("force") == "true", body)
	}
	return s.store.patch(t, manager(r), kind, body)
}

func selectedName(r *http.Request) string {
	name, _ := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	return name
}

// watch sends events until the time that was asked for is over.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	seconds, err := strconv.Atoi(query.Get("timeoutSeconds"))
	if err != nil {
		seconds = 1800
	}
	feed, err := s.store.subscribe(selectedName(r), query.Get("resourceVersion"),
		query.Get("sendInitialEvents") == "true")
	if err != nil {
		refuseError(w, err)
		return
	}
	defer s.store.unsubscribe(feed)
	over := time.After(time.Duration(seconds) * time.Second)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	encoder := json.NewEncoder(w)
	for {
		for _, event := range s.store.take(feed) {
			if encoder.Encode(event) != nil {
				return
			}
		}
		w.(http.Flusher).Flush()
		select {
		case <-feed.news:
		case <-feed.ended:
			return
		case <-over:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) handleEvent(w http.ResponseWriter, r *http.Request, t target) {
	body, err := io.ReadAll(r.Body)
	var event Object
	switch {
	case err != nil:
	case r.Method == http.MethodPost && t.name == "":
		event, err = s.store.createEvent(t.namespace, body)
		if err == nil {
			answer(w, http.StatusCreated, event)
			return
		}
	case r.Method == http.MethodPatch && t.name != "":
		event, err = s.store.patchEvent(t.name, r.Header.Get("Content-Type"), body)
	default:
		err = fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "not allowed")
	}
	if err != nil {
		refuseError(w, err)
		return
	}
	answer(w, http.StatusOK, event)
}
