// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMakePlugins(t *testing.T) {
	cases := []struct {
		name, text string
		units      []int // of each plugin, of three cards a, b and c; nil: refused
	}{
		{"two resources", `[{"name": "x/a", "uuids": ["a"], "replicas": 3},
			{"name": "x/b", "uuids": ["b", "c"], "replicas": 2}]`, []int{3, 4}},
		{"no such card", `[{"name": "x/a", "uuids": ["d"], "replicas": 3}]`, []int{0}},
		{"no JSON", `name: x/a`, nil},
	}
	cards := []*card{{uuid: "a"}, {uuid: "b"}, {uuid: "c"}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "resources.json")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			plugins, err := makePlugins(options{resources: path})
			if (err == nil) != (c.units != nil) || len(plugins) != len(c.units) {
				t.Fatalf("%d plugins, %v", len(plugins), err)
			}
			for i, p := range plugins {
				p.take(cards)
				if devices, _ := p.list(); len(devices) != c.units[i] {
					t.Errorf("resource %d: %d units, want %d", i, len(devices), c.units[i])
				}
			}
		})
	}
}
