// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

// A node with cards of five vendors, whose drivers take different ways to a
// card and to its health.
const (
	vendorsNode      = "mi300x x4, flex170 x3, gaudi2 x3, rngd x3, atom x3, numa 0/1"
	vendorsCards     = 16
	vendorsResources = 5
	vendorsIdle      = 60 * time.Second
	vendorsShares    = 50 // 800 units in all
)

// vendorsWindow holds the rows of one pace.
type vendorsWindow struct {
	pace     pace
	idle     idleRows
	rss, pss *figure
}

func addVendorsWindow(s *section, pace pace, what string, cpu *bound) vendorsWindow {
	return vendorsWindow{
		pace: pace,
		idle: addIdleRows(s, ", "+what, cpu),
		rss:  s.add("RSS, "+what+", MB", 2, lowest, nil),
		pss:  s.add("PSS, "+what+", MB", 2, lowest, nil),
	}
}

func measureVendors(ctx context.Context, l *lab) (_ *section, err error) {
	t, err := createNode(ctx, l.work, l.programs.sim, vendorsNode, vendorsCards)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	s := &section{title: fmt.Sprintf("%d devices of %d vendors", vendorsCards, vendorsResources)}
	started := s.add("exec to all registered, ms", 1, median, nil)
	scan := s.add("scan, ms", 2, lowest, nil)
	windows := []vendorsWindow{
		addVendorsWindow(s, paceDefault, "default", &bound{limit: 0.2}),
		addVendorsWindow(s, paceRescan, "rescan only", nil),
	}
	idle := vendorsIdle
	if l.quick {
		idle /= 6
	}
	for round := range l.rounds {
		progress("vendors: round %d of %d", round+1, l.rounds)
		if err := vendorsRound(ctx, l, t, idle, started, scan, windows); err != nil {
			return nil, err
		}
	}
	s.rules = []string{
		fmt.Sprintf("The node: %s (AMD, Intel, Habana, FuriosaAI, Rebellions). There is no Go plugin"+
			" for it.", vendorsNode),
		fmt.Sprintf("Idle: %v with all streams open, both paces side by side. By default a probe of"+
			" every device twice a second and a scan every 5 s; rescan only: without a"+
			" configuration file but for `health: {interval: 1m}`.", idle),
		"Scan: the mean of the window, from the plugin's own histogram" +
			" (silica_device_plugin_scan_duration_seconds).",
		"Instructions and cycles: of user and kernel, from the performance counters of the" +
			" threads; what else runs on the machine changes CPU time much and these little.",
	}
	return s, nil
}

func vendorsRound(ctx context.Context, l *lab, t *tree, idle time.Duration, started, scan *figure,
	windows []vendorsWindow) (err error) {
	var watches []*idleWatch
	for _, w := range windows {
		f, err := startFleet(ctx, l.work, l.programs.servers[silica], setup{pace: w.pace}, t.root,
			vendorsResources)
		if err != nil {
			return err
		}
		defer func() { err = joinErrors(err, f.stop()) }()
		started.add(silica, milliseconds(f.registeredAfter))
		watches = append(watches, &idleWatch{fleet: f})
	}
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	for _, w := range watches {
		if err := w.begin(ctx); err != nil {
			return err
		}
		defer w.window.close()
	}
	if err := pause(ctx, idle); err != nil {
		return err
	}
	for i, w := range watches {
		if err := w.end(ctx, &windows[i], scan); err != nil {
			return err
		}
	}
	return nil
}

// An idleWatch takes the difference that a window makes.
type idleWatch struct {
	fleet  *fleet
	window *window
	clock  scanClock
}

func (w *idleWatch) readClock(ctx context.Context) (scanClock, error) {
	scraper := newScraper(w.fleet.dir)
	defer scraper.close()
	return readScanClock(ctx, scraper)
}

func (w *idleWatch) begin(ctx context.Context) error {
	var err error
	if w.clock, err = w.readClock(ctx); err != nil {
		return err
	}
	w.window, err = openWindow(w.fleet.pid())
	return err
}

// end takes the activity first: the scrape that follows is not idleness.
func (w *idleWatch) end(ctx context.Context, rows *vendorsWindow, scan *figure) error {
	seen, err := w.window.look()
	if err != nil {
		return err
	}
	clock, err := w.readClock(ctx)
	if err != nil {
		return err
	}
	rows.idle.add(silica, seen)
	rows.rss.add(silica, megabytes(seen.memory.rss))
	rows.pss.add(silica, megabytes(seen.memory.pss))
	if clock.scans > w.clock.scans {
		scan.add(silica, 1000*(clock.seconds-w.clock.seconds)/(clock.scans-w.clock.scans))
	}
	return nil
}
