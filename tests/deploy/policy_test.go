// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	v1 "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

const (
	labeller = "system:serviceaccount:silica:silica-node-labeller"
	nodeName = "authentication.kubernetes.io/node-name"
)

// The expressions of a policy, in the language of the first release that has the API.
type evaluator struct {
	env   *cel.Env
	scope map[string]any
}

func newEvaluator(t *testing.T, scope map[string]any) *evaluator {
	t.Helper()
	var options []cel.EnvOption
	for name := range scope {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	since := version.MajorMinor(1, 30)
	set, err := environment.MustBaseEnvSet(since).Extend(environment.VersionedOptions{
		IntroducedVersion: since, EnvOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	return &evaluator{set.NewExpressionsEnv(), scope}
}

func (e *evaluator) value(t *testing.T, expression string) any {
	t.Helper()
	ast, issues := e.env.Compile(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := e.env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.Eval(e.scope)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value.Value()
}

// An object as expressions see it.
func plain(t *testing.T, object any) map[string]any {
	t.Helper()
	var fields map[string]any
	text, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func taint(key, value string, effect core.TaintEffect) core.Taint {
	return core.Taint{Key: key, Value: value, Effect: effect}
}

func node(name string) *core.Node {
	return &core.Node{
		TypeMeta: meta.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: meta.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{"kubernetes.io/hostname": name, "furiosa.ai/npu.count": "1"},
			Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0"},
		},
		Spec: core.NodeSpec{PodCIDR: "10.0.0.0/24", Taints: []core.Taint{
			taint("furiosa.ai/not-ready", "", core.TaintEffectNoSchedule),
			taint("node.kubernetes.io/not-ready", "", core.TaintEffectNoSchedule),
			taint("example.com/mine", "x", core.TaintEffectNoSchedule),
		}},
		Status: core.NodeStatus{
			Capacity:   core.ResourceList{"furiosa.ai/npu": *quantity("1")},
			Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}},
		},
	}
}

// What a labeller may do to a node, and what it may not, with the message.
func TestDeploy_policy(t *testing.T) {
	policy := of[*v1.ValidatingAdmissionPolicy](render(t, `{}`, policyAPI))[0]
	own := map[string][]string{nodeName: {"n1"}}
	kubernetes, taints, spec := "of Kubernetes", "only the taints", "but taints"
	for name, c := range map[string]struct {
		node   string
		user   string
		extra  map[string][]string
		change func(*core.Node)
		denied string
	}{
		"nothing": {change: func(*core.Node) {}},
		"labels and annotations": {change: func(n *core.Node) {
			n.Labels["furiosa.ai/npu.count"] = "2"
			n.Labels["silica.dev/accelerator"] = "true"
			n.Annotations["silica.dev/furiosa.ids"] = "a,b"
		}},
		"a label removed": {change: func(n *core.Node) { delete(n.Labels, "furiosa.ai/npu.count") }},
		"the first label": {change: func(n *core.Node) { n.Labels["a"] = "b" }},
		"all labels lost": {change: func(n *core.Node) { n.Labels = nil }, denied: kubernetes},
		"another node": {node: "n2", change: func(n *core.Node) { n.Labels["a"] = "b" },
			denied: "of node n1 may not change node n2"},
		"no node in the token": {extra: map[string][]string{"other": {"n1"}},
			change: func(*core.Node) {}, denied: "does not name the node"},
		"nothing in the token": {extra: map[string][]string{}, change: func(*core.Node) {},
			denied: "does not name the node"},
		"somebody else": {user: "system:serviceaccount:silica:silica-cleanup", node: "n2",
			change: func(n *core.Node) { n.Labels["node-role.kubernetes.io/x"] = "" }},
		"a role": {change: func(n *core.Node) { n.Labels["node-role.kubernetes.io/control-plane"] = "" },
			denied: kubernetes},
		"the hostname": {change: func(n *core.Node) { n.Labels["kubernetes.io/hostname"] = "x" }, denied: kubernetes},
		"k8s.io":       {change: func(n *core.Node) { n.Labels["a.k8s.io/b"] = "x" }, denied: kubernetes},
		"a feature of NFD": {change: func(n *core.Node) { n.Labels["feature.node.kubernetes.io/gpu"] = "true" },
			denied: kubernetes},
		"like a vendor's feature": {change: func(n *core.Node) {
			n.Labels["intel.feature.node.kubernetes.io/gpus"] = "true"
		}, denied: kubernetes},
		"like k8s.io":   {change: func(n *core.Node) { n.Labels["ak8s.io/b"] = "x" }},
		"an annotation": {change: func(n *core.Node) { n.Annotations["node.alpha.kubernetes.io/ttl"] = "9" }, denied: kubernetes},
		"a finalizer":   {change: func(n *core.Node) { n.Finalizers = []string{"a.io/b"} }, denied: "finalizers"},
		"an owner": {change: func(n *core.Node) {
			n.OwnerReferences = []meta.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "u"}}
		}, denied: "owners"},
		"cordoned":                  {change: func(n *core.Node) { n.Spec.Unschedulable = true }, denied: spec},
		"another provider":          {change: func(n *core.Node) { n.Spec.ProviderID = "x" }, denied: spec},
		"the startup taint removed": {change: func(n *core.Node) { n.Spec.Taints = n.Spec.Taints[1:] }},
		"a startup taint added": {change: func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints, taint("nvidia.com/not-ready", "", core.TaintEffectNoSchedule))
		}, denied: taints},
		"an exclusive taint": {change: func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints, taint("furiosa.ai/npu", "exclusive", core.TaintEffectNoSchedule))
		}},
		"an evicting taint": {change: func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints, taint("furiosa.ai/npu", "exclusive", core.TaintEffectNoExecute))
		}, denied: taints},
		"Kubernetes' taint removed": {change: func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints[:1:1], n.Spec.Taints[2])
		}, denied: taints},
		"somebody's taint removed": {change: func(n *core.Node) { n.Spec.Taints = n.Spec.Taints[:2] }, denied: taints},
		"all taints removed":       {change: func(n *core.Node) { n.Spec.Taints = nil }, denied: taints},
		"its condition": {change: func(n *core.Node) {
			n.Status.Conditions = append(n.Status.Conditions,
				core.NodeCondition{Type: "AcceleratorsHealthy", Status: core.ConditionFalse})
		}},
		"the node's condition": {change: func(n *core.Node) {
			n.Status.Conditions[0].Status = core.ConditionFalse
		}, denied: "its condition"},
		"capacity": {change: func(n *core.Node) {
			n.Status.Capacity["furiosa.ai/npu"] = *quantity("8")
		}, denied: "its condition"},
		"addresses": {change: func(n *core.Node) {
			n.Status.Addresses = []core.NodeAddress{{Type: core.NodeInternalIP, Address: "10.0.0.1"}}
		}, denied: "its condition"},
		"a status of another node": {node: "n2", change: func(*core.Node) {},
			denied: "may not change node n2"},
		"a label by way of the status": {change: func(n *core.Node) {
			n.Labels["node-role.kubernetes.io/x"] = ""
		}, denied: kubernetes},
	} {
		t.Run(name, func(t *testing.T) {
			if c.node == "" {
				c.node = "n1"
			}
			if c.user == "" {
				c.user = labeller
			}
			if c.extra == nil {
				c.extra = own
			}
			after := node(c.node)
			c.change(after)
			got := decide(t, policy, node(c.node), after, c.user, c.extra)
			if c.denied == "" && got != "" || !strings.Contains(got, c.denied) || (got == "") != (c.denied == "") {
				t.Errorf("it is denied as '%s', expected '%s'", got, c.denied)
			}
		})
	}
}

// The keys of the labels that tests/labels has for a simulated node.
func goldenKeys(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if key, _, found := strings.Cut(line, "="); found {
			keys = append(keys, key)
		}
	}
	return keys
}

// A labeller may write every label that it makes of any node: one that is denied would take the
// others with it, as they are one request.
func TestDeploy_policy_labels(t *testing.T) {
	policy := of[*v1.ValidatingAdmissionPolicy](render(t, `{}`, policyAPI))[0]
	files, err := filepath.Glob(path("tests", "labels", "golden", "*.golden"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no labels: %v", err)
	}
	own := map[string][]string{nodeName: {"n1"}}
	checked := 0
	for _, file := range files {
		after := node("n1")
		for _, key := range goldenKeys(t, file) {
			after.Labels[key] = "of a labeller"
			checked++
		}
		if got := decide(t, policy, node("n1"), after, labeller, own); got != "" {
			t.Errorf("the labels of %s are denied: %s", filepath.Base(file), got)
		}
		if got := decide(t, policy, after, node("n1"), labeller, own); got != "" {
			t.Errorf("taking the labels of %s away is denied: %s", filepath.Base(file), got)
		}
	}
	if checked < len(files) {
		t.Errorf("%d files have %d labels", len(files), checked)
	}
}

// The messages of the validations that deny an update, or "".
func decide(t *testing.T, policy *v1.ValidatingAdmissionPolicy, before, after *core.Node, user string,
	extra map[string][]string) string {
	t.Helper()
	info := map[string]any{"username": user}
	if len(extra) > 0 {
		info["extra"] = extra
	}
	variables := map[string]any{}
	e := newEvaluator(t, map[string]any{
		"object": plain(t, after), "oldObject": plain(t, before),
		"request": map[string]any{"userInfo": info}, "variables": variables,
	})
	for _, condition := range policy.Spec.MatchConditions {
		if e.value(t, condition.Expression) != true {
			return ""
		}
	}
	for _, variable := range policy.Spec.Variables {
		variables[variable.Name] = e.value(t, variable.Expression)
	}
	var denied []string
	for _, validation := range policy.Spec.Validations {
		if e.value(t, validation.Expression) == true {
			continue
		}
		message := validation.Message
		if validation.MessageExpression != "" {
			message = e.value(t, validation.MessageExpression).(string)
		}
		denied = append(denied, message)
	}
	return strings.Join(denied, "; ")
}

// What the policy is asked about: updates of nodes, also of their status.
func TestDeploy_policy_matches(t *testing.T) {
	policy := of[*v1.ValidatingAdmissionPolicy](render(t, `{}`, policyAPI))[0]
	rules := policy.Spec.MatchConstraints.ResourceRules
	if len(rules) != 1 || strings.Join(rules[0].Resources, " ") != "nodes nodes/status" ||
		len(rules[0].Operations) != 1 || rules[0].Operations[0] != v1.Update {
		t.Errorf("the rules are %v", rules)
	}
	if *policy.Spec.FailurePolicy != v1.Fail {
		t.Error("what cannot be evaluated is allowed")
	}
}
