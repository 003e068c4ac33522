// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"silica/tests/kubelet/internal/program"
	"silica/tests/kubelet/internal/simnode"
	"silica/tests/kubelet/standin"
)

// patience is how long anything may take before the demo calls it wrong.
const patience = 30 * time.Second

// scene is a simulated node with a kubelet and, once started, a plugin.
type scene struct {
	*transcript
	ctx     context.Context
	node    *simnode.Node
	kubelet *standin.Kubelet
	plugin  *program.Process
	config  string // path, or ""
}

func newScene(ctx context.Context, out *transcript, cards, config string) (*scene, error) {
	node, err := simnode.Make(cards)
	if err != nil {
		return nil, err
	}
	s := &scene{transcript: out, ctx: ctx, node: node}
	s.kubelet = standin.New(standin.Options{Dir: node.Kubelet})
	if config != "" {
		s.config = filepath.Join(node.Dir, "config.yaml")
		if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
			s.end()
			return nil, err
		}
	}
	if err := s.kubelet.Start(); err != nil {
		s.end()
		return nil, err
	}
	s.showNode(cards)
	return s, nil
}

// end leaves nothing behind.
func (s *scene) end() {
	if s.plugin != nil {
		s.plugin.Kill()
	}
	s.kubelet.Stop()
	s.node.Remove()
}

func (s *scene) showNode(cards string) {
	s.step("A node: "+cards, 0)
	s.note("%-8s  %-36s  %-12s  %s", "CARD", "UUID", "PCI", "NUMA")
	for _, name := range s.node.Cards() {
		card := s.node.Card(name)
		s.note("%-8s  %-36s  %-12s  %4d", name, card.UUID, card.BDF, card.NUMA)
	}
}

// startPlugin starts the plugin; its log goes to a file.
func (s *scene) startPlugin() error {
	args := []string{"--host-root", s.node.Host, "--kubelet-dir", s.node.Kubelet, "--registration", "classic"}
	if s.config != "" {
		args = append(args, "--config", s.config)
	}
	plugin, err := program.Start(s.logPath(), "silica-device-plugin", args...)
	s.plugin = plugin
	return err
}

// stopPlugin ends the plugin as Kubernetes does and checks that it went in peace.
func (s *scene) stopPlugin() error {
	start := time.Now()
	s.plugin.Signal(syscall.SIGTERM)
	status, err := s.plugin.Wait(patience)
	if err != nil {
		return err
	}
	if status != 0 {
		return fmt.Errorf("exit status %d after SIGTERM", status)
	}
	left, err := filepath.Glob(filepath.Join(s.kubelet.PluginDir(), "silica-*"))
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind: %v", left)
	}
	s.step("SIGTERM: the plugin ends with status 0 and takes its socket along", time.Since(start))
	return nil
}

func (s *scene) logPath() string {
	return filepath.Join(s.node.Dir, "plugin.log")
}

// wait waits for a condition and gives the time that it took.
func (s *scene) wait(what string, condition func() bool) (time.Duration, error) {
	start := time.Now()
	err := s.kubelet.Wait(patience, what, func() bool { return s.ctx.Err() != nil || condition() })
	if err == nil {
		err = s.ctx.Err()
	}
	return time.Since(start), err
}

// waitNode waits until the node counts a resource so.
func (s *scene) waitNode(resource string, capacity, allocatable int) (time.Duration, error) {
	want := standin.Count{Capacity: capacity, Allocatable: allocatable}
	took, err := s.wait("", func() bool { return s.kubelet.Node()[resource] == want })
	if err != nil {
		return took, fmt.Errorf("%s is %+v, not %+v: %w", resource, s.kubelet.Node()[resource], want, err)
	}
	return took, nil
}

// showCounts prints a resource as kubectl describe node does.
func (s *scene) showCounts(resource string) {
	count := s.kubelet.Node()[resource]
	s.note("Capacity:")
	s.note("  %-28s %d", resource+":", count.Capacity)
	s.note("Allocatable:")
	s.note("  %-28s %d", resource+":", count.Allocatable)
}

func (s *scene) showDevices(resource string) {
	s.note("%-48s  %-9s  %4s  %s", "DEVICE", "HEALTH", "NUMA", "CARD")
	for _, device := range s.kubelet.Devices(resource) {
		numa := "-"
		if len(device.NUMANodes) > 0 {
			numa = strings.Trim(fmt.Sprint(device.NUMANodes), "[]")
		}
		s.note("%-48s  %-9s  %4s  %s", device.ID, device.Health, numa, s.cardName(device.ID))
	}
}

// cardName gives the card that a device is, or is cut from.
func (s *scene) cardName(id string) string {
	uuid, _, _ := strings.Cut(id, "_cores_")
	for _, name := range s.node.Cards() {
		if s.node.Card(name).UUID == uuid {
			return name
		}
	}
	return ""
}

// logSince gives the lines that the plugin has logged after the first bytes.
func (s *scene) logSince(bytes int) []string {
	log := s.plugin.Log()
	return strings.Split(strings.TrimRight(log[min(bytes, len(log)):], "\n"), "\n")
}

// quoteLog prints the first line since some byte of the log that says all words.
func (s *scene) quoteLog(bytes int, words ...string) error {
	var found string
	_, err := s.wait(fmt.Sprintf("a line of the plugin's log with %v", words), func() bool {
		for _, line := range s.logSince(bytes) {
			if containsAll(line, words) {
				found = line
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	s.quote(found)
	return nil
}

func containsAll(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}

const tailLines = 20

func (s *scene) logTail() string {
	if s.plugin == nil {
		return ""
	}
	lines := s.logSince(0)
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
