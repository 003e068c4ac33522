// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// The policies for replicas are greedy in the way of the plugins in use: for
// every unit that is picked all candidates are sorted anew, by how many units
// of their card are taken, and every comparison splits two IDs.  One pass over
// counters would do; it is the cost of the other way that is to be compared.

// chooseDistributed takes from the card of which the least is taken.
func chooseDistributed(units map[string]*unit, available, must []string, size int) []string {
	return chooseGreedily(units, available, must, size, func(a, b int) int { return a - b })
}

// choosePacked takes from the card of which the most is taken.
func choosePacked(units map[string]*unit, available, must []string, size int) []string {
	return chooseGreedily(units, available, must, size, func(a, b int) int { return b - a })
}

func chooseGreedily(units map[string]*unit, available, must []string, size int,
	compare func(a, b int) int) []string {
	chosen := slices.Clone(must)
	if len(chosen) >= size {
		return chosen[:max(size, 0)]
	}
	candidates := slices.DeleteFunc(slices.Clone(available), func(id string) bool {
		return units[id] == nil || slices.Contains(must, id)
	})
	taken := countTaken(units, candidates)
	for len(chosen) < size && len(candidates) > 0 {
		slices.SortStableFunc(candidates, func(a, b string) int {
			return compare(taken[cardOf(a)], taken[cardOf(b)])
		})
		taken[cardOf(candidates[0])]++
		chosen = append(chosen, candidates[0])
		candidates = candidates[1:]
	}
	return chosen
}

// countTaken counts the units of each card that are no candidates.
func countTaken(units map[string]*unit, candidates []string) map[string]int {
	taken := make(map[string]int)
	for id := range units {
		taken[cardOf(id)]++
	}
	for _, id := range candidates {
		taken[cardOf(id)]--
	}
	return taken
}

// cardOf is the part of a replica's ID that names the card.
func cardOf(id string) string {
	return strings.Split(id, replicaSeparator)[0]
}
