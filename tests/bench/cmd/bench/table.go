// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A row is a line of a table, as text.
type row struct {
	label string
	cells []string
}

// tableRows makes the rows of the one table: per size silica, go and the ratio.
func tableRows(r *report) []row {
	rows := make([]row, 0, metricCount)
	for m, measure := range measures {
		line := row{label: measure.label}
		for i, size := range r.sizes {
			if measure.once && i > 0 {
				line.cells = append(line.cells, "", "", "")
				continue
			}
			line.cells = append(line.cells, cells(size, metric(m), measure.decimals)...)
		}
		rows = append(rows, line)
	}
	return rows
}

func cells(size *sizeReport, m metric, decimals int) []string {
	ours, theirs := size.servers[silica].value(m), size.servers[golang].value(m)
	return []string{number(ours, decimals), number(theirs, decimals), ratio(ours, theirs)}
}

// ratio drops decimals of large ones, which would say nothing.
func ratio(ours, theirs float64) string {
	value := ours / theirs
	switch {
	case math.IsInf(value, 0):
		return "-"
	case value >= 100:
		return number(value, 0)
	case value >= 10:
		return number(value, 1)
	default:
		return number(value, 2)
	}
}

func number(value float64, decimals int) string {
	if math.IsNaN(value) {
		return "-"
	}
	return strconv.FormatFloat(value, 'f', decimals, 64)
}

// targetRows makes one row per target that is about one of the sizes, with a
// cell per size.
func targetRows(r *report) []row {
	var rows []row
	for _, t := range targets {
		line, any := row{label: t.label}, false
		for _, size := range r.sizes {
			verdict := t.verdict(size)
			any = any || verdict != ""
			line.cells = append(line.cells, verdict)
		}
		if any {
			rows = append(rows, line)
		}
	}
	return rows
}

// grouped writes 60000 as 60,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func sizeTitles(r *report) []string {
	var titles []string
	for _, size := range r.sizes {
		titles = append(titles, grouped(size.plan.units)+" units")
	}
	return titles
}

func rounded(d time.Duration) string {
	return d.Round(time.Second).String()
}

// padLeft and padRight fill a text of ASCII up to a width.
func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-len(text))) + text
}

func padRight(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len(text)))
}
