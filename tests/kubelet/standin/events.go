// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"fmt"
	"slices"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	Started            EventKind = "started"
	Stopped            EventKind = "stopped"
	Registered         EventKind = "registered"
	Refused            EventKind = "refused"
	Listed             EventKind = "listed"
	HealthChanged      EventKind = "health"
	StreamEnded        EventKind = "stream-ended"
	Disconnected       EventKind = "disconnected"
	WatchFailed        EventKind = "watch-failed"
	PodResourcesCalled EventKind = "pod-resources"
)

// Event is something that the kubelet did or saw.
type Event struct {
	Time     time.Time
	Kind     EventKind
	Resource string
	Socket   string
	Device   string
	Devices  int // length of the list, for Listed
	Text     string
}

// eventsMax bounds what is remembered; the oldest half goes first.
const eventsMax = 1 << 16

// note records an event and wakes whoever waits; the caller holds k.mu.
func (k *Kubelet) note(event Event) {
	event.Time = time.Now()
	if len(k.events) >= eventsMax {
		k.events = append([]Event(nil), k.events[eventsMax/2:]...)
	}
	k.events = append(k.events, event)
	close(k.changed)
	k.changed = make(chan struct{})
	if k.options.OnEvent != nil {
		k.options.OnEvent(event)
	}
}

func (k *Kubelet) noteRefusal(request *pluginapi.RegisterRequest, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	refusal := Refusal{Time: time.Now(), Resource: request.ResourceName, Socket: request.Endpoint, Err: err}
	k.refusals = append(k.refusals, refusal)
	k.note(Event{Kind: Refused, Resource: refusal.Resource, Socket: refusal.Socket, Text: err.Error()})
}

// Events gives a copy of all events so far.
func (k *Kubelet) Events() []Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

// Registrations gives a copy of all accepted registrations so far.
func (k *Kubelet) Registrations() []Registration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.registrations)
}

// Refusals gives a copy of all refused registrations so far.
func (k *Kubelet) Refusals() []Refusal {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.refusals)
}

// pollInterval bounds how late Wait sees what changes without an event, like a
// file or the end of StopGrace.
const pollInterval = 20 * time.Millisecond

// Wait returns as soon as the condition holds, or an error after the timeout.
func (k *Kubelet) Wait(timeout time.Duration, what string, condition func() bool) error {
	deadline := time.Now().Add(timeout)
	for {
		k.mu.Lock()
		changed := k.changed
		k.mu.Unlock()
		if condition() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v: %s", timeout, what)
		}
		select {
		case <-changed:
		case <-time.After(pollInterval):
		}
	}
}
