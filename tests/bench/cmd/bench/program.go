// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const resourceName = "furiosa.ai/npu"

// Columns of the table.
const (
	silica = iota
	golang
	serverCount
)

var serverNames = [serverCount]string{silica: "silica", golang: "go"}

// A pace says how often the servers look at the cards by themselves.
type pace int

const (
	// What both do by default: a look at the state twice a second, a scan
	// every 5 s.
	paceDefault pace = iota
	// As seldom as can be, so that a scan does not fall into the measurement
	// of a call.
	paceQuiet
)

// One good probe is enough to come back, so that both ways of a change count.
const silicaConfig = `version: v1
resources:
- name: ` + resourceName + `
  devices: {vendor: furiosa, product: rngd}
  unit: partition
  cores: 1
`

var silicaPaces = map[pace]string{
	paceDefault: "health: {healthyAfter: 1}\n",
	paceQuiet:   "health: {interval: 1m, healthyAfter: 1}\nrescanInterval: 1h\n",
}

var goPaces = map[pace][]string{
	paceDefault: nil,
	paceQuiet:   {"-probe-interval=1m", "-rescan-interval=1h"},
}

type programs struct {
	sim     string
	servers [serverCount]program
}

// A program is a device plugin that can be started.
type program struct {
	name string
	path string
	args func(p pace, hostRoot, kubeletDir string) []string
}

func findPrograms(ctx context.Context, o options, work *workspace) (programs, error) {
	var p programs
	var err error
	if p.sim, err = findSilica("silica-sim"); err != nil {
		return p, err
	}
	path := o.silica
	if path == "" {
		if path, err = findSilica("silica-device-plugin"); err != nil {
			return p, err
		}
	}
	if p.servers[silica], err = silicaProgram(work, path); err != nil {
		return p, err
	}
	path = o.goPlugin
	if path == "" {
		if path, err = findGoPlugin(ctx, work); err != nil {
			return p, err
		}
	}
	p.servers[golang] = goProgram(path, o.goFlags)
	return p, nil
}

func silicaProgram(work *workspace, path string) (program, error) {
	config := func(p pace) string { return work.path(fmt.Sprintf("config-%d.yaml", p)) }
	for p, text := range silicaPaces {
		if err := os.WriteFile(config(p), []byte(silicaConfig+text), 0o644); err != nil {
			return program{}, err
		}
	}
	args := func(p pace, hostRoot, kubeletDir string) []string {
		return []string{"--config", config(p), "--host-root", hostRoot, "--kubelet-dir", kubeletDir}
	}
	return program{name: serverNames[silica], path: path, args: args}, nil
}

func goProgram(path string, flags []string) program {
	args := func(p pace, hostRoot, kubeletDir string) []string {
		args := []string{"-host-root", hostRoot, "-kubelet-dir", kubeletDir,
			"-resource", resourceName, "-cores", "1"}
		args = append(args, goPaces[p]...)
		return append(args, flags...)
	}
	return program{name: serverNames[golang], path: path, args: args}
}

// findSilica looks for a program that make has built, from the root of the tree
// or from this module's.
func findSilica(name string) (string, error) {
	dirs := []string{"build/release/bin", "../../build/release/bin"}
	if dir := os.Getenv("SILICA_BIN_DIR"); dir != "" {
		dirs = []string{dir}
	}
	for _, dir := range dirs {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in %s; run make, or set SILICA_BIN_DIR", name,
		strings.Join(dirs, " or "))
}

// findGoPlugin takes the one that was built together with bench, else builds one.
func findGoPlugin(ctx context.Context, work *workspace) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), "go-plugin")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	path := work.path("go-plugin")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path,
		"silica/tests/bench/cmd/go-plugin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // no library but its own
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build go-plugin: %w\n%s", err, out)
	}
	return path, nil
}
