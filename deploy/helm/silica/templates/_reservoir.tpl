{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "reservoir.fullname" -}}{{ include "silica.fullname" . }}-reservoir{{- end -}}

{{- define "reservoir.image" -}}
{{- with .Values.reservoir.image -}}
{{- .repository -}}
{{- if .digest -}}@{{ .digest }}{{- else -}}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Values that contradict each other. */ -}}
{{- define "reservoir.check" -}}
{{- $r := .Values.reservoir -}}
{{- if and (eq $r.mode "site") $r.sync.schedule -}}
{{- fail "reservoir.sync.schedule: a site connects nowhere; reservoir.mode is hub or cache for one that syncs" -}}
{{- end -}}
{{- if and $r.ingress.enabled (not $r.ingress.host) -}}
{{- fail "reservoir.ingress.host is needed with reservoir.ingress.enabled" -}}
{{- end -}}
{{- if not (or (include "reservoir.writes" .) $r.sync.schedule $r.storage.existingClaim (eq $r.mode "cache")) -}}
{{- fail "reservoir: nothing would ever fill the store; set reservoir.storage.dropClaim for bundles, reservoir.config.sync.interval or reservoir.sync.schedule for a hub, or reservoir.storage.existingClaim" -}}
{{- end -}}
{{- if and $r.secrets.config $r.config -}}
{{- fail "reservoir.config: reservoir.secrets.config takes its place; only one of the two can be" -}}
{{- end -}}
{{- if gt (int $r.server.autoscaling.minReplicas) (int $r.server.autoscaling.maxReplicas) -}}
{{- fail "reservoir.server.autoscaling.minReplicas: it is above maxReplicas" -}}
{{- end -}}
{{- end -}}

{{- /* The configuration with what the chart knows. */ -}}
{{- define "reservoir.config" -}}
{{- $r := .Values.reservoir -}}
{{- $config := deepCopy ($r.config | default dict) -}}
{{- $serve := dict "listen" "0.0.0.0:8080" -}}
{{- if not (hasKey ($config.serve | default dict) "drain") -}}
{{- $serve = merge (dict "drain" "5s") $serve -}}
{{- end -}}
{{- if eq $r.mode "cache" -}}
{{- $serve = merge (dict "cache" "/cache") $serve -}}
{{- end -}}
{{- if $r.secrets.tls -}}
{{- $serve = merge (dict "certificate" "/etc/silica/tls/tls.crt" "privateKey" "/etc/silica/tls/tls.key") $serve -}}
{{- end -}}
{{- $known := dict "serve" $serve -}}
{{- if $r.storage.dropClaim -}}
{{- $known = merge (dict "bundles" (dict "drop" "/drop")) $known -}}
{{- end -}}
{{- toYaml (mergeOverwrite $config $known) -}}
{{- end -}}

{{- /* What a duration of the configuration is in seconds, rounded up. */ -}}
{{- define "reservoir.seconds" -}}
{{- $count := regexFind "^[0-9]+" . | int -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" -}}{{- div (add $count 999) 1000 -}}
{{- else -}}{{- mul $count (get (dict "s" 1 "m" 60 "h" 3600) $unit) -}}
{{- end -}}
{{- end -}}

{{- /*
How long a server may take to end: it drains, then gives answers that have begun 30 seconds,
and the kubelet is slow at times.
*/ -}}
{{- define "reservoir.grace" -}}
{{- $serve := (include "reservoir.config" . | fromYaml).serve -}}
{{- add 55 (include "reservoir.seconds" $serve.drain | int) -}}
{{- end -}}

{{- /* Whether the writer has anything to do. */ -}}
{{- define "reservoir.writes" -}}
{{- $r := .Values.reservoir -}}
{{- $interval := ($r.config.sync | default dict).interval | default "0s" -}}
{{- if and $r.writer.enabled (or $r.storage.dropClaim $r.secrets.config $r.sync.schedule (ne $interval "0s")) -}}true{{- end -}}
{{- end -}}

{{- define "reservoir.claim" -}}
{{- .Values.reservoir.storage.existingClaim | default (printf "%s-store" (include "reservoir.fullname" .)) -}}
{{- end -}}

{{- define "reservoir.pod" -}}
{{- $r := .Values.reservoir -}}
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
nodeSelector:
  {{- merge (deepCopy $r.nodeSelector) (dict "kubernetes.io/os" "linux") | toYaml | nindent 2 }}
{{- with $r.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $r.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsUser: 65532
  runAsGroup: 65532
  runAsNonRoot: true
  # Files of the store are the group's; not walked through at each start.
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "reservoir.container" -}}
image: {{ include "reservoir.image" . | quote }}
imagePullPolicy: {{ .Values.reservoir.image.pullPolicy }}
command: [/usr/bin/silica-reservoir]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- /* The store is a directory of its own: a new volume may have lost+found in it. */ -}}
{{- define "reservoir.arguments" -}}
- --store=/var/lib/silica/store
- --config=/etc/silica/reservoir/reservoir.yaml
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
{{- end -}}

{{- /* With (root, writes, tls). */ -}}
{{- define "reservoir.mounts" -}}
- name: config
  mountPath: /etc/silica/reservoir
  readOnly: true
- name: store
  mountPath: /var/lib/silica
  readOnly: {{ not .writes }}
{{- if and .tls .root.Values.reservoir.secrets.tls }}
- name: tls
  mountPath: /etc/silica/tls
  readOnly: true
{{- end }}
{{- end -}}

{{- /*
With (root, tls). Which container writes is said by its mount: a volume that is mounted by its
first pod for reading only never gets the group that the others write with.
*/ -}}
{{- define "reservoir.volumes" -}}
{{- $r := .root.Values.reservoir -}}
- name: config
  {{- if $r.secrets.config }}
  secret:
    secretName: {{ $r.secrets.config }}
    items:
    - key: reservoir.yaml
      path: reservoir.yaml
  {{- else }}
  configMap:
    name: {{ include "reservoir.fullname" .root }}
  {{- end }}
- name: store
  persistentVolumeClaim:
    claimName: {{ include "reservoir.claim" .root }}
{{- if and .tls $r.secrets.tls }}
- name: tls
  secret:
    secretName: {{ $r.secrets.tls }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- /* What only those have that write. */ -}}
{{- define "reservoir.writerMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.reservoir.secrets.keys }}
- name: keys
  mountPath: /etc/silica/keys
  readOnly: true
{{- end }}
{{- if .Values.reservoir.storage.dropClaim }}
- name: drop
  mountPath: /drop
{{- end }}
{{- end -}}

{{- define "reservoir.writerVolumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- with .Values.reservoir.secrets.keys }}
- name: keys
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.reservoir.storage.dropClaim }}
- name: drop
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- end -}}

{{- /* Makes the store, once, whichever pod is the first. */ -}}
{{- define "reservoir.init" -}}
- name: init
  {{- include "reservoir.container" . | nindent 2 }}
  args:
  - init
  - --if-needed
  {{- include "reservoir.arguments" . | nindent 2 }}
  resources:
    {{- toYaml .Values.reservoir.writer.resources | nindent 4 }}
  volumeMounts:
    {{- include "reservoir.mounts" (dict "root" . "writes" true "tls" false) | nindent 4 }}
{{- end -}}

{{- define "reservoir.egress" -}}
# Names, and then the upstreams.
- ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
- ports:
  {{- range .Values.reservoir.networkPolicy.upstreamPorts }}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
  {{- with .Values.reservoir.networkPolicy.upstreams }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
