// SPDX-License-Identifier: Apache-2.0

// reservoir-origin serves the synthetic upstream.  It prints its URLs, a line each, and
// ends when its standard input does.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"silica/tests/reservoir/origin"
)

type options struct {
	origin.Options
	ca, listen string
}

func parseOptions() options {
	var o options
	flag.IntVar(&o.Projects, "projects", 10, "projects of the index")
	flag.IntVar(&o.Files, "files", 4, "releases of a project")
	flag.IntVar(&o.Debs, "debs", 20, "packages of the archive")
	flag.IntVar(&o.Size, "size", 20000, "bytes of a file on the average")
	flag.StringVar(&o.Tree, "tree", "", "directory to be served below /tree/")
	flag.StringVar(&o.Faults, "faults", "", "faults, separated by ';'")
	flag.Uint64Var(&o.Seed, "seed", 1, "of what faults hit")
	flag.DurationVar(&o.Latency, "latency", 0, "wait before every answer")
	flag.StringVar(&o.ca, "tls", "", "serve HTTPS with HTTP/2 too, and write the CA to this `file`")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "address of HTTP")
	flag.Parse()
	return o
}

func listenTLS(handler http.Handler, ca string) error {
	config, err := origin.MakeTLS(ca)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, TLSConfig: config}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	fmt.Printf("https://%s\n", listener.Addr())
	return nil
}

func run() error {
	o := parseOptions()
	handler, err := origin.New(o.Options)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, handler) }()
	fmt.Printf("http://%s\n", listener.Addr())
	if o.ca != "" {
		if err := listenTLS(handler, o.ca); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "reservoir-origin:", err)
		os.Exit(1)
	}
}
