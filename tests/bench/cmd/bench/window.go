// SPDX-License-Identifier: Apache-2.0

package main

// A window looks at a process for a while.
type window struct {
	pid      int
	counters *counters
	activity activity
	counts   [counterCount]float64
}

// What a process did in a window, per second.
type idleness struct {
	cpu          float64 // % of one core
	instructions float64 // millions
	cycles       float64 // millions
	wakeups      float64
	memory       memory // at its end
}

func openWindow(pid int) (_ *window, err error) {
	w := &window{pid: pid}
	if w.counters, err = openCounters(pid); err != nil {
		progress("no instructions are counted: %v", err)
		w.counters = nil
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.counts, err = w.counters.read(); err != nil {
		return nil, err
	}
	w.activity, err = observe(pid)
	return w, err
}

func (w *window) close() {
	w.counters.close()
}

// look says what was done since the window was opened.
func (w *window) look() (idleness, error) {
	after, err := observe(w.pid)
	if err != nil {
		return idleness{}, err
	}
	counts, err := w.counters.read()
	if err != nil {
		return idleness{}, err
	}
	seconds := after.at.Sub(w.activity.at).Seconds()
	return idleness{
		cpu:          100 * (after.cpu - w.activity.cpu).Seconds() / seconds,
		instructions: (counts[instructions] - w.counts[instructions]) / 1e6 / seconds,
		cycles:       (counts[cycles] - w.counts[cycles]) / 1e6 / seconds,
		wakeups:      newSwitches(w.activity.switches, after.switches) / seconds,
		memory:       after.memory,
	}, nil
}

// idleRows are the rows of a window in which nothing is asked.
type idleRows struct {
	cpu, instructions, cycles, wakeups *figure
}

// addIdleRows makes them; what, with a comma before it, tells several apart.
func addIdleRows(s *section, what string, cpu *bound) idleRows {
	return idleRows{
		cpu:          s.add("idle CPU"+what+", % of one core", 3, lowest, cpu),
		instructions: s.add("idle instructions"+what+", M/s", 2, lowest, nil),
		cycles:       s.add("idle cycles"+what+", M/s", 2, lowest, nil),
		wakeups:      s.add("idle wakeups"+what+", /s", 1, lowest, nil),
	}
}

func (r *idleRows) add(which int, seen idleness) {
	r.cpu.add(which, seen.cpu)
	r.instructions.add(which, seen.instructions)
	r.cycles.add(which, seen.cycles)
	r.wakeups.add(which, seen.wakeups)
}
