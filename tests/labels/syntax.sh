#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check that every label and every key of an annotation in the golden files is one that
# Kubernetes accepts, and that the check would see one that is not.
#
#   syntax.sh FOLDER
#
# Source: Kubernetes documentation, Concepts, Labels and Selectors, "Syntax and character
# set"
set -eu
LC_ALL=C
export LC_ALL

name='[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
part='[a-z0-9]([-a-z0-9]*[a-z0-9])?'
key="($part(\\.$part)*/)?$name"
label="$key=($name)?"
annotation="# annotation $key=[ -~]*"

# bad FILE: the lines that are neither, and those whose prefix is too long
bad() {
  grep -vE "^($label|$annotation|)\$" "$1" || true
  grep -E '^(# annotation )?[^=/]{254,}/' "$1" || true
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/wrong" <<-END
	Silica.dev/a=b
	silica.dev/a=b c
	silica.dev/a=-b
	silica.dev/a=b.
	silica.dev/=b
	silica.dev/-a=b
	silica.dev/a/b=c
	silica..dev/a=b
	silica.dev/a
	silica.dev/a=b+c
	silica.dev/a=0123456789012345678901234567890123456789012345678901234567890123
END
if [ "$(bad "$dir/wrong")" != "$(cat "$dir/wrong")" ]; then
  echo "labels that are wrong were not found" >&2
  exit 1
fi

count=0
for file in "$1"/*.golden; do
  bad "$file" >"$dir/found"
  if [ -s "$dir/found" ]; then
    echo "$file has what Kubernetes does not accept:" >&2
    cat "$dir/found" >&2
    exit 1
  fi
  # A key is there once.
  if grep -oE '^[^#=][^=]*' "$file" | sort | uniq -d | grep .; then
    echo "$file has a key twice" >&2
    exit 1
  fi
  count=$((count + $(grep -c '=' "$file" || true)))
done
echo "$count labels"
[ "$count" -gt 100 ]
