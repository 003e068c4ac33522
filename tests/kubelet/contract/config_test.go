// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"silica/tests/kubelet/standin"
)

// header begins a configuration whose changes show soon.
const header = `version: v1
rescanInterval: 500ms
health: {interval: 100ms, healthyAfter: 1}
`

// of writes a selector of cards, for the key 'devices'.
func (f *fixture) of(cards ...string) string {
	var bdfs []string
	for _, card := range cards {
		bdfs = append(bdfs, fmt.Sprintf("'%s'", f.node.Card(card).BDF))
	}
	return "devices: {bdf: [" + strings.Join(bdfs, ", ") + "]}"
}

// resource writes an item of 'resources', a key with its value each.
func resource(name string, keys ...string) string {
	return "- name: " + name + "\n" + lines("  ", keys)
}

func lines(indent string, keys []string) string {
	text := ""
	for _, key := range keys {
		text += indent + key + "\n"
	}
	return text
}

// configuration puts resources, and other top-level keys before them, together.
func configuration(resources ...string) string {
	return header + "resources:\n" + strings.Join(resources, "")
}

// renameConfig puts another configuration in the place of the one there is.
func (f *fixture) renameConfig(text string) {
	f.Helper()
	path := f.configPath()
	f.must(os.WriteFile(path+".new", []byte(text), 0o600))
	f.must(os.Rename(path+".new", path))
}

// configMap is where a configuration lies that comes as a volume of a ConfigMap.
const configMap = "volume/config.yaml"

// swapConfigMap does what the kubelet does to such a volume: a new folder, and the
// link ..data moved to it at once.
// Source: kubernetes/kubernetes pkg/volume/util/atomic_writer.go
func (f *fixture) swapConfigMap(text string) {
	f.Helper()
	volume := filepath.Join(f.node.Dir, "volume")
	data, file := filepath.Join(volume, "..data"), filepath.Join(volume, "config.yaml")
	f.must(os.MkdirAll(volume, 0o755))
	before, _ := os.Readlink(data) // "" the first time
	dir, err := os.MkdirTemp(volume, "..2026_")
	f.must(err)
	f.must(os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600))
	f.must(os.Symlink(filepath.Base(dir), data+"_tmp"))
	f.must(os.Rename(data+"_tmp", data))
	if before == "" {
		f.must(os.Symlink("..data/config.yaml", file))
	} else {
		f.must(os.RemoveAll(filepath.Join(volume, before)))
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// heard counts all that the kubelet has heard about resources: registrations,
// lists, ends of streams.
func (f *fixture) heard(resources ...string) int {
	n := 0
	for _, event := range f.kubelet.Events() {
		for _, resource := range resources {
			if event.Resource == resource {
				n++
			}
		}
	}
	return n
}

// count gives the number of events of a kind about a resource.
func (f *fixture) count(kind standin.EventKind, resource string) int {
	n := 0
	for _, event := range f.kubelet.Events() {
		if event.Kind == kind && event.Resource == resource {
			n++
		}
	}
	return n
}

// logged counts the lines of the log that have all the parts.
func (f *fixture) logged(parts ...string) int {
	n := 0
	for line := range strings.Lines(f.plugin.Log()) {
		if containsAll(line, parts...) {
			n++
		}
	}
	return n
}

// waitLogged waits until more than n lines of the log have all the parts.
func (f *fixture) waitLogged(n int, parts ...string) {
	f.Helper()
	f.wait("a line of the log with "+strings.Join(parts, ", "), func() bool { return f.logged(parts...) > n })
}

// device waits until a device of a resource is listed with a health.
func (f *fixture) waitDevice(resource, id, health string) {
	f.Helper()
	f.wait(resource+" "+id+" is "+health, func() bool {
		device, known := f.kubelet.Device(resource, id)
		return known && device.Health == health
	})
}
