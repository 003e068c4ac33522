// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

const scrapeMax = 16 << 20 // bytes; a scrape of 8,000 units has 2 MB

// A scraper fetches the metrics of a silica that was started in a directory.
type scraper struct {
	client http.Client
}

func newScraper(dir string) *scraper {
	socket := filepath.Join(dir, silicaMetricsFile)
	return &scraper{client: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}}
}

func (s *scraper) close() {
	s.client.CloseIdleConnections()
}

func (s *scraper) fetch(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://silica/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, scrapeMax))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("metrics: %s", response.Status)
	}
	return string(text), nil
}

// sampleValue finds the value of a series in the text format of Prometheus.
func sampleValue(text, series string) (float64, error) {
	for line := range strings.SplitSeq(text, "\n") {
		if value, found := strings.CutPrefix(line, series+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no series '%s' in the metrics", series)
}

// A scanClock is the plugin's own histogram of its scans.
type scanClock struct {
	seconds, scans float64
}

func readScanClock(ctx context.Context, s *scraper) (scanClock, error) {
	const name = "silica_device_plugin_scan_duration_seconds"
	var c scanClock
	text, err := s.fetch(ctx)
	if err != nil {
		return c, err
	}
	if c.seconds, err = sampleValue(text, name+"_sum"); err != nil {
		return c, err
	}
	c.scans, err = sampleValue(text, name+"_count")
	return c, err
}
