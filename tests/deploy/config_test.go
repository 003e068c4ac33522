// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

func quantity(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}

// The folder of the programs.
func binaries() string {
	if bin := os.Getenv("SILICA_BIN_DIR"); bin != "" {
		return bin
	}
	return path("build", "dev", "bin")
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Whether Silica accepts a configuration; the error is its message.
func validate(t *testing.T, text string) error {
	t.Helper()
	_, err := run(program(t, "SILICACTL", filepath.Join(binaries(), "silicactl")), "validate",
		write(t, text))
	return err
}

// The same of Reservoir, which reads it with any command that needs it.
func validateReservoir(t *testing.T, text string) error {
	t.Helper()
	reservoir := program(t, "SILICA_RESERVOIR", filepath.Join(binaries(), "silica-reservoir"))
	store := filepath.Join(t.TempDir(), "store")
	if _, err := run(reservoir, "init", "--store", store); err != nil {
		t.Fatal(err)
	}
	_, err := run(reservoir, "gc", "--dry-run", "--store", store, "--config", write(t, text))
	return err
}

// What a ConfigMap of any rendering says is a configuration.
func TestDeploy_config(t *testing.T) {
	validators := map[string]func(*testing.T, string) error{
		"config.yaml": validate, "reservoir.yaml": validateReservoir,
	}
	eachRendering(t, func(t *testing.T, all objects) {
		for _, config := range of[*core.ConfigMap](all) {
			for key, text := range config.Data {
				validator := validators[key]
				if validator == nil {
					t.Errorf("%s has %s, which nobody reads", config.Name, key)
				} else if err := validator(t, text); err != nil {
					t.Errorf("%s: %v", config.Name, err)
				}
			}
		}
	})
}

// A fault in it is found.
func TestDeploy_config_refused(t *testing.T) {
	if validate(t, "version: v1\nresourses: []\n") == nil {
		t.Error("silicactl accepts anything")
	}
	if validateReservoir(t, "serve: {liste: a}\n") == nil {
		t.Error("silica-reservoir accepts anything")
	}
}

// Keys that the chart does not accept as the configuration still does.
var deprecated = []string{"partitioning", "resourceStrategy", "disabledDeviceUUIDs",
	"disabledDeviceUUIDListMap", "debugMode"}

func isDeprecated(config map[string]any) bool {
	for _, key := range deprecated {
		if _, has := config[key]; has {
			return true
		}
	}
	return false
}

// Every configuration that the programs accept is one that the schema accepts, and comes out
// of the chart as it went in.
func TestDeploy_config_fixtures(t *testing.T) {
	files, _ := filepath.Glob(path("tests", "fixtures", "config", "*.yaml"))
	more, _ := filepath.Glob(path("tests", "fixtures", "*.yaml"))
	checked := 0
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var config map[string]any
		if yaml.Unmarshal(text, &config) != nil || config["version"] != "v1" || isDeprecated(config) {
			continue
		}
		if validate(t, string(text)) != nil {
			continue
		}
		checked++
		values, err := yaml.Marshal(map[string]any{"config": config})
		if err != nil {
			t.Fatal(err)
		}
		rendered, err := template(t, string(values), "--show-only", "templates/config.yaml")
		if err != nil && strings.Contains(err.Error(), "nodes.labels: a pod does not learn") {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		data := decode(t, rendered)[0].(*core.ConfigMap).Data["config.yaml"]
		var back map[string]any
		if err := yaml.Unmarshal([]byte(data), &back); err != nil || !equalYAML(config, back) {
			t.Errorf("%s comes out as\n%s", filepath.Base(file), data)
		}
		if err := validate(t, data); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	if checked < 10 {
		t.Errorf("only %d files were checked", checked)
	}
}

func equalYAML(a, b any) bool {
	x, _ := yaml.Marshal(a)
	y, _ := yaml.Marshal(b)
	return strings.TrimSpace(string(x)) == strings.TrimSpace(string(y))
}
