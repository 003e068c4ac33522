// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"strings"
	"testing"
)

func TestRatio(t *testing.T) {
	cases := []struct {
		ours, theirs float64
		want         string
	}{
		{1, 2, "0.50"},
		{25, 2, "12.5"},
		{500, 2, "250"},
		{0, 2, "0.00"},
		{1, 0, "-"},
		{0, 0, "-"},
		{math.NaN(), 1, "-"},
	}
	for _, c := range cases {
		if got := ratio(c.ours, c.theirs); got != c.want {
			t.Errorf("%v / %v: got %s, want %s", c.ours, c.theirs, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{8: "8", 999: "999", 1000: "1,000", 60000: "60,000",
		1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// fullReport has figures as wide as they get, at four sizes.
func fullReport() *report {
	r := &report{options: options{sizes: []int{8, 1000, 8000, 60000}}}
	for _, units := range r.options.sizes {
		size := &sizeReport{plan: makePlan(units, false)}
		for m := range metricCount {
			size.servers[silica].add(m, 12345)
			size.servers[golang].add(m, 1234.56)
		}
		r.sizes = append(r.sizes, size)
	}
	r.others = []*section{fullSection()}
	return r
}

// fullSection has the rows of all scenarios, as wide as they get.
func fullSection() *section {
	s := &section{title: "all rows"}
	addVendorsWindow(s, paceRescan, "rescan only", &bound{limit: 0.2})
	addSharesRows(s)
	addReloadRows(s)
	addMetricsRows(s)
	addLabellerRows(s)
	for _, f := range s.figures {
		scale := 123.45 // of bytes a row has no decimals
		if f.decimals == 0 {
			scale = 123456
		}
		for which := range serverCount {
			f.add(which, scale)
			f.add(which, scale+0.01)
		}
	}
	return s
}

func TestTerminalFitsTheScreen(t *testing.T) {
	var out strings.Builder
	printTerminal(&out, fullReport())
	for line := range strings.SplitSeq(out.String(), "\n") {
		if len(line) > screenWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestTablesHaveAllCells(t *testing.T) {
	r := fullReport()
	for _, line := range tableRows(r) {
		if len(line.cells) != 3*len(r.sizes) {
			t.Errorf("%s: %d cells", line.label, len(line.cells))
		}
	}
	rows := targetRows(r)
	if len(rows) != len(targets) {
		t.Errorf("%d of %d targets are shown", len(rows), len(targets))
	}
	for _, line := range rows {
		if len(line.cells) != len(r.sizes) {
			t.Errorf("%s: %d cells", line.label, len(line.cells))
		}
	}
}
