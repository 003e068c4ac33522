// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestDiffer(t *testing.T) {
	one := func(device, node string) answers {
		return answers{devices: []string{device}, nodes: map[string][]string{"a": {node}}}
	}
	cases := []struct {
		name string
		a, b answers
		same bool
	}{
		{"equal", one("a Healthy", "/dev/x"), one("a Healthy", "/dev/x"), true},
		{"another health", one("a Healthy", "/dev/x"), one("a Unhealthy", "/dev/x"), false},
		{"another file", one("a Healthy", "/dev/x"), one("a Healthy", "/dev/y"), false},
		{"a unit too few", one("a Healthy", "/dev/x"), answers{}, false},
	}
	for _, c := range cases {
		if err := differ(c.a, c.b); (err == nil) != c.same {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
