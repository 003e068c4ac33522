// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var vendors = map[string]core.ResourceName{"furiosa": "furiosa.ai/npu", "nvidia": "nvidia.com/gpu"}

type resources struct {
	Resources []struct{ Name string }
}

// Names of resources, of which parts are filled in on a node.
func patternsOf(t *testing.T, text string) []*regexp.Regexp {
	t.Helper()
	var config resources
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	var patterns []*regexp.Regexp
	for _, r := range config.Resources {
		pattern := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(r.Name), `[^/]+`)
		patterns = append(patterns, regexp.MustCompile("^"+pattern+"$"))
	}
	return patterns
}

// What the programs offer without a configuration.
func defaultPatterns(t *testing.T) []*regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile(path("docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "## Defaults")
	_, after, _ = strings.Cut(after, "```yaml\n")
	text, _, _ := strings.Cut(after, "```")
	return patternsOf(t, text)
}

// What the chart offers with a file of values.
func valuesPatterns(t *testing.T, file string) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var patterns []*regexp.Regexp
	for _, config := range of[*core.ConfigMap](render(t, string(text))) {
		if err := validate(t, config.Data["config.yaml"]); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		patterns = append(patterns, patternsOf(t, config.Data["config.yaml"])...)
	}
	return patterns
}

var (
	mentioned   = regexp.MustCompile(`values/[-a-z]+\.yaml`)
	podTemplate = regexp.MustCompile(`(?s)podTemplate\(yaml: '''\n(.*?)'''\)`)
)

// The objects of a file; of a Jenkinsfile, the pods of its templates.
func exampleObjects(t *testing.T, file, text string) objects {
	t.Helper()
	if filepath.Base(file) != "Jenkinsfile" {
		return decode(t, text)
	}
	var all objects
	for _, match := range podTemplate.FindAllStringSubmatch(text, -1) {
		all = append(all, decode(t, match[1])...)
	}
	return all
}

func eachExample(t *testing.T, check func(t *testing.T, file, text string, all objects)) {
	for vendor := range vendors {
		files, err := filepath.Glob(filepath.Join(examplesDir, vendor, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples of %s: %v", vendor, err)
		}
		for _, file := range files {
			t.Run(vendor+"/"+filepath.Base(file), func(t *testing.T) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				check(t, file, string(text), exampleObjects(t, file, string(text)))
			})
		}
	}
}

// Every example decodes strictly, and asks for a device that is offered: by default, or with
// the values that it names.
func TestDeploy_examples(t *testing.T) {
	defaults := defaultPatterns(t)
	eachExample(t, func(t *testing.T, file, text string, all objects) {
		offered := defaults
		for _, values := range mentioned.FindAllString(text, -1) {
			offered = append(offered[:len(offered):len(offered)], valuesPatterns(t, filepath.Join(examplesDir, values))...)
		}
		devices := 0
		for _, o := range all {
			if pod := podOf(o); pod != nil {
				devices += checkLimits(t, pod, offered)
			}
		}
		if devices == 0 {
			t.Error("it asks for no device")
		}
	})
}

func checkLimits(t *testing.T, pod *core.PodSpec, offered []*regexp.Regexp) int {
	t.Helper()
	devices := 0
	for _, c := range pod.Containers {
		for name, amount := range c.Resources.Limits {
			if !strings.Contains(string(name), "/") {
				continue
			}
			devices++
			found := false
			for _, pattern := range offered {
				found = found || pattern.MatchString(string(name))
			}
			if !found {
				t.Errorf("nothing offers %s", name)
			}
			if amount.Value() < 1 || amount.MilliValue()%1000 != 0 {
				t.Errorf("%s: %s is no number of devices", name, amount.String())
			}
		}
	}
	return devices
}

// The workloads are there for both vendors, with the vendor's own resource.
func TestDeploy_examples_complete(t *testing.T) {
	for vendor, device := range vendors {
		for name, kind := range map[string]func(objects) bool{
			"pod":         func(all objects) bool { return len(of[*core.Pod](all)) == 1 },
			"job":         func(all objects) bool { return len(of[*batch.Job](all)) == 1 },
			"cronjob":     func(all objects) bool { return len(of[*batch.CronJob](all)) == 1 },
			"toleration":  func(all objects) bool { return len(of[*core.Pod](all)[0].Spec.Tolerations) == 1 },
			"jupyterlab":  isServed,
			"code-server": isServed,
			"inference":   isServed,
			"topology": func(all objects) bool {
				limit := of[*core.Pod](all)[0].Spec.Containers[0].Resources.Limits[device]
				return limit.Value() > 1
			},
			"partition": func(all objects) bool { return len(of[*core.Pod](all)) == 1 },
			"share":     func(all objects) bool { return len(of[*core.Pod](all)) == 1 },
		} {
			text, err := os.ReadFile(filepath.Join(examplesDir, vendor, name+".yaml"))
			if err != nil {
				t.Error(err)
				continue
			}
			if !kind(decode(t, string(text))) {
				t.Errorf("%s/%s.yaml is not what its name says", vendor, name)
			}
		}
	}
}

// A Deployment, and a Service that finds its pods and their port.
func isServed(all objects) bool {
	deployments, services := of[*apps.Deployment](all), of[*core.Service](all)
	if len(deployments) != 1 || len(services) != 1 {
		return false
	}
	template := deployments[0].Spec.Template
	for key, value := range services[0].Spec.Selector {
		if template.Labels[key] != value || deployments[0].Spec.Selector.MatchLabels[key] != value {
			return false
		}
	}
	return services[0].Spec.Ports[0].TargetPort.String() == template.Spec.Containers[0].Ports[0].Name
}

// Two agents at the same time, each with another device.
func TestDeploy_examples_jenkins(t *testing.T) {
	for vendor := range vendors {
		file := filepath.Join(examplesDir, vendor, "Jenkinsfile")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pods := of[*core.Pod](exampleObjects(t, file, string(text)))
		if len(pods) != 2 || !strings.Contains(string(text), "\nparallel(\n") {
			t.Errorf("%s: %d agents", vendor, len(pods))
		}
	}
}
