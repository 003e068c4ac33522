// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tags.cncf.io/container-device-interface/pkg/cdi"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// cdiDir is where the specs of the fixture are.
func (f *fixture) cdiDir() string {
	return filepath.Join(f.node.Dir, "cdi")
}

// withCDI writes a configuration whose specs are in cdiDir.
func (f *fixture) withCDI(resources ...string) string {
	return strings.Replace(configuration(resources...), "resources:\n",
		"cdi: {directory: "+f.cdiDir()+"}\nresources:\n", 1)
}

// specs reads the directory as a runtime does.
func (f *fixture) specs() *cdi.Cache {
	f.Helper()
	cache, err := cdi.NewCache(cdi.WithSpecDirs(f.cdiDir()), cdi.WithAutoRefresh(false))
	f.must(err)
	f.must(cache.Refresh())
	return cache
}

// cdiNames gives the names of an answer.
func cdiNames(response *pluginapi.ContainerAllocateResponse) []string {
	var names []string
	for _, device := range response.CdiDevices {
		names = append(names, device.Name)
	}
	return names
}

// resolve gives the device files that a runtime adds for names, once it knows them:
// specs are written right after a list is sent, and a container takes longer.
func (f *fixture) resolve(names ...string) []string {
	f.Helper()
	var cache *cdi.Cache
	f.wait(fmt.Sprintf("specs of %v", names), func() bool {
		cache = f.specs()
		return !slices.ContainsFunc(names, func(name string) bool { return cache.GetDevice(name) == nil })
	})
	var paths []string
	for _, name := range names {
		for _, node := range cache.GetDevice(name).ContainerEdits.DeviceNodes {
			paths = append(paths, node.Path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

const all = "allocate: [deviceNodes, env, cdi, annotations]"

func TestContract_15_NamesResolve(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, warboy x1, numa 0/1", prepare: func(f *fixture) {
		f.setup.config = f.withCDI(resource(whole, f.of("rngd0", "warboy0"), all),
			resource(halves, f.of("rngd1"), "unit: partition", "cores: 4", all),
			resource(shared, f.of("rngd2"), "unit: share", "shares: 2", all))
	}})
	f.waitNode(whole, 2, 2)
	f.waitNode(halves, 2, 2)
	f.waitNode(shared, 2, 2)
	for _, resource := range []string{whole, halves, shared} {
		for _, ids := range [][]string{f.ids(resource)[:1], f.ids(resource)[1:], f.ids(resource)} {
			response := f.mustAllocate(resource, ids...)
			names := cdiNames(response)
			if len(names) != len(ids) {
				t.Errorf("%v: got %v", ids, names)
			}
			if got, want := f.resolve(names...), hostPaths(response); !slices.Equal(got, want) {
				t.Errorf("%v:\nCDI   %v\nfiles %v", ids, got, want)
			}
			_, annotated, err := cdi.ParseAnnotations(response.Annotations)
			if err != nil || !slices.Equal(sorted(annotated), sorted(names)) {
				t.Errorf("%v: annotations %v, %v", ids, response.Annotations, err)
			}
		}
	}
	if n := len(f.specs().ListDevices()); n != 6 {
		t.Errorf("%d devices", n)
	}
}

func TestContract_15_OnlyAsAskedFor(t *testing.T) {
	names := []string{"test.example/a", "test.example/b", "test.example/c"}
	f := start(t, setup{cards: "rngd x3, numa 0/1", prepare: func(f *fixture) {
		f.setup.config = f.withCDI(resource(names[0], f.of("rngd0"), "allocate: cdi"),
			resource(names[1], f.of("rngd1"), "allocate: annotations"), resource(names[2], f.of("rngd2")))
	}})
	for i, want := range [][3]bool{{true, false, false}, {false, true, false}, {false, false, true}} {
		f.waitNode(names[i], 1, 1)
		got := f.mustAllocate(names[i], f.ids(names[i])[0])
		has := [3]bool{len(got.CdiDevices) > 0, len(got.Annotations) > 0, len(got.Devices) > 0}
		if has != want {
			t.Errorf("%s: got %v", names[i], got)
		}
	}
	f.wait("two devices", func() bool { return len(f.specs().ListDevices()) == 2 })
}

// files gives the names in the directory of specs.
func (f *fixture) specFiles() []string {
	entries, _ := os.ReadDir(f.cdiDir()) // none where there is no directory
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestContract_15_OrphansGo(t *testing.T) {
	const foreign = "other-vendor.json"
	f := start(t, setup{prepare: func(f *fixture) {
		f.must(os.Mkdir(f.cdiDir(), 0o755))
		f.must(os.WriteFile(filepath.Join(f.cdiDir(), foreign), []byte("{}"), 0o600))
		f.must(os.WriteFile(filepath.Join(f.cdiDir(), "silica-left-over.json"), []byte("{}"), 0o600))
		f.setup.config = f.withCDI(resource(whole, f.of("rngd0"), all), resource(npu, f.of("rngd1"), all))
	}})
	f.waitNode(whole, 1, 1)
	f.waitNode(npu, 1, 1)
	f.wait("two specs, and what is not ours", func() bool { return len(f.specFiles()) == 3 })
	name := cdiNames(f.mustAllocate(whole, f.ids(whole)[0]))[0]

	f.renameConfig(f.withCDI(resource(whole, f.of("rngd0"), all)))
	f.wait("one spec", func() bool { return len(f.specFiles()) == 2 })
	f.must(os.Remove(filepath.Join(f.cdiDir(), foreign)))
	f.resolve(name)

	f.renameConfig(f.withCDI(resource(whole, f.of("rngd0"))))
	f.wait("no spec", func() bool { return len(f.specFiles()) == 0 })
	if names := cdiNames(f.mustAllocate(whole, f.ids(whole)[0])); len(names) != 0 {
		t.Errorf("got %v", names)
	}
	if f.count("stream-ended", whole) != 0 || f.registrations(whole) != 1 {
		t.Error("the kubelet has heard of it")
	}
}

func TestContract_15_DirectoryMoves(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) { f.setup.config = f.withCDI(resource(npu, all)) }})
	f.waitNode(npu, 2, 2)
	names := cdiNames(f.mustAllocate(npu, f.ids(npu)...))
	want := f.resolve(names...)
	other := filepath.Join(f.node.Dir, "elsewhere")
	f.renameConfig(strings.Replace(f.withCDI(resource(npu, all)), f.cdiDir(), other, 1))
	f.wait("nothing where the specs were", func() bool { return len(f.specFiles()) == 0 })
	f.renameConfig(f.withCDI(resource(npu, all)))
	f.wait("the specs", func() bool { return len(f.specFiles()) == 1 })
	if got := f.resolve(names...); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if left, err := os.ReadDir(other); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Specs stay for containers that start while the plugin does not run, and what
// somebody has removed comes back.
func TestContract_15_SpecsOverRestarts(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) { f.setup.config = f.withCDI(resource(npu, all)) }})
	f.waitNode(npu, 2, 2)
	names := cdiNames(f.mustAllocate(npu, f.ids(npu)...))
	want := f.resolve(names...)
	f.plugin.Kill()
	if got := f.resolve(names...); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	f.must(os.RemoveAll(f.cdiDir()))
	seen := f.registrations(npu)
	f.startPlugin()
	f.wait("registration", func() bool { return f.registrations(npu) > seen })
	f.waitNode(npu, 2, 2)
	if got := f.resolve(names...); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// Whatever is wrong with the directory, the device files are given, the log tells
// it once, and the specs come when it is put right.
func TestContract_15_DirectoryUnusable(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *fixture)
		mend  func(f *fixture)
		want  string
	}{
		"a file in its place": {
			func(f *fixture) { f.must(os.WriteFile(f.cdiDir(), nil, 0o600)) },
			func(f *fixture) { f.must(os.Remove(f.cdiDir())) },
			"Not a directory",
		},
		"a folder in the place of a spec": {
			func(f *fixture) {
				f.must(os.MkdirAll(filepath.Join(f.cdiDir(), "silica-silica.furiosa.ai_npu.json", "x"), 0o755))
			},
			func(f *fixture) { f.must(os.RemoveAll(f.cdiDir())) },
			"remove the directory",
		},
		"a link that leads nowhere": {
			func(f *fixture) { f.must(os.Symlink("nowhere", f.cdiDir())) },
			func(f *fixture) { f.must(os.Remove(f.cdiDir())) },
			"cdi'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{prepare: func(f *fixture) {
				c.spoil(f)
				f.setup.config = f.withCDI(resource(npu, all))
			}})
			f.waitNode(npu, 2, 2)
			f.waitLogged(0, "warning", f.cdiDir(), c.want)
			if len(f.mustAllocate(npu, f.ids(npu)[0]).Devices) == 0 {
				t.Error("no device files")
			}
			f.stays("one line of the log", func() bool { return f.logged("warning", f.cdiDir()) == 1 })
			c.mend(f)
			f.wait("the specs", func() bool { return len(f.specFiles()) == 1 })
			response := f.mustAllocate(npu, f.ids(npu)...)
			if got, want := f.resolve(cdiNames(response)...), hostPaths(response); !slices.Equal(got, want) {
				t.Errorf("CDI   %v\nfiles %v", got, want)
			}
		})
	}
}

// A card that comes is in the specs when it is listed.
func TestContract_15_HotPlug(t *testing.T) {
	f := start(t, setup{prepare: func(f *fixture) {
		f.setup.config = f.withCDI(resource(npu, all))
		f.sim("unplug", "rngd1")
	}})
	f.waitNode(npu, 1, 1)
	f.wait("one device", func() bool { return len(f.specs().ListDevices()) == 1 })
	f.sim("plug", "rngd1")
	f.waitNode(npu, 2, 2)
	names := cdiNames(f.mustAllocate(npu, f.ids(npu)...))
	f.wait("two devices in the specs", func() bool { return len(f.specs().ListDevices()) == 2 })
	f.resolve(names...)
	if got := fmt.Sprint(f.specFiles()); strings.Count(got, "silica-") != 1 {
		t.Errorf("got %s", got)
	}
}
