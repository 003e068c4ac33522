// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const replicaSeparator = "::"

// A unit is one partition of a card, or the whole card, several times.
type unit struct {
	id          string
	card        *card
	first, last int
	whole       bool
}

// makeUnits cuts every card into partitions of so many cores.
func makeUnits(cards []*card, cores int) []*unit {
	units := make([]*unit, 0, len(cards)*(coresPerCard/cores))
	for _, c := range cards {
		for first := 0; first < coresPerCard; first += cores {
			last := first + cores - 1
			units = append(units, &unit{
				id:    c.uuid + "_cores_" + rangeName(first, last),
				card:  c,
				first: first,
				last:  last,
			})
		}
	}
	return units
}

// makeReplicas offers every card so many times.
func makeReplicas(cards []*card, replicas int) []*unit {
	units := make([]*unit, 0, len(cards)*replicas)
	for _, c := range cards {
		for i := range replicas {
			units = append(units, &unit{
				id:    c.uuid + replicaSeparator + strconv.Itoa(i),
				card:  c,
				last:  coresPerCard - 1,
				whole: true,
			})
		}
	}
	return units
}

func rangeName(first, last int) string {
	if first == last {
		return strconv.Itoa(first)
	}
	return strconv.Itoa(first) + "-" + strconv.Itoa(last)
}

func (u *unit) healthy() bool {
	return u.card.alive && u.card.usable &&
		(u.whole || u.card.ranges[rangeName(u.first, u.last)])
}

func (u *unit) health() string {
	if u.healthy() {
		return pluginapi.Healthy
	}
	return pluginapi.Unhealthy
}

// device describes the unit to the kubelet.
func (u *unit) device() *pluginapi.Device {
	d := &pluginapi.Device{ID: u.id, Health: u.health()}
	if u.card.numa >= 0 {
		d.Topology = &pluginapi.TopologyInfo{
			Nodes: []*pluginapi.NUMANode{{ID: int64(u.card.numa)}},
		}
	}
	return d
}

// describedBy tells whether the kubelet would learn nothing new about the unit.
func (u *unit) describedBy(d *pluginapi.Device) bool {
	numa := -1
	if nodes := d.GetTopology().GetNodes(); len(nodes) > 0 {
		numa = int(nodes[0].ID)
	}
	return d.ID == u.id && d.Health == u.health() && numa == u.card.numa
}
