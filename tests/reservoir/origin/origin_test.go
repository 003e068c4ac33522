// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func start(t *testing.T, faultsText string) *httptest.Server {
	t.Helper()
	s, err := New(Options{Projects: 3, Files: 2, Debs: 2, Size: 1000, Seed: 1,
		Faults: faultsText})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string, header ...string) (*http.Response, []byte, error) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}

func TestFilesAreWhatTheIndexSays(t *testing.T) {
	server := start(t, "")
	_, body, err := get(t, server.URL+"/simple/project-000001/", "Accept", mediaJSON)
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Files []file }
	if err := json.Unmarshal(body, &page); err != nil || len(page.Files) != 4 {
		t.Fatalf("%v: %s", err, body)
	}
	for _, f := range page.Files {
		_, data, err := get(t, server.URL+"/files/"+f.Filename)
		if err != nil || digest(data) != f.Hashes["sha256"] || len(data) != f.Size {
			t.Errorf("%s is not what the index says", f.Filename)
		}
	}
}

func TestAChangeHasANewSerial(t *testing.T) {
	server := start(t, "")
	before, _, _ := get(t, server.URL+"/simple/")
	response, err := http.Post(server.URL+"/_change?projects=1", "", nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(err, response)
	}
	after, _, _ := get(t, server.URL+"/simple/")
	if before.Header.Get("X-PyPI-Last-Serial") == after.Header.Get("X-PyPI-Last-Serial") {
		t.Error("the serial stayed")
	}
	if response, _, _ := get(t, server.URL+"/files/project_000000-3.0.tar.gz"); response.StatusCode != 200 {
		t.Error("the new file is not there")
	}
}

func TestFaults(t *testing.T) {
	const path = "/files/project_000000-1.0.tar.gz"
	whole := content(path[len("/files/"):], 1000)
	for _, test := range []struct {
		line string
		ok   func(response *http.Response, body []byte, err error) bool
	}{
		{"", func(r *http.Response, b []byte, err error) bool {
			return err == nil && string(b) == string(whole)
		}},
		{"/files/** drop", func(r *http.Response, b []byte, err error) bool { return err != nil }},
		{"/files/** truncate", func(r *http.Response, b []byte, err error) bool {
			return err != nil && len(b) == len(whole)/2
		}},
		{"/files/** flip", func(r *http.Response, b []byte, err error) bool {
			return err == nil && len(b) == len(whole) && string(b) != string(whole)
		}},
		{"/files/* status 429 7", func(r *http.Response, b []byte, err error) bool {
			return r.StatusCode == 429 && r.Header.Get("Retry-After") == "7"
		}},
		{"/files/* loop", func(r *http.Response, b []byte, err error) bool {
			return r.StatusCode == 302 && r.Header.Get("Location") == path
		}},
		{"/simple/** drop", func(r *http.Response, b []byte, err error) bool {
			return err == nil && string(b) == string(whole)
		}},
		{"/files/** drop after=1", func(r *http.Response, b []byte, err error) bool {
			return err == nil
		}},
		{"/files/** drop p=0", func(r *http.Response, b []byte, err error) bool {
			return err == nil
		}},
	} {
		server := start(t, test.line)
		if response, body, err := get(t, server.URL+path); !test.ok(response, body, err) {
			t.Errorf("%q: %v, %d bytes, %v", test.line, response, len(body), err)
		}
	}
}

func TestRanges(t *testing.T) {
	const path = "/files/project_000000-1.0.tar.gz"
	for line, status := range map[string]int{"": 206, "/files/** noranges": 200, "/files/** lieranges": 206} {
		server := start(t, line)
		response, body, err := get(t, server.URL+path, "Range", "bytes=10-")
		if err != nil || response.StatusCode != status {
			t.Errorf("%q: %v %v", line, response, err)
		}
		if line == "/files/** lieranges" && strings.Trim(string(body), "x") != "" {
			t.Error("the bytes are right")
		}
	}
}

func TestBadFaultsAreRefused(t *testing.T) {
	for _, line := range []string{"/x", "/x nothing", "/x drop p=often"} {
		if _, err := parseFaults(line, 1); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}
