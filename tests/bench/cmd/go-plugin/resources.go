// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// A resource is an element of the file that -resources names.
type resource struct {
	Name     string   `json:"name"`
	UUIDs    []string `json:"uuids"`
	Replicas int      `json:"replicas"`
}

// makePlugins makes one plugin per resource of the file, or the one that the
// flags describe.
func makePlugins(o options) ([]*plugin, error) {
	if o.resources == "" {
		return []*plugin{newPlugin(o, nil)}, nil
	}
	text, err := os.ReadFile(o.resources)
	if err != nil {
		return nil, err
	}
	var resources []resource
	if err := json.Unmarshal(text, &resources); err != nil {
		return nil, fmt.Errorf("'%s': %w", o.resources, err)
	}
	var plugins []*plugin
	for _, r := range resources {
		own := o
		own.resource, own.replicas = r.Name, r.Replicas
		plugins = append(plugins, newPlugin(own, r.UUIDs))
	}
	return plugins, nil
}
