#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# manifests.sh DIR - render the chart with its defaults, for kubectl and kustomize.
#
# Writes DIR/silica.yaml; DIR/cleanup/cleanup.yaml, which removes from nodes what the
# labellers wrote: a base of its own, as it is applied at the end only; and
# DIR/reservoir/reservoir.yaml, the package mirror, which needs nothing of the others.
#
# HELM names the helm to use, else that of `make go-helm`.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
helm=${HELM:-$root/build/go/helm}
chart=$root/deploy/helm/silica

# What is said of helm is not true of these objects.
without_helm() {
	sed -e '/^# Source: /d' -e '/^ *helm\.sh\/chart: /d' \
		-e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d' \
		-e '/^  annotations:$/{N;/helm\.sh\//d}' -e '/^    helm\.sh\//d'
}

# The policy is asked for, as there is no cluster to ask whether it has the API.
render() {
	"$helm" template silica "$chart" --namespace silica \
		--set admissionPolicy.enabled=always "$@" | without_helm
}

{
	cat <<'HEAD'
# Written by `make manifests`; do not edit.
#
# For Kubernetes 1.30 and newer; on an older one leave the two objects of
# admissionregistration.k8s.io/v1 out.
apiVersion: v1
kind: Namespace
metadata:
  name: silica
  labels:
    # The pods mount directories of the host, which no stricter level admits.
    pod-security.kubernetes.io/enforce: privileged
HEAD
	render --no-hooks
} >"$1/silica.yaml"
mkdir -p "$1/cleanup"
{
	cat <<'HEAD'
# Written by `make manifests`; do not edit.
#
# Removes from all nodes what the labellers wrote; README.md above says when.
HEAD
	render --show-only templates/cleanup.yaml
} >"$1/cleanup/cleanup.yaml"
mkdir -p "$1/reservoir"
{
	cat <<'HEAD'
# Written by `make manifests`; do not edit.
#
# A site: it serves what arrives in bundles, and connects nowhere; README.md above says what
# it needs.
apiVersion: v1
kind: Namespace
metadata:
  name: silica-reservoir
  labels:
    pod-security.kubernetes.io/enforce: restricted
HEAD
	render --namespace silica-reservoir --set reservoir.enabled=true \
		--set reservoir.storage.dropClaim=silica-reservoir-drop \
		--show-only templates/reservoir.yaml --show-only templates/reservoir-writer.yaml
} >"$1/reservoir/reservoir.yaml"
