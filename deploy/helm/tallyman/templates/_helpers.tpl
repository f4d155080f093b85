{{- define "tallyman.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tallyman.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* A service's selector: {root, service}. */}}
{{- define "tallyman.selector" -}}
app.kubernetes.io/name: {{ include "tallyman.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "tallyman.labels" -}}
{{ include "tallyman.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | quote }}
{{- end }}

{{- define "tallyman.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "tallyman.fullname" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "tallyman.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.repository .image (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{- define "tallyman.podMetadata" -}}
labels:
  {{- include "tallyman.labels" . | nindent 2 }}
  {{- with .root.Values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
annotations:
  checksum/settings: {{ include (print .root.Template.BasePath "/settings.yaml") .root | sha256sum }}
  {{- with .root.Values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{/* What is the same in every pod: {root, values of the service}. */}}
{{- define "tallyman.podSpec" -}}
serviceAccountName: {{ include "tallyman.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tallyman.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tallyman.selector" . | nindent 8 }}
{{- end }}

{{- define "tallyman.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "tallyman.probes" -}}
ports:
  - {name: metrics, containerPort: {{ .root.Values.metrics.port }}}
  {{- with .port }}
  - {name: http, containerPort: {{ . }}}
  {{- end }}
startupProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{/* Bus settings as environment: {root, service}. */}}
{{- define "tallyman.busEnv" -}}
{{- with .root.Values.nats.passwords }}
{{- if .secret }}
- {name: TALLY_NATS_USER, value: {{ $.service }}}
- {name: TALLY_NATS_PASSWORD_FILE, value: /run/secrets/nats/password}
{{- end }}
{{- end }}
{{- with .root.Values.nats.tls }}
{{- if .secret }}
- {name: TALLY_NATS_TLS_CA, value: /run/tls/nats/ca.crt}
{{- if .clientCertificate }}
- {name: TALLY_NATS_TLS_CERT, value: /run/tls/nats/tls.crt}
- {name: TALLY_NATS_TLS_KEY, value: /run/tls/nats/tls.key}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tallyman.busMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .root.Values.nats.passwords.secret }}
- {name: nats-password, mountPath: /run/secrets/nats, readOnly: true}
{{- end }}
{{- if .root.Values.nats.tls.secret }}
- {name: nats-tls, mountPath: /run/tls/nats, readOnly: true}
{{- end }}
{{- end }}

{{- define "tallyman.busVolumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- with .root.Values.nats.passwords }}
{{- if .secret }}
- name: nats-password
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items: [{key: {{ index .keys $.service | quote }}, path: password}]
{{- end }}
{{- end }}
{{- with .root.Values.nats.tls }}
{{- if .secret }}
- name: nats-tls
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
{{- end }}
{{- end }}
{{- end }}

{{- define "tallyman.databaseEnv" -}}
- {name: TALLY_DATABASE_URL, value: {{ include "tallyman.databaseUrl" . | quote }}}
{{- if .Values.database.password.secret }}
- {name: TALLY_DATABASE_PASSWORD_FILE, value: /run/secrets/database/password}
{{- end }}
{{- end }}

{{- define "tallyman.databaseUrl" -}}
{{- $url := required "database.url is needed" .Values.database.url -}}
{{- if .Values.database.tls.secret -}}
{{ $url }}{{ contains "?" $url | ternary "&" "?" }}sslrootcert=/run/tls/database/ca.crt
{{- else -}}
{{ $url }}
{{- end -}}
{{- end }}

{{- define "tallyman.databaseMounts" -}}
{{- if .Values.database.password.secret }}
- {name: database-password, mountPath: /run/secrets/database, readOnly: true}
{{- end }}
{{- if .Values.database.tls.secret }}
- {name: database-tls, mountPath: /run/tls/database, readOnly: true}
{{- end }}
{{- end }}

{{- define "tallyman.databaseVolumes" -}}
{{- with .Values.database.password }}
{{- if .secret }}
- name: database-password
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items: [{key: {{ .key | quote }}, path: password}]
{{- end }}
{{- end }}
{{- with .Values.database.tls.secret }}
- name: database-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* Where orders are: files and named connections. */}}
{{- define "tallyman.sourceEnv" -}}
- {name: TALLY_SOURCE_ROOTS, value: {{ .Values.orders.mountPath | quote }}}
{{- range $name, $connection := .Values.connections }}
- {name: {{ printf "TALLY_CONNECTIONS__%s_FILE" (upper $name) }}, value: {{ printf "/run/secrets/connections/%s/url" $name }}}
{{- end }}
{{- end }}

{{- define "tallyman.sourceMounts" -}}
- {name: orders, mountPath: {{ .Values.orders.mountPath }}}
{{- range $name, $connection := .Values.connections }}
- {name: {{ printf "connection-%s" ($name | replace "_" "-") }}, mountPath: {{ printf "/run/secrets/connections/%s" $name }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "tallyman.sourceVolumes" -}}
{{- if .Values.orders.existingClaim }}
- {name: orders, persistentVolumeClaim: {claimName: {{ .Values.orders.existingClaim }}}}
{{- else }}
- {name: orders, emptyDir: {sizeLimit: 1Mi}}
{{- end }}
{{- range $name, $connection := .Values.connections }}
- name: {{ printf "connection-%s" ($name | replace "_" "-") }}
  secret:
    secretName: {{ $connection.secret }}
    defaultMode: 0440
    items: [{key: {{ $connection.key | quote }}, path: url}]
{{- end }}
{{- end }}
