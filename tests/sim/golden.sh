#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare the tree that silica-sim makes with the listing kept in the repository,
# so that the layout cannot drift unnoticed.
#
#   golden.sh SILICA_SIM LISTING DESCRIPTION            compare
#   golden.sh SILICA_SIM LISTING DESCRIPTION --update   write the listing anew
#
# A line of the listing has the type (d, f, l), the path, and behind it the
# target of a link or the contents of a file: text with a \n per newline, in
# quotes, or for binary files the bytes in hexadecimal without the zeros at the
# end.  Device files are links here, so that the listing needs no privileges.
set -eu
LC_ALL=C
export LC_ALL

sim=$1
listing=$2
description=$3
update=${4:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The closing quote is put behind the last byte before lines are joined, so that
# a missing newline at the end shows.
contents() {
  case $1 in
  */config) od -An -v -tx1 "$1" | tr -d ' \n' | sed 's/\(00\)*$/\n/' ;;
  *) (printf '"' && cat "$1" && echo '"') | awk '
       NR > 1 { printf "\\n" }
       { printf "%s", $0 }
       END { print "" }' ;;
  esac
}

list() {
  cd "$1"
  find . -mindepth 1 | sed 's/^\.\///' | sort | while IFS= read -r path; do
    if [ -L "$path" ]; then
      printf 'l %s -> %s\n' "$path" "$(readlink "$path")"
    elif [ -d "$path" ]; then
      printf 'd %s\n' "$path"
    else
      printf 'f %s ' "$path"
      contents "$path"
    fi
  done
}

"$sim" create --nodes links "$dir/node" "$description"
(list "$dir/node") >"$dir/listing"
if [ "$update" = --update ]; then
  cp "$dir/listing" "$listing"
  exit 0
fi
diff -u "$listing" "$dir/listing"
