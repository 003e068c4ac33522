// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	labellerCards   = 8
	labellerIdle    = 60 * time.Second
	labellerStarts  = 5
	labellerFails   = 8   // of cards, noticed by a probe
	labellerUnplugs = 3   // of cards, which come back by a scan
	labellerChanges = 500 // of cards, told by SIGHUP

	// What a failure is timed from lies anywhere between two looks at the cards.
	labellerPhase = 500 * time.Millisecond
	// What follows an answer, as the watch that tells of it, belongs to its costs.
	labellerAfter = 200 * time.Millisecond

	contestedLabel = "furiosa.ai/npu.count"
)

type labellerRows struct {
	count, started                    *figure
	failed, failedWorst               *figure
	unplugged, unpluggedWorst         *figure
	contest, contestWorst             *figure
	contestCPU                        *figure
	changed                           latencies
	changedCPU, requests              *figure
	rss, pss, rssIdle, rssEnd, growth *figure
	idle                              idleRows
	binary, image                     *figure
}

func addLabellerRows(s *section) *labellerRows {
	soon := &bound{limit: 2000}
	pair := func(label string) (middle, worst *figure) {
		return s.add(label+", median ms", 1, median, nil),
			s.add(label+", worst ms", 1, highest, soon)
	}
	r := &labellerRows{
		count:   s.add("labels", 0, highest, nil),
		started: s.add("exec to all labels, ms", 1, median, nil),
	}
	r.failed, r.failedWorst = pair("card fails to label")
	r.unplugged, r.unpluggedWorst = pair("card unplugged to label")
	r.contest, r.contestWorst = pair("label overwritten to right again")
	r.contestCPU = s.add("CPU of putting it right, us", 0, lowest, nil)
	r.changed = s.addLatencies("SIGHUP to changed label", "ms", 2, nil)
	r.changedCPU = s.add("CPU of a change, us", 0, lowest, nil)
	r.requests = s.add("requests to the API server, per change", 2, highest, nil)
	r.rss = s.add("RSS idle, MB", 2, lowest, &bound{0.5, true})
	r.pss = s.add("PSS idle, MB", 2, lowest, nil)
	r.rssIdle = s.add("RSS after the idle minute, MB", 2, lowest, &bound{limit: 10})
	r.rssEnd = s.add("RSS after the changes, MB", 2, lowest, nil)
	r.growth = s.add("RSS after the changes / before", 2, highest, &bound{limit: 1.05})
	r.idle = addIdleRows(s, "", &bound{limit: 0.2})
	r.binary = s.add("binary, stripped, MB", 2, lowest, nil)
	r.image = s.add("binary + libraries, MB", 2, lowest, nil)
	return r
}

// A labellerRun is the scenario at work.
type labellerRun struct {
	lab  *lab
	tree *tree
	rows *labellerRows
	good labels // of the node when all cards are well
}

func measureLabeller(ctx context.Context, l *lab) (_ *section, err error) {
	t, err := createTree(ctx, l.work, l.programs.sim, labellerCards)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinErrors(err, t.remove()) }()

	s := &section{title: fmt.Sprintf("A node labeller, %d devices", labellerCards)}
	r := &labellerRun{lab: l, tree: t, rows: addLabellerRows(s)}
	for round := range l.rounds {
		progress("labeller: round %d of %d", round+1, l.rounds)
		if err := r.sideBySide(ctx); err != nil {
			return nil, err
		}
		for i := range serverCount {
			if err := r.alone(ctx, (round+i)%serverCount); err != nil {
				return nil, err
			}
		}
	}
	s.rules = labellerRules(l, r)
	return s, r.addImages(ctx)
}

func labellerRules(l *lab, r *labellerRun) []string {
	return []string{
		fmt.Sprintf("Both label a node of %d RNGDs at an API server of its own in the client, over"+
			" TLS and HTTP/2, by server-side apply; their labels were compared and are equal, also"+
			" while a card has failed or is gone. The Go labeller: client-go %s, an informer on its"+
			" node, no limit on requests.", labellerCards, clientVersion(l.programs.labellers[golang])),
		"Both look at the cards twice a second and scan every 5 s, silica for device files too. It" +
			" also tells Events, looks for the cards of all vendors and for changes of its" +
			" configuration; the Go labeller does none of this.",
		fmt.Sprintf("Idle: %v, both side by side with their watches open. Then, side by side still,"+
			" %d failures and %d unplugged cards per round, each at a moment of its own between two"+
			" looks; timed until the API server has the labels, unplugging from before silica-sim is"+
			" started. Medians and worst are those of all rounds together.", r.idleTime(), l.few(labellerFails),
			l.few(labellerUnplugs)),
		fmt.Sprintf("Overwritten: another manager sets a label, once after each of %d starts per round;"+
			" silica waits 125 to 250 ms by design before it answers, and longer if that goes on.",
			l.few(labellerStarts)),
		fmt.Sprintf("Changes: %d per round, one after the other; both hear of them by SIGHUP, as they"+
			" look once a minute then. Memory before: after the labels are there.", r.changes()),
		"Libraries: those of this machine, whose libcurl is Debian's with all that it is linked to;" +
			" silica's image has one of its own for HTTP only.",
	}
}

func (r *labellerRun) idleTime() time.Duration {
	if r.lab.quick {
		return labellerIdle / 6
	}
	return labellerIdle
}

// changes is even, so that all cards are well at the end.
func (r *labellerRun) changes() int {
	return r.lab.few(labellerChanges) / 2 * 2
}

func (r *labellerRun) addImages(ctx context.Context) error {
	for i, program := range r.lab.programs.labellers {
		image, err := measureImage(ctx, r.lab.work, program)
		if err != nil {
			return fmt.Errorf("size of %s: %w", program.name, err)
		}
		r.rows.binary.add(i, megabytes(float64(image.binary)))
		r.rows.image.add(i, megabytes(float64(image.closure)))
	}
	return nil
}

// with runs fn while a labeller is up.
func (r *labellerRun) with(which int, pace pace, fn func(n *labelled) error) (err error) {
	n, err := startLabelled(r.lab, which, pace, r.tree.root)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, n.stop()) }()
	return fn(n)
}

// --- side by side ---

// sideBySide has both at work on the same cards, each with a server of its own.
func (r *labellerRun) sideBySide(ctx context.Context) error {
	return r.with(silica, paceDefault, func(first *labelled) error {
		return r.with(golang, paceDefault, func(second *labelled) error {
			pair := [serverCount]*labelled{silica: first, golang: second}
			if err := r.compare(ctx, pair); err != nil {
				return err
			}
			if err := r.idleWindow(ctx, pair); err != nil {
				return err
			}
			return joinErrors(r.failures(ctx, pair), r.unplugs(ctx, pair))
		})
	})
}

// compare learns what the labels are: what both say.
func (r *labellerRun) compare(ctx context.Context, pair [serverCount]*labelled) error {
	for end := time.Now().Add(serverTimeout); ; {
		if err := pause(ctx, settleTime); err != nil {
			return err
		}
		ours, theirs := pair[silica].newest(), pair[golang].newest()
		name := ours.differ(theirs)
		if name == "" && ours[contestedLabel] == strconv.Itoa(labellerCards) {
			r.good = ours
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("label '%s' is '%s' of silica and '%s' of go%s%s", name, ours[name],
				theirs[name], pair[silica].logTail(), pair[golang].logTail())
		}
	}
	for i := range pair {
		r.rows.count.add(i, float64(len(r.good)))
	}
	return nil
}

func (r *labellerRun) idleWindow(ctx context.Context, pair [serverCount]*labelled) error {
	var windows [serverCount]*window
	for i, n := range pair {
		memory, err := processMemory(n.pid())
		if err != nil {
			return err
		}
		r.rows.rss.add(i, megabytes(memory.rss))
		r.rows.pss.add(i, megabytes(memory.pss))
		if windows[i], err = openWindow(n.pid()); err != nil {
			return err
		}
		defer windows[i].close()
	}
	if err := pause(ctx, r.idleTime()); err != nil {
		return err
	}
	for i, w := range windows {
		seen, err := w.look()
		if err != nil {
			return err
		}
		r.rows.idle.add(i, seen)
		r.rows.rssIdle.add(i, megabytes(seen.memory.rss))
	}
	return nil
}

// timed makes a change at some moment and waits until both have labelled it.
func (r *labellerRun) timed(ctx context.Context, pair [serverCount]*labelled, change func() error,
	wanted labels) (took [serverCount]time.Duration, err error) {
	if err := pause(ctx, rand.N(labellerPhase)); err != nil {
		return took, err
	}
	var marks [serverCount]int
	for i, n := range pair {
		marks[i] = n.mark()
	}
	start := time.Now()
	if err := change(); err != nil {
		return took, err
	}
	for i, n := range pair {
		at, err := n.await(ctx, marks[i], wanted)
		if err != nil {
			return took, err
		}
		took[i] = at.Sub(start)
	}
	return took, nil
}

func (r *labellerRun) failures(ctx context.Context, pair [serverCount]*labelled) error {
	for i := range r.lab.few(labellerFails) {
		c := &r.tree.cards[i%labellerCards]
		took, err := r.timed(ctx, pair, func() error { return c.setGood(false) },
			r.good.withFailed(c.uuid))
		if err == nil {
			_, err = r.timed(ctx, pair, func() error { return c.setGood(true) }, r.good)
		}
		if err != nil {
			return fmt.Errorf("card '%s' fails and recovers: %w", c.uuid, err)
		}
		for which, value := range took {
			r.rows.failed.add(which, milliseconds(value))
			r.rows.failedWorst.add(which, milliseconds(value))
		}
	}
	return nil
}

func (r *labellerRun) unplugs(ctx context.Context, pair [serverCount]*labelled) error {
	for i := range r.lab.few(labellerUnplugs) {
		c := &r.tree.cards[i%labellerCards]
		took, err := r.timed(ctx, pair, func() error { return r.sim(ctx, "unplug", i) },
			r.good.without(c.uuid))
		if err == nil {
			_, err = r.timed(ctx, pair, func() error { return r.sim(ctx, "plug", i) }, r.good)
		}
		if err != nil {
			return fmt.Errorf("card '%s' is unplugged and comes back: %w", c.uuid, err)
		}
		for which, value := range took {
			r.rows.unplugged.add(which, milliseconds(value))
			r.rows.unpluggedWorst.add(which, milliseconds(value))
		}
	}
	return nil
}

// sim does something to a card, by its number.
func (r *labellerRun) sim(ctx context.Context, command string, i int) error {
	out, err := exec.CommandContext(ctx, r.lab.programs.sim, command, r.tree.root,
		fmt.Sprintf("rngd%d", i)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("silica-sim %s: %w\n%s", command, err, out)
	}
	return nil
}

// withFailed gives the labels of the node when a card of it has failed.
func (l labels) withFailed(uuid string) labels {
	other := maps.Clone(l)
	other["silica.dev/furiosa.device."+uuid] = "unhealthy"
	for _, name := range []string{"silica.dev/accelerator.healthy", "silica.dev/furiosa.healthy"} {
		other[name] = strconv.Itoa(labellerCards - 1)
	}
	return other
}

// without gives the labels of the node when a card of it is gone.
func (l labels) without(uuid string) labels {
	other := l.withFailed(uuid)
	delete(other, "silica.dev/furiosa.device."+uuid)
	for _, name := range []string{contestedLabel, "silica.dev/accelerator.count",
		"silica.dev/furiosa.count", "silica.dev/furiosa.product.rngd"} {
		other[name] = strconv.Itoa(labellerCards - 1)
	}
	return other
}

// --- one alone ---

// alone takes what the other one could disturb.
func (r *labellerRun) alone(ctx context.Context, which int) error {
	for range r.lab.few(labellerStarts) {
		err := r.with(which, paceQuiet, func(n *labelled) error {
			at, err := n.await(ctx, 0, r.good)
			if err != nil {
				return err
			}
			r.rows.started.add(which, milliseconds(at.Sub(n.started)))
			return r.contest(ctx, which, n)
		})
		if err != nil {
			return err
		}
	}
	return r.with(which, paceQuiet, func(n *labelled) error {
		if _, err := n.await(ctx, 0, r.good); err != nil {
			return err
		}
		return r.change(ctx, which, n)
	})
}

// contest overwrites a label, once: who is fought with answers later and later.
func (r *labellerRun) contest(ctx context.Context, which int, n *labelled) error {
	if err := pause(ctx, labellerPhase); err != nil {
		return err
	}
	before, err := processCPU(n.pid())
	if err != nil {
		return err
	}
	mark, start := n.mark(), time.Now()
	if err := n.overwrite(contestedLabel, "overwritten"); err != nil {
		return err
	}
	at, err := n.await(ctx, mark, r.good)
	if err != nil {
		return err
	}
	if err := pause(ctx, labellerAfter); err != nil {
		return err
	}
	after, err := processCPU(n.pid())
	if err != nil {
		return err
	}
	r.rows.contest.add(which, milliseconds(at.Sub(start)))
	r.rows.contestWorst.add(which, milliseconds(at.Sub(start)))
	r.rows.contestCPU.add(which, microseconds(after-before))
	return nil
}

// change makes cards fail and recover, as fast as the labels follow.
func (r *labellerRun) change(ctx context.Context, which int, n *labelled) error {
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	before, err := processMemory(n.pid())
	if err != nil {
		return err
	}
	requests := len(n.server.Requests())
	load, err := measureLoad(&server{daemon: n.daemon}, func() ([]time.Duration, error) {
		var took []time.Duration
		for i := range r.changes() {
			latency, err := r.flip(ctx, n, &r.tree.cards[i/2*stride%labellerCards], i%2 == 1)
			if err != nil {
				return nil, fmt.Errorf("change %d: %w", i, err)
			}
			took = append(took, latency)
			time.Sleep(flipPause)
		}
		return took, nil
	})
	if err != nil {
		return err
	}
	after, err := processMemory(n.pid())
	if err != nil {
		return err
	}
	requests = len(n.server.Requests()) - requests
	r.rows.changed.addAll(which, load.latencies)
	r.rows.changedCPU.add(which, microseconds(load.cpu)/float64(r.changes()))
	r.rows.requests.add(which, float64(requests)/float64(r.changes()))
	r.rows.rssEnd.add(which, megabytes(after.rss))
	r.rows.growth.add(which, after.rss/before.rss)
	return nil
}

func (r *labellerRun) flip(ctx context.Context, n *labelled, c *card, good bool) (
	time.Duration, error) {
	wanted := r.good
	if !good {
		wanted = wanted.withFailed(c.uuid)
	}
	if err := c.setGood(good); err != nil {
		return 0, err
	}
	mark, start := n.mark(), time.Now()
	if err := n.process.Process.Signal(syscall.SIGHUP); err != nil {
		return 0, err
	}
	at, err := n.await(ctx, mark, wanted)
	return at.Sub(start), err
}
