// SPDX-License-Identifier: Apache-2.0

// kubelet-standin is a kubelet to a device plugin and nothing else: it lets
// plugins register, watches their devices and prints what happens.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"silica/tests/kubelet/standin"
)

const usage = `kubelet-standin --kubelet-dir DIR [OPTION...]

Stands in for a kubelet on DIR/device-plugins/kubelet.sock, DIR/plugins_registry and
DIR/pod-resources/kubelet.sock until SIGTERM, SIGINT or the end of --for, and prints one line
for each thing that happens.

`

// settings are what the command line says.
type settings struct {
	dir       string
	duration  time.Duration
	authority string
	clients   string
	watcher   bool
}

var authorities = map[string]standin.Authority{
	"localhost": standin.AuthorityLocalhost,
	"path":      standin.AuthorityRawPath,
	"encoded":   standin.AuthorityEncodedPath,
}

func main() {
	settings, err := parse(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(settings)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubelet-standin: %v\n", err)
		os.Exit(1)
	}
}

// parse reads the command line; help goes to output, errors are the caller's.
func parse(args []string, output io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("kubelet-standin", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVar(&s.dir, "kubelet-dir", "", "`folder` that stands for the kubelet's; is made if absent")
	flags.DurationVar(&s.duration, "for", 0, "`time` after which to end, as in 30s; 0 is never")
	flags.StringVar(&s.authority, "authority", "localhost",
		"what to send plugins as :authority: localhost (since 1.26), path (before) or encoded")
	flags.StringVar(&s.clients, "clients", "resource", "one client for each resource (until 1.36) or socket (1.37)")
	flags.BoolVar(&s.watcher, "watcher", true, "look for plugins in plugins_registry too")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(output, usage)
		flags.SetOutput(output)
		flags.PrintDefaults()
	}
	if err != nil {
		return s, err
	}
	return s, s.check(flags.Args())
}

func (s *settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument '%s'", rest[0])
	}
	if s.dir == "" {
		return fmt.Errorf("--kubelet-dir is missing")
	}
	if _, known := authorities[s.authority]; !known {
		return fmt.Errorf("--authority '%s' is none of localhost, path, encoded", s.authority)
	}
	if s.clients != "resource" && s.clients != "socket" {
		return fmt.Errorf("--clients '%s' is neither resource nor socket", s.clients)
	}
	return nil
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if s.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.duration)
		defer cancel()
	}
	options := standin.Options{
		Dir:             s.dir,
		Authority:       authorities[s.authority],
		ClientsBySocket: s.clients == "socket",
		OnEvent:         printEvent,
	}
	if !s.watcher {
		options.WatchInterval = -1
	}
	kubelet := standin.New(options)
	if err := kubelet.Start(); err != nil {
		return err
	}
	printCounts(ctx, kubelet)
	kubelet.Stop()
	return nil
}
