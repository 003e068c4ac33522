// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

const (
	applyPatch     = "application/apply-patch+yaml"
	jsonPatch      = "application/json-patch+json"
	mergePatch     = "application/merge-patch+json"
	strategicPatch = "application/strategic-merge-patch+json"
)

func patchText(text []byte, kind string, body []byte) ([]byte, error) {
	switch kind {
	case mergePatch:
		return jsonpatch.MergePatch(text, body)
	case strategicPatch:
		return mergeConditions(text, body)
	case jsonPatch:
		patch, err := jsonpatch.DecodePatch(body)
		if err != nil {
			return nil, err
		}
		patched, err := patch.Apply(text)
		if err != nil {
			return nil, fail(http.StatusUnprocessableEntity, "Invalid",
				"the server rejected our request due to an error in our request")
		}
		return patched, nil
	}
	return nil, fail(http.StatusUnsupportedMediaType, "UnsupportedMediaType",
		"the body of the request was in an unknown format - accepted media types include: "+
			"application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json")
}

// mergeConditions merges as a merge patch does, but conditions by their type.
func mergeConditions(text, body []byte) ([]byte, error) {
	var patch, node Object
	if err := json.Unmarshal(body, &patch); err != nil {
		return nil, err
	}
	list := statusFields(patch)
	delete(child(patch, "status"), "conditions")
	rest, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	if text, err = jsonpatch.MergePatch(text, rest); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	for f, value := range list {
		merged := Object{}
		for _, part := range []any{statusFields(node)[f], value} {
			if condition, ok := part.(Object); ok {
				for key, value := range condition {
					merged[key] = value
				}
			}
		}
		set(node, f, merged)
	}
	return json.Marshal(node)
}

func patchObject(object Object, kind string, body []byte) (Object, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	patched, err := patchText(text, kind, body)
	if err != nil {
		return nil, err
	}
	var result Object
	return result, json.Unmarshal(patched, &result)
}

// patch is every kind of patch but apply.
func (s *store) patch(t target, manager, kind string, body []byte) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.nodes[t.name]
	if e == nil {
		return nil, fail(http.StatusNotFound, "NotFound", "nodes %q not found", t.name)
	}
	patched, err := patchObject(e.node, kind, body)
	if err != nil {
		return nil, err
	}
	/* The path says which half of the node may change. */
	half, kept := patched, clone(e.node)
	if t.subresource == "status" {
		half, kept = clone(e.node), patched
		child(half, "metadata")["resourceVersion"] = child(patched, "metadata")["resourceVersion"]
	}
	if status, there := kept["status"]; there {
		half["status"] = status
	} else {
		delete(half, "status")
	}
	if err := s.replace(e, owner{manager, "Update", t.subresource}, half); err != nil {
		return nil, err
	}
	return e.full(), nil
}
