// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"testing"
)

func TestSectionRows(t *testing.T) {
	cases := []struct {
		name         string
		target       *bound
		ours, theirs []float64
		want         []string
	}{
		{"met", &bound{limit: 2}, []float64{3, 2}, []float64{4},
			[]string{"2.0", "2.0-3.0", "4.0", "", "0.50", "met <= 2"}},
		{"missed", &bound{limit: 1}, []float64{2}, []float64{4, 5},
			[]string{"2.0", "", "4.0", "4.0-5.0", "0.50", "MISSED <= 1"}},
		{"ratio met", &bound{0.5, true}, []float64{2}, []float64{4},
			[]string{"2.0", "", "4.0", "", "0.50", "met <= 0.5x"}},
		{"ratio missed", &bound{0.4, true}, []float64{2}, []float64{4},
			[]string{"2.0", "", "4.0", "", "0.50", "MISSED <= 0.4x"}},
		{"no target", nil, []float64{2}, []float64{4},
			[]string{"2.0", "", "4.0", "", "0.50", ""}},
		{"no peer", &bound{limit: 2}, []float64{2}, nil,
			[]string{"2.0", "", "-", "", "-", "met <= 2"}},
		{"not measured", &bound{limit: 2}, []float64{math.NaN()}, nil,
			[]string{"-", "", "-", "", "-", "MISSED <= 2"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &section{}
			f := s.add("row", 1, lowest, c.target)
			for i, values := range [serverCount][]float64{silica: c.ours, golang: c.theirs} {
				for _, value := range values {
					f.add(i, value)
				}
			}
			if got := s.rows()[0].cells; !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(c.want)+1 != len(sectionHead) {
				t.Errorf("%d cells below %d titles", len(c.want)+1, len(sectionHead))
			}
		})
	}
}

func TestScenariosHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range scenarios {
		if s.name == "" || s.run == nil || seen[s.name] {
			t.Errorf("scenario '%s'", s.name)
		}
		seen[s.name] = true
	}
}
