// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// The manifests are what the chart makes of its defaults today.
func TestDeploy_manifests(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HELM", program(t, "HELM", path("build", "go", "helm")))
	if _, err := run(path("scripts", "manifests.sh"), dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"silica.yaml", "cleanup/cleanup.yaml", "reservoir/reservoir.yaml"} {
		have, err := os.ReadFile(path("manifests", name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != string(want) {
			t.Errorf("manifests/%s is stale: make manifests", name)
		}
		if strings.Contains(string(have), "helm.sh/") {
			t.Errorf("manifests/%s speaks of helm", name)
		}
		decode(t, string(have))
	}
}

// The namespace admits what the pods mount.
func TestDeploy_manifests_namespace(t *testing.T) {
	text, err := os.ReadFile(path("manifests", "silica.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	namespace := named[*core.Namespace](t, decode(t, string(text)), "silica")
	if namespace.Labels["pod-security.kubernetes.io/enforce"] != "privileged" {
		t.Errorf("the labels are %v", namespace.Labels)
	}
}

// The overlays that README.md shows, in its order.
func overlays(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(path("manifests", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	for _, match := range blocks.FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	if len(found) != 3 {
		t.Fatalf("README.md shows %d pieces of overlays, expected 3", len(found))
	}
	return found
}

// What kubectl apply -k makes of an overlay beside the manifests.
func kustomize(t *testing.T, overlay string) objects {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "manifests"), os.DirFS(path("manifests"))); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "overlay")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := result.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, string(text))
}

// Both bases have an overlay that names the image, everywhere.
func TestDeploy_manifests_kustomization(t *testing.T) {
	shown := overlays(t)
	for name, c := range map[string]struct {
		overlay string
		pods    int
	}{
		"manifests": {shown[0], 2},
		"cleanup":   {shown[1], 1},
	} {
		pods := 0
		for _, o := range kustomize(t, c.overlay) {
			pod := podOf(o)
			if pod == nil {
				continue
			}
			pods++
			if image := pod.Containers[0].Image; image != "registry.example/silica:0.1.0" {
				t.Errorf("%s: %s has the image %s", name, o.GetName(), image)
			}
		}
		if pods != c.pods {
			t.Errorf("%s: %d objects have pods, expected %d", name, pods, c.pods)
		}
	}
	job := named[*batch.Job](t, kustomize(t, shown[1]+shown[2]), "silica-cleanup")
	if *job.Spec.ActiveDeadlineSeconds != 1800 {
		t.Errorf("the Job may take %d s", *job.Spec.ActiveDeadlineSeconds)
	}
}
