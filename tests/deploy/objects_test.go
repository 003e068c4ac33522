// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

type object interface {
	runtime.Object
	meta.Object
}

type objects []object

// Refuses fields that the types do not have, and fields that come twice.
var decoder = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admission.AddToScheme, apps.AddToScheme, autoscaling.AddToScheme, batch.AddToScheme,
		core.AddToScheme, monitoring.AddToScheme, networking.AddToScheme, policy.AddToScheme,
		rbac.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}()

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// Whether a document says anything.
func isDocument(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return true
		}
	}
	return false
}

func decode(t *testing.T, text string) objects {
	t.Helper()
	var all objects
	for _, document := range separator.Split(text, -1) {
		if !isDocument(document) {
			continue
		}
		decoded, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		all = append(all, decoded.(object))
	}
	return all
}

// The objects of a type.
func of[T object](all objects) []T {
	var found []T
	for _, o := range all {
		if typed, ok := o.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// The one object of a type with a name.
func named[T object](t *testing.T, all objects, name string) T {
	t.Helper()
	for _, o := range of[T](all) {
		if o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %T '%s'", *new(T), name)
	panic("unreachable")
}

// What a pod is made of, wherever it stands.
func podOf(o object) *core.PodSpec {
	switch typed := o.(type) {
	case *core.Pod:
		return &typed.Spec
	case *apps.DaemonSet:
		return &typed.Spec.Template.Spec
	case *apps.Deployment:
		return &typed.Spec.Template.Spec
	case *batch.Job:
		return &typed.Spec.Template.Spec
	case *batch.CronJob:
		return &typed.Spec.JobTemplate.Spec.Template.Spec
	}
	return nil
}
