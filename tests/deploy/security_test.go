// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

func checkContainer(t *testing.T, name string, c *core.Container) {
	t.Helper()
	s := c.SecurityContext
	if s == nil {
		t.Errorf("%s/%s has no security context", name, c.Name)
		return
	}
	for what, bad := range map[string]bool{
		"is privileged":               s.Privileged != nil && *s.Privileged,
		"may gain privileges":         s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation,
		"can write to its root":       s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem,
		"keeps capabilities":          s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL",
		"has capabilities added":      s.Capabilities != nil && len(s.Capabilities.Add) > 0,
		"has a user of its own":       s.RunAsUser != nil,
		"has a profile of its own":    s.SeccompProfile != nil,
		"has no limit of memory":      len(c.Resources.Limits) == 0 && !strings.HasPrefix(c.Name, "simulate"),
		"is started by a shell":       len(c.Command) != 1 || !strings.HasPrefix(c.Command[0], "/usr/bin/silica"),
		"takes variables from others": len(c.EnvFrom) > 0,
	} {
		if bad {
			t.Errorf("%s/%s %s", name, c.Name, what)
		}
	}
}

// Directories of the host that a pod may write to, and the user that does.
var writable = map[string]bool{
	"device-plugins": true, "plugins-registry": true, "cdi": true, "nfd": true,
}

func checkMounts(t *testing.T, name string, pod *core.PodSpec) {
	t.Helper()
	paths := hostPaths(pod)
	for _, mount := range pod.Containers[0].VolumeMounts {
		path, isHost := paths[mount.Name]
		if isHost && !mount.ReadOnly && !writable[mount.Name] {
			t.Errorf("%s may write to %s of the host", name, path)
		}
		if mount.MountPropagation != nil {
			t.Errorf("%s mounts %s with propagation", name, path)
		}
	}
	for volume, path := range paths {
		if path == "/" || path == "/sys" || path == "/proc" || strings.HasPrefix(path, "/var/lib/kubelet/pods") {
			t.Errorf("%s mounts %s (%s)", name, path, volume)
		}
	}
}

// Every pod of every rendering.
func TestDeploy_security(t *testing.T) {
	eachRendering(t, func(t *testing.T, all objects) {
		for _, o := range all {
			pod := podOf(o)
			if pod == nil {
				continue
			}
			name := o.GetName()
			if pod.HostNetwork || pod.HostPID || pod.HostIPC {
				t.Errorf("%s has namespaces of the host", name)
			}
			s := pod.SecurityContext
			if s == nil || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s has no seccomp profile", name)
			}
			if s.RunAsUser == nil || s.RunAsNonRoot == nil || *s.RunAsNonRoot != (*s.RunAsUser != 0) {
				t.Errorf("%s does not say who it runs as", name)
			}
			for i := range pod.InitContainers {
				checkContainer(t, name, &pod.InitContainers[i])
			}
			for i := range pod.Containers {
				checkContainer(t, name, &pod.Containers[i])
			}
			checkMounts(t, name, pod)
		}
	})
}

// Root is whoever the kubelet's or NFD's directories ask for it; a token has who speaks with
// the API server.
func TestDeploy_users_and_tokens(t *testing.T) {
	for _, c := range []struct {
		values, object string
		user           int64
		token          bool
	}{
		{`{}`, "silica-device-plugin", 0, false},
		{`{}`, "silica-node-labeller", 65532, true},
		{`{}`, "silica-cleanup", 65532, true},
		{`{}`, "silica-test", 0, false},
		{matrix["nfd"], "silica-node-labeller", 0, false},
	} {
		found := false
		for _, o := range render(t, c.values) {
			pod := podOf(o)
			if pod == nil || o.GetName() != c.object {
				continue
			}
			found = true
			if *pod.SecurityContext.RunAsUser != c.user {
				t.Errorf("%s runs as %d, expected %d", c.object, *pod.SecurityContext.RunAsUser, c.user)
			}
			if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken != c.token {
				t.Errorf("%s: a token is mounted: %v", c.object, !c.token)
			}
		}
		if !found {
			t.Errorf("there is no %s", c.object)
		}
	}
}
