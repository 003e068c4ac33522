// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// testReplicas makes units "a::0".."a::3" of card a, and so on.
func testReplicas(cards string) map[string]*unit {
	units := make(map[string]*unit)
	for _, name := range cards {
		for _, u := range makeReplicas([]*card{{uuid: string(name)}}, 4) {
			units[u.id] = u
		}
	}
	return units
}

func TestGreedyPolicies(t *testing.T) {
	const all = "a::0 a::1 a::2 a::3 b::0 b::1 b::2 b::3"
	cases := []struct {
		name, policy, available, must, want string
		size                                int
	}{
		{"over all cards", "distributed", all, "", "a::0 b::0 b::1 a::1", 4},
		{"on one card", "packed", all, "", "a::0 a::1 a::2", 3},
		{"the card less taken", "distributed", "a::0 b::0 b::1", "", "b::0", 1},
		{"the card more taken", "packed", "b::0 b::1 b::2 a::0", "", "a::0 b::0", 2},
		{"what must be included counts", "distributed", all, "a::1", "a::1 b::0", 2},
		{"packed beside what must be included", "packed", all, "b::1", "b::1 b::0", 2},
		{"more must be included than wanted", "packed", all, "a::0 a::1", "a::0", 1},
		{"less available than wanted", "packed", "a::0", "", "a::0", 3},
		{"unknown units are not chosen", "distributed", "x::0 a::0", "", "a::0", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := policies[c.policy](testReplicas("ab"), strings.Fields(c.available),
				strings.Fields(c.must), c.size)
			if !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
