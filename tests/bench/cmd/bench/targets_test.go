// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestVerdict(t *testing.T) {
	cases := []struct {
		name         string
		target       target
		units        int
		ours, theirs float64
		want         string
	}{
		{"met", target{of: rssIdle, limit: 8}, 8, 7.5, 12, "met 7.50"},
		{"at the limit", target{of: rssIdle, limit: 8}, 8, 8, 12, "met 8.00"},
		{"missed", target{of: rssIdle, limit: 8}, 8, 8.5, 12, "MISSED 8.50"},
		{"ratio met", target{of: oneP99, limit: 1, ratio: true}, 8, 300, 600, "met 0.50x"},
		{"ratio missed", target{of: oneP99, limit: 1, ratio: true}, 8, 900, 600, "MISSED 1.50x"},
		{"another size", target{of: rssIdle, limit: 8, sizes: []int{8}}, 16, 1, 1, ""},
		{"not measured", target{of: idleCPU, limit: 1}, 8, 1, 1, "MISSED NaN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &sizeReport{plan: plan{units: c.units}}
			for _, m := range []metric{rssIdle, oneP99} {
				s.servers[silica].add(m, c.ours)
				s.servers[golang].add(m, c.theirs)
			}
			if got := c.target.verdict(s); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
