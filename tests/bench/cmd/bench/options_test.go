// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

func TestParseSizes(t *testing.T) {
	cases := []struct {
		text string
		want []int // nil: refused
	}{
		{"8", []int{8}},
		{"8, 1000", []int{8, 1000}},
		{"65536", []int{65536}},
		{"65544", nil},
		{"7", nil},
		{"0", nil},
		{"-8", nil},
		{"8,8", nil},
		{"8,", nil},
		{"", nil},
		{"many", nil},
	}
	for _, c := range cases {
		got, err := parseSizes(c.text)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestParseScenarios(t *testing.T) {
	cases := []struct {
		text  string
		want  string
		fails bool
	}{
		{"vendors", "vendors", false},
		{"reload,shares", "reload,shares", false},
		{"none", "", false},
		{"", "", true},
		{"vendors,vendors", "", true},
		{"all", "", true},
	}
	for _, c := range cases {
		got, err := parseScenarios(c.text)
		if (err != nil) != c.fails || scenarioNames(got) != c.want {
			t.Errorf("%q: got %s, %v", c.text, scenarioNames(got), err)
		}
	}
}

func TestParseNoSizes(t *testing.T) {
	if sizes, err := parseSizes("none"); err != nil || len(sizes) != 0 {
		t.Errorf("got %v, %v", sizes, err)
	}
}

func TestMakePlanEndsWithWorkingCards(t *testing.T) {
	for _, units := range []int{8, 1000, 8000, 60000} {
		for _, quick := range []bool{false, true} {
			if p := makePlan(units, quick); p.flips <= 0 || p.flips%2 != 0 {
				t.Errorf("%d units, quick %v: %d flips leave a card failed", units, quick, p.flips)
			}
		}
	}
}
