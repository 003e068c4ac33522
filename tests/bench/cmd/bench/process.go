// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cpuClockSched = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h

// processCPU is the CPU time of all threads of a process, also of those that
// have ended, to the nanosecond.
//
// Source: clock_getcpuclockid(3), whose clock ID is made as here
func processCPU(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|cpuClockSched, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Memory in bytes.
type memory struct {
	rss, pss float64
}

// processMemory reads both figures from one file, so that they fit.
//
// Source: Linux Documentation/ABI/testing/procfs-smaps_rollup
func processMemory(pid int) (memory, error) {
	fields, err := readFields(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	m := memory{rss: fields["Rss"] * 1024, pss: fields["Pss"] * 1024}
	if m.rss == 0 || m.pss == 0 {
		return m, fmt.Errorf("no memory figures of process %d", pid)
	}
	return m, nil
}

// contextSwitches counts per thread how often it got a CPU.
func contextSwitches(pid int) (map[string]float64, error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return nil, err
	}
	counts := make(map[string]float64)
	for _, path := range paths {
		fields, err := readFields(path)
		if os.IsNotExist(err) {
			continue // the thread has just ended
		}
		if err != nil {
			return nil, err
		}
		counts[path] = fields["voluntary_ctxt_switches"] + fields["nonvoluntary_ctxt_switches"]
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("no threads of process %d", pid)
	}
	return counts, nil
}

// newSwitches adds up what has come since.
func newSwitches(before, after map[string]float64) float64 {
	sum := 0.0
	for path, count := range after {
		sum += count - before[path]
	}
	return sum
}

// readFields reads the numbers of "name: number unit" lines.
func readFields(path string) (map[string]float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]float64)
	for line := range strings.SplitSeq(string(text), "\n") {
		name, rest, found := strings.Cut(line, ":")
		words := strings.Fields(rest)
		if !found || len(words) == 0 {
			continue
		}
		if value, err := strconv.ParseFloat(words[0], 64); err == nil {
			fields[name] = value
		}
	}
	return fields, nil
}

// An activity is what a process has done up to a moment.
type activity struct {
	at       time.Time
	cpu      time.Duration
	switches map[string]float64
	memory   memory
}

func observe(pid int) (activity, error) {
	a := activity{at: time.Now()}
	var err error
	if a.cpu, err = processCPU(pid); err != nil {
		return a, err
	}
	if a.switches, err = contextSwitches(pid); err != nil {
		return a, err
	}
	a.memory, err = processMemory(pid)
	return a, err
}
