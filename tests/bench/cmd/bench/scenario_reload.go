// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	reloadResources = 5
	reloadCards     = 10 // two of each resource
	reloadShares    = 10
	reloadGrown     = 12 // of the resource that changes, every other time
	reloadChanges   = 20

	// How long nothing more must come before what came is counted: longer than
	// any plugin waits for a file to settle.
	reloadQuiet = 500 * time.Millisecond
)

// A reloadResource is written for both servers, for the Go plugin as it stands.
type reloadResource struct {
	Name     string   `json:"name"`
	UUIDs    []string `json:"uuids"`
	Replicas int      `json:"replicas"`
}

func reloadName(i int) string { return fmt.Sprintf("example.com/npu-%d", i) }

// makeReloadResources gives the first resource so many shares.
func makeReloadResources(cards []card, first int) []reloadResource {
	resources := make([]reloadResource, reloadResources)
	for i := range resources {
		resources[i] = reloadResource{Name: reloadName(i), Replicas: reloadShares}
	}
	resources[0].Replicas = first
	for i, c := range cards {
		r := &resources[i%reloadResources]
		r.UUIDs = append(r.UUIDs, c.uuid)
	}
	return resources
}

func reloadYAML(resources []reloadResource) string {
	var text strings.Builder
	text.WriteString("resources:\n")
	for _, r := range resources {
		fmt.Fprintf(&text, "- name: %s\n  devices: {uuid: [%s]}\n  unit: share\n  shares: %d\n",
			r.Name, strings.Join(r.UUIDs, ", "), r.Replicas)
	}
	return text.String()
}

// A reloadWay is how a server learns of the change.
type reloadWay struct {
	label  string
	which  int
	signal bool
}

// The Go plugin hears of the file by the signal only: what watches a file for
// it is a program of its own, which takes its time.
var reloadWays = []reloadWay{
	{"file", silica, false},
	{"signal", silica, true},
	{"signal", golang, true},
}

type reloadRows struct {
	byFile, bySignal, all        latencies
	messages, registered, breaks *figure
}

func addReloadRows(s *section) *reloadRows {
	none := &bound{limit: 0}
	return &reloadRows{
		byFile:     s.addLatencies("rename of the file to the changed list", "ms", 2, nil),
		bySignal:   s.addLatencies("SIGHUP to the changed list", "ms", 2, &bound{1, true}),
		all:        s.addLatencies("SIGHUP to the last list of all five", "ms", 2, &bound{1, true}),
		messages:   s.add("lists of the 4 other resources, per change", 1, highest, none),
		registered: s.add("registrations, per change", 1, highest, none),
		breaks:     s.add("streams that ended, per change", 1, highest, none),
	}
}

func measureReload(ctx context.Context, l *lab) (_ *section, err error) {
	t, err := createTree(ctx, l.work, l.programs.sim, reloadCards)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	s := &section{title: fmt.Sprintf("A changed configuration, 1 of %d resources", reloadResources)}
	rows := addReloadRows(s)
	for round := range l.rounds {
		progress("reload: round %d of %d", round+1, l.rounds)
		for _, way := range reloadWays {
			if err := reloadRound(ctx, l, t, way, rows); err != nil {
				return nil, fmt.Errorf("%s, by %s: %w", serverNames[way.which], way.label, err)
			}
		}
	}
	s.rules = []string{
		fmt.Sprintf("%d RNGDs, two in each of %d resources, %d shares each; the first resource"+
			" changes to %d and back, %d changes per round and way. p99 is the worst.", reloadCards,
			reloadResources, reloadShares, reloadGrown, l.few(reloadChanges)),
		"The file is published by rename. silica watches it and waits 100 ms for it to settle;" +
			" the Go plugin hears of it by SIGHUP only, as the plugins in use do from a program beside" +
			" them, and then tears down and rebuilds all its servers.",
		"Lists are counted at a grpc-go client that opens a stream after each registration, as the" +
			" kubelet does; the worst round counts.",
	}
	return s, nil
}

func reloadRound(ctx context.Context, l *lab, t *tree, way reloadWay, rows *reloadRows) (err error) {
	resources := makeReloadResources(t.cards, reloadShares)
	golangFile := l.work.path("resources.json")
	if err := writeReload(golangFile, resources); err != nil {
		return err
	}
	f, err := startFleet(ctx, l.work, l.programs.servers[way.which], setup{
		silica: reloadYAML(resources), golang: []string{"-resources", golangFile},
	}, t.root, reloadResources)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, f.stop()) }()

	var changed, all []time.Duration
	for i := range l.few(reloadChanges) {
		shares := reloadGrown
		if i%2 == 1 {
			shares = reloadShares
		}
		c := &reloadChange{fleet: f, way: way, units: shares * reloadCards / reloadResources}
		if err := c.run(ctx, makeReloadResources(t.cards, shares), golangFile); err != nil {
			return err
		}
		changed, all = append(changed, c.changed), append(all, c.all)
		rows.messages.add(way.which, float64(c.messages))
		rows.registered.add(way.which, float64(c.registrations))
		rows.breaks.add(way.which, float64(c.ends))
	}
	first := rows.byFile
	if way.signal {
		first = rows.bySignal
		rows.all.addAll(way.which, all)
	}
	first.addAll(way.which, changed)
	return nil
}

func (l latencies) addAll(which int, values []time.Duration) {
	slices.Sort(values)
	l.p50.add(which, milliseconds(percentile(values, 0.5)))
	l.p99.add(which, milliseconds(percentile(values, 0.99)))
}

// A reloadChange is one change of the file, and what came of it.
type reloadChange struct {
	fleet *fleet
	way   reloadWay
	units int // that the first resource is to have

	changed, all                  time.Duration
	messages, registrations, ends int
}

func (c *reloadChange) run(ctx context.Context, resources []reloadResource, golangFile string) error {
	before, err := c.fleet.seen()
	if err != nil {
		return err
	}
	start, err := c.publish(resources, golangFile)
	if err != nil {
		return err
	}
	name := reloadName(0)
	_, err = c.fleet.await(ctx, func(seen map[string]watched) bool {
		return seen[name].units == c.units && seen[name].messages > before[name].messages
	})
	if err != nil {
		return err
	}
	after, err := c.settle(ctx)
	if err != nil {
		return err
	}
	c.changed = after[name].listedAt.Sub(start)
	for resource, w := range after {
		old := before[resource]
		c.registrations += w.registrations - old.registrations
		c.ends += w.ends - old.ends
		if resource != name {
			c.messages += w.messages - old.messages
		}
		if w.messages > old.messages {
			c.all = max(c.all, w.listedAt.Sub(start))
		}
	}
	return nil
}

// publish returns the moment before the server can know.
func (c *reloadChange) publish(resources []reloadResource, golangFile string) (time.Time, error) {
	var err error
	if c.way.which == golang {
		err = writeReload(golangFile, resources)
	}
	path := filepath.Join(c.fleet.dir, silicaConfigFile)
	if c.way.which == silica {
		err = os.WriteFile(path+".new", []byte("version: v1\n"+reloadYAML(resources)), 0o644)
	}
	if err != nil {
		return time.Time{}, err
	}
	start := time.Now()
	if c.way.which == silica {
		err = os.Rename(path+".new", path)
	}
	if err == nil && c.way.signal {
		err = c.fleet.process.Process.Signal(syscall.SIGHUP)
	}
	return start, err
}

func writeReload(path string, resources []reloadResource) error {
	text, err := json.Marshal(resources)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// settle waits until nothing more comes and every resource has its units.
func (c *reloadChange) settle(ctx context.Context) (map[string]watched, error) {
	for {
		before, err := c.fleet.seen()
		if err != nil {
			return nil, err
		}
		if err := pause(ctx, reloadQuiet); err != nil {
			return nil, err
		}
		after, err := c.fleet.seen()
		if err != nil {
			return nil, err
		}
		if fmt.Sprint(before) == fmt.Sprint(after) {
			return after, nil
		}
	}
}
