// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// leases is the group of Lease.
const leases = "/apis/coordination.k8s.io/v1/"

func leaseKey(namespace, name string) string {
	return namespace + "/" + name
}

func (s *store) getLease(namespace, name string) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.leases[leaseKey(namespace, name)]
	if lease == nil {
		return nil, fail(http.StatusNotFound, "NotFound", "leases.coordination.k8s.io %q not found", name)
	}
	return clone(lease), nil
}

func parseLease(namespace, name string, body []byte) (Object, error) {
	var lease Object
	if err := json.Unmarshal(body, &lease); err != nil {
		return nil, err
	}
	metadata := child(lease, "metadata")
	if lease["kind"] != "Lease" || lease["apiVersion"] != "coordination.k8s.io/v1" ||
		metadata["namespace"] != namespace || name != "" && metadata["name"] != name {
		return nil, fail(http.StatusBadRequest, "BadRequest", "no lease of this path")
	}
	if seconds, ok := child(lease, "spec")["leaseDurationSeconds"].(float64); ok && seconds <= 0 {
		return nil, fail(http.StatusUnprocessableEntity, "Invalid", "leaseDurationSeconds must be greater than 0")
	}
	return lease, nil
}

// putLease stores a lease under a new version; the lock is held.
func (s *store) putLease(lease Object) Object {
	s.version++
	child(lease, "metadata")["resourceVersion"] = strconv.Itoa(s.version)
	s.leases[leaseKey(child(lease, "metadata")["namespace"].(string), nameOf(lease))] = lease
	return clone(lease)
}

func (s *store) createLease(namespace string, body []byte) (Object, error) {
	lease, err := parseLease(namespace, "", body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[leaseKey(namespace, nameOf(lease))] != nil {
		return nil, fail(http.StatusConflict, "AlreadyExists", "leases %q already exists", nameOf(lease))
	}
	return s.putLease(lease), nil
}

func (s *store) updateLease(namespace, name string, body []byte) (Object, error) {
	lease, err := parseLease(namespace, name, body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.leases[leaseKey(namespace, name)]
	if old == nil {
		return nil, fail(http.StatusNotFound, "NotFound", "leases %q not found", name)
	}
	version := child(lease, "metadata")["resourceVersion"]
	if version != nil && version != child(old, "metadata")["resourceVersion"] {
		return nil, fail(http.StatusConflict, "Conflict", "Operation cannot be fulfilled on leases %q: "+
			"the object has been modified", name)
	}
	return s.putLease(lease), nil
}

func (s *Server) handleLease(w http.ResponseWriter, r *http.Request, t target) {
	var lease Object
	status := http.StatusOK
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
	case r.Method == http.MethodGet && t.name != "":
		lease, err = s.store.getLease(t.namespace, t.name)
	case r.Method == http.MethodPost && t.name == "":
		status = http.StatusCreated
		lease, err = s.store.createLease(t.namespace, body)
	case r.Method == http.MethodPut && t.name != "":
		lease, err = s.store.updateLease(t.namespace, t.name, body)
	default:
		err = fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "not allowed")
	}
	if err != nil {
		refuseError(w, err)
		return
	}
	answer(w, status, lease)
}

// Lease gives a lease of the namespace of the service account, or nil.
func (s *Server) Lease(name string) Object {
	lease, err := s.store.getLease(Namespace, name)
	if err != nil {
		return nil
	}
	return lease
}

// SetLease replaces a lease as somebody else would.
func (s *Server) SetLease(name string, spec Object) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.putLease(Object{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"metadata": Object{"name": name, "namespace": Namespace}, "spec": spec})
}
