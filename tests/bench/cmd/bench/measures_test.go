// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"testing"
)

func TestPercentile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	cases := []struct {
		values []int
		p      float64
		want   int
	}{
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{hundred, 0, 1},
		{hundred[:10], 0.99, 10},
		{hundred[:3], 0.5, 2},
		{hundred[:1], 0.5, 1},
	}
	for _, c := range cases {
		if got := percentile(c.values, c.p); got != c.want {
			t.Errorf("p%v of %d: got %d, want %d", c.p*100, len(c.values), got, c.want)
		}
	}
}

func TestSeriesValue(t *testing.T) {
	var s series
	for _, value := range []float64{3, 1, 2} {
		s.add(rssIdle, value)
		s.add(oneRate, value)
		s.add(registered, value)
	}
	for m, want := range map[metric]float64{rssIdle: 1, oneRate: 3, registered: 2} {
		if got := s.value(m); got != want {
			t.Errorf("%s: got %v, want %v", measures[m].label, got, want)
		}
	}
	if !math.IsNaN(s.value(idleCPU)) {
		t.Error("a figure that was not measured has a value")
	}
}

func TestMeasuresAreComplete(t *testing.T) {
	for m, measure := range measures {
		if measure.label == "" || measure.summary == nil || len(measure.label) >= labelWidth {
			t.Errorf("metric %d: row %q", m, measure.label)
		}
	}
}
