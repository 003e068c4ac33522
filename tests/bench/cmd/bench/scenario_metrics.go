// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	scrapeCalls  = 500
	scrapeWarmUp = 5 // not counted
)

// One resource per product, so one per vendor of the node.
func vendorsSetup(noMetrics bool) setup {
	return setup{
		pace: paceQuiet,
		silica: fmt.Sprintf("resources:\n- name: example.com/{product}\n  unit: share\n"+
			"  shares: %d\n", vendorsShares),
		noMetrics: noMetrics,
	}
}

type metricsRows struct {
	scrape                latencies
	cpu, bytes            *figure
	rssOff, rssOn, rssEnd *figure
}

func addMetricsRows(s *section) *metricsRows {
	return &metricsRows{
		scrape: s.addLatencies("scrape", "ms", 2, nil),
		cpu:    s.add("CPU of a scrape, ms", 3, lowest, nil),
		bytes:  s.add("scrape, bytes", 0, highest, nil),
		rssOff: s.add("RSS without metrics, MB", 2, lowest, nil),
		rssOn:  s.add("RSS with metrics, before a scrape, MB", 2, lowest, nil),
		rssEnd: s.add("RSS after the scrapes, MB", 2, lowest, nil),
	}
}

func measureMetrics(ctx context.Context, l *lab) (_ *section, err error) {
	t, err := createNode(ctx, l.work, l.programs.sim, vendorsNode, vendorsCards)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	units := vendorsCards * vendorsShares
	s := &section{title: fmt.Sprintf("Metrics of %d devices and %d units", vendorsCards, units)}
	rows := addMetricsRows(s)
	for round := range l.rounds {
		progress("metrics: round %d of %d", round+1, l.rounds)
		if err := metricsRound(ctx, l, t, rows); err != nil {
			return nil, err
		}
	}
	s.rules = []string{
		fmt.Sprintf("The node of the five vendors, every device as %d shares; %d scrapes per round"+
			" over one connection to a unix socket, from the request to the last byte. The Go plugin"+
			" has no metrics.", vendorsShares, l.few(scrapeCalls)),
		"Without metrics: `--listen-metrics none`.",
	}
	return s, nil
}

func metricsRound(ctx context.Context, l *lab, t *tree, rows *metricsRows) error {
	err := withMetrics(ctx, l, t, true, func(f *fleet) error {
		memory, err := processMemory(f.pid())
		rows.rssOff.add(silica, megabytes(memory.rss))
		return err
	})
	if err != nil {
		return err
	}
	return withMetrics(ctx, l, t, false, func(f *fleet) error {
		memory, err := processMemory(f.pid())
		if err != nil {
			return err
		}
		rows.rssOn.add(silica, megabytes(memory.rss))
		if err := scrapeLoad(ctx, l, f, rows); err != nil {
			return err
		}
		memory, err = processMemory(f.pid())
		rows.rssEnd.add(silica, megabytes(memory.rss))
		return err
	})
}

func withMetrics(ctx context.Context, l *lab, t *tree, noMetrics bool,
	fn func(f *fleet) error) (err error) {
	f, err := startFleet(ctx, l.work, l.programs.servers[silica], vendorsSetup(noMetrics), t.root,
		vendorsResources)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, f.stop()) }()
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	return fn(f)
}

func scrapeLoad(ctx context.Context, l *lab, f *fleet, rows *metricsRows) error {
	s := newScraper(f.dir)
	defer s.close()
	for range scrapeWarmUp {
		text, err := s.fetch(ctx)
		if err != nil {
			return err
		}
		if n := strings.Count(text, "\nsilica_device_plugin_device_healthy{"); n != vendorsCards {
			return fmt.Errorf("the metrics show %d devices instead of %d", n, vendorsCards)
		}
		rows.bytes.add(silica, float64(len(text)))
	}
	load, err := measureLoad(&server{daemon: f.daemon}, func() ([]time.Duration, error) {
		var took []time.Duration
		for range l.few(scrapeCalls) {
			start := time.Now()
			if _, err := s.fetch(ctx); err != nil {
				return nil, err
			}
			took = append(took, time.Since(start))
		}
		return took, nil
	})
	if err != nil {
		return err
	}
	rows.cpu.add(silica, milliseconds(load.cpu)/float64(len(load.latencies)))
	rows.scrape.addAll(silica, load.latencies)
	return nil
}
