// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

const settleTime = 2 * time.Second // between the first list and "idle"

// A report is everything that one run has found out.
type report struct {
	options options
	machine machine
	began   time.Time
	took    time.Duration
	sizes   []*sizeReport
	others  []*section
}

type sizeReport struct {
	plan    plan
	servers [serverCount]series
	answers [serverCount]answers
}

// A bench is one size that is being measured.
type bench struct {
	work     *workspace
	programs programs
	tree     *tree
	report   *sizeReport
}

// measureAll returns what it has, also when a size or a scenario fails.
func measureAll(ctx context.Context, o options, work *workspace, p programs) (*report, error) {
	r := &report{options: o, began: time.Now()}
	var err error
	if r.machine, err = describeMachine(ctx, p); err != nil {
		return nil, err
	}
	images, err := measureImages(ctx, work, p)
	if err != nil {
		return nil, err
	}
	for _, units := range o.sizes {
		size, failure := measureSize(ctx, work, p, makePlan(units, o.quick))
		if failure != nil {
			err = joinErrors(err, fmt.Errorf("%d units: %w", units, failure))
			continue
		}
		for i, image := range images {
			size.servers[i].add(binarySize, megabytes(float64(image.binary)))
			size.servers[i].add(imageSize, megabytes(float64(image.closure)))
		}
		r.sizes = append(r.sizes, size)
	}
	l := &lab{work: work, programs: p, rounds: roundsOf(o.quick), quick: o.quick}
	for _, scenario := range o.scenario {
		section, failure := scenario.run(ctx, l)
		if failure != nil {
			err = joinErrors(err, fmt.Errorf("%s: %w", scenario.name, failure))
			continue
		}
		r.others = append(r.others, section)
	}
	r.machine.loadAfter = loadAverage()
	r.took = time.Since(r.began)
	return r, err
}

func measureSize(ctx context.Context, work *workspace, p programs, plan plan) (
	_ *sizeReport, err error) {
	progress("%d units: make the node", plan.units)
	t, err := createTree(ctx, work, p.sim, plan.units/unitsPerCard)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	b := &bench{work: work, programs: p, tree: t, report: &sizeReport{plan: plan}}
	if err := b.measureIdle(ctx); err != nil {
		return nil, err
	}
	for round := range plan.rounds {
		// The servers take turns at going first.
		for i := range serverCount {
			if err := b.measureRound(ctx, round, (round+i)%serverCount); err != nil {
				return nil, err
			}
		}
	}
	return b.report, nil
}

// with runs fn while a server is up.
func (b *bench) with(ctx context.Context, which int, pace pace, fn func(s *server) error) (
	err error) {
	s, err := startServer(ctx, b.work, b.programs.servers[which], partitions(pace), b.tree)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, s.stop()) }()
	return fn(s)
}

// measureIdle has both servers up side by side: it compares their answers, and
// looks at them while nothing is asked of them.
func (b *bench) measureIdle(ctx context.Context) error {
	return b.with(ctx, silica, paceDefault, func(first *server) error {
		return b.with(ctx, golang, paceDefault, func(second *server) error {
			servers := [serverCount]*server{silica: first, golang: second}
			if err := b.compareAnswers(ctx, servers); err != nil {
				return err
			}
			progress("%d units: idle for %v", b.report.plan.units, b.report.plan.idle)
			return b.idleWindow(ctx, servers)
		})
	})
}

func (b *bench) compareAnswers(ctx context.Context, servers [serverCount]*server) error {
	for i, s := range servers {
		var err error
		if b.report.answers[i], err = collectAnswers(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return differ(b.report.answers[silica], b.report.answers[golang])
}

func (b *bench) idleWindow(ctx context.Context, servers [serverCount]*server) error {
	var before [serverCount]activity
	var err error
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	for i, s := range servers {
		if before[i], err = observe(s.pid()); err != nil {
			return err
		}
	}
	if err := pause(ctx, b.report.plan.idle); err != nil {
		return err
	}
	for i, s := range servers {
		after, err := observe(s.pid())
		if err != nil {
			return err
		}
		seconds := after.at.Sub(before[i].at).Seconds()
		figures := &b.report.servers[i]
		figures.add(idleSwitches, newSwitches(before[i].switches, after.switches)/seconds)
		figures.add(idleCPU, 100*(after.cpu-before[i].cpu).Seconds()/seconds)
		figures.add(rssWindow, megabytes(after.memory.rss))
	}
	return nil
}

// measureRound takes all the other figures of one server once.
func (b *bench) measureRound(ctx context.Context, round, which int) error {
	plan, figures := b.report.plan, &b.report.servers[which]
	progress("%d units: round %d of %d, %s", plan.units, round+1, plan.rounds, serverNames[which])

	noteStart := func(s *server) {
		figures.add(registered, milliseconds(s.registeredAfter))
		figures.add(listed, milliseconds(s.listedAfter))
	}
	for range plan.starts {
		err := b.with(ctx, which, paceQuiet, func(s *server) error {
			noteStart(s)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return b.with(ctx, which, paceQuiet, func(s *server) error {
		noteStart(s)
		return b.measureServer(ctx, s, figures)
	})
}

func (b *bench) measureServer(ctx context.Context, s *server, figures *series) error {
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	idle, err := processMemory(s.pid())
	if err != nil {
		return err
	}
	for _, measure := range []func(context.Context, *server, *series) error{
		b.measureAllocate, b.measurePreferred, b.measureUpdates,
	} {
		if err := measure(ctx, s, figures); err != nil {
			return err
		}
	}
	loaded, err := processMemory(s.pid())
	if err != nil {
		return err
	}
	figures.add(rssIdle, megabytes(idle.rss))
	figures.add(pssIdle, megabytes(idle.pss))
	figures.add(rssLoad, megabytes(loaded.rss))
	figures.add(pssLoad, megabytes(loaded.pss))
	return nil
}

func (b *bench) measureAllocate(ctx context.Context, s *server, figures *series) error {
	for _, c := range []struct {
		clients, calls      int
		p50, p99, rate, cpu metric
	}{
		{1, b.report.plan.callsOne, oneP50, oneP99, oneRate, oneCPU},
		{8, b.report.plan.callsEight, eightP50, eightP99, eightRate, eightCPU},
	} {
		l, err := allocateLoad(ctx, s, c.clients, c.calls, 1)
		if err != nil {
			return err
		}
		calls := float64(len(l.latencies))
		figures.add(c.p50, microseconds(percentile(l.latencies, 0.5)))
		figures.add(c.p99, microseconds(percentile(l.latencies, 0.99)))
		figures.add(c.rate, calls/l.elapsed.Seconds())
		figures.add(c.cpu, microseconds(l.cpu)/calls)
	}
	return nil
}

func (b *bench) measurePreferred(ctx context.Context, s *server, figures *series) error {
	for _, c := range []struct {
		size     int
		p50, p99 metric
	}{
		{1, pickOneP50, pickOneP99},
		{8, pickEightP50, pickEightP99},
	} {
		l, err := preferredLoad(ctx, s, c.size, b.report.plan.picks)
		if err != nil {
			return err
		}
		figures.add(c.p50, milliseconds(percentile(l.latencies, 0.5)))
		figures.add(c.p99, milliseconds(percentile(l.latencies, 0.99)))
	}
	return nil
}

func (b *bench) measureUpdates(ctx context.Context, s *server, figures *series) error {
	l, err := updateLoad(ctx, s, b.tree.cards, b.report.plan.flips)
	if err != nil {
		return err
	}
	figures.add(updateP50, milliseconds(percentile(l.latencies, 0.5)))
	figures.add(updateP99, milliseconds(percentile(l.latencies, 0.99)))
	return nil
}

// pause sleeps, unless the run ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
