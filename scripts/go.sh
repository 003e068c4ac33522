#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# go.sh ARGUMENT ... - run `go` in a version that tests/kubelet asks for.
#
# A Go that is new enough in PATH or /usr/local/go is used as it is.  Else an
# older one, Debian's if there is none at all, fetches the pinned toolchain into
# the Go module cache, as newer ones do by themselves (Go Toolchains,
# go.dev/doc/toolchain).
set -eu

scripts=$(cd "$(dirname "$0")" && pwd)
wanted=$(sed -n 's/^go //p' "$scripts/../tests/kubelet/go.mod")
pinned=1.26.8

# The hash of the pinned toolchain as in a go.sum.
pinned_sum() {
	case $1 in
	amd64) echo h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM= ;;
	arm64) echo h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc= ;;
	*)
		echo "$0: no Go toolchain is pinned for $1; install Go >= $wanted" >&2
		return 1
		;;
	esac
}

fail() {
	echo "$0: $*" >&2
	exit 1
}

is_new_enough() {
	have=$("$1" version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
	[ -n "$have" ] && printf '%s\n%s\n' "$wanted" "$have" | sort -V -C
}

# Prints the first Go that is new enough.
find_go() {
	for candidate in "$(command -v go)" /usr/local/go/bin/go; do
		if [ -x "$candidate" ] && is_new_enough "$candidate"; then
			echo "$candidate"
			return 0
		fi
	done
	return 1
}

# Module zips carry no modes, and no go.mod below their root.
repair_toolchain() {
	[ -x "$1/bin/go" ] && return 0
	chmod u+w "$1/src"
	cp "$1/src/_go.mod" "$1/src/go.mod"
	chmod u-w "$1/src"
	chmod +x "$1"/pkg/tool/*/* "$1"/bin/*
}

# Prints a `go` of the pinned toolchain, fetched by the Go named.
fetch_go() {
	arch=$(cd / && "$1" env GOARCH)
	sum=$(pinned_sum "$arch")
	answer=$(cd / && GO111MODULE=on GOFLAGS='' "$1" mod download -json \
		"golang.org/toolchain@v0.0.1-go$pinned.linux-$arch") || fail "$answer"
	dir=$(printf '%s\n' "$answer" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
	got=$(printf '%s\n' "$answer" | sed -n 's/^\t"Sum": "\(.*\)",*$/\1/p')
	[ "$got" = "$sum" ] || fail "the toolchain has the hash '$got', expected '$sum'"
	repair_toolchain "$dir"
	echo "$dir/bin/go"
}

export GOTOOLCHAIN=local
export GOFLAGS='-mod=readonly -buildvcs=false'
if ! go=$(find_go); then
	command -v go >/dev/null || "$scripts/install-deps.sh" go
	command -v go >/dev/null || fail "install Go >= $wanted"
	go=$(fetch_go "$(command -v go)")
	unset GOROOT
fi
exec "$go" "$@"
