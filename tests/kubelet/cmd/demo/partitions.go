// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// quarter is a card's fourth part: 2 of 8 cores.
const quarter = "furiosa.ai/rngd-2core.12gb"

const partitionConfig = `version: v1
resources:
- name: furiosa.ai/rngd-2core.12gb
  devices: {vendor: furiosa, product: rngd}
  unit: partition
  cores: 2
`

func playPartitions(s *scene) error {
	for _, step := range []func(*scene) error{
		offersPartitions, packsPartitions, filtersFiles, failsTogether, (*scene).stopPlugin,
	} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func offersPartitions(s *scene) error {
	start := time.Now()
	if err := s.startPlugin(); err != nil {
		return err
	}
	if _, err := s.waitNode(quarter, 8, 8); err != nil {
		return err
	}
	s.step("The plugin starts with a configuration that cuts cards into 2-core partitions", time.Since(start))
	for _, line := range strings.Split(strings.TrimSpace(partitionConfig), "\n") {
		s.quote(line)
	}
	s.showCounts(quarter)
	s.showDevices(quarter)
	for _, name := range s.node.Cards() {
		for _, cores := range []string{"0-1", "2-3", "4-5", "6-7"} {
			id := s.node.Card(name).UUID + "_cores_" + cores
			if _, known := s.kubelet.Device(quarter, id); !known {
				return fmt.Errorf("%s is not listed", id)
			}
		}
	}
	return nil
}

// packsPartitions fills the node in an order in which careless choices would
// leave no card whole.
func packsPartitions(s *scene) error {
	s.step("Pods come one after the other; a started card is finished first", 0)
	s.note("%-6s  %-6s  %s", "POD", "ASKS", "GETS")
	cards := make(map[string]string) // pod to card
	for _, pod := range []struct {
		uid string
		n   int
	}{{"a", 1}, {"b", 2}, {"c", 4}, {"d", 1}} {
		got, err := s.admit(pod.uid, quarter, pod.n)
		if err != nil {
			return err
		}
		card, cores, err := s.onOneCard(got.DeviceIDs)
		if err != nil {
			return fmt.Errorf("pod %s: %w", pod.uid, err)
		}
		cards[pod.uid] = card
		s.note("%-6s  %-6d  %s, cores %s", pod.uid, pod.n, card, strings.Join(cores, " "))
	}
	if cards["b"] != cards["a"] || cards["d"] != cards["a"] || cards["c"] == cards["a"] {
		return fmt.Errorf("not packed: %v", cards)
	}
	return nil
}

// onOneCard splits partition IDs into the card's name and the cores.
func (s *scene) onOneCard(ids []string) (card string, cores []string, err error) {
	for _, id := range slices.Sorted(slices.Values(ids)) { // a kubelet has them in any order
		uuid, part, cut := strings.Cut(id, "_cores_")
		name := s.cardName(uuid)
		if !cut || name == "" || card != "" && name != card {
			return "", nil, fmt.Errorf("not of one card: %v", ids)
		}
		card, cores = name, append(cores, part)
	}
	return card, cores, nil
}

func filtersFiles(s *scene) error {
	got := s.kubelet.Allocations("a")
	if len(got) != 1 {
		return fmt.Errorf("pod a has %+v", got)
	}
	id := got[0].DeviceIDs[0]
	_, cores, _ := strings.Cut(id, "_cores_")
	s.step("Pod a sees the files that the card's partitions share, and of the cores only its own", 0)
	s.note("device   %s", id)
	s.showAnswer(got[0].Response)
	first, last, _ := strings.Cut(cores, "-")
	return checkFiles(got[0].Response, rngdShared, []string{"pe" + first, "pe" + last, "pe" + cores})
}

func failsTogether(s *scene) error {
	start := time.Now()
	if err := s.node.Sim("fail", "rngd0"); err != nil {
		return err
	}
	if _, err := s.waitNode(quarter, 8, 4); err != nil {
		return err
	}
	s.step("A card fails: all four partitions of rngd0 are Unhealthy", time.Since(start))
	s.showDevices(quarter)
	for _, device := range s.kubelet.Devices(quarter) {
		if of0 := strings.HasPrefix(device.ID, s.node.Card("rngd0").UUID); of0 == device.Healthy {
			return fmt.Errorf("%s is %s", device.ID, device.Health)
		}
	}
	return nil
}
