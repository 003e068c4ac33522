// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	sharesCards   = 8
	sharesPerCard = 100
	sharesMany    = 10 // shares of one container

	sharesCalls  = 4000
	sharesPicks  = 300
	sharesStarts = 5

	shareSeparator = "::" // between the card and the number in an ID
)

// shares is one resource of whole cards, each offered many times.
func shares(preferred string) setup {
	return setup{
		pace: paceQuiet,
		silica: fmt.Sprintf("resources:\n- name: %s\n  devices: {vendor: furiosa, product: rngd}\n"+
			"  unit: share\n  shares: %d\n  preferred: %s\n", resourceName, sharesPerCard, preferred),
		golang: []string{"-resource", resourceName, "-replicas", fmt.Sprint(sharesPerCard),
			"-preferred", preferred},
		unitsPerCard: sharesPerCard,
		nodesPerUnit: 35, // all of the card
	}
}

// A sharesPolicy is a way to choose, with its rows.
type sharesPolicy struct {
	name  string
	cards [serverCount]int // that the sharesMany chosen ones are of
	rows  latencies
}

// sharesRows are the rows of the section.
type sharesRows struct {
	listBytes, rss, registered *figure
	allocate                   [2]latencies // of 1 share, of sharesMany
	allocateCPU                [2]*figure
	policies                   []sharesPolicy
}

var sharesSizes = [2]int{1, sharesMany}

func addSharesRows(s *section) *sharesRows {
	r := &sharesRows{
		listBytes:  s.add("list, bytes", 0, lowest, nil),
		rss:        s.add("RSS idle, MB", 2, lowest, nil),
		registered: s.add("exec to registered, ms", 1, median, &bound{1, true}),
	}
	for i, label := range []string{"Allocate, 1 share", fmt.Sprintf("Allocate, %d shares", sharesMany)} {
		r.allocate[i] = s.addLatencies(label, "us", 0, &bound{1, true})
		r.allocateCPU[i] = s.add(label+", CPU us", 0, lowest, &bound{0.5, true})
	}
	for _, p := range []sharesPolicy{
		{name: "aligned", cards: [serverCount]int{1, 1}},
		{name: "packed", cards: [serverCount]int{1, 1}},
		{name: "distributed", cards: [serverCount]int{silica: 1, golang: sharesCards}},
	} {
		label := fmt.Sprintf("preferred, %s, %d of %d", p.name, sharesMany, sharesCards*sharesPerCard)
		p.rows = s.addLatencies(label, "ms", 2, &bound{1, true})
		r.policies = append(r.policies, p)
	}
	return r
}

func measureShares(ctx context.Context, l *lab) (_ *section, err error) {
	t, err := createTree(ctx, l.work, l.programs.sim, sharesCards)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	s := &section{title: fmt.Sprintf("%d devices, %d shares each", sharesCards, sharesPerCard)}
	rows := addSharesRows(s)
	b := &sharesBench{lab: l, tree: t, rows: rows}
	if err := b.compare(ctx); err != nil {
		return nil, err
	}
	for round := range l.rounds {
		progress("shares: round %d of %d", round+1, l.rounds)
		for i := range serverCount {
			if err := b.round(ctx, (round+i)%serverCount); err != nil {
				return nil, err
			}
		}
	}
	s.rules = []string{
		"Whole RNGDs, because the Go plugin knows them; the lists and the device files of both" +
			" servers were compared and are equal.",
		fmt.Sprintf("Per round %d + %d Allocate of 1 client, %d preferred of each policy, %s; the"+
			" shares of one Allocate are neighbours in the list.", l.few(sharesCalls),
			l.few(sharesCalls), l.few(sharesPicks), count(l.few(sharesStarts), "start")),
		"The Go plugin's `packed` and `distributed` are the greedy loop of the plugins in use: all" +
			" candidates are sorted anew for each unit that is picked. Its `aligned` is one pass.",
		fmt.Sprintf("`distributed` is not the same to both: silica gives a container its shares of"+
			" the emptiest card, so that containers are spread; the Go plugin spreads those of one"+
			" container over all %d cards.", sharesCards),
	}
	return s, nil
}

type sharesBench struct {
	lab  *lab
	tree *tree
	rows *sharesRows
}

func (b *sharesBench) with(ctx context.Context, which int, policy string,
	fn func(s *server) error) (err error) {
	s, err := startServer(ctx, b.lab.work, b.lab.programs.servers[which], shares(policy), b.tree)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, s.stop()) }()
	return fn(s)
}

// compare refuses to measure servers that do not say the same.
func (b *sharesBench) compare(ctx context.Context) error {
	var said [serverCount]answers
	for which := range serverCount {
		err := b.with(ctx, which, "aligned", func(s *server) (err error) {
			said[which], err = collectAnswers(ctx, s)
			return err
		})
		if err != nil {
			return err
		}
	}
	return differ(said[silica], said[golang])
}

func (b *sharesBench) round(ctx context.Context, which int) error {
	for range b.lab.few(sharesStarts) {
		err := b.with(ctx, which, "aligned", func(s *server) error {
			b.rows.registered.add(which, milliseconds(s.registeredAfter))
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, p := range b.rows.policies {
		err := b.with(ctx, which, p.name, func(s *server) error {
			if p.name == "aligned" {
				if err := b.measureCalls(ctx, s, which); err != nil {
					return err
				}
			}
			return b.measurePolicy(ctx, s, which, p)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// measureCalls takes what does not depend on the policy.
func (b *sharesBench) measureCalls(ctx context.Context, s *server, which int) error {
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	memory, err := processMemory(s.pid())
	if err != nil {
		return err
	}
	newest, err := s.watcher.get()
	if err != nil {
		return err
	}
	b.rows.rss.add(which, megabytes(memory.rss))
	b.rows.listBytes.add(which,
		float64(proto.Size(&pluginapi.ListAndWatchResponse{Devices: newest.devices})))
	for i, units := range sharesSizes {
		l, err := allocateLoad(ctx, s, 1, b.lab.few(sharesCalls), units)
		if err != nil {
			return err
		}
		b.rows.allocate[i].p50.add(which, microseconds(percentile(l.latencies, 0.5)))
		b.rows.allocate[i].p99.add(which, microseconds(percentile(l.latencies, 0.99)))
		b.rows.allocateCPU[i].add(which, microseconds(l.cpu)/float64(len(l.latencies)))
	}
	return nil
}

func (b *sharesBench) measurePolicy(ctx context.Context, s *server, which int, p sharesPolicy) error {
	response, err := pluginapi.NewDevicePluginClient(s.conn).GetPreferredAllocation(ctx,
		preferredRequest(s.ids, sharesMany))
	if err != nil {
		return err
	}
	if err := checkPreferred(response, sharesMany); err != nil {
		return err
	}
	if n := cardsOf(response.ContainerResponses[0].DeviceIDs); n != p.cards[which] {
		return fmt.Errorf("%s chooses from %d cards, expected %d", s.name, n, p.cards[which])
	}
	l, err := preferredLoad(ctx, s, sharesMany, b.lab.few(sharesPicks))
	if err != nil {
		return err
	}
	p.rows.p50.add(which, milliseconds(percentile(l.latencies, 0.5)))
	p.rows.p99.add(which, milliseconds(percentile(l.latencies, 0.99)))
	return nil
}

// cardsOf counts the cards that shares are of.
func cardsOf(ids []string) int {
	cards := make(map[string]bool)
	for _, id := range ids {
		card, _, _ := strings.Cut(id, shareSeparator)
		cards[card] = true
	}
	return len(cards)
}
