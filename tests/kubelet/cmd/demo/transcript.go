// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	columns = 100
	indent  = "    "
)

// transcript lays out what a person reads.
type transcript struct {
	out   io.Writer
	steps int
}

func (t *transcript) text(line string) {
	fmt.Fprintln(t.out, line)
}

func (t *transcript) title(title string) {
	t.text("")
	t.text(title)
	t.text(strings.Repeat("=", len(title)))
}

// step begins a numbered step; took is 0 where there is nothing to measure.
func (t *transcript) step(what string, took time.Duration) {
	t.steps++
	t.text("")
	line := fmt.Sprintf("%2d  %s", t.steps, what)
	if took > 0 {
		line += fmt.Sprintf("%*s", columns-len(line), fmt.Sprintf("%.3f s", took.Seconds()))
	}
	t.text(line)
}

// note prints a line below the step.
func (t *transcript) note(format string, args ...any) {
	t.text(indent + fmt.Sprintf(format, args...))
}

// list prints words after a heading, wrapped and aligned below each other.
func (t *transcript) list(heading string, words []string) {
	line := indent + heading
	for _, word := range words {
		if len(line)+1+len(word) > columns && strings.TrimSpace(line) != "" {
			t.text(line)
			line = indent + strings.Repeat(" ", len(heading))
		}
		line += " " + word
	}
	t.text(line)
}

// quote prints a line of a log, wrapped, behind a bar.
func (t *transcript) quote(line string) {
	const bar = indent + "| "
	for _, part := range wrap(line, columns-len(bar)) {
		t.text(bar + part)
	}
}

// wrap cuts a line at spaces, and within a word only when it is too long.
func wrap(line string, width int) []string {
	var parts []string
	for len(line) > width {
		at := strings.LastIndexByte(line[:width+1], ' ')
		if at <= 0 {
			at = width
		}
		parts = append(parts, line[:at])
		line = strings.TrimLeft(line[at:], " ")
	}
	return append(parts, line)
}
