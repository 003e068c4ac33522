// SPDX-License-Identifier: Apache-2.0

// Package deploy puts the chart, the manifests and the examples to the test: with the real
// helm, the types of the Kubernetes API decoded strictly, the API server's language of admission
// policies, and silicactl.
package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Of the repository.
var root = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}()

func path(parts ...string) string {
	return filepath.Join(append([]string{root}, parts...)...)
}

var (
	chart       = path("deploy", "helm", "silica")
	examplesDir = path("manifests", "examples")
)

// A program of build/go, or what the variable names.
func program(t *testing.T, variable, fallback string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		name = fallback
	}
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("%v (%s names another one)", err, variable)
	}
	return name
}

func run(name string, args ...string) (string, error) {
	var out, err bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); e != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), e,
			out.String(), err.String())
	}
	return out.String(), nil
}

func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return run(program(t, "HELM", path("build", "go", "helm")), args...)
}

// Writes values into a file, for --values.
func valuesFile(t *testing.T, values string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(name, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func template(t *testing.T, values string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{"template", "silica", chart, "--namespace", "silica",
		"--values", valuesFile(t, values)}, args...)
	return helm(t, args...)
}

// The objects that the chart makes of values.
func render(t *testing.T, values string, args ...string) objects {
	t.Helper()
	text, err := template(t, values, args...)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}
