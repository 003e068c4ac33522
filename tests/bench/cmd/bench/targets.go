// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
)

// A target is what silica-device-plugin is to reach.
type target struct {
	label string
	sizes []int // nil: every size
	of    metric
	limit float64
	ratio bool // the limit is a part of the Go plugin's figure in the same run
}

const roundsToZero = 0.0499 // at most this is 0.0 with one decimal

var targets = []target{
	{"RSS idle <= 8 MB", []int{8}, rssIdle, 8, false},
	{"RSS idle <= 12 MB", []int{8000}, rssIdle, 12, false},
	{"exec to registered <= 50 ms", nil, registered, 50, false},
	{"Allocate p99, 1 client <= Go's", nil, oneP99, 1, true},
	{"Allocate p99, 8 clients <= Go's", nil, eightP99, 1, true},
	{"server CPU, 1 client <= 0.5x Go's", nil, oneCPU, 0.5, true},
	{"server CPU, 8 clients <= 0.5x Go's", nil, eightCPU, 0.5, true},
	{"preferred, 8 units, p99 <= 5 ms", []int{8000}, pickEightP99, 5, false},
	{"preferred, 8 units, p99 <= 50 ms", []int{60000}, pickEightP99, 50, false},
	{"idle CPU 0.0 %", nil, idleCPU, roundsToZero, false},
}

// verdict says whether a size meets a target, and with what; "" where the
// target is not about the size.
func (t *target) verdict(s *sizeReport) string {
	if t.sizes != nil && !slices.Contains(t.sizes, s.plan.units) {
		return ""
	}
	value, unit := s.servers[silica].value(t.of), ""
	if t.ratio {
		value, unit = value/s.servers[golang].value(t.of), "x"
	}
	word := "MISSED"
	if value <= t.limit {
		word = "met"
	}
	return fmt.Sprintf("%s %.2f%s", word, value, unit)
}
