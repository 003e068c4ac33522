// SPDX-License-Identifier: Apache-2.0

package labeller

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
)

const hangup = syscall.SIGHUP

// ask asks an HTTP end on a unix socket; nil when nobody answers.
func ask(socket, path string) *http.Response {
	client := &http.Client{Timeout: deadline, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		}}}
	response, err := client.Get("http://localhost" + path)
	if err != nil {
		return nil
	}
	return response
}

// probe gives the status of a path, 0 when nobody answers.
func probe(socket, path string) int {
	response := ask(socket, path)
	if response == nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// fetch gives the body of a path, "" when nobody answers.
func fetch(socket, path string) string {
	response := ask(socket, path)
	if response == nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}
