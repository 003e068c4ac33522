// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counters count the instructions and the cycles of all threads of a process,
// in the kernel too.  On a machine that others use, CPU time grows with what
// they do, to the caches and as time stolen from a virtual CPU; instructions do
// not.
//
// Source: perf_event_open(2)
type counters struct {
	fds [counterCount][]int
}

const (
	instructions = iota
	cycles
	counterCount
)

var counterConfigs = [counterCount]uint64{
	instructions: unix.PERF_COUNT_HW_INSTRUCTIONS,
	cycles:       unix.PERF_COUNT_HW_CPU_CYCLES,
}

// openCounters fails where the kernel or the machine offers no such counters.
func openCounters(pid int) (_ *counters, err error) {
	c := &counters{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return nil, err
		}
		for i, config := range counterConfigs {
			fd, err := openCounter(tid, config)
			if errors.Is(err, unix.ESRCH) {
				continue // the thread has just ended
			}
			if err != nil {
				return nil, fmt.Errorf("performance counters of thread %d: %w", tid, err)
			}
			c.fds[i] = append(c.fds[i], fd)
		}
	}
	return c, nil
}

// openCounter counts also what threads do that the thread starts from now on.
func openCounter(tid int, config uint64) (int, error) {
	attributes := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_HARDWARE,
		Size:   uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config: config,
		Bits:   unix.PerfBitInherit,
	}
	return unix.PerfEventOpen(&attributes, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
}

// read returns NaN for everything where there are no counters.
func (c *counters) read() ([counterCount]float64, error) {
	var sums [counterCount]float64
	for i := range sums {
		if c == nil {
			sums[i] = math.NaN()
			continue
		}
		for _, fd := range c.fds[i] {
			var value [8]byte
			if _, err := unix.Read(fd, value[:]); err != nil {
				return sums, fmt.Errorf("read a performance counter: %w", err)
			}
			sums[i] += float64(binary.NativeEndian.Uint64(value[:]))
		}
	}
	return sums, nil
}

func (c *counters) close() {
	if c == nil {
		return
	}
	for _, fds := range c.fds {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
}
