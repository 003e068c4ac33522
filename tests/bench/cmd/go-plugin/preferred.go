// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// A policy chooses units for a container.
type policy func(units map[string]*unit, available, must []string, size int) []string

var policies = map[string]policy{
	"aligned":     chooseUnits,
	"packed":      choosePacked,
	"distributed": chooseDistributed,
}

// A bin is a card with the units of it that are free.
type bin struct {
	ids     []string
	started bool // a unit of it must be included
}

// chooseUnits packs a request into the fewest cards that a greedy choice finds:
// those of the units that must be included, then the fullest card that holds
// the rest, else the emptiest ones.
func chooseUnits(units map[string]*unit, available, must []string, size int) []string {
	chosen := slices.Clone(must)
	if len(chosen) >= size {
		return chosen[:max(size, 0)]
	}
	bins := collectBins(units, available, chosen)
	for len(chosen) < size && len(bins) > 0 {
		need := size - len(chosen)
		best := slices.MinFunc(bins, func(a, b *bin) int { return compareBins(a, b, need) })
		chosen = append(chosen, best.ids[:min(need, len(best.ids))]...)
		bins = slices.DeleteFunc(bins, func(b *bin) bool { return b == best })
	}
	return chosen
}

// collectBins groups what is available and not chosen yet by card.
func collectBins(units map[string]*unit, available, chosen []string) []*bin {
	taken := make(map[string]bool, len(chosen))
	byCard := make(map[*card]*bin)
	var bins []*bin
	binOf := func(c *card) *bin {
		if byCard[c] == nil {
			byCard[c] = &bin{}
			bins = append(bins, byCard[c])
		}
		return byCard[c]
	}
	for _, id := range chosen {
		taken[id] = true
		if u := units[id]; u != nil {
			binOf(u.card).started = true
		}
	}
	for _, id := range available {
		if u := units[id]; u != nil && !taken[id] {
			b := binOf(u.card)
			b.ids = append(b.ids, id)
		}
	}
	return slices.DeleteFunc(bins, func(b *bin) bool { return len(b.ids) == 0 })
}

// compareBins orders started cards first, then the fullest that holds what is
// needed, then the emptiest.
func compareBins(a, b *bin, need int) int {
	if a.started != b.started {
		if a.started {
			return -1
		}
		return 1
	}
	aFits, bFits := len(a.ids) >= need, len(b.ids) >= need
	switch {
	case aFits && bFits:
		return len(a.ids) - len(b.ids)
	case aFits:
		return -1
	case bFits:
		return 1
	default:
		return len(b.ids) - len(a.ids)
	}
}
