{{- define "causerie.labels" -}}
app.kubernetes.io/name: causerie
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "causerie.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "causerie.claim" -}}
{{ .Values.media.existingClaim | default (printf "%s-media" .Release.Name) }}
{{- end }}

{{- /* The labels that select the pods of one kind: (dict "root" . "kind" "web"). */ -}}
{{- define "causerie.selector" -}}
app.kubernetes.io/name: causerie
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .kind }}
{{- end }}

{{- /* What all pods share. They run as the user of the image, and write to their own folder only. */ -}}
{{- define "causerie.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false # CAUSERIE_PORT and the like are no settings
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: own
    emptyDir: {}
  - name: temporary
    emptyDir: {}
  - name: media
    persistentVolumeClaim:
      claimName: {{ include "causerie.claim" . }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "causerie.container" -}}
image: {{ include "causerie.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: own
    mountPath: /var/lib/causerie
  - name: temporary
    mountPath: /tmp
  - name: media
    mountPath: /media/causerie
envFrom:
  - configMapRef:
      name: {{ .Release.Name }}-settings
  - secretRef:
      name: {{ .Values.existingSecret }}
{{- end }}

{{- /* The hooks run before the chart's own objects exist, so they bring their settings with them. */ -}}
{{- define "causerie.settings" -}}
ALLOWED_HOSTS: {{ .Values.host | quote }}
BEHIND_PROXY: "on"
MEDIA_ROOT: /media/causerie
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
