// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
)

func printMarkdown(out io.Writer, r *report) {
	fmt.Fprint(out, "# Benchmarks\n\nOne run of `make bench`: Silica's programs and minimal ones in"+
		" Go, measured\nside by side. This page is written by the program.\n\n")
	if len(r.sizes) > 0 {
		printMarkdownSizes(out, r)
	}
	if len(r.others) > 0 {
		fmt.Fprintf(out, "\n## Scenarios\n\n%s\n", wrap(sectionRules(r), screenWidth))
	}
	for _, s := range r.others {
		printMarkdownSection(out, s)
	}
	fmt.Fprint(out, "\n## The run\n\n")
	printMarkdownList(out, facts(r))
}

func printMarkdownSizes(out io.Writer, r *report) {
	printMarkdownTable(out, r)
	fmt.Fprint(out, "\n## Targets\n\nEach with the figure that decides it; `x` is a ratio to the Go"+
		" plugin in the same run.\n\n")
	printMarkdownTargets(out, r)
	fmt.Fprint(out, "\n## How it was measured\n\n")
	printMarkdownList(out, rules(r))
}

func printMarkdownSection(out io.Writer, s *section) {
	fmt.Fprintf(out, "\n### %s\n\n", s.title)
	printMarkdownRow(out, sectionHead)
	printMarkdownRule(out, len(sectionHead))
	for _, line := range s.rows() {
		printMarkdownRow(out, append([]string{line.label}, line.cells...))
	}
	fmt.Fprintln(out)
	printMarkdownList(out, s.rules)
}

func printMarkdownList(out io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(out, wrap("- "+line, screenWidth))
	}
}

func printMarkdownTable(out io.Writer, r *report) {
	head := []string{""}
	for _, size := range r.sizes {
		units := grouped(size.plan.units)
		head = append(head, units+": silica", "go", "ratio")
	}
	printMarkdownRow(out, head)
	printMarkdownRule(out, len(head))
	for _, line := range tableRows(r) {
		printMarkdownRow(out, append([]string{strings.TrimSpace(line.label)}, line.cells...))
	}
}

func printMarkdownTargets(out io.Writer, r *report) {
	head := append([]string{"target"}, sizeTitles(r)...)
	printMarkdownRow(out, head)
	printMarkdownRule(out, len(head))
	for _, line := range targetRows(r) {
		printMarkdownRow(out, append([]string{line.label}, line.cells...))
	}
}

func printMarkdownRow(out io.Writer, cells []string) {
	fmt.Fprintln(out, "| "+strings.Join(cells, " | ")+" |")
}

// printMarkdownRule aligns labels to the left and figures to the right.
func printMarkdownRule(out io.Writer, columns int) {
	fmt.Fprintln(out, "|---|"+strings.Repeat("--:|", columns-1))
}
