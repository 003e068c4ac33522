// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// A scenario measures something that the sizes do not show, in a table of its own.
type scenario struct {
	name string
	run  func(ctx context.Context, l *lab) (*section, error)
}

var scenarios = []scenario{
	{"vendors", measureVendors},
	{"shares", measureShares},
	{"reload", measureReload},
	{"metrics", measureMetrics},
	{"labeller", measureLabeller},
}

// A lab is what scenarios work with.
type lab struct {
	work     *workspace
	programs programs
	rounds   int
	quick    bool
}

// few does less of something in a quick run.
func (l *lab) few(n int) int {
	if l.quick {
		return max(2, n/5)
	}
	return n
}

// A section is what a scenario has found out.
type section struct {
	title   string
	figures []*figure
	rules   []string // how it was measured
}

// A figure is a row of a section's table; without values of the Go plugin there
// is no ratio.
type figure struct {
	label    string
	decimals int
	summary  summary
	target   *bound
	values   [serverCount][]float64 // round by round
}

// A bound is what silica's figure may be at most.
type bound struct {
	limit float64
	ratio bool // a part of the Go plugin's figure in the same run
}

func (f *figure) add(which int, value float64) {
	if !math.IsNaN(value) {
		f.values[which] = append(f.values[which], value)
	}
}

// value is the figure of the table, NaN if there is none.
func (f *figure) value(which int) float64 {
	if len(f.values[which]) == 0 {
		return math.NaN()
	}
	return f.summary(f.values[which])
}

// spread shows how far the rounds were apart.
func (f *figure) spread(which int) string {
	values := f.values[which]
	if len(values) < 2 {
		return ""
	}
	return number(slices.Min(values), f.decimals) + "-" + number(slices.Max(values), f.decimals)
}

func (f *figure) verdict() string {
	if f.target == nil {
		return ""
	}
	value, unit := f.value(silica), ""
	if f.target.ratio {
		value, unit = value/f.value(golang), "x"
	}
	word := "MISSED"
	if value <= f.target.limit {
		word = "met"
	}
	return fmt.Sprintf("%s <= %v%s", word, f.target.limit, unit)
}

var sectionHead = []string{"", "silica", "rounds", "go", "rounds", "ratio", "target"}

func (s *section) rows() []row {
	var rows []row
	for _, f := range s.figures {
		rows = append(rows, row{label: f.label, cells: []string{
			number(f.value(silica), f.decimals), f.spread(silica),
			number(f.value(golang), f.decimals), f.spread(golang),
			ratio(f.value(silica), f.value(golang)), f.verdict(),
		}})
	}
	return rows
}

// add makes a new row.
func (s *section) add(label string, decimals int, summary summary, target *bound) *figure {
	f := &figure{label: label, decimals: decimals, summary: summary, target: target}
	s.figures = append(s.figures, f)
	return f
}

// latencies is a pair of rows of one kind of call.
type latencies struct {
	p50, p99 *figure
}

func (s *section) addLatencies(label, unit string, decimals int, target *bound) latencies {
	return latencies{
		p50: s.add(label+", p50 "+unit, decimals, lowest, nil),
		p99: s.add(label+", p99 "+unit, decimals, lowest, target),
	}
}
