{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "silica.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{- /* 32 bytes leave room for a component and a pool in the 63 of a label. */ -}}
{{- define "silica.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 32 | trimSuffix "-" -}}
{{- end -}}

{{- define "silica.image" -}}
{{- with .Values.image -}}
{{- .repository -}}
{{- if .digest -}}@{{ .digest }}{{- else -}}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "silica.labels" -}}
app.kubernetes.io/name: {{ include "silica.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: silica
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* By which pods are found. With (root, component). */ -}}
{{- define "silica.selector" -}}
app.kubernetes.io/name: {{ include "silica.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "silica.plugin" -}}{{ include "silica.fullname" . }}-device-plugin{{- end -}}
{{- define "silica.labeller" -}}{{ include "silica.fullname" . }}-node-labeller{{- end -}}
{{- define "silica.cleanup" -}}{{ include "silica.fullname" . }}-cleanup{{- end -}}

{{- /*
The pools as a list of (name, suffix, config, selector, without): those of the values, and
last the pool of all other nodes. `without` has the selectors of the pools before.
*/ -}}
{{- define "silica.pools" -}}
{{- $pools := list -}}
{{- $without := list -}}
{{- $base := mergeOverwrite (dict "version" "v1") (deepCopy (.Values.config | default dict)) -}}
{{- range .Values.pools -}}
{{- if eq .name "default" -}}
{{- fail "pools[].name: 'default' is the pool of all other nodes" -}}
{{- end -}}
{{- $config := mergeOverwrite (deepCopy $base) (deepCopy .config) -}}
{{- $pools = append $pools (dict "name" .name "suffix" (printf "-%s" .name) "config" $config "selector" .nodeSelector "without" $without) -}}
{{- $without = append $without .nodeSelector -}}
{{- end -}}
{{- $names := list -}}
{{- range $pools -}}{{- $names = append $names .name -}}{{- end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail (printf "pools[].name: two pools have one name, of %s" (join ", " $names)) -}}
{{- end -}}
{{- $pools = append $pools (dict "name" "default" "suffix" "" "config" $base "selector" dict "without" $without) -}}
{{- range $pools -}}{{- include "silica.refuseNodeLabels" .config -}}{{- end -}}
{{- toYaml (dict "pools" $pools) -}}
{{- end -}}

{{- /* Nothing tells a pod the labels of its node; what selects by them would never apply. */ -}}
{{- define "silica.refuseNodeLabels" -}}
{{- $config := . -}}
{{- range $list := list "resources" "exclude" -}}
{{- range $i, $item := get $config $list | default list -}}
{{- if ($item.nodes | default dict).labels -}}
{{- fail (printf "config.%s[%d].nodes.labels: a pod does not learn the labels of its node; use pools" $list $i) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Whether the node section of any pool's configuration has a switch on. With (root, key, default). */ -}}
{{- define "silica.anyNode" -}}
{{- $on := false -}}
{{- $key := .key -}}
{{- $default := .default -}}
{{- range (include "silica.pools" .root | fromYaml).pools -}}
{{- $node := .config.node | default dict -}}
{{- if hasKey $node $key -}}
{{- if get $node $key -}}{{- $on = true -}}{{- end -}}
{{- else if $default -}}
{{- $on = true -}}
{{- end -}}
{{- end -}}
{{- if $on -}}true{{- end -}}
{{- end -}}

{{- /* The directory of CDI specs, if any resource of a configuration is allocated so. */ -}}
{{- define "silica.cdiDirectory" -}}
{{- $used := false -}}
{{- range .resources | default list -}}
{{- $allocate := .allocate | default list -}}
{{- if kindIs "string" $allocate -}}{{- $allocate = list $allocate -}}{{- end -}}
{{- if or (has "cdi" $allocate) (has "annotations" $allocate) -}}{{- $used = true -}}{{- end -}}
{{- end -}}
{{- if $used -}}{{- (.cdi | default dict).directory | default "/var/run/cdi" -}}{{- end -}}
{{- end -}}

{{- define "silica.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  # None is added back: device files are looked at and not opened, and what root writes to
  # belongs to root.
  drop: [ALL]
{{- end -}}

{{- /* With (user, seLinux). */ -}}
{{- define "silica.podSecurity" -}}
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
runAsNonRoot: {{ ne (int .user) 0 }}
seccompProfile:
  type: RuntimeDefault
{{- with .seLinux }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /*
What the drivers read of /sys. Not all of it: a read-only mount leaves the file systems that
are mounted below writable, and root could write to /sys/fs/cgroup.
*/ -}}
{{- define "silica.sysDirectories" -}}
[bus, class, dev, devices, module]
{{- end -}}

{{- /* What the host's root is to the programs: read-only. With (root). */ -}}
{{- define "silica.hostMounts" -}}
{{- if .root.Values.simulation.enabled -}}
- name: host
  mountPath: /host
  readOnly: true
{{- else -}}
{{- range include "silica.sysDirectories" . | fromYamlArray -}}
- name: sys-{{ . }}
  mountPath: /host/sys/{{ . }}
  readOnly: true
{{ end -}}
- name: dev
  mountPath: /host/dev
  readOnly: true
# What is mounted below /dev would stay writable: the host's terminals and shared memory.
- name: hidden
  mountPath: /host/dev/pts
  readOnly: true
- name: hidden
  mountPath: /host/dev/shm
  readOnly: true
- name: proc-driver
  mountPath: /host/proc/driver
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "silica.hostVolumes" -}}
{{- if .root.Values.simulation.enabled -}}
- name: host
  emptyDir: {}
{{- else -}}
{{- range include "silica.sysDirectories" . | fromYamlArray -}}
- name: sys-{{ . }}
  hostPath:
    path: /sys/{{ . }}
    type: Directory
{{ end -}}
- name: dev
  hostPath:
    path: /dev
    type: Directory
- name: hidden
  emptyDir: {}
# NVIDIA's driver tells about its GPUs here, not in /sys.
- name: proc-driver
  hostPath:
    path: /proc/driver
    type: Directory
{{- end -}}
{{- end -}}

{{- /* For tests: the simulated node. */ -}}
{{- define "silica.initContainers" -}}
{{- if .root.Values.simulation.enabled -}}
initContainers:
- name: simulate
  image: {{ required "simulation.image is needed with simulation.enabled" .root.Values.simulation.image | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [/usr/bin/silica-sim]
  args: [create, /host, {{ .root.Values.simulation.description | quote }}]
  securityContext:
    {{- include "silica.containerSecurity" . | nindent 4 }}
  volumeMounts:
  - name: host
    mountPath: /host
{{- end }}
{{- end -}}

{{- /* What a pod needs to ask NVML. */ -}}
{{- define "silica.nvmlEnv" -}}
{{- if .Values.nvml.enabled -}}
# All GPUs, as their state is watched; of the driver's files only those of management.
- name: NVIDIA_VISIBLE_DEVICES
  value: all
- name: NVIDIA_DRIVER_CAPABILITIES
  value: utility
{{- end -}}
{{- end -}}

{{- /* The image is for Linux. */ -}}
{{- define "silica.os" -}}
kubernetes.io/os: linux
{{- end -}}

{{- /* Where pods run. With (root, pool). */ -}}
{{- define "silica.placement" -}}
nodeSelector:
  {{- merge (deepCopy .pool.selector) .root.Values.nodeSelector (include "silica.os" .root | fromYaml) | toYaml | nindent 2 }}
{{ with include "silica.nodeAffinity" . | fromYaml -}}
affinity:
  nodeAffinity:
    {{- toYaml . | nindent 4 }}
{{ end -}}
{{- with .root.Values.tolerations -}}
tolerations:
{{- toYaml . | nindent 0 }}
{{ end -}}
{{- with .root.Values.priorityClassName -}}
priorityClassName: {{ . }}
{{ end -}}
{{- end -}}

{{- /*
PCI devices as Node Feature Discovery labels them: its default classes are 03, 0b40 and 12
and its default label is class_vendor. The ids are those that the drivers look for.
*/ -}}
{{- define "silica.pciLabels" -}}
{{- range list "1200_1ed2" "0300_10de" "0302_10de" "0300_1002" "0380_1002" "1200_1002" "1200_1da3" "0300_8086" "0380_8086" "1200_8086" "1200_1eff" "1200_1e52" "1200_17cb" "1200_1d0f" }}
- feature.node.kubernetes.io/pci-{{ . }}.present
{{- end }}
{{- end -}}

{{- /* What the values say, with the terms of the pool and of the PCI devices. */ -}}
{{- define "silica.nodeAffinity" -}}
{{- $affinity := deepCopy .root.Values.affinity.nodeAffinity -}}
{{- with include "silica.nodeSelectorTerms" . | fromYamlArray -}}
{{- $_ := set $affinity "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" .) -}}
{{- end -}}
{{- with $affinity -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* Each term is one way to be chosen; every one leaves out the nodes of other pools. */ -}}
{{- define "silica.nodeSelectorTerms" -}}
{{- $required := .root.Values.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution -}}
{{- $terms := ($required | default dict).nodeSelectorTerms | default list -}}
{{- if .root.Values.affinity.pciLabels -}}
{{- range include "silica.pciLabels" . | fromYamlArray -}}
{{- $terms = append $terms (dict "matchExpressions" (list (dict "key" . "operator" "In" "values" (list "true")))) -}}
{{- end -}}
{{- end -}}
{{- $others := list -}}
{{- range .pool.without -}}
{{- range $key, $value := . -}}
{{- $others = append $others (dict "key" $key "operator" "NotIn" "values" (list $value)) -}}
{{- end -}}
{{- end -}}
{{- if and $others (not $terms) -}}{{- $terms = list dict -}}{{- end -}}
{{- $result := list -}}
{{- range $terms -}}
{{- $expressions := concat (.matchExpressions | default list) $others -}}
{{- $result = append $result (merge (ternary (dict "matchExpressions" $expressions) dict (gt (len $expressions) 0)) .) -}}
{{- end -}}
{{- toYaml $result -}}
{{- end -}}

{{- /* Where the metrics are: ports by the names that pods give them. */ -}}
{{- define "silica.metricsPorts" -}}
{{- if or .Values.devicePlugin.enabled .Values.nodeLabeller.enabled }}
- port: metrics
{{- end }}
{{- if .Values.reservoir.enabled }}
- port: http
  {{- if .Values.reservoir.secrets.tls }}
  scheme: https
  # A pod is asked by its address, which no certificate has.
  tlsConfig: {insecureSkipVerify: true}
  {{- end }}
{{- end }}
{{- end -}}
