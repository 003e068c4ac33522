// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestSampleValue(t *testing.T) {
	const text = "# HELP x y\nx_sum 1.5\nx_count 3\nx{a=\"b\"} 4\nbad one\n"
	cases := []struct {
		series string
		want   float64
		fails  bool
	}{
		{"x_sum", 1.5, false},
		{"x_count", 3, false},
		{`x{a="b"}`, 4, false},
		{"x", 0, true},
		{"bad", 0, true},
	}
	for _, c := range cases {
		got, err := sampleValue(text, c.series)
		if (err != nil) != c.fails || got != c.want {
			t.Errorf("%s: got %v, %v", c.series, got, err)
		}
	}
}
