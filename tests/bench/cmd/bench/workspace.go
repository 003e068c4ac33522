// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Room that a simulated card takes, with a reserve.
const (
	bytesPerCard  = 512 << 10
	inodesPerCard = 256
)

const memoryDir = "/dev/shm"

// A workspace holds everything that a run puts on disk.
type workspace struct {
	dir string
}

// newWorkspace makes it below the temporary directory, where paths are short
// enough for sockets (107 bytes).
func newWorkspace() (*workspace, error) {
	dir, err := os.MkdirTemp("", "silica-bench-")
	if err != nil {
		return nil, err
	}
	return &workspace{dir: dir}, nil
}

func (w *workspace) remove() error {
	return os.RemoveAll(w.dir)
}

func (w *workspace) path(name string) string {
	return filepath.Join(w.dir, name)
}

// mkdir makes a directory of its own.
func (w *workspace) mkdir(pattern string) (string, error) {
	return os.MkdirTemp(w.dir, pattern)
}

// mkdirForTree prefers memory, so that no disk is measured.
func (w *workspace) mkdirForTree(cards int) (string, error) {
	if !hasRoom(memoryDir, cards) {
		return w.mkdir("tree-")
	}
	dir, err := os.MkdirTemp(memoryDir, "silica-bench-")
	if err != nil {
		return w.mkdir("tree-")
	}
	return dir, nil
}

func hasRoom(dir string, cards int) bool {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return false
	}
	return fs.Bavail*uint64(fs.Bsize) > uint64(cards)*bytesPerCard &&
		fs.Ffree > uint64(cards)*inodesPerCard
}

func writeFile(path string, print func(w io.Writer)) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, file.Close()) }()
	out := bufio.NewWriter(file)
	print(out)
	return out.Flush()
}

// joinErrors keeps the first error first.
func joinErrors(first, second error) error {
	if first == nil {
		return second
	}
	return errors.Join(first, second)
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
