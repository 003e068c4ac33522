#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# selftest.sh - every check finds exactly the violations seeded in
# selftest/<check>/, which the file `expected` there lists.
set -eu

lint=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# Runs a check on its seeded tree; clang-tidy wants to know how to compile it.
run_check() {
	case $1 in
	tidy)
		printf '[{"directory": "%s", "command": "cc -c bad.c",\n"file": "%s"\n}]\n' \
			"$2" "$2/bad.c" >"$scratch/compile_commands.json"
		"$lint/check-tidy" "$scratch"
		;;
	*) "$lint/check-$1" --root "$2" ;;
	esac
}

for tree in "$lint"/selftest/*/; do
	tree=${tree%/}
	check=${tree##*/}
	if run_check "$check" "$tree" >"$scratch/output" 2>&1; then
		echo "check-$check passes its seeded tree"
		failed=1
	fi
	sed "s#^$tree/##" "$scratch/output" | grep '^[^ ]*:[0-9]*:' |
		grep -v ': note: +' >"$scratch/found" || true
	if ! diff -u "$tree/expected" "$scratch/found"; then
		echo "check-$check does not find what is seeded (-), or finds more (+)"
		failed=1
	fi
done
exit $failed
