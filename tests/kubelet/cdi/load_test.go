// SPDX-License-Identifier: Apache-2.0

// Package cdi reads Silica's CDI specs with the package that runtimes read them with.
package cdi

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	oci "github.com/opencontainers/runtime-spec/specs-go"
	"tags.cncf.io/container-device-interface/pkg/cdi"
	"tags.cncf.io/container-device-interface/pkg/parser"
	specs "tags.cncf.io/container-device-interface/specs-go"

	"silica/tests/kubelet/internal/program"
)

const (
	kind       = "vendor.example/npu"
	dottedKind = "vendor.example/npu.4core"
)

// publish runs cdi-sample on a new directory and gives the names that it prints.
func publish(t *testing.T) (dir string, names []string) {
	t.Helper()
	path, err := program.Find("cdi-sample")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "cdi")
	command := exec.Command(path, dir)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return dir, strings.Fields(string(output))
}

// load reads a directory as a runtime does.
func load(t *testing.T, dir string) (*cdi.Cache, error) {
	t.Helper()
	cache, err := cdi.NewCache(cdi.WithSpecDirs(dir), cdi.WithAutoRefresh(false))
	if err != nil {
		t.Fatal(err)
	}
	return cache, cache.Refresh()
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestEveryDeviceIsListed(t *testing.T) {
	dir, names := publish(t)
	cache, err := load(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	equal(t, "devices", cache.ListDevices(), names)
	equal(t, "specs", len(cache.GetVendorSpecs("vendor.example")), 3)
}

func TestNamesFitEverywhere(t *testing.T) {
	_, names := publish(t)
	if len(names) == 0 {
		t.Fatal("no names")
	}
	for _, qualified := range names {
		_, _, name, err := parser.ParseQualifiedName(qualified)
		if err != nil {
			t.Error(err)
		}
		if _, err := cdi.AnnotationKey("silica", name); err != nil {
			t.Error(err)
		}
	}
}

func TestVersionIsTheLowest(t *testing.T) {
	dir, _ := publish(t)
	cache, err := load(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{kind: "0.5.0", dottedKind: "0.6.0"}
	for _, spec := range cache.GetVendorSpecs("vendor.example") {
		equal(t, "version of "+spec.GetPath(), spec.Version, want[spec.Kind])
		lowest, err := specs.MinimumRequiredVersion(spec.Spec)
		if err != nil {
			t.Fatal(err)
		}
		if lowest > spec.Version {
			t.Errorf("%s needs %s and says %s", spec.GetPath(), lowest, spec.Version)
		}
	}
}

// A runtime would refuse what the other tests accept if it were any less right.
func TestWrongSpecsAreNoticed(t *testing.T) {
	const file = "silica-vendor.example_npu.4core.json"
	for what, change := range map[string][2]string{
		"version":       {`"0.6.0"`, `"0.5.0"`},
		"name":          {`"name": "1"`, `"name": "1/2"`},
		"unknown field": {`"path"`, `"paths"`},
		"permissions":   {`"r"`, `"x"`},
	} {
		dir, _ := publish(t)
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wrong := strings.ReplaceAll(string(text), change[0], change[1])
		if wrong == string(text) {
			t.Fatalf("%s: '%s' is not in %s", what, change[0], text)
		}
		if err := os.WriteFile(path, []byte(wrong), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := load(t, dir); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// inject asks for devices as a container does and gives what it would get.
func inject(t *testing.T, devices ...string) *oci.Spec {
	t.Helper()
	dir, _ := publish(t)
	cache, err := load(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	spec := &oci.Spec{}
	if _, err := cache.InjectDevices(spec, devices...); err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestDeviceNodesReachAContainer(t *testing.T) {
	spec := inject(t, kind+"=GPU-b5f1_3A_3A3", kind+"=1")
	got := map[string][2]int64{}
	for _, device := range spec.Linux.Devices {
		got[device.Path] = [2]int64{device.Major, device.Minor}
	}
	equal(t, "devices", got, map[string][2]int64{"/dev/npu0": {1, 3}, "/dev/zero": {1, 5}})
	var access []string
	for _, rule := range spec.Linux.Resources.Devices {
		access = append(access, rule.Access)
	}
	equal(t, "access", access, []string{"rw", "r"})
}

func TestCommonEditsReachAContainer(t *testing.T) {
	spec := inject(t, kind+"=0")
	timeout := 5
	equal(t, "env", spec.Process.Env, []string{`NPU_TIER="kernel" \ {a: b}`, "NPU_EMPTY="})
	equal(t, "mounts", spec.Mounts, []oci.Mount{{
		Source:      "/opt/vendor",
		Destination: "/usr/lib/vendor",
		Options:     []string{"ro", "nosuid", "rbind"},
	}})
	equal(t, "hooks", spec.Hooks, &oci.Hooks{
		CreateRuntime: []oci.Hook{{
			Path:    "/usr/bin/limit",
			Args:    []string{"limit", "--memory", ""},
			Env:     []string{"PATH=/usr/bin"},
			Timeout: &timeout,
		}},
		CreateContainer: []oci.Hook{{Path: "/usr/bin/create"}},
		StartContainer:  []oci.Hook{{Path: "/usr/bin/start"}},
		Poststart:       []oci.Hook{{Path: "/usr/bin/after-start"}},
		Poststop:        []oci.Hook{{Path: "/usr/bin/after-stop"}},
	})
}

func TestEditsOfOneSpecStayThere(t *testing.T) {
	spec := inject(t, dottedKind+"=1")
	equal(t, "mounts", len(spec.Mounts), 0)
	if spec.Process != nil {
		equal(t, "env", len(spec.Process.Env), 0)
	}
}
