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

// An image is what a container image with nothing but the program holds.
type image struct {
	binary  int64 // bytes, stripped
	closure int64 // with every library that it is linked to
}

func measureImages(ctx context.Context, work *workspace, p programs) (
	images [serverCount]image, err error) {
	for i, program := range p.servers {
		if images[i], err = measureImage(ctx, work, program); err != nil {
			return images, fmt.Errorf("size of %s: %w", program.name, err)
		}
	}
	return images, nil
}

func measureImage(ctx context.Context, work *workspace, p program) (image, error) {
	stripped := work.path("stripped-" + p.name)
	if out, err := exec.CommandContext(ctx, "strip", "-s", "-o", stripped, p.path).
		CombinedOutput(); err != nil {
		return image{}, fmt.Errorf("strip: %w\n%s", err, out)
	}
	binary, err := fileSize(stripped)
	if err != nil {
		return image{}, err
	}
	// ldd fails for a program that needs no libraries, and says so.
	out, err := exec.CommandContext(ctx, "ldd", p.path).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic executable") {
		return image{}, fmt.Errorf("ldd: %w\n%s", err, out)
	}
	libraries, err := librariesSize(string(out))
	return image{binary: binary, closure: binary + libraries}, err
}

// librariesSize adds up the files that ldd has found, each one once.
func librariesSize(ldd string) (int64, error) {
	seen := make(map[string]bool)
	sum := int64(0)
	for _, path := range libraryPaths(ldd) {
		path, err := filepath.EvalSymlinks(path)
		if err != nil {
			return 0, err
		}
		if seen[path] {
			continue
		}
		seen[path] = true
		size, err := fileSize(path)
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, nil
}

// libraryPaths reads lines like "libc.so.6 => /lib/libc.so.6 (0x7f..)", or
// "/lib64/ld-linux-x86-64.so.2 (0x7f..)" for the loader.
func libraryPaths(ldd string) []string {
	var paths []string
	for line := range strings.SplitSeq(ldd, "\n") {
		if _, right, found := strings.Cut(line, "=>"); found {
			line = right
		}
		words := strings.Fields(line)
		if len(words) == 2 && filepath.IsAbs(words[0]) && strings.HasPrefix(words[1], "(0x") {
			paths = append(paths, words[0])
		}
	}
	return paths
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
