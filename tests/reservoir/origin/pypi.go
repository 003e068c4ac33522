// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mediaJSON = "application/vnd.pypi.simple.v1+json"
	mediaHTML = "application/vnd.pypi.simple.v1+html"
)

// index is an index of N projects of M releases; a change gives a project another one.
type index struct {
	projects, releases, size int

	mu      sync.Mutex
	extra   map[int]int // releases that changes have added
	serials map[int]int
	serial  int
	next    int
}

func newIndex(projects, releases, size int) *index {
	return &index{
		projects: projects, releases: releases, size: size,
		extra: map[int]int{}, serials: map[int]int{}, serial: 1000 + projects,
	}
}

func projectName(i int) string { return fmt.Sprintf("project-%06d", i) }

func (x *index) number(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, "project-")
	i, err := strconv.Atoi(digits)
	return i, ok && err == nil && i >= 0 && i < x.projects && projectName(i) == name
}

// change gives the next n projects another release each.
func (x *index) change(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for range n {
		x.extra[x.next]++
		x.serial++
		x.serials[x.next] = x.serial
		x.next = (x.next + 1) % x.projects
	}
}

// state is how many releases a project has, and its serial.
func (x *index) state(i int, stale bool) (releases, serial int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	releases, serial = x.releases+x.extra[i], 1000+i
	if s, ok := x.serials[i]; ok {
		serial = s
	}
	if stale && x.extra[i] > 0 {
		return releases - 1, serial - 1
	}
	return releases, serial
}

func (x *index) last() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.serial
}

type file struct {
	Filename       string            `json:"filename"`
	URL            string            `json:"url"`
	Hashes         map[string]string `json:"hashes"`
	Size           int               `json:"size"`
	UploadTime     string            `json:"upload-time"`
	RequiresPython string            `json:"requires-python,omitempty"`
	CoreMetadata   any               `json:"core-metadata,omitempty"`
	Yanked         any               `json:"yanked"`
}

// name is that of a file without its ending.
func stem(project, release int) string {
	return fmt.Sprintf("project_%06d-%d.0", project, release+1)
}

func (x *index) metadata(name string) []byte {
	project, version, _ := strings.Cut(name, "-")
	version, _, _ = strings.Cut(version, "-")
	return fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n",
		strings.ReplaceAll(project, "_", "-"), version)
}

func (x *index) filesOf(project, releases int) []file {
	var list []file
	for i := range releases {
		uploaded := epoch.Add(time.Duration(project*100+i) * time.Minute)
		for _, end := range []string{"-py3-none-any.whl", ".tar.gz"} {
			name := stem(project, i) + end
			data := content(name, x.size)
			f := file{
				Filename: name, URL: "../../files/" + name, Size: len(data),
				Hashes:         map[string]string{"sha256": digest(data)},
				UploadTime:     uploaded.Format("2006-01-02T15:04:05.000000Z"),
				RequiresPython: ">=3.8", Yanked: false,
			}
			if strings.HasSuffix(name, ".whl") {
				f.CoreMetadata = map[string]string{"sha256": digest(x.metadata(name))}
			}
			list = append(list, f)
		}
	}
	return list
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), mediaJSON)
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimPrefix(r.URL.Path, "/simple/")
	if rest == "" {
		x.serveList(w, r)
		return
	}
	name, slash := strings.CutSuffix(rest, "/")
	i, ok := x.number(name)
	switch {
	case !ok:
		http.NotFound(w, r)
	case !slash:
		http.Redirect(w, r, "/simple/"+name+"/", http.StatusMovedPermanently)
	default:
		x.serveProject(w, r, i)
	}
}

func (x *index) serveList(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-PyPI-Last-Serial", strconv.Itoa(x.last()))
	var out strings.Builder
	if wantsJSON(r) {
		fmt.Fprintf(&out, `{"meta":{"api-version":"1.1","_last-serial":%d},"projects":[`, x.last())
		for i := range x.projects {
			_, serial := x.state(i, false)
			if i > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, `{"name":"%s","_last-serial":%d}`, projectName(i), serial)
		}
		out.WriteString("]}")
		serveContent(w, r, mediaJSON, []byte(out.String()))
		return
	}
	out.WriteString("<!DOCTYPE html><html><body>\n")
	for i := range x.projects {
		fmt.Fprintf(&out, "<a href=\"/simple/%[1]s/\">%[1]s</a><br/>\n", projectName(i))
	}
	out.WriteString("</body></html>\n")
	serveContent(w, r, mediaHTML, []byte(out.String()))
}

func (x *index) serveProject(w http.ResponseWriter, r *http.Request, i int) {
	releases, serial := x.state(i, r.Header.Get("X-Stale") != "")
	list := x.filesOf(i, releases)
	w.Header().Set("X-PyPI-Last-Serial", strconv.Itoa(serial))
	if wantsJSON(r) {
		var versions []string
		for v := range releases {
			versions = append(versions, fmt.Sprintf("%d.0", v+1))
		}
		data, _ := json.Marshal(map[string]any{
			"meta": map[string]any{"api-version": "1.1", "_last-serial": serial},
			"name": projectName(i), "files": list, "versions": versions,
		})
		serveContent(w, r, mediaJSON, data)
		return
	}
	var out strings.Builder
	out.WriteString("<!DOCTYPE html><html><body>\n")
	for _, f := range list {
		extra := ""
		if sums, ok := f.CoreMetadata.(map[string]string); ok {
			extra = fmt.Sprintf(` data-core-metadata="sha256=%s"`, sums["sha256"])
		}
		fmt.Fprintf(&out, "<a href=\"%s#sha256=%s\" data-requires-python=\"%s\"%s>%s</a><br/>\n",
			f.URL, f.Hashes["sha256"], html.EscapeString(f.RequiresPython), extra, f.Filename)
	}
	out.WriteString("</body></html>\n")
	serveContent(w, r, mediaHTML, []byte(out.String()))
}

func (x *index) serveFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/files/")
	if wheel, ok := strings.CutSuffix(name, ".metadata"); ok {
		serveContent(w, r, "text/plain", x.metadata(wheel))
		return
	}
	var project, release int
	_, err := fmt.Sscanf(name, "project_%06d-%d.0", &project, &release)
	releases, _ := x.state(project, false)
	if err != nil || project < 0 || project >= x.projects || release < 1 || release > releases {
		http.NotFound(w, r)
		return
	}
	serveContent(w, r, "application/octet-stream", content(name, x.size))
}
