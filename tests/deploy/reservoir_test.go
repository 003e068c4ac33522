// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"reflect"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
)

// The ports that a policy lets out to, of whatever peers.
func egressPorts(p *networking.NetworkPolicy) map[int]bool {
	ports := map[int]bool{}
	for _, rule := range p.Spec.Egress {
		for _, port := range rule.Ports {
			ports[port.Port.IntValue()] = true
		}
	}
	return ports
}

// A site connects nowhere, but for the writer's Lease; a hub's writer does; a cache's servers do.
func TestDeploy_reservoir_network(t *testing.T) {
	for name, c := range map[string]struct {
		values, policy string
		want           []int
	}{
		"server of a site":  {"site", "silica-reservoir", nil},
		"writer of a site":  {"site", "silica-reservoir-writer", []int{443, 6443}},
		"server of a hub":   {"hub", "silica-reservoir", nil},
		"writer of a hub":   {"hub", "silica-reservoir-writer", []int{53, 80, 443, 6443}},
		"sync of a hub":     {"hub", "silica-reservoir-sync", []int{53, 80, 443}},
		"server of a cache": {"cache", "silica-reservoir", []int{53, 80, 443}},
		"helm test":         {"cache", "silica-test", nil},
	} {
		found := named[*networking.NetworkPolicy](t, render(t, matrix[c.values]), c.policy)
		if types := found.Spec.PolicyTypes; len(types) != 2 {
			t.Errorf("%s: the policy is of %v", name, types)
		}
		want := map[int]bool{}
		for _, port := range c.want {
			want[port] = true
		}
		if got := egressPorts(found); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: it may connect to ports %v, expected %v", name, got, want)
		}
	}
}

// Where the API server is known, nothing else can be reached by the port that it has.
func TestDeploy_api_servers(t *testing.T) {
	all := render(t, `
networkPolicy: {apiServers: [{ipBlock: {cidr: 192.0.2.1/32}}]}
reservoir: {enabled: true, storage: {dropClaim: d}}`)
	for _, name := range []string{"silica-node-labeller", "silica-reservoir-writer"} {
		egress := named[*networking.NetworkPolicy](t, all, name).Spec.Egress
		if len(egress) != 1 || len(egress[0].To) != 1 || egress[0].To[0].IPBlock.CIDR != "192.0.2.1/32" {
			t.Errorf("%s may connect to %+v", name, egress)
		}
	}
}

// Only the writer has a token, and it is good for one Lease.
func TestDeploy_reservoir_rights(t *testing.T) {
	all := render(t, matrix["hub"])
	for name, token := range map[string]bool{"silica-reservoir": false, "silica-reservoir-writer": true} {
		pod := podOf(named[*apps.Deployment](t, all, name))
		if *pod.AutomountServiceAccountToken != token || pod.ServiceAccountName != name {
			t.Errorf("%s: account %s, token %v", name, pod.ServiceAccountName, !token)
		}
	}
	sync := podOf(named[*batch.CronJob](t, all, "silica-reservoir-sync"))
	if *sync.AutomountServiceAccountToken {
		t.Error("the CronJob has a token")
	}
	role := named[*rbac.Role](t, all, "silica-reservoir-writer")
	want := []rbac.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "update"},
			ResourceNames: []string{argument(podOf(named[*apps.Deployment](t, all, "silica-reservoir-writer")), "lease")}},
	}
	if !reflect.DeepEqual(role.Rules, want) {
		t.Errorf("the writer may %v", role.Rules)
	}
	for _, role := range of[*rbac.ClusterRole](all) {
		if strings.Contains(role.Name, "reservoir") {
			t.Errorf("there is a ClusterRole %s", role.Name)
		}
	}
}

func volumesOf(pod *core.PodSpec) map[string]core.Volume {
	volumes := map[string]core.Volume{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = volume
	}
	return volumes
}

func mountOf(t *testing.T, c *core.Container, name string) core.VolumeMount {
	t.Helper()
	for _, mount := range c.VolumeMounts {
		if mount.Name == name {
			return mount
		}
	}
	t.Fatalf("%s does not mount %s", c.Name, name)
	panic("unreachable")
}

// Servers only read, and never have the keys that sign; nothing of the host is in any pod.
func TestDeploy_reservoir_volumes(t *testing.T) {
	for name, caches := range map[string]bool{"site": false, "hub": false, "cache": true} {
		all := render(t, matrix[name])
		pod := podOf(named[*apps.Deployment](t, all, "silica-reservoir"))
		if !mountOf(t, &pod.Containers[0], "store").ReadOnly {
			t.Errorf("%s: the servers can write to the store", name)
		}
		// The first pod of a volume is the one whose group it gets: whichever that is, it may write.
		if volumesOf(pod)["store"].PersistentVolumeClaim.ReadOnly || len(pod.InitContainers) != 1 {
			t.Errorf("%s: the first server cannot make the store", name)
		}
		if _, has := volumesOf(pod)["cache"]; has != caches {
			t.Errorf("%s: the servers have a volume of their own: %v", name, has)
		}
		// What one server has fetched the others have not: a client stays with it.
		if stays := named[*core.Service](t, all, "silica-reservoir").Spec.SessionAffinity ==
			core.ServiceAffinityClientIP; stays != caches {
			t.Errorf("%s: a client stays with its server: %v", name, stays)
		}
		if _, has := volumesOf(pod)["keys"]; has {
			t.Errorf("%s: the servers have the keys", name)
		}
		for _, o := range all {
			if strings.Contains(o.GetName(), "reservoir") && podOf(o) != nil && len(hostPaths(podOf(o))) > 0 {
				t.Errorf("%s: %s mounts of the host", name, o.GetName())
			}
		}
	}
	all := render(t, matrix["hub"])
	writer := podOf(named[*apps.Deployment](t, all, "silica-reservoir-writer"))
	if volumesOf(writer)["keys"].Secret.SecretName != "hub-keys" {
		t.Error("the writer lacks the keys")
	}
	server := podOf(named[*apps.Deployment](t, all, "silica-reservoir"))
	if volumesOf(server)["tls"].Secret.SecretName != "hub-tls" ||
		server.Containers[0].ReadinessProbe.HTTPGet.Scheme != core.URISchemeHTTPS {
		t.Error("the servers do not speak TLS")
	}
	if server := podOf(named[*apps.Deployment](t, render(t, matrix["site"]), "silica-reservoir")); server.Containers[0].
		ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("nothing says when a server is ready")
	}
	if claim := volumesOf(podOf(named[*apps.Deployment](t, render(t, matrix["cache"]), "silica-reservoir")))["store"].
		PersistentVolumeClaim.ClaimName; claim != "packages" {
		t.Errorf("the store lies in %s", claim)
	}
}

// The configuration is one that the program reads, with what the chart knows.
func TestDeploy_reservoir_config(t *testing.T) {
	for name, want := range map[string][]string{
		"site":  {"drop: /drop", "listen: 0.0.0.0:8080"},
		"hub":   {"certificate: /etc/silica/tls/tls.crt", "interval: 6h"},
		"cache": {"mode: cache", "cache: /cache", "drain: 5s"},
	} {
		text := named[*core.ConfigMap](t, render(t, matrix[name]), "silica-reservoir").Data["reservoir.yaml"]
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("%s: the configuration has no '%s':\n%s", name, line, text)
			}
		}
		if err := validateReservoir(t, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := podOf(named[*apps.Deployment](t, render(t,
		`reservoir: {enabled: true, secrets: {config: a}, storage: {dropClaim: d}}`), "silica-reservoir"))
	if volumesOf(secret)["config"].Secret.SecretName != "a" {
		t.Error("the configuration is not that of the secret")
	}
	// Which would not say where the probes ask.
	if listen := argument(secret, "listen"); listen != "0.0.0.0:8080" {
		t.Errorf("the servers listen on '%s'", listen)
	}
}

// Losing a server is not seen, and there are as many as are needed.
func TestDeploy_reservoir_scale(t *testing.T) {
	all := render(t, matrix["site"])
	server := named[*apps.Deployment](t, all, "silica-reservoir")
	if *server.Spec.Replicas != 2 || server.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 ||
		len(podOf(server).TopologySpreadConstraints) != 1 {
		t.Errorf("the servers are %+v", server.Spec)
	}
	budget := named[*policy.PodDisruptionBudget](t, all, "silica-reservoir").Spec
	if budget.MaxUnavailable.IntValue() != 1 || budget.UnhealthyPodEvictionPolicy == nil ||
		*budget.UnhealthyPodEvictionPolicy != policy.AlwaysAllow {
		t.Errorf("the budget is %+v", budget)
	}
	if writer := named[*apps.Deployment](t, all, "silica-reservoir-writer"); *writer.Spec.Replicas != 1 ||
		writer.Spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
		t.Errorf("the writer is %+v", writer.Spec)
	}
	all = render(t, matrix["cache"])
	if named[*apps.Deployment](t, all, "silica-reservoir").Spec.Replicas != nil {
		t.Error("two decide how many servers there are")
	}
	metrics := named[*autoscaling.HorizontalPodAutoscaler](t, all, "silica-reservoir").Spec.Metrics
	if len(metrics) != 3 || metrics[1].Pods.Metric.Name != "silica_reservoir_requests_per_second" ||
		metrics[1].Pods.Target.AverageValue.Value() != 2000 {
		t.Errorf("the metrics are %+v", metrics)
	}
	if len(of[*policy.PodDisruptionBudget](all)) != 0 {
		t.Error("there is a budget")
	}
	if host := named[*networking.Ingress](t, all, "silica-reservoir").Spec.Rules[0].Host; host != "packages.example.org" {
		t.Errorf("the host is %s", host)
	}
}

// A server that drains for as long as it was told to, and then ends its answers, is not killed.
func TestDeploy_reservoir_grace(t *testing.T) {
	for drain, least := range map[string]int64{"0s": 30, "1500ms": 32, "5s": 35, "3m": 210, "1h": 3630} {
		server := podOf(named[*apps.Deployment](t, render(t, `
reservoir:
  enabled: true
  storage: {dropClaim: d}
  config: {serve: {drain: `+drain+`}}`), "silica-reservoir"))
		if grace := *server.TerminationGracePeriodSeconds; grace < least || grace > least+30 {
			t.Errorf("with a drain of %s a server is killed after %d s", drain, grace)
		}
	}
}

// A sync that the cluster was away for is made up for, and its Jobs are not kept for ever.
func TestDeploy_reservoir_schedule(t *testing.T) {
	job := named[*batch.CronJob](t, render(t, matrix["hub"]), "silica-reservoir-sync").Spec
	if job.ConcurrencyPolicy != batch.ForbidConcurrent || job.StartingDeadlineSeconds == nil ||
		*job.StartingDeadlineSeconds < 200 || job.SuccessfulJobsHistoryLimit == nil ||
		job.FailedJobsHistoryLimit == nil {
		t.Errorf("the CronJob is %+v", job)
	}
}

// Monitors find the servers, by the port and the way that they speak.
func TestDeploy_reservoir_monitors(t *testing.T) {
	for name, scheme := range map[string]string{"site": "", "hub": "https"} {
		all := render(t, matrix[name], "--values", valuesFile(t, matrix["monitors"]))
		pods := of[*monitoring.PodMonitor](all)[0].Spec.PodMetricsEndpoints
		services := of[*monitoring.ServiceMonitor](all)[0].Spec.Endpoints
		ports := named[*core.Service](t, all, "silica-metrics").Spec.Ports
		if len(pods) != 2 || len(services) != 2 || len(ports) != 2 {
			t.Fatalf("%s: %d, %d and %d ports", name, len(pods), len(services), len(ports))
		}
		server := podOf(named[*apps.Deployment](t, all, "silica-reservoir")).Containers[0].Ports[0]
		if *pods[1].Port != server.Name || services[1].Port != server.Name ||
			ports[1].TargetPort.String() != server.Name {
			t.Errorf("%s: no port of the monitors is %s", name, server.Name)
		}
		for _, have := range []*monitoring.Scheme{pods[1].Scheme, services[1].Scheme} {
			if have.String() != scheme {
				t.Errorf("%s: metrics are asked for by %v", name, have)
			}
		}
	}
}

// What helm test shows is what the servers see, with no more rights than they have.
func TestDeploy_reservoir_helm_test(t *testing.T) {
	pod := &named[*core.Pod](t, render(t, matrix["site"]), "silica-reservoir-test").Spec
	if pod.Containers[0].Args[0] != "status" || !mountOf(t, &pod.Containers[0], "store").ReadOnly ||
		*pod.AutomountServiceAccountToken || !*pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem {
		t.Errorf("the pod is %+v", pod)
	}
}

// Nothing of it is there by default.
func TestDeploy_reservoir_off(t *testing.T) {
	for _, o := range render(t, `{}`) {
		if strings.Contains(o.GetName(), "reservoir") {
			t.Errorf("there is a %T %s", o, o.GetName())
		}
	}
}

// The strictest level of pod security admits the pods of the manifests.
func TestDeploy_reservoir_manifests(t *testing.T) {
	text, err := os.ReadFile(path("manifests", "reservoir", "reservoir.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := decode(t, string(text))
	if level := named[*core.Namespace](t, all, "silica-reservoir").Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Errorf("the level is %s", level)
	}
	for _, o := range all {
		if ns := o.GetNamespace(); ns != "" && ns != "silica-reservoir" {
			t.Errorf("%s is in %s", o.GetName(), ns)
		}
		pod := podOf(o)
		if pod == nil {
			continue
		}
		for _, volume := range pod.Volumes {
			if volume.HostPath != nil {
				t.Errorf("%s mounts of the host", o.GetName())
			}
		}
	}
}
