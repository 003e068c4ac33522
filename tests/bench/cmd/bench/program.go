// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	// The same, but the state only once a minute.
	paceRescan
	// As seldom as can be, so that a scan does not fall into the measurement
	// of a call.
	paceQuiet
)

// A setup is what the servers are to offer, and how.
type setup struct {
	pace         pace
	silica       string   // what its configuration file says; "" for its defaults
	golang       []string // flags that say the same
	noMetrics    bool     // silica serves none
	unitsPerCard int
	nodesPerUnit int // device files of one unit
}

// partitions is one resource of single cores.
func partitions(pace pace) setup {
	return setup{
		pace: pace,
		silica: "resources:\n- name: " + resourceName + "\n" +
			"  devices: {vendor: furiosa, product: rngd}\n  unit: partition\n  cores: 1\n",
		golang:       []string{"-resource", resourceName, "-cores", "1"},
		unitsPerCard: unitsPerCard,
		nodesPerUnit: 22, // 21 that all partitions share, and the core's own
	}
}

// One good probe is enough to come back, so that both ways of a change count.
var silicaPaces = map[pace]string{
	paceDefault: "",
	paceRescan:  "health: {interval: 1m}\n",
	paceQuiet:   "health: {interval: 1m, healthyAfter: 1}\nrescanInterval: 1h\n",
}

var goPaces = map[pace][]string{
	paceDefault: nil,
	paceRescan:  {"-probe-interval=1m"},
	paceQuiet:   {"-probe-interval=1m", "-rescan-interval=1h"},
}

type programs struct {
	sim       string
	servers   [serverCount]program
	labellers [serverCount]program
}

// A program is a device plugin or a node labeller that can be started.  The
// directory is the kubelet's, or that of the API server's files.
type program struct {
	name string
	path string
	args func(s setup, hostRoot, dir string) ([]string, error)
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
	p.servers[silica] = program{name: serverNames[silica], path: path, args: silicaArgs}
	path = o.goPlugin
	if path == "" {
		if path, err = findGo(ctx, work, "go-plugin"); err != nil {
			return p, err
		}
	}
	p.servers[golang] = goProgram(path, o.goFlags)
	p.labellers, err = findLabellers(ctx, work)
	return p, err
}

// Files of the servers in the kubelet's directory.
const (
	silicaConfigFile  = "config.yaml"
	silicaMetricsFile = "metrics.sock"
)

// silicaArgs also writes the configuration file.  Metrics are served where no
// other program on the machine can be.
func silicaArgs(s setup, hostRoot, kubeletDir string) ([]string, error) {
	metrics := "unix:" + filepath.Join(kubeletDir, silicaMetricsFile)
	if s.noMetrics {
		metrics = "none"
	}
	args := []string{"--host-root", hostRoot, "--kubelet-dir", kubeletDir,
		"--listen-metrics", metrics}
	config, err := silicaConfig(s, kubeletDir)
	return append(args, config...), err
}

// silicaConfig writes the configuration file, if there is one.
func silicaConfig(s setup, dir string) ([]string, error) {
	text := s.silica + silicaPaces[s.pace]
	if text == "" {
		return nil, nil
	}
	path := filepath.Join(dir, silicaConfigFile)
	err := os.WriteFile(path, []byte("version: v1\n"+text), 0o644)
	return []string{"--config", path}, err
}

func goProgram(path string, flags []string) program {
	args := func(s setup, hostRoot, kubeletDir string) ([]string, error) {
		args := []string{"-host-root", hostRoot, "-kubelet-dir", kubeletDir}
		return slices.Concat(args, s.golang, goPaces[s.pace], flags), nil
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

// findGo takes the program that was built together with bench, else builds it.
func findGo(ctx context.Context, work *workspace, name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	path := work.path(name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path,
		"silica/tests/bench/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // no library but its own
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}
