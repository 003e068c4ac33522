#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# common.sh - what the tests in a cluster share.  They set namespace and release.
# shellcheck disable=SC2034,SC2154 # what those that include this have or use
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
chart=$root/deploy/helm/silica
skipped=77
work=$(mktemp -d)

skip() {
	echo "e2e: skipped: $*"
	rm -rf "$work"
	exit "$skipped"
}

say() {
	echo "e2e: $*"
}

fail() {
	echo "e2e: failed: $*" >&2
	kubectl -n "$namespace" get pods -o wide >&2 || true
	kubectl -n "$namespace" logs --all-containers --prefix --tail=20 \
		-l "app.kubernetes.io/instance=$release" >&2 || true
	exit 1
}

# until_ SECONDS COMMAND...: tries a command every second.
until_() {
	local seconds=$1
	shift
	for ((i = 0; i < seconds; i++)); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 1
	done
	fail "after $seconds s there is still no: $*"
}

find_tools() {
	[ -n "${KUBECONFIG:-}" ] || skip "KUBECONFIG names no cluster"
	command -v kubectl >/dev/null || skip "there is no kubectl in PATH"
	helm=${HELM:-$root/build/go/helm}
	[ -x "$helm" ] || helm=$(command -v helm) || skip "there is no helm; make go-helm builds it"
	kubectl --request-timeout=10s get --raw /readyz >/dev/null 2>&1 ||
		skip "the cluster of KUBECONFIG does not answer"
}

# split_image NAME: sets repository, tag and digest, which may be empty; a colon in front of a
# slash is that of a port.
split_image() {
	repository=${1%@*}
	digest=${1#"$repository"}
	digest=${digest#@}
	tag=
	case ${repository##*/} in
	*:*)
		tag=${repository##*:}
		repository=${repository%:*}
		;;
	esac
}
