#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# shells.sh SILICACTL - every shell that is here reads its completion, and bash and
# fish complete what they are asked.
set -eu

silicactl=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "$*" >&2
	exit 1
}

for shell in bash zsh fish; do
	"$silicactl" completion $shell >"$dir/$shell"
	command -v $shell >/dev/null || continue
	$shell -n "$dir/$shell" || fail "$shell does not read its completion"
done

# What bash offers behind the words given; the last one is being typed.
bash_offers() {
	# shellcheck disable=SC2016 # for bash
	bash --norc -c '. "$1"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _silicactl
		echo "${COMPREPLY[*]}"' bash "$dir/bash" "$@"
}

expect() {
	wanted=$1
	shift
	got=$(bash_offers "$@")
	[ "$got" = "$wanted" ] || fail "bash offers '$got' for '$*', not '$wanted'"
}

expect "status" silicactl stat
expect "json" silicactl devices -o j
expect "always" silicactl status --color al
expect "--window" silicactl status --win
expect "" silicactl devices --win
expect "allocate" silicactl explain al
expect "fish" silicactl completion f

if command -v fish >/dev/null; then
	mkdir "$dir/home"
	got=$(cd "$dir" && HOME=$dir/home XDG_CONFIG_HOME=$dir/home fish --no-config -c \
		'source fish; complete -C "silicactl devices --output "' | cut -f 1 | tr '\n' ' ')
	[ "$got" = "json table wide yaml " ] || fail "fish offers '$got'"
fi
