// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	cases := []struct {
		text, want string
		width      int
	}{
		{"", "", 10},
		{"one two", "one two", 7},
		{"one two", "one\n  two", 6},
		{"one two three", "one two\n  three", 7},
		{"- a word of12345 b", "- a word\n  of12345\n  b", 9},
	}
	for _, c := range cases {
		if got := wrap(c.text, c.width); got != c.want {
			t.Errorf("%q at %d: got %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestCommandHasNoPaths(t *testing.T) {
	cases := []struct {
		o    options
		want string
	}{
		{options{quick: true, sizes: []int{8, 1000}, scenario: scenarios, markdown: "/tmp/x.md",
			silica: "/opt/plugin", goPlugin: "/opt/go", goFlags: []string{"-check-nodes=false"}},
			"bench --quick --sizes 8,1000 --go-flags '-check-nodes=false'"},
		{options{scenario: scenarios[:2]}, "bench --sizes none --scenarios vendors,shares"},
		{options{sizes: []int{8}}, "bench --sizes 8 --scenarios none"},
	}
	for _, c := range cases {
		if got := command(c.o); got != c.want || strings.Contains(got, "/") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestIsBusy(t *testing.T) {
	cases := []struct {
		before, after string
		want          bool
	}{
		{"1.00 9.00 9.00", "1.50 9.00 9.00", false},
		{"2.10 1.00 1.00", "1.00 1.00 1.00", true},
		{"1.00 1.00 1.00", "2.10 1.00 1.00", true},
		{"unknown", "unknown", false},
	}
	for _, c := range cases {
		if got := isBusy(machine{cores: 2, loadBefore: c.before, loadAfter: c.after}); got != c.want {
			t.Errorf("%s, %s: got %v", c.before, c.after, got)
		}
	}
}
