// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"testing"
)

func testCards() []*card {
	return []*card{
		{uuid: "a", numa: "0", driver: "2025.4.0-dev2+0e9e56a", firmware: "2025.1.0", alive: true},
		{uuid: "b", numa: "1", driver: "2025.4.0-dev2+0e9e56a", firmware: "2025.1.0"},
	}
}

func TestMakeLabels(t *testing.T) {
	labels := makeLabels(testCards())
	want := labelSet{
		"furiosa.ai/npu.count":                 "2",
		"furiosa.ai/npu.family":                "rngd",
		"furiosa.ai/driver.version":            "2025.4.0",
		"furiosa.ai/driver.version.minor":      "4",
		"furiosa.ai/driver.version.prerelease": "dev2",
		"furiosa.ai/driver.version.metadata":   "0e9e56a",
		"furiosa.ai/npu.firmware.version":      "2025.1.0",
		"silica.dev/furiosa.driver-version":    "2025.4.0-dev2-0e9e56a",
		"silica.dev/furiosa.healthy":           "1",
		"silica.dev/furiosa.device.a":          "healthy",
		"silica.dev/furiosa.device.b":          "unhealthy",
		"silica.dev/furiosa.numa-nodes":        "2",
	}
	for name, value := range want {
		if labels[name] != value {
			t.Errorf("%s: %q, want %q", name, labels[name], value)
		}
	}
	if value, there := labels["furiosa.ai/npu.firmware.version.metadata"]; !there || value != "" {
		t.Errorf("metadata that the version does not have: %q, %v", value, there)
	}
}

func TestLabelsThatAreMissing(t *testing.T) {
	cases := []struct {
		name   string
		change func(c *card)
	}{
		{"cards that do not agree", func(c *card) { c.driver = "2025.3.0" }},
		{"a card without a version", func(c *card) { c.driver = "" }},
	}
	for _, c := range cases {
		cards := testCards()
		c.change(cards[1])
		labels := makeLabels(cards)
		if value, there := labels["furiosa.ai/driver.version"]; there {
			t.Errorf("%s: driver version %q", c.name, value)
		}
		if labels["furiosa.ai/firmware.version"] != "2025.1.0" {
			t.Errorf("%s: no firmware version", c.name)
		}
	}
	if labels := makeLabels(nil); len(labels) > 0 {
		t.Errorf("no card: %v", labels)
	}
}

func TestVersionsThatAreNone(t *testing.T) {
	for _, text := range []string{"2025.4", "v2025.4.0", "2025.4.0 dev", "2025.4.0+"} {
		labels := labelSet{}
		labels.addVersion("x", text)
		labels.addPlainVersion("y", text)
		if len(labels) > 0 {
			t.Errorf("%q: %v", text, labels)
		}
	}
}

func TestIsOn(t *testing.T) {
	wanted := labelSet{"a": "1", "b": ""}
	cases := []struct {
		name string
		node map[string]string
		want bool
	}{
		{"with others", map[string]string{"a": "1", "b": "", "c": "3"}, true},
		{"another value", map[string]string{"a": "2", "b": ""}, false},
		{"an empty one is missing", map[string]string{"a": "1"}, false},
	}
	for _, c := range cases {
		if got := wanted.isOn(maps.Clone(c.node)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
