// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// A machine is what a reader must know to judge the figures.
type machine struct {
	cpu        string
	cores      int
	memoryGB   float64
	kernel     string
	system     string
	silica     string // what --version says
	golang     string
	grpc       string
	kubeletAPI string
	loadBefore string
	loadAfter  string
}

func describeMachine(ctx context.Context, p programs) (machine, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return machine{}, err
	}
	out, err := exec.CommandContext(ctx, p.servers[silica].path, "--version").CombinedOutput()
	if err != nil {
		return machine{}, fmt.Errorf("%s --version: %w\n%s", p.servers[silica].path, err, out)
	}
	version, _, _ := strings.Cut(string(out), "\n")
	memory, err := readFields("/proc/meminfo")
	if err != nil {
		return machine{}, err
	}
	return machine{
		cpu:        fileValue("/proc/cpuinfo", "model name", ":"),
		cores:      runtime.NumCPU(),
		memoryGB:   memory["MemTotal"] * 1024 / 1e9,
		kernel:     unix.ByteSliceToString(uts.Release[:]),
		system:     strings.Trim(fileValue("/etc/os-release", "PRETTY_NAME", "="), `"`),
		silica:     version,
		golang:     runtime.Version(),
		grpc:       moduleVersion("google.golang.org/grpc"),
		kubeletAPI: moduleVersion("k8s.io/kubelet"),
		loadBefore: loadAverage(),
	}, nil
}

// fileValue finds the first line "name SEPARATOR value" of a file.
func fileValue(path, name, separator string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		left, right, found := strings.Cut(line, separator)
		if found && strings.TrimSpace(left) == name {
			return strings.TrimSpace(right)
		}
	}
	return "unknown"
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "unknown"
}

// loadAverage is that of the last minute, 5 and 15 minutes.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(text))
	if err != nil || len(words) < 3 {
		return "unknown"
	}
	return strings.Join(words[:3], " ")
}
