#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare what silica-device-plugin lists on a simulated node with the listing
# kept in the repository.
#
#   once.sh SILICA_SIM SILICA_DEVICE_PLUGIN CONFIG LISTING DESCRIPTION            compare
#   once.sh SILICA_SIM SILICA_DEVICE_PLUGIN CONFIG LISTING DESCRIPTION --update   write it anew
#
# With SIM_NVML in the environment, that library is the node's libnvidia-ml.so.1.
set -eu
LC_ALL=C
export LC_ALL

sim=$1
plugin=$2
config=$3
listing=$4
description=$5
update=${6:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

mkdir "$dir/kubelet"
"$sim" create --nodes links "$dir/node" "$description"
if [ -n "${SIM_NVML:-}" ]; then
  mkdir -p "$dir/node/usr/lib64"
  ln -s "$SIM_NVML" "$dir/node/usr/lib64/libnvidia-ml.so.1"
fi
"$plugin" --config "$config" --host-root "$dir/node" --kubelet-dir "$dir/kubelet" --once |
  sed 's/ *$//' >"$dir/listing"
if [ "$update" = --update ]; then
  cp "$dir/listing" "$listing"
  exit 0
fi
diff -u "$listing" "$dir/listing"
