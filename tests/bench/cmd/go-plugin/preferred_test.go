// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// testUnits makes units "a0".."a7" of card a, and so on.
func testUnits(cards string) map[string]*unit {
	units := make(map[string]*unit)
	for _, name := range cards {
		c := &card{uuid: string(name)}
		for i := range coresPerCard {
			id := string(name) + string(rune('0'+i))
			units[id] = &unit{id: id, card: c, first: i, last: i}
		}
	}
	return units
}

func TestChooseUnits(t *testing.T) {
	cases := []struct {
		name, available, must, want string
		size                        int
	}{
		{"the fullest card that fits", "a0 a1 a2 b0 b1 c0", "", "b0 b1", 2},
		{"one of a started card", "a0 a1 b0", "", "b0", 1},
		{"the card of what must be included", "a0 a1 b0 b1 b2", "b2", "b2 b0", 2},
		{"more than one card holds", "a0 a1 b0 c0 c1 c2", "", "c0 c1 c2 b0", 4},
		{"more must be included than wanted", "a0 a1", "a0 a1", "a0", 1},
		{"less available than wanted", "a0", "", "a0", 3},
		{"unknown units are not chosen", "x0 a0", "", "a0", 1},
		{"nothing wanted", "a0", "", "", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := chooseUnits(testUnits("abc"), strings.Fields(c.available),
				strings.Fields(c.must), c.size)
			if !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
