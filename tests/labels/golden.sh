#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare the labels of simulated nodes with what is kept in the repository.
#
#   golden.sh PRINT_LABELS SILICA_SIM FAKE_NVML FOLDER            compare
#   golden.sh PRINT_LABELS SILICA_SIM FAKE_NVML FOLDER --update   write the labels anew
#
# Device files are links, so that no privileges are needed.
set -eu
LC_ALL=C
export LC_ALL
unset NODE_NAME

print=$1
sim=$2
nvml=$3
folder=$4
update=${5:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/output"

# node DESCRIPTION: builds the node that the next cases are about.
node() {
  rm -rf "$dir/node"
  "$sim" create --nodes links "$dir/node" "$1"
  mkdir -p "$dir/node/sys/class/dmi/id"
  echo "SYS-821GE-TNHR" >"$dir/node/sys/class/dmi/id/product_name"
  echo "Supermicro, Inc." >"$dir/node/sys/class/dmi/id/sys_vendor"
}

with_nvml() {
  mkdir -p "$dir/node/usr/lib64"
  ln -s "$nvml" "$dir/node/usr/lib64/libnvidia-ml.so.1"
}

# case_ NAME: keeps the labels; the configuration is what stands on standard input.
case_() {
  (echo "version: v1" && cat) >"$dir/config.yaml"
  "$print" "$dir/node" "$dir/config.yaml" >"$dir/output/$1.golden"
}

# default_ NAME: the same, with the default configuration.
default_() {
  case_ "$1" </dev/null
}

node ""
default_ none

node "rngd x2, numa 0/1"
default_ furiosa
echo 'labels: {furiosa: code}' | case_ furiosa-code
echo 'labels: {furiosa: docs}' | case_ furiosa-docs
echo 'labels: {betaNames: true}' | case_ furiosa-beta
echo 'labels: {families: [neutral]}' | case_ furiosa-neutral
echo 'labels: {families: [vendor]}' | case_ furiosa-vendor
case_ furiosa-partitions <<-END
	resources:
	- {name: furiosa.ai/rngd-2core, devices: {vendor: furiosa}, unit: partition, cores: 2}
END
case_ furiosa-shares-of-partitions <<-END
	resources:
	- name: furiosa.ai/rngd-4core.shared
	  devices: {vendor: furiosa}
	  unit: share
	  of: partition
	  cores: 4
	  shares: 3
END
"$sim" fail "$dir/node" rngd1
default_ furiosa-failed

node "rngd x2"
"$sim" set "$dir/node" rngd1 version '2025.3.0+abcdef0\n'
default_ furiosa-versions-differ
"$sim" unplug "$dir/node" rngd1
default_ furiosa-unplugged

node "rngd x2, warboy x1, numa 0/1"
default_ furiosa-mixed

node "h200 x2, numa 0/1"
default_ nvidia-files
with_nvml
default_ nvidia
case_ nvidia-time-slicing <<-END
	resources:
	- {name: nvidia.com/gpu, devices: {vendor: nvidia}, unit: share, shares: 4}
END
case_ nvidia-time-slicing-renamed <<-END
	resources:
	- {name: nvidia.com/gpu.shared, devices: {vendor: nvidia}, unit: share, shares: 4}
END
case_ nvidia-mps <<-END
	resources:
	- name: nvidia.com/gpu
	  devices: {vendor: nvidia}
	  unit: share
	  shares: 8
	  mps: {pipeDirectory: /run/nvidia/mps/pipe}
END

node "h200 x1, h200-mig x2"
with_nvml
default_ nvidia-mig-mixed
case_ nvidia-mig-single-and-whole <<-END
	resources:
	- {name: nvidia.com/gpu, devices: {vendor: nvidia}, unit: partition}
END
case_ nvidia-mig-whole-only <<-END
	resources:
	- {name: nvidia.com/gpu, devices: {vendor: nvidia}}
END

node "h200-mig x2"
default_ nvidia-mig-files
with_nvml
case_ nvidia-mig-single <<-END
	resources:
	- {name: nvidia.com/gpu, devices: {vendor: nvidia}, unit: partition}
END
case_ nvidia-mig-shared <<-END
	resources:
	- name: "nvidia.com/mig-{profile}"
	  devices: {vendor: nvidia}
	  unit: share
	  of: partition
	  shares: 2
END

node "mi300x x2, numa 0/1"
default_ amd
"$sim" set "$dir/node" mi300x0 pci/product_name \
  'AMD Instinct (TM) of a name that is as long as a product may be, x\n'
default_ amd-long-name
node "mi210 x1, mi300x-cpx x1, numa 0/1"
default_ amd-mixed
echo 'labels: {betaNames: true}' | case_ amd-mixed-beta

node "flex170 x2, npu x1"
default_ intel
node "npu x1"
default_ intel-npu
node "gaudi2 x2"
default_ habana
node "trainium x2"
default_ neuron
node "edgetpu x1"
default_ coral
node "aic x2"
default_ qualcomm
node "atom x2"
default_ rebellions
node "wormhole x1, blackhole x1"
default_ tenstorrent
node "ipu x1, lpu x1, rdu x2, sapeon x1, tsp x1"
case_ declared <<-END
	drivers:
	  enable: [graphcore, groq, sambanova, sapeon]
	  declare:
	  - name: hyperaccel
	    extends: hyperaccel
	    match: {pci: {vendor: "20fb"}}
END
node "rngd x1, h200 x1, mi300x x1, gaudi2 x1, atom x1, wormhole x1, numa -1"
with_nvml
default_ every-vendor

if [ "$update" = --update ]; then
  rm -f "$folder"/*
  cp "$dir/output"/* "$folder/"
  exit 0
fi
diff -ru "$folder" "$dir/output"
