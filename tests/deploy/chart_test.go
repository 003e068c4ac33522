// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	rbac "k8s.io/api/rbac/v1"
)

const policyAPI = "--api-versions=admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"

// Values that a cluster may have, each with whatever depends on it.
var matrix = map[string]string{
	"defaults":      `{}`,
	"plugin only":   `nodeLabeller: {enabled: false}`,
	"labeller only": `devicePlugin: {enabled: false}`,
	"nothing":       `{devicePlugin: {enabled: false}, nodeLabeller: {enabled: false}}`,
	"nfd":           `nodeLabeller: {output: nfd, interval: 30s}`,
	"watcher":       `devicePlugin: {registration: watcher}`,
	"both ways":     `devicePlugin: {registration: both, extraHostPaths: [/opt/acme/lib, /usr/lib]}`,
	"cdi":           `config: {resources: [{name: furiosa.ai/npu, devices: {vendor: furiosa}, allocate: cdi}]}`,
	"annotations": `
config:
  resources: [{name: a.io/b, allocate: [env, annotations]}]
  cdi: {directory: /etc/cdi}`,
	"condition": `config: {node: {condition: true, events: false}}`,
	"node":      `config: {node: {removeStartupTaints: true, exclusiveTaints: true}}`,
	"pools": `
nodeSelector: {kubernetes.io/os: linux}
affinity: {pciLabels: true, nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [a]}]}]}}}
pools:
- {name: shares, nodeSelector: {example.com/pool: shares}, config: {node: {condition: true}}}
- {name: halves, nodeSelector: {example.com/pool: halves}, config: {rescanInterval: 10s}}`,
	"image": `
image: {repository: "example.com:5000/silica", digest: "sha256:` + strings.Repeat("0a", 32) + `", pullSecrets: [a, b]}`,
	"monitors": `
networkPolicy: {metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
metrics:
  podMonitor: {enabled: true, interval: 30s, labels: {release: prometheus}}
  serviceMonitor: {enabled: true, labels: {release: prometheus}}`,
	"open":       `{networkPolicy: {enabled: false}, metrics: {podMonitor: {enabled: true}}}`,
	"nvml":       `nvml: {enabled: true}`,
	"selinux":    `devicePlugin: {seLinuxOptions: {type: container_device_plugin_t}}`,
	"simulation": `simulation: {enabled: true, image: "silica-sim:test", description: "rngd x2, numa 0/1"}`,
	"bare":       `{tolerations: [], priorityClassName: "", cleanup: {enabled: false}}`,
	"names":      `{nameOverride: accelerators, fullnameOverride: acc, log: {level: debug, format: json}}`,
	"pods": `
devicePlugin: {podAnnotations: {a.io/b: "true"}, podLabels: {c: d}}
nodeLabeller: {podAnnotations: {a.io/b: "1"}, podLabels: {c: d}, serviceAccountAnnotations: {e: f}}`,
	"no policy": `admissionPolicy: {enabled: never}`,
	"policy":    `admissionPolicy: {enabled: always}`,
	"global":    `global: {anything: [1, 2]}`,
	"site":      `reservoir: {enabled: true, storage: {dropClaim: drop}}`,
	"hub": `
reservoir:
  enabled: true
  mode: hub
  config:
    repositories:
    - {name: pypi, ecosystem: pypi, upstream: "https://pypi.example.org/simple/", pypi: {projects: [requests]}}
    sync: {interval: 6h}
  secrets: {keys: hub-keys, tls: hub-tls}
  sync: {schedule: "17 3 * * *", timeZone: Asia/Seoul}
  networkPolicy: {upstreams: [{ipBlock: {cidr: 192.0.2.0/24}}], clientsFrom: [{podSelector: {}}]}`,
	"cache": `
devicePlugin: {enabled: false}
nodeLabeller: {enabled: false}
reservoir:
  enabled: true
  mode: cache
  config: {repositories: [{name: pypi, ecosystem: pypi, mode: cache, upstream: "https://pypi.example.org/"}]}
  storage: {existingClaim: packages}
  server:
    autoscaling: {enabled: true, requestsPerSecond: 2000, bytesPerSecond: 100000000}
    podDisruptionBudget: {enabled: false}
    podLabels: {a: b}
  ingress: {enabled: true, host: packages.example.org, className: nginx, tlsSecret: packages-tls}
  tolerations: [{operator: Exists}]
  priorityClassName: high`,
}

func eachRendering(t *testing.T, check func(t *testing.T, all objects)) {
	for name, values := range matrix {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			check(t, render(t, values, policyAPI))
		})
	}
}

func TestDeploy_lint(t *testing.T) {
	for name, values := range matrix {
		if _, err := helm(t, "lint", "--strict", chart, "--values", valuesFile(t, values)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every object decodes, has its own name, and is where the release is.
func TestDeploy_matrix(t *testing.T) {
	eachRendering(t, func(t *testing.T, all objects) {
		seen := map[string]bool{}
		for _, o := range all {
			id := reflect.TypeOf(o).String() + " " + o.GetNamespace() + "/" + o.GetName()
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
			if ns := o.GetNamespace(); ns != "" && ns != "silica" && ns != "default" {
				t.Errorf("%s is outside of the release's namespace", id)
			}
		}
	})
}

func kinds(all objects) []string {
	var names []string
	for _, o := range all {
		if o.GetAnnotations()["helm.sh/hook"] == "" {
			names = append(names, reflect.TypeOf(o).Elem().Name()+" "+o.GetName())
		}
	}
	sort.Strings(names)
	return names
}

// What there is, and what there is not, by the values.
func TestDeploy_switches(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		args   []string
		want   []string
		none   []string
	}{
		"defaults": {`{}`, []string{policyAPI},
			[]string{"DaemonSet silica-device-plugin", "DaemonSet silica-node-labeller",
				"ConfigMap silica-config", "NetworkPolicy silica-device-plugin",
				"ValidatingAdmissionPolicy silica-node-labeller.silica",
				"ClusterRole silica-node-labeller", "Role silica-node-labeller-events"},
			[]string{"PodMonitor silica", "ServiceMonitor silica", "Service silica-metrics"}},
		"old cluster": {`{}`, nil, []string{"DaemonSet silica-node-labeller"},
			[]string{"ValidatingAdmissionPolicy silica-node-labeller.silica"}},
		"always": {matrix["policy"], nil,
			[]string{"ValidatingAdmissionPolicyBinding silica-node-labeller.silica"}, nil},
		"never": {matrix["no policy"], []string{policyAPI}, nil,
			[]string{"ValidatingAdmissionPolicy silica-node-labeller.silica"}},
		"nfd": {matrix["nfd"], []string{policyAPI}, []string{"DaemonSet silica-node-labeller"},
			[]string{"ClusterRole silica-node-labeller", "Role silica-node-labeller-events",
				"ValidatingAdmissionPolicy silica-node-labeller.silica"}},
		"plugin only": {matrix["plugin only"], []string{policyAPI},
			[]string{"DaemonSet silica-device-plugin"},
			[]string{"DaemonSet silica-node-labeller", "ClusterRole silica-node-labeller"}},
		"no events": {matrix["condition"], nil, []string{"ClusterRole silica-node-labeller"},
			[]string{"Role silica-node-labeller-events"}},
		"monitors": {matrix["monitors"], nil,
			[]string{"PodMonitor silica", "ServiceMonitor silica", "Service silica-metrics"}, nil},
		"open": {matrix["open"], nil, []string{"PodMonitor silica"},
			[]string{"NetworkPolicy silica-device-plugin"}},
		"pools": {matrix["pools"], nil,
			[]string{"DaemonSet silica-device-plugin", "DaemonSet silica-device-plugin-shares",
				"DaemonSet silica-node-labeller-halves", "ConfigMap silica-config-halves"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			have := map[string]bool{}
			for _, kind := range kinds(render(t, c.values, c.args...)) {
				have[kind] = true
			}
			for _, want := range c.want {
				if !have[want] {
					t.Errorf("there is no %s", want)
				}
			}
			for _, none := range c.none {
				if have[none] {
					t.Errorf("there is a %s", none)
				}
			}
		})
	}
}

func argument(pod *core.PodSpec, name string) string {
	for _, arg := range pod.Containers[0].Args {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

func hostPaths(pod *core.PodSpec) map[string]string {
	paths := map[string]string{}
	for _, volume := range pod.Volumes {
		if volume.HostPath != nil {
			paths[volume.Name] = volume.HostPath.Path
		}
	}
	return paths
}

// One value moves all that follows the kubelet's --root-dir; what does not stays.
func TestDeploy_kubelet_dir(t *testing.T) {
	all := render(t, `{kubelet: {rootDir: /data/kubelet}, devicePlugin: {registration: both}}`)
	pod := podOf(named[*apps.DaemonSet](t, all, "silica-device-plugin"))
	want := map[string]string{
		"pod-resources":    "/data/kubelet/pod-resources",
		"plugins-registry": "/data/kubelet/plugins_registry",
		"device-plugins":   "/var/lib/kubelet/device-plugins",
	}
	paths := hostPaths(pod)
	for name, path := range want {
		if paths[name] != path {
			t.Errorf("%s is %s, expected %s", name, paths[name], path)
		}
	}
	test := hostPaths(podOf(named[*core.Pod](t, all, "silica-test")))
	if test["pod-resources"] != "/data/kubelet/pod-resources" {
		t.Errorf("the test looks at %s", test["pod-resources"])
	}
}

// Directories of the host appear only where a value needs them.
func TestDeploy_mounts(t *testing.T) {
	for name, c := range map[string]struct{ values, volume, path string }{
		"no registry":   {`{}`, "plugins-registry", ""},
		"registry":      {matrix["watcher"], "plugins-registry", "/var/lib/kubelet/plugins_registry"},
		"no cdi":        {`{}`, "cdi", ""},
		"cdi":           {matrix["cdi"], "cdi", "/var/run/cdi"},
		"cdi elsewhere": {matrix["annotations"], "cdi", "/etc/cdi"},
		"extra":         {matrix["both ways"], "extra-1", "/usr/lib"},
		"simulated":     {matrix["simulation"], "dev", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := named[*apps.DaemonSet](t, render(t, c.values), "silica-device-plugin")
			if got := hostPaths(podOf(set))[c.volume]; got != c.path {
				t.Errorf("%s is '%s', expected '%s'", c.volume, got, c.path)
			}
		})
	}
}

// No node loses its devices while a new version comes: the new pod is ready first.
func TestDeploy_rolling_update(t *testing.T) {
	set := named[*apps.DaemonSet](t, render(t, `{}`), "silica-device-plugin")
	update := set.Spec.UpdateStrategy
	if update.Type != apps.RollingUpdateDaemonSetStrategyType ||
		update.RollingUpdate.MaxSurge.IntValue() != 1 ||
		update.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Errorf("the strategy is %+v", update)
	}
	pod := podOf(set)
	if pod.HostNetwork || pod.Containers[0].Ports[0].HostPort != 0 {
		t.Error("two pods cannot be on one node")
	}
	if probe := pod.Containers[0].ReadinessProbe; probe == nil || probe.HTTPGet.Path != "/readyz" {
		t.Error("nothing says when the new pod is ready")
	}
}

// Every node is chosen by the DaemonSets of exactly one pool.
func TestDeploy_pools(t *testing.T) {
	all := render(t, matrix["pools"])
	label := "example.com/pool"
	for value, want := range map[string]string{
		"shares": "silica-device-plugin-shares", "halves": "silica-device-plugin-halves",
		"other": "silica-device-plugin", "": "silica-device-plugin",
	} {
		var chosen []string
		for _, set := range of[*apps.DaemonSet](all) {
			node := map[string]string{
				"kubernetes.io/os": "linux",
				"feature.node.kubernetes.io/pci-1200_1ed2.present": "true",
			}
			if value != "" {
				node[label] = value
			}
			if argument(podOf(set), "registration") != "" && matches(podOf(set), node) {
				chosen = append(chosen, set.Name)
			}
		}
		if len(chosen) != 1 || chosen[0] != want {
			t.Errorf("a node of pool '%s' is chosen by %v, expected %s", value, chosen, want)
		}
	}
}

// As the scheduler does, for what the chart writes.
func matches(pod *core.PodSpec, labels map[string]string) bool {
	for key, value := range pod.NodeSelector {
		if labels[key] != value {
			return false
		}
	}
	if pod.Affinity == nil {
		return true
	}
	required := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	for _, term := range required.NodeSelectorTerms {
		fits := len(term.MatchFields) == 0
		for _, e := range term.MatchExpressions {
			value, has := labels[e.Key]
			in := has && value == e.Values[0]
			fits = fits && in == (e.Operator == core.NodeSelectorOpIn)
		}
		if fits {
			return true
		}
	}
	return false
}

// A pool's configuration lies over the common one.
func TestDeploy_pool_config(t *testing.T) {
	all := render(t, `
config: {rescanInterval: 7s, health: {interval: 1s, healthyAfter: 2}}
pools: [{name: a, nodeSelector: {b: c}, config: {health: {interval: 2s}}}]`)
	text := named[*core.ConfigMap](t, all, "silica-config-a").Data["config.yaml"]
	for _, want := range []string{"rescanInterval: 7s", "interval: 2s", "healthyAfter: 2", "version: v1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the configuration of the pool has no '%s':\n%s", want, text)
		}
	}
	text = named[*core.ConfigMap](t, all, "silica-config").Data["config.yaml"]
	if !strings.Contains(text, "interval: 1s") {
		t.Errorf("the pool has changed the others:\n%s", text)
	}
}

// Monitors find the pods, their port, and may ask.
func TestDeploy_monitors(t *testing.T) {
	all := render(t, matrix["monitors"])
	selector := of[*monitoring.PodMonitor](all)[0].Spec.Selector.MatchLabels
	for _, set := range of[*apps.DaemonSet](all) {
		for key, value := range selector {
			if set.Spec.Template.Labels[key] != value {
				t.Errorf("%s has no label %s=%s", set.Name, key, value)
			}
		}
		if port := podOf(set).Containers[0].Ports[0]; port.Name != "metrics" {
			t.Errorf("%s has a port '%s'", set.Name, port.Name)
		}
	}
	service := of[*core.Service](all)[0]
	for key, value := range of[*monitoring.ServiceMonitor](all)[0].Spec.Selector.MatchLabels {
		if service.Labels[key] != value {
			t.Errorf("the service has no label %s=%s", key, value)
		}
	}
	for _, policy := range of[*networking.NetworkPolicy](all) {
		if policy.Name == "silica-test" {
			continue
		}
		if len(policy.Spec.Ingress) != 1 || len(policy.Spec.Ingress[0].From) != 1 {
			t.Errorf("%s lets nobody in", policy.Name)
		}
	}
}

// What is left behind is removed by a Job of its own rights, which go with it.
func TestDeploy_cleanup(t *testing.T) {
	all := render(t, `{}`)
	hooks := 0
	for _, o := range all {
		if o.GetName() != "silica-cleanup" {
			continue
		}
		hooks++
		if o.GetAnnotations()["helm.sh/hook"] != "post-delete" {
			t.Errorf("%T is no hook", o)
		}
		if _, isJob := o.(*batch.Job); !isJob &&
			!strings.Contains(o.GetAnnotations()["helm.sh/hook-delete-policy"], "hook-failed") {
			t.Errorf("%T stays when the Job fails", o)
		}
	}
	if hooks != 4 {
		t.Errorf("there are %d hooks", hooks)
	}
	// Whatever the labeller is now, an earlier revision may have written.
	for name, values := range matrix {
		want := 1
		if name == "bare" {
			want = 0
		}
		if jobs := of[*batch.Job](render(t, values)); len(jobs) != want {
			t.Errorf("%s: there are %d Jobs, expected %d", name, len(jobs), want)
		}
	}
}

// helm waits so long for a hook by itself, and forgets the release when that is over.
const helmWaits = 5 * time.Minute

func TestDeploy_cleanup_deadline(t *testing.T) {
	job := named[*batch.Job](t, render(t, `{}`), "silica-cleanup")
	if deadline := time.Duration(*job.Spec.ActiveDeadlineSeconds) * time.Second; deadline >= helmWaits {
		t.Errorf("the Job may take %v, and helm gives up after %v", deadline, helmWaits)
	}
	job = named[*batch.Job](t, render(t, `cleanup: {deadlineSeconds: 1800}`), "silica-cleanup")
	if *job.Spec.ActiveDeadlineSeconds != 1800 {
		t.Errorf("the Job may take %d s", *job.Spec.ActiveDeadlineSeconds)
	}
}

// As the scheduler does.
func tolerates(pod *core.PodSpec, key string, effect core.TaintEffect) bool {
	for i := range pod.Tolerations {
		toleration := &pod.Tolerations[i]
		if (toleration.Key == "" || toleration.Key == key) &&
			(toleration.Effect == "" || toleration.Effect == effect) {
			return true
		}
	}
	return false
}

// The Job finds a node that works; the others are where the devices are.
func TestDeploy_placement(t *testing.T) {
	dead, dedicated := core.TaintNodeUnreachable, "example.com/accelerators"
	control := "node-role.kubernetes.io/control-plane"
	noSchedule := core.TaintEffectNoSchedule
	for name, c := range map[string]struct {
		values    string
		selector  map[string]string
		tolerated map[string]bool
	}{
		"silica-device-plugin": {`{}`, map[string]string{core.LabelOSStable: "linux"},
			map[string]bool{dead: true, dedicated: true, control: true}},
		"silica-node-labeller-a": {`pools: [{name: a, nodeSelector: {b: c}, config: {}}]`,
			map[string]string{core.LabelOSStable: "linux", "b": "c"},
			map[string]bool{dead: true, dedicated: true, control: true}},
		"silica-test": {`{nodeSelector: {d: e}, tolerations: [{key: example.com/accelerators, operator: Exists}]}`,
			map[string]string{core.LabelOSStable: "linux", "d": "e"},
			map[string]bool{dead: false, dedicated: true, control: false}},
		"silica-cleanup": {`nodeSelector: {d: e}`, map[string]string{core.LabelOSStable: "linux"},
			map[string]bool{dead: false, dedicated: false, control: true}},
	} {
		checked := false
		for _, o := range render(t, c.values) {
			pod := podOf(o)
			if pod == nil || o.GetName() != name {
				continue
			}
			checked = true
			if !reflect.DeepEqual(pod.NodeSelector, c.selector) {
				t.Errorf("%s selects %v, expected %v", name, pod.NodeSelector, c.selector)
			}
			for key, want := range c.tolerated {
				if got := tolerates(pod, key, noSchedule); got != want {
					t.Errorf("%s tolerates %s: %v, expected %v", name, key, got, want)
				}
			}
		}
		if !checked {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestDeploy_cleanup_tolerations(t *testing.T) {
	job := named[*batch.Job](t, render(t, `cleanup: {tolerations: [{key: a.io/b, operator: Exists}]}`),
		"silica-cleanup")
	if !tolerates(podOf(job), "a.io/b", core.TaintEffectNoExecute) {
		t.Errorf("the Job tolerates %v", podOf(job).Tolerations)
	}
}

// The log of the test is read by name after the hooks have been deleted.
func TestDeploy_test_log(t *testing.T) {
	pod := named[*core.Pod](t, render(t, `{}`), "silica-test")
	if policy := pod.Annotations["helm.sh/hook-delete-policy"]; policy != "before-hook-creation" {
		t.Errorf("the pod is deleted at %s", policy)
	}
}

// Of the labeller, too, the new pod can come before the old one goes.
func TestDeploy_labeller_surge(t *testing.T) {
	set := named[*apps.DaemonSet](t, render(t,
		`nodeLabeller: {updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}`),
		"silica-node-labeller")
	update := set.Spec.UpdateStrategy
	if update.Type != apps.RollingUpdateDaemonSetStrategyType ||
		update.RollingUpdate.MaxSurge.IntValue() != 1 ||
		update.RollingUpdate.MaxUnavailable.String() != "0" {
		t.Errorf("the strategy is %+v", update)
	}
	pod := podOf(set)
	if pod.HostNetwork || pod.Containers[0].Ports[0].HostPort != 0 {
		t.Error("two pods cannot be on one node")
	}
}

func rulesOf(t *testing.T, values string) map[string]string {
	t.Helper()
	rules := map[string]string{}
	for _, role := range of[*rbac.ClusterRole](render(t, values)) {
		if role.Name != "silica-node-labeller" {
			continue
		}
		for _, rule := range role.Rules {
			rules[strings.Join(rule.Resources, " ")] = strings.Join(rule.Verbs, " ")
		}
	}
	return rules
}

// The labeller may do what a configuration can make it do, and no more: also take away the
// condition that the one before asked for.
func TestDeploy_rbac(t *testing.T) {
	nodes := "get watch patch"
	for name, want := range map[string]map[string]string{
		"defaults":  {"nodes": nodes, "nodes/status": "patch"},
		"condition": {"nodes": nodes, "nodes/status": "patch"},
		"pools":     {"nodes": nodes, "nodes/status": "patch"},
		"nfd":       {},
	} {
		if got := rulesOf(t, matrix[name]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the labeller may %v, expected %v", name, got, want)
		}
	}
	for _, role := range of[*rbac.Role](render(t, `{}`)) {
		if role.Namespace != "default" || len(role.Rules) != 1 ||
			!reflect.DeepEqual(role.Rules[0].Resources, []string{"events"}) ||
			!reflect.DeepEqual(role.Rules[0].Verbs, []string{"create", "patch"}) {
			t.Errorf("the role %s has %v", role.Name, role.Rules)
		}
	}
	for _, binding := range of[*rbac.ClusterRoleBinding](render(t, `{}`)) {
		for _, subject := range binding.Subjects {
			if subject.Name == "silica-device-plugin" {
				t.Error("the device plugin has rights")
			}
		}
	}
}

func TestDeploy_policy_is_bound(t *testing.T) {
	all := render(t, `{}`, policyAPI)
	policy := of[*admission.ValidatingAdmissionPolicy](all)[0]
	binding := of[*admission.ValidatingAdmissionPolicyBinding](all)[0]
	if binding.Spec.PolicyName != policy.Name ||
		!reflect.DeepEqual(binding.Spec.ValidationActions, []admission.ValidationAction{admission.Deny}) {
		t.Errorf("the binding is %+v", binding.Spec)
	}
}
