// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strconv"
	"strings"
)

// A labelSet is labels by their names.
type labelSet map[string]string

// What every RNGD is.
var productLabels = labelSet{
	"furiosa.ai/npu.family":           "rngd",
	"furiosa.ai/npu.product":          "rngd",
	"silica.dev/accelerator":          "true",
	"silica.dev/furiosa":              "true",
	"silica.dev/furiosa.architecture": "rngd",
	"silica.dev/furiosa.cores":        "8",
	"silica.dev/furiosa.memory":       "49152", // MiB
	"silica.dev/furiosa.mode.whole":   "true",
	"silica.dev/furiosa.pci-device":   "1ed2-0001",
	"silica.dev/furiosa.product":      "rngd",
	"silica.dev/furiosa.tier":         "hardware",
}

// makeLabels says of the cards what there is to say; of no card nothing.
func makeLabels(cards []*card) labelSet {
	labels := labelSet{}
	if len(cards) == 0 {
		return labels
	}
	for name, value := range productLabels {
		labels[name] = value
	}
	labels.addCounts(cards)
	if text, same := agreed(cards, func(c *card) string { return c.driver }); same {
		labels.addVersion("furiosa.ai/driver.version", text)
		labels.addVersion("furiosa.ai/npu.driver.version", text)
		labels.addPlainVersion("silica.dev/furiosa.driver-version", text)
	}
	if text, same := agreed(cards, func(c *card) string { return c.firmware }); same {
		labels.addVersion("furiosa.ai/firmware.version", text)
		labels.addVersion("furiosa.ai/npu.firmware.version", text)
		labels.addPlainVersion("silica.dev/furiosa.firmware-version", text)
	}
	return labels
}

func (l labelSet) addCounts(cards []*card) {
	healthy, numa := 0, map[string]bool{}
	for _, c := range cards {
		state := "unhealthy"
		if c.alive {
			state = "healthy"
			healthy++
		}
		l["silica.dev/furiosa.device."+c.uuid] = state
		if c.numa != "" && c.numa != "-1" {
			numa[c.numa] = true
		}
	}
	for _, name := range []string{"furiosa.ai/npu.count", "silica.dev/accelerator.count",
		"silica.dev/furiosa.count", "silica.dev/furiosa.product.rngd"} {
		l[name] = strconv.Itoa(len(cards))
	}
	l["silica.dev/accelerator.healthy"] = strconv.Itoa(healthy)
	l["silica.dev/furiosa.healthy"] = strconv.Itoa(healthy)
	if len(numa) > 0 {
		l["silica.dev/furiosa.numa-nodes"] = strconv.Itoa(len(numa))
	}
}

// agreed is what all cards say, if they do.
func agreed(cards []*card, fact func(c *card) string) (string, bool) {
	text := fact(cards[0])
	for _, c := range cards[1:] {
		if fact(c) != text {
			return "", false
		}
	}
	return text, text != ""
}

// A version like 2025.4.0-dev2+0e9e56a.
var versionText = regexp.MustCompile(
	`^((\d+)\.(\d+)\.(\d+))(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$`)

// addVersion takes a version apart in the way of the vendor's tool.
func (l labelSet) addVersion(name, text string) {
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return
	}
	for i, suffix := range []string{"", ".major", ".minor", ".patch", ".prerelease", ".metadata"} {
		l[name+suffix] = parts[i+1]
	}
}

// addPlainVersion writes a version as a label can have it, and its numbers.
func (l labelSet) addPlainVersion(name, text string) {
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return
	}
	l[name] = strings.ReplaceAll(text, "+", "-")
	for i, suffix := range []string{".major", ".minor", ".patch"} {
		l[name+suffix] = parts[i+2]
	}
}

// isOn tells whether a node that has other labels too has these.
func (l labelSet) isOn(node map[string]string) bool {
	for name, value := range l {
		if found, there := node[name]; !there || found != value {
			return false
		}
	}
	return true
}
