// SPDX-License-Identifier: Apache-2.0

// Command bench measures silica-device-plugin against a minimal device plugin
// in Go (../go-plugin) and prints one table from one run.
//
// Both programs serve the same simulated node, one after the other, and are
// driven by the same grpc-go client with the kubelet's dial options.  Before
// anything counts their answers are compared: a server that says something else
// is not measured.  A scenario does the same with silica-node-labeller and a
// minimal labeller (../go-labeller) before the stand-in of an API server.
//
//	CGO_ENABLED=0 go build -trimpath -o DIR ./cmd/...
//	DIR/bench [--quick] [--sizes 8,1000] [--scenarios vendors,reload] [--markdown FILE]
//
// Silica's programs are looked for in SILICA_BIN_DIR, else in build/release/bin;
// go-plugin and go-labeller beside bench itself, else they are built.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	defer cancel()
	o, err := parseOptions()
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, and leaves neither process nor file behind, whatever happens.
func run(ctx context.Context, o options) (err error) {
	work, err := newWorkspace()
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, work.remove()) }()

	programs, err := findPrograms(ctx, o, work)
	if err != nil {
		return err
	}
	r, err := measureAll(ctx, o, work, programs)
	if r == nil {
		return err
	}
	printTerminal(os.Stdout, r)
	if o.markdown == "" {
		return err
	}
	return joinErrors(err, writeFile(o.markdown, func(w io.Writer) { printMarkdown(w, r) }))
}
