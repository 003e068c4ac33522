// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"testing"

	"silica/tests/kubelet/apiserver"
)

func TestLabelsOf(t *testing.T) {
	node := apiserver.Object{"metadata": apiserver.Object{
		"labels": apiserver.Object{hostnameLabel: "n", "a": "1", "b": ""}}}
	if got := labelsOf(node); !maps.Equal(got, labels{"a": "1", "b": ""}) {
		t.Errorf("got %v", got)
	}
	if got := labelsOf(apiserver.Object{}); len(got) > 0 {
		t.Errorf("a node without labels: %v", got)
	}
}

func TestLabelsDiffer(t *testing.T) {
	cases := []struct {
		name string
		a, b labels
		want string
	}{
		{"equal", labels{"a": "1"}, labels{"a": "1"}, ""},
		{"another value", labels{"a": "1", "b": "2"}, labels{"a": "1", "b": "3"}, "b"},
		{"one missing", labels{"a": "", "b": "2"}, labels{"b": "2"}, "a"},
		{"one too many", labels{"a": "1"}, labels{"a": "1", "c": ""}, "c"},
		{"none at all", labels{}, nil, ""},
	}
	for _, c := range cases {
		if got := c.a.differ(c.b); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestExpectedLabels(t *testing.T) {
	good := labels{contestedLabel: "8", "silica.dev/furiosa.healthy": "8",
		"silica.dev/furiosa.device.U": "healthy", "silica.dev/furiosa.tier": "hardware"}
	failed := good.withFailed("U")
	if failed["silica.dev/furiosa.healthy"] != "7" || failed[contestedLabel] != "8" ||
		failed["silica.dev/furiosa.device.U"] != "unhealthy" {
		t.Errorf("a failed card: %v", failed)
	}
	gone := good.without("U")
	if _, there := gone["silica.dev/furiosa.device.U"]; there || gone[contestedLabel] != "7" ||
		gone["silica.dev/furiosa.tier"] != "hardware" {
		t.Errorf("a card that is gone: %v", gone)
	}
	if good[contestedLabel] != "8" || good["silica.dev/furiosa.device.U"] != "healthy" {
		t.Errorf("the labels of before have changed: %v", good)
	}
}
