#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# manual.sh PROGRAM PAGE - the page that was built is what the program
# writes today, and those that read such pages have nothing against it.
set -eu

"$1" | diff -u "$2" -

# A page that is built at any time has no date, which mandoc warns of.
if command -v mandoc >/dev/null; then
	mandoc -T lint -W error "$2"
	complaints=$(mandoc -T lint -W warning "$2" | grep -v 'missing date' || :)
	[ -z "$complaints" ] || { echo "$complaints"; exit 1; }
fi
if command -v man >/dev/null; then
	complaints=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$2" 2>&1 >/dev/null)
	[ -z "$complaints" ] || { echo "$complaints"; exit 1; }
fi
