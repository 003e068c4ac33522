// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"testing"
)

func TestCountersCount(t *testing.T) {
	c, err := openCounters(os.Getpid())
	if err != nil {
		t.Skip("no performance counters here:", err)
	}
	defer c.close()
	before, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for i := range 1_000_000 {
		sum += i * i
	}
	after, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if after[instructions]-before[instructions] < 1_000_000 || sum == 0 {
		t.Errorf("%.0f instructions for a million multiplications",
			after[instructions]-before[instructions])
	}
}

func TestNoCountersAreNotZero(t *testing.T) {
	var none *counters
	values, err := none.read()
	if err != nil || !math.IsNaN(values[instructions]) || !math.IsNaN(values[cycles]) {
		t.Errorf("got %v, %v", values, err)
	}
}
