// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
)

// Widths that let four sizes fit.
const (
	screenWidth      = 120
	labelWidth       = 28
	targetLabelWidth = 36
	targetWidth      = 18

	sectionLabelWidth = 46
)

var cellWidths = []int{9, 8, 6} // silica, go, ratio

var sectionWidths = []int{9, 17, 9, 17, 7, 15} // silica, rounds, go, rounds, ratio, target

const groupWidth = 9 + 8 + 6

func printTerminal(out io.Writer, r *report) {
	fmt.Fprintln(out, "Silica and minimal programs in Go, measured side by side")
	fmt.Fprintln(out)
	if len(r.sizes) > 0 {
		printTable(out, r)
		fmt.Fprintln(out)
		printTargets(out, r)
		fmt.Fprintln(out)
		printLines(out, rules(r))
	}
	if len(r.others) > 0 {
		fmt.Fprintf(out, "\n%s\n", wrap(sectionRules(r), screenWidth))
	}
	for _, s := range r.others {
		printSection(out, s)
	}
	fmt.Fprintln(out)
	printLines(out, facts(r))
}

func printLines(out io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(out, wrap(line, screenWidth))
	}
}

func printSection(out io.Writer, s *section) {
	fmt.Fprintf(out, "\n%s\n\n", s.title)
	printSectionRow(out, row{label: sectionHead[0], cells: sectionHead[1:]})
	for _, line := range s.rows() {
		printSectionRow(out, line)
	}
	fmt.Fprintln(out)
	printLines(out, s.rules)
}

func printSectionRow(out io.Writer, line row) {
	text := padRight(line.label, sectionLabelWidth)
	for i, cell := range line.cells {
		text += padLeft(cell, sectionWidths[i])
	}
	fmt.Fprintln(out, strings.TrimRight(text, " "))
}

func printTable(out io.Writer, r *report) {
	head, names := padRight("", labelWidth), padRight("", labelWidth)
	for _, title := range sizeTitles(r) {
		head += padLeft(title, groupWidth)
		for i, name := range []string{"silica", "go", "ratio"} {
			names += padLeft(name, cellWidths[i])
		}
	}
	fmt.Fprintln(out, head)
	fmt.Fprintln(out, names)
	for _, line := range tableRows(r) {
		text := padRight(line.label, labelWidth)
		for i, cell := range line.cells {
			text += padLeft(cell, cellWidths[i%len(cellWidths)])
		}
		fmt.Fprintln(out, strings.TrimRight(text, " "))
	}
}

func printTargets(out io.Writer, r *report) {
	text := padRight("targets", targetLabelWidth)
	for _, title := range sizeTitles(r) {
		text += padLeft(title, targetWidth)
	}
	fmt.Fprintln(out, text)
	for _, line := range targetRows(r) {
		text := padRight(line.label, targetLabelWidth)
		for _, cell := range line.cells {
			text += padLeft(cell, targetWidth)
		}
		fmt.Fprintln(out, strings.TrimRight(text, " "))
	}
}
