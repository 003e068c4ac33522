#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What silica-device-plugin makes of hostile nodes and of hostile files as its
# configuration, as an ordinary user: it ends in time, lists the cards that nothing
# is wrong with, or says in one line what it refuses.
#
#   hostile.sh SILICA_SIM SILICA_DEVICE_PLUGIN
set -eu
LC_ALL=C
export LC_ALL

sim=$1
plugin=$2
dir=$(mktemp -d)
trap 'chmod -R u+rwX "$dir"; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/kubelet"

# For root nothing is forbidden.
as_user() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

fail() {
  echo "$1" >&2
  cat "$dir/out" "$dir/err" >&2
  exit 1
}

# run SECONDS ARGUMENT ...: the plugin, whose exit status is left in $status
run() {
  seconds=$1
  shift
  status=0
  as_user timeout "$seconds" "$plugin" --kubelet-dir "$dir/kubelet" "$@" --once \
    >"$dir/out" 2>"$dir/err" </dev/null || status=$?
  [ "$status" -le 1 ] || fail "exit status $status"
  if grep -E 'Sanitizer|runtime error' "$dir/err"; then
    fail "a sanitizer has something to say"
  fi
}

# --- nodes ---

# In each way that is told, the entry of one card; the others are listed as before.
bdf=0000:1d:00.0
pci=sys/bus/pci/devices/$bdf

spoil() {
  rm -rf "$dir/node"
  "$sim" create --nodes links "$dir/node" "wormhole x1, trainium x1, atom x1"
  (
    cd "$dir/node"
    case $1 in
      loop) rm -r sys/class/rebellions && ln -s rebellions sys/class/rebellions ;;
      file) rm -r sys/class/rebellions && echo 1 >sys/class/rebellions ;;
      forbidden) chmod 0 sys/class/rebellions ;;
      absolute) ln -sfn / sys/class/rebellions/rbln0 ;;
      dangling) ln -sfn nowhere sys/class/rebellions/rbln0 ;;
      outside) ln -sfn /dev sys/class/rebellions/rbln0/device ;;
      fifos)
        for file in sys/class/rebellions/rbln0/* "$pci"/*; do
          if [ -f "$file" ]; then
            rm "$file" && mkfifo "$file"
          fi
        done
        ;;
      endless)
        for file in sys/class/rebellions/rbln0/* "$pci"/*; do
          if [ -f "$file" ]; then
            ln -sf /dev/zero "$file"
          fi
        done
        ;;
      huge)
        for file in sys/class/rebellions/rbln0/* "$pci"/*; do
          if [ -f "$file" ]; then
            truncate -s 16G "$file"
          fi
        done
        ;;
      crowd) seq -f sys/class/rebellions/rbln%.0f 1 20000 | xargs mkdir ;;
    esac
  )
}

for way in loop file forbidden absolute dangling outside fifos endless huge crowd; do
  spoil $way
  run 10 --host-root "$dir/node"
  for driver in tenstorrent aws; do
    grep -q "^$driver" "$dir/out" || fail "$way: nothing of '$driver' is listed"
  done
  case $way in
    loop | file | forbidden | crowd) expected=1 ;;
    *) expected=0 ;;
  esac
  [ "$status" -eq $expected ] || fail "$way: exit status $status, expected $expected"
  [ "$(grep -c "driver 'rebellions'" "$dir/err")" -eq $expected ] ||
    fail "$way: not one word about the driver"
  [ "$(wc -c <"$dir/err")" -le 65536 ] || fail "$way: too much is said"
done

# --- configurations ---

rm -rf "$dir/node"
mkdir "$dir/node"
head -c 1048576 /dev/zero | tr '\0' '[' >"$dir/brackets"
head -c 1048576 /dev/zero | tr '\0' ' ' >"$dir/spaces"
head -c 1048576 /dev/zero | tr '\0' 'x' >"$dir/scalar"
head -c 1048577 /dev/zero | tr '\0' '#' >"$dir/long"
head -c 1048576 /dev/zero >"$dir/zeros"
tr -cd '\001-\377' </dev/urandom 2>/dev/null | head -c 1048576 >"$dir/garbage"
printf 'version: v1\nversion\0: v1\n' >"$dir/nul"
seq -f 'k%.0f: {' 1 60000 | tr '\n' ' ' >"$dir/deep"
seq -f '%-.0f: [{' 1 60000 >"$dir/deep-lists"
{
  echo 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
  for i in 1 2 3 4 5 6 7 8 9; do
    p=$((i - 1))
    echo "a$i: &a$i [*a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p]"
  done
} >"$dir/bomb"
{
  echo 'version: v1'
  echo 'resources:'
  seq -f '- name: a.b/c%.0f' 1 40000
} >"$dir/resources"
mkfifo "$dir/fifo"
mkdir "$dir/directory"
ln -s loop "$dir/loop"
echo 'version: v1' >"$dir/forbidden"
chmod 0 "$dir/forbidden"

for config in brackets scalar long zeros garbage nul deep deep-lists bomb resources fifo \
  directory loop forbidden /dev/zero; do
  case $config in
    /*) path=$config ;;
    *) path=$dir/$config ;;
  esac
  run 10 --host-root "$dir/node" --config "$path"
  [ "$status" -eq 1 ] || fail "$config: taken"
  [ ! -s "$dir/out" ] || fail "$config: something is listed"
  [ "$(wc -l <"$dir/err")" -eq 1 ] || fail "$config: not one line"
  [ "$(wc -c <"$dir/err")" -le 2048 ] || fail "$config: a long line"
  grep -q "$path" "$dir/err" || fail "$config: the file is not named"
done
run 10 --host-root "$dir/node" --config "$dir/spaces"
[ "$(wc -l <"$dir/err")" -le 1 ] || fail "spaces: not one line"
