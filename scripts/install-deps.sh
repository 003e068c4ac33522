#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install-deps.sh SET ... - install the Debian packages of these sets, if any
# is missing.  The set is the second column of packages.txt.
set -eu

table=$(dirname "$0")/packages.txt

if [ $# -eq 0 ]; then
	echo "usage: $0 build|image|test|demo|bench|lint|go ..." >&2
	exit 2
fi

# Prints the packages of the sets named, one per line.
packages_of() {
	awk -v wanted="$*" '
		BEGIN {
			n = split(wanted, names, " ")
			for (i = 1; i <= n; i++)
				want[names[i]] = 1
		}
		/^[^#]/ && $2 in want { print $1 }
	' "$table"
}

# Prints those of its arguments that are not installed.
missing_of() {
	for package in "$@"; do
		# shellcheck disable=SC2016 # the format is dpkg-query's
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || printf ' %s' "$package"
	done
}

packages=$(packages_of "$@")
if ! command -v dpkg-query >/dev/null; then
	echo "$0: not a Debian system; these packages or their like are needed:" >&2
	echo "$packages" >&2
	exit 0
fi

# shellcheck disable=SC2086 # a list of words
missing=$(missing_of $packages)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "$0: packages are missing; as root run:" >&2
	echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi
echo "installing:$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends $missing
