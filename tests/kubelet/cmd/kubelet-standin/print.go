// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"silica/tests/kubelet/standin"
)

func printLine(at time.Time, kind, resource, text string) {
	line := fmt.Sprintf("%s  %-12s  %-28s  %s", at.Format("15:04:05.000"), kind, resource, text)
	fmt.Println(strings.TrimRight(line, " "))
}

// printEvent prints all but the lists themselves, whose effect is printed.
func printEvent(event standin.Event) {
	var text []string
	for _, part := range []string{event.Device, event.Socket, event.Text} {
		if part != "" {
			text = append(text, part)
		}
	}
	if event.Kind != standin.Listed {
		printLine(event.Time, string(event.Kind), event.Resource, strings.Join(text, "  "))
	}
}

const countInterval = 50 * time.Millisecond

// printCounts prints capacity and allocatable whenever they have changed, until
// the context ends.
func printCounts(ctx context.Context, kubelet *standin.Kubelet) {
	ticker := time.NewTicker(countInterval)
	defer ticker.Stop()
	printed := make(map[string]standin.Count)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		node := kubelet.Node()
		for _, resource := range slices.Sorted(maps.Keys(node)) {
			count := node[resource]
			if before, known := printed[resource]; known && before == count {
				continue
			}
			printed[resource] = count
			printLine(time.Now(), "node", resource,
				fmt.Sprintf("capacity %d, allocatable %d", count.Capacity, count.Allocatable))
		}
	}
}
