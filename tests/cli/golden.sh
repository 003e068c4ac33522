#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare what silicactl prints about simulated nodes with what is kept in the
# repository, so that no output changes unnoticed.
#
#   golden.sh SILICACTL SILICA_SIM FOLDER            compare
#   golden.sh SILICACTL SILICA_SIM FOLDER --update   write the outputs anew
#
# Paths are relative to the node's folder, so that they are the same everywhere.
# Device files are links, so that no privileges are needed.
set -eu
unset NO_COLOR NODE_NAME
LC_ALL=C
export LC_ALL

silicactl=$1
sim=$2
folder=$3
update=${4:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/node" "$dir/empty" "$dir/output"
cd "$dir/node"

# case NAME WORD...: keeps what silicactl prints and its exit status.
case_() {
	name=$1
	shift
	status=0
	"$silicactl" "$@" >"$dir/output/$name" 2>"$dir/errors" || status=$?
	cat "$dir/errors" >>"$dir/output/$name"
	echo "exit status $status" >>"$dir/output/$name"
}

"$sim" create --nodes links host "rngd x4, warboy x1, numa 0/1"
"$sim" create --nodes links "$dir/empty/host" ""
cat >config.yaml <<-END
	version: v1
	exclude:
	- product: warboy
	resources:
	- name: furiosa.ai/rngd-4core
	  devices: {vendor: furiosa, product: rngd}
	  unit: partition
	  cores: 4
	- name: furiosa.ai/rngd
	  devices: {vendor: furiosa, product: rngd}
END
sed 's/resources:/resourses:/' config.yaml >wrong.yaml
sed 's/warboy/warboi/; s/^  devices: {vendor: furiosa,/  devices: {vendor: furios,/' \
	config.yaml >unknown.yaml
node="--host-root host --kubelet-dir kubelet"

# shellcheck disable=SC2086 # lists of words
{
	case_ devices devices $node
	case_ devices-wide devices $node -o wide
	case_ devices-json devices $node -o json
	case_ devices-yaml devices $node -o yaml --node-name worker-1
	case_ devices-color devices $node --color always
	LC_ALL=C.UTF-8 case_ devices-utf8 devices $node
	case_ status status $node
	case_ status-check status $node --check
	case_ status-json status $node -o json --config config.yaml
	case_ status-wide status $node -o wide --config config.yaml
	case_ explain-allocate explain allocate furiosa.ai/npu=3 $node --free all
	case_ explain-allocate-partitions explain allocate furiosa.ai/rngd-4core=2 $node \
		--free all --config config.yaml
	case_ explain-allocate-too-many explain allocate furiosa.ai/npu=6 $node --free all
	case_ explain-allocate-unknown explain allocate furiosa.ai/gpu=1 $node --free all \
		--config config.yaml
	case_ explain-device explain device rngd/npu0 $node --config config.yaml
	case_ explain-device-excluded explain device 0000:1a:00.0 $node --config config.yaml
	case_ explain-device-absent explain device nothing $node
	case_ validate validate config.yaml wrong.yaml unknown.yaml absent.yaml
	case_ validate-print validate --print config.yaml
	case_ help help
	case_ help-status help status

	"$sim" fail host rngd0
	"$sim" fail host warboy0
	case_ devices-failed devices $node
	case_ status-failed status $node
	case_ explain-device-failed explain device rngd/npu0 $node --config config.yaml

	cd "$dir/empty"
	case_ devices-none devices $node
	case_ status-none status $node
}
# Lists of drivers are as long as there are vendors.
sed -i 's/\(Drivers that are on:\|; there are:\).*/\1 .../' \
	"$dir/output/devices-none" "$dir/output/validate"

if [ "$update" = --update ]; then
	rm -f "$folder"/*
	for file in "$dir/output"/*; do
		cp "$file" "$folder/$(basename "$file").golden"
	done
	exit 0
fi
for file in "$dir/output"/*; do
	cp "$file" "$file.golden"
	rm "$file"
done
diff -ru "$folder" "$dir/output"
