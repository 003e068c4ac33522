// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"time"
)

// A metric is a row of the table.
type metric int

const (
	rssIdle metric = iota
	pssIdle
	rssWindow
	rssLoad
	pssLoad
	registered
	listed
	oneP50
	oneP99
	oneRate
	oneCPU
	eightP50
	eightP99
	eightRate
	eightCPU
	pickOneP50
	pickOneP99
	pickEightP50
	pickEightP99
	updateP50
	updateP99
	idleSwitches
	idleCPU
	binarySize
	imageSize
	metricCount
)

// A summary makes one figure of the figures of all rounds.
type summary func(values []float64) float64

// lowest and highest take the best round.  Other programs on the machine can
// only make a figure worse, so this is the one that they disturbed least; it
// flatters both servers alike.
func lowest(values []float64) float64  { return slices.Min(values) }
func highest(values []float64) float64 { return slices.Max(values) }

func median(values []float64) float64 {
	return percentile(slices.Sorted(slices.Values(values)), 0.5)
}

type measure struct {
	label    string
	decimals int
	summary  summary
	once     bool // the same for every size
}

var measures = [metricCount]measure{
	rssIdle:      {"RSS idle, MB", 1, lowest, false},
	pssIdle:      {"PSS idle, MB", 1, lowest, false},
	rssWindow:    {"RSS after idle window, MB", 1, lowest, false},
	rssLoad:      {"RSS after load, MB", 1, lowest, false},
	pssLoad:      {"PSS after load, MB", 1, lowest, false},
	registered:   {"exec to registered, ms", 1, median, false},
	listed:       {"exec to first list, ms", 1, median, false},
	oneP50:       {"Allocate, 1 client, p50 us", 0, lowest, false},
	oneP99:       {"Allocate, 1 client, p99 us", 0, lowest, false},
	oneRate:      {"Allocate, 1 client, /s", 0, highest, false},
	oneCPU:       {"Allocate, 1 client, CPU us", 0, lowest, false},
	eightP50:     {"Allocate, 8 clients, p50 us", 0, lowest, false},
	eightP99:     {"Allocate, 8 clients, p99 us", 0, lowest, false},
	eightRate:    {"Allocate, 8 clients, /s", 0, highest, false},
	eightCPU:     {"Allocate, 8 clients, CPU us", 0, lowest, false},
	pickOneP50:   {"preferred, 1 unit, p50 ms", 2, lowest, false},
	pickOneP99:   {"preferred, 1 unit, p99 ms", 2, lowest, false},
	pickEightP50: {"preferred, 8 units, p50 ms", 2, lowest, false},
	pickEightP99: {"preferred, 8 units, p99 ms", 2, lowest, false},
	updateP50:    {"update, p50 ms", 2, lowest, false},
	updateP99:    {"update, p99 ms", 2, lowest, false},
	idleSwitches: {"idle wakeups/s", 1, lowest, false},
	idleCPU:      {"idle CPU, %", 2, lowest, false},
	binarySize:   {"binary, stripped, MB", 2, lowest, true},
	imageSize:    {"binary + libraries, MB", 2, lowest, true},
}

// A series holds the figures of one server at one size, round by round.
type series [metricCount][]float64

func (s *series) add(m metric, value float64) {
	s[m] = append(s[m], value)
}

// value is the figure of the table, NaN if there is none.
func (s *series) value(m metric) float64 {
	if len(s[m]) == 0 {
		return math.NaN()
	}
	return measures[m].summary(s[m])
}

// percentile takes the nearest rank of sorted values: of less than 100 of them
// p99 is the worst.
func percentile[T any](sorted []T, p float64) T {
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func megabytes(bytes float64) float64      { return bytes / 1e6 }
