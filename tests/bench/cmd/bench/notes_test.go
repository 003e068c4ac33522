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
	o := options{quick: true, sizes: []int{8, 1000}, markdown: "/tmp/x.md", silica: "/opt/plugin",
		goPlugin: "/opt/go", goFlags: []string{"-check-nodes=false"}}
	const want = "bench --quick --sizes 8,1000 --go-flags '-check-nodes=false'"
	if got := command(o); got != want || strings.Contains(got, "/") {
		t.Errorf("got %q", got)
	}
}
