// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
)

// store is nodes and events in memory.  An object that was given out is a copy.
type store struct {
	mu        sync.Mutex
	version   int
	compacted int // events up to this version are forgotten
	nodes     map[string]*entry
	log       []change
	feeds     map[*feed]bool
	events    []Object
	leases    map[string]Object // by namespace and name
}

// entry is a node without its managed fields, which are derived from its owners.
type entry struct {
	node   Object
	owners owners
}

type change struct {
	version int
	name    string
	event   Object
}

// feed is a watch.
type feed struct {
	name    string // of the one node, "" for all
	pending []Object
	news    chan struct{}
	ended   chan struct{}
}

func newStore() *store {
	return &store{version: 1000, nodes: map[string]*entry{}, feeds: map[*feed]bool{},
		leases: map[string]Object{}}
}

// clone copies an object.
func clone(object Object) Object {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	var result Object
	if err := json.Unmarshal(text, &result); err != nil {
		panic(err)
	}
	return result
}

// child gives a member of an object that is one, made if it is missing.
func child(object Object, key string) Object {
	if value, ok := object[key].(Object); ok {
		return value
	}
	value := Object{}
	object[key] = value
	return value
}

func nameOf(object Object) string {
	name, _ := child(object, "metadata")["name"].(string)
	return name
}

// full is what a client sees of a node.
func (e *entry) full() Object {
	node := clone(e.node)
	if fields := e.owners.managedFields(); len(fields) > 0 {
		child(node, "metadata")["managedFields"] = fields
	}
	return node
}

// changed gives a node a new version, and tells it to those who watch.
func (s *store) changed(kind string, e *entry) {
	s.version++
	child(e.node, "metadata")["resourceVersion"] = strconv.Itoa(s.version)
	s.tell(nameOf(e.node), Object{"type": kind, "object": e.full()})
}

func (s *store) tell(name string, event Object) {
	s.log = append(s.log, change{s.version, name, event})
	for f := range s.feeds {
		f.add(name, event)
	}
}

func (f *feed) add(name string, event Object) {
	if f.name != "" && name != "" && f.name != name {
		return
	}
	f.pending = append(f.pending, event)
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (s *store) put(node Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	node = clone(node)
	node["apiVersion"], node["kind"] = "v1", "Node"
	child(node, "spec") // a server writes both, empty or not
	child(node, "status")
	name := nameOf(node)
	kind := "MODIFIED"
	if s.nodes[name] == nil {
		kind = "ADDED"
	}
	metadata := child(node, "metadata")
	if metadata["uid"] == nil {
		metadata["uid"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", s.version)
	}
	e := &entry{node: node, owners: owners{}}
	e.owners.took(owner{"kubelet", "Update", ""}, nil, allFields(node))
	s.nodes[name] = e
	s.changed(kind, e)
}

func (s *store) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.nodes[name]; e != nil {
		delete(s.nodes, name)
		s.changed("DELETED", e)
	}
}

func (s *store) get(name string) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.nodes[name]; e != nil {
		return e.full()
	}
	return nil
}

// list gives at most limit nodes behind the one named by a continue token, 0 for all.
func (s *store) list(name string, limit int, token string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "BadRequest", "continue key is not valid: %v", err)
	}
	items, metadata := []any{}, Object{"resourceVersion": strconv.Itoa(s.version)}
	for _, key := range slices.Sorted(maps.Keys(s.nodes)) {
		if name != "" && name != key || key <= string(after) {
			continue
		}
		if limit > 0 && len(items) == limit {
			last := nameOf(items[limit-1].(Object))
			metadata["continue"] = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		items = append(items, s.nodes[key].full())
	}
	return Object{"kind": "NodeList", "apiVersion": "v1", "items": items, "metadata": metadata}, nil
}

// update replaces a node by what a manager has made of it.
func (s *store) update(name, manager, subresource string, node Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.nodes[name]
	if e == nil {
		return fail(http.StatusNotFound, "NotFound", "nodes %q not found", name)
	}
	return s.replace(e, owner{manager, "Update", subresource}, node)
}

// replace puts a changed node in place of one, unless it comes too late.
func (s *store) replace(e *entry, who owner, node Object) error {
	metadata := child(node, "metadata")
	delete(metadata, "managedFields")
	if metadata["resourceVersion"] != child(e.node, "metadata")["resourceVersion"] {
		return fail(http.StatusConflict, "Conflict", "Operation cannot be fulfilled on nodes %q: "+
			"the object has been modified; please apply your changes to the latest version and try again",
			nameOf(e.node))
	}
	if reflect.DeepEqual(clone(node), clone(e.node)) {
		return nil
	}
	e.owners.took(who, allFields(e.node), allFields(node))
	e.node = clone(node)
	s.changed("MODIFIED", e)
	return nil
}

// subscribe begins a watch after a version, or with what there is; then, if that is
// wanted, a bookmark says where it ends.
func (s *store) subscribe(name, version string, initial bool) (*feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &feed{name: name, news: make(chan struct{}, 1), ended: make(chan struct{})}
	if initial || version == "" || version == "0" {
		for _, key := range slices.Sorted(maps.Keys(s.nodes)) {
			f.add(key, Object{"type": "ADDED", "object": s.nodes[key].full()})
		}
		if initial {
			f.add("", s.bookmarkEvent(Object{"k8s.io/initial-events-end": "true"}))
		}
		s.feeds[f] = true
		return f, nil
	}
	from, err := strconv.Atoi(version)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "BadRequest", "invalid resource version %q", version)
	}
	if from < s.compacted {
		f.add("", Object{"type": "ERROR", "object": statusObject(http.StatusGone, "Expired",
			fmt.Sprintf("too old resource version: %d (%d)", from, s.compacted))})
	}
	for _, c := range s.log {
		if c.version > from {
			f.add(c.name, c.event)
		}
	}
	s.feeds[f] = true
	return f, nil
}

func (s *store) unsubscribe(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.feeds, f)
}

func (s *store) take(f *feed) []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := f.pending
	f.pending = nil
	return events
}

func (s *store) endWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.feeds {
		close(f.ended)
		delete(s.feeds, f)
	}
}

func (s *store) watches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.feeds)
}

// bookmark tells everybody the version without a change.
func (s *store) bookmark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	event := s.bookmarkEvent(nil)
	for f := range s.feeds {
		f.add("", event)
	}
}

func (s *store) bookmarkEvent(annotations Object) Object {
	metadata := Object{"resourceVersion": strconv.Itoa(s.version)}
	if annotations != nil {
		metadata["annotations"] = annotations
	}
	return Object{"type": "BOOKMARK",
		"object": Object{"kind": "Node", "apiVersion": "v1", "metadata": metadata}}
}

func (s *store) compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.compacted = s.version
	s.log = nil
}

func (s *store) createEvent(namespace string, body []byte) (Object, error) {
	var event Object
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	if event["kind"] != "Event" || child(event, "metadata")["namespace"] != namespace {
		return nil, fail(http.StatusBadRequest, "BadRequest", "no event of this namespace")
	}
	about := child(event, "involvedObject")
	if about["namespace"] != nil && about["namespace"] != namespace || nameOf(event) == "" {
		return nil, fail(http.StatusUnprocessableEntity, "Invalid", "an event is invalid")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.events {
		if nameOf(other) == nameOf(event) {
			return nil, fail(http.StatusConflict, "AlreadyExists", "events %q already exists", nameOf(event))
		}
	}
	s.events = append(s.events, event)
	return clone(event), nil
}

func (s *store) patchEvent(name, kind string, body []byte) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, event := range s.events {
		if nameOf(event) == name {
			patched, err := patchObject(event, kind, body)
			if err != nil {
				return nil, err
			}
			s.events[i] = patched
			return clone(patched), nil
		}
	}
	return nil, fail(http.StatusNotFound, "NotFound", "events %q not found", name)
}

func (s *store) allEvents() []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var result []Object
	for _, event := range s.events {
		result = append(result, clone(event))
	}
	return result
}

func (s *store) dropEvents() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = nil
}
