// SPDX-License-Identifier: Apache-2.0

// lint-metrics reads metrics in the text format from a program's standard output,
// or its own standard input, and says what Prometheus has against them.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"

	"silica/tests/kubelet/internal/exposition"
)

func main() {
	text, err := read(os.Args[1:])
	if err == nil && len(text) == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = exposition.Lint(text)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "lint-metrics: %v\n", err)
		os.Exit(1)
	}
}

// read runs the command, or without one reads the standard input.
func read(command []string) ([]byte, error) {
	if len(command) == 0 {
		return io.ReadAll(os.Stdin)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}
