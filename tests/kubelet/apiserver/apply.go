// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// field is something of a node that can have an owner: a label, an annotation, a
// condition by its type, and the list of taints as a whole.
type field struct {
	kind, key string
}

const (
	labels      = "labels"
	annotations = "annotations"
	conditions  = "conditions"
	taints      = "taints"
)

// owner is somebody who has set fields, and how.
type owner struct {
	manager, operation, subresource string
}

type owners map[owner]map[field]bool

type fields map[field]any

func (f fields) add(kind string, values Object) {
	for key, value := range values {
		f[field{kind, key}] = value
	}
}

// mainFields are those that a request to the node itself can change.
func mainFields(node Object) fields {
	result := fields{}
	metadata := child(node, "metadata")
	result.add(labels, child(metadata, "labels"))
	result.add(annotations, child(metadata, "annotations"))
	if list, ok := child(node, "spec")["taints"].([]any); ok && len(list) > 0 {
		result[field{taints, ""}] = list
	}
	return result
}

// statusFields are those that a request to its status can change.
func statusFields(node Object) fields {
	result := fields{}
	list, _ := child(node, "status")["conditions"].([]any)
	for _, item := range list {
		if condition, ok := item.(Object); ok {
			result[field{conditions, fmt.Sprint(condition["type"])}] = condition
		}
	}
	return result
}

func allFields(node Object) fields {
	node = clone(node)
	result := mainFields(node)
	maps.Copy(result, statusFields(node))
	return result
}

func (o owners) drop(f field, but owner) {
	for who, owned := range o {
		if who != but {
			delete(owned, f)
		}
		if len(owned) == 0 {
			delete(o, who)
		}
	}
}

// took notes who is behind a change that was not applied.
func (o owners) took(who owner, before, after fields) {
	for f := range before {
		if _, there := after[f]; !there {
			o.drop(f, owner{})
		}
	}
	for f, value := range after {
		old, there := before[f]
		if there && reflect.DeepEqual(old, value) {
			continue
		}
		if o[who] == nil {
			o[who] = map[field]bool{}
		}
		o[who][f] = true
		o.drop(f, who)
	}
}

// ownedBy lists who else owns a field.
func (o owners) others(f field, me owner) []owner {
	var result []owner
	for who, owned := range o {
		if who != me && owned[f] {
			result = append(result, who)
		}
	}
	return result
}

func fieldSet(owned map[field]bool) Object {
	set := Object{}
	for f := range owned {
		switch f.kind {
		case conditions:
			child(child(set, "f:status"), "f:conditions")[fmt.Sprintf("k:{\"type\":%q}", f.key)] =
				Object{".": Object{}, "f:type": Object{}, "f:status": Object{}}
		case taints:
			child(set, "f:spec")["f:taints"] = Object{}
		default:
			child(child(set, "f:metadata"), "f:"+f.kind)["f:"+f.key] = Object{}
		}
	}
	return set
}

// managedFields is what a client sees of the owners.
func (o owners) managedFields() []any {
	var result []any
	keys := slices.SortedFunc(maps.Keys(o), func(a, b owner) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	for _, who := range keys {
		entry := Object{"manager": who.manager, "operation": who.operation, "apiVersion": "v1",
			"fieldsType": "FieldsV1", "fieldsV1": fieldSet(o[who])}
		if who.subresource != "" {
			entry["subresource"] = who.subresource
		}
		result = append(result, entry)
	}
	return result
}

func set(node Object, f field, value any) {
	switch f.kind {
	case taints:
		child(node, "spec")["taints"] = value
	case conditions:
		status := child(node, "status")
		list, _ := status["conditions"].([]any)
		list = slices.Clone(list)
		at := slices.IndexFunc(list, func(item any) bool { return item.(Object)["type"] == f.key })
		if at < 0 {
			status["conditions"] = append(list, value)
			return
		}
		list[at] = value
		status["conditions"] = list
	default:
		child(child(node, "metadata"), f.kind)[f.key] = value
	}
}

func unset(node Object, f field) {
	switch f.kind {
	case taints:
		delete(child(node, "spec"), "taints")
	case conditions:
		status := child(node, "status")
		list, _ := status["conditions"].([]any)
		status["conditions"] = slices.DeleteFunc(slices.Clone(list), func(item any) bool {
			return item.(Object)["type"] == f.key
		})
	default:
		delete(child(child(node, "metadata"), f.kind), f.key)
	}
}

func parseApplied(t target, body []byte) (fields, error) {
	var object Object
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, fail(http.StatusBadRequest, "BadRequest", "error decoding: %v", err)
	}
	if object["kind"] != "Node" || object["apiVersion"] != "v1" {
		return nil, fail(http.StatusBadRequest, "BadRequest", "no Node of v1")
	}
	if name := nameOf(object); name != "" && name != t.name {
		return nil, fail(http.StatusBadRequest, "BadRequest",
			"the name of the object (%s) does not match the name on the URL (%s)", name, t.name)
	}
	if t.subresource == "status" {
		return statusFields(object), nil
	}
	return mainFields(object), nil
}

// conflicts names what others have set to something else.
func (e *entry) conflicts(me owner, wanted fields) []string {
	var result []string
	now := allFields(e.node)
	for f, value := range wanted {
		if reflect.DeepEqual(now[f], value) {
			continue
		}
		for _, who := range e.owners.others(f, me) {
			result = append(result, fmt.Sprintf("conflict with %q: .%s.%s", who.manager, f.kind, f.key))
		}
	}
	slices.Sort(result)
	return result
}

// apply is server-side apply.  A node that is not there is not made: nobody gives
// Silica the right to.
func (s *store) apply(t target, manager string, force bool, body []byte) (Object, error) {
	wanted, err := parseApplied(t, body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.nodes[t.name]
	if e == nil {
		return nil, fail(http.StatusNotFound, "NotFound", "nodes %q not found", t.name)
	}
	me := owner{manager, "Apply", t.subresource}
	if found := e.conflicts(me, wanted); len(found) > 0 && !force {
		return nil, fail(http.StatusConflict, "Conflict", "Apply failed with %d conflicts: %s",
			len(found), strings.Join(found, ", "))
	}
	before := e.full()
	now := allFields(e.node)
	owned := map[field]bool{}
	for f, value := range wanted {
		owned[f] = true
		if !reflect.DeepEqual(now[f], value) {
			e.owners.drop(f, me)
			set(e.node, f, value)
		}
	}
	for f := range e.owners[me] {
		if !owned[f] && len(e.owners.others(f, me)) == 0 {
			unset(e.node, f)
		}
	}
	delete(e.owners, me)
	if len(owned) > 0 {
		e.owners[me] = owned
	}
	if !reflect.DeepEqual(before, e.full()) {
		s.changed("MODIFIED", e)
	}
	return e.full(), nil
}
