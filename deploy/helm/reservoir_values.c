/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of Reservoir.  Names of secrets and claims are "" where there is none, as
 * everything has a default.
 */
#include "deploy/helm/values_rows.h"
#include "reservoir/config/config_keys.h"

#define QUANTITY_MAX 32
#define COUNT_MAX 1000
#define CRON_MAX 100
#define EVERYTHING_MAX 1000000000u /* bytes a second, of one server: 8 Gbit/s */

#define OPTIONAL_NAME \
	STRING(0, DNS_MAX, "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$"), .default_value = "\"\""
#define COUNT(value) .type = SCHEMA_U32, .min = 1, .max = COUNT_MAX, .default_value = (value)

/* Five fields, or a word as in "@daily". */
#define CRON_FIELD "[-*/,?0-9A-Za-z]+"
#define CRON "^(" CRON_FIELD "( +" CRON_FIELD "){4}|@[a-z]+( [0-9hms]+)?)?$"

static const char *const modes[] = { "site", "hub", "cache", NULL };

/* Those with which servers and writer can have the volume at a time. */
static const char *const access_modes[] = { "ReadWriteMany", "ReadWriteOnce", NULL };
static const struct schema_key access_mode_item = {
	.name = "accessModes[]",
	.type = SCHEMA_ENUM,
	.values = access_modes,
};

static const struct schema_key image_keys[] = {
	IMAGE_REPOSITORY("silica-reservoir"),
	IMAGE_TAG,
	IMAGE_DIGEST,
	IMAGE_PULL_POLICY,
};

static const struct schema_key secrets_keys[] = {
	{
		.name = "config",
		OPTIONAL_NAME,
		.text = "Secret whose `reservoir.yaml` takes the place of `reservoir.config`, for "
			"a configuration with users in it. The chart adds nothing to it: it also "
			"says `serve.drain: 5s`, and with a `dropClaim` `bundles.drop: /drop`, "
			"with `tls` `serve.certificate` and `serve.privateKey`, in a `cache` "
			"`serve.cache: /cache`. A new one is taken up by new pods.",
	},
	{
		.name = "tls",
		OPTIONAL_NAME,
		.text = "Secret with `tls.crt` and `tls.key`, for HTTPS; a renewed one is taken up "
			"by the running pods.",
	},
	{
		.name = "keys",
		OPTIONAL_NAME,
		.text = "Secret with the keys that the writer signs and checks with, and keyrings; "
			"its files are in `/etc/silica/keys` of the writer, and in no server.",
	},
};

static const struct schema_key storage_keys[] = {
	{
		.name = "existingClaim",
		OPTIONAL_NAME,
		.text = "PersistentVolumeClaim that the store lies in; when empty, one is made.",
	},
	{
		.name = "size",
		STRING(1, QUANTITY_MAX, "^[1-9][0-9]*(Mi|Gi|Ti|Pi)$"),
		.default_value = "100Gi",
		.text = "Size of the claim that is made.",
	},
	{
		.name = "storageClassName",
		OPTIONAL_NAME,
		.text = "Its storage class; the cluster's default when empty.",
	},
	{
		.name = "accessModes",
		LIST(access_mode_item, 1, ARRAY_SIZE(access_modes) - 1),
		.default_value = "[ReadWriteMany]",
		.text = "How it is mounted. With `ReadWriteOnce` all pods have to be on one node.",
	},
	{
		.name = "cacheSize",
		STRING(1, QUANTITY_MAX, "^[1-9][0-9]*(Mi|Gi|Ti|Pi)$"),
		.default_value = "20Gi",
		.text = "Size of the volume that each server of a `cache` keeps what it has "
			"fetched in, as long as its pod lives.",
	},
	{
		.name = "dropClaim",
		OPTIONAL_NAME,
		.text = "PersistentVolumeClaim that bundles are carried into; the writer takes "
			"them from `/drop`.",
	},
};

static const struct schema_key autoscaling_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether a HorizontalPodAutoscaler chooses the number of servers.",
	},
	{
		.name = "minReplicas",
		COUNT("2"),
		.text = "Least number of servers.",
	},
	{
		.name = "maxReplicas",
		COUNT("8"),
		.text = "Largest number.",
	},
	{
		.name = "cpuPercent",
		.type = SCHEMA_U32,
		.min = 1,
		.max = 1000,
		.default_value = "80",
		.text = "Use of the requested CPU that is aimed at.",
	},
	{
		.name = "requestsPerSecond",
		.type = SCHEMA_U32,
		.max = 1000000,
		.default_value = "0",
		.text = "Requests a second of one server that are aimed at; `0` leaves them out. "
			"Needs an adapter that offers the metric "
			"`silica_reservoir_requests_per_second` of pods.",
	},
	{
		.name = "bytesPerSecond",
		.type = SCHEMA_U32,
		.max = EVERYTHING_MAX,
		.default_value = "0",
		.text = "Bytes a second that one server sends, likewise, as the metric "
			"`silica_reservoir_sent_bytes_per_second`.",
	},
};

static const struct schema_key budget_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether a PodDisruptionBudget keeps servers while nodes are drained.",
	},
	{
		.name = "maxUnavailable",
		COUNT("1"),
		.text = "How many servers may be away.",
	},
};

static const struct schema_key server_keys[] = {
	{
		.name = "replicas",
		COUNT("2"),
		.text = "Number of servers, without `reservoir.server.autoscaling`. All give the "
			"same answers, so that losing one is not seen.",
	},
	{
		.name = "autoscaling",
		MAPPING(autoscaling_keys),
		.text = "How many servers there are.",
	},
	{
		.name = "podDisruptionBudget",
		MAPPING(budget_keys),
		.text = "What stays while nodes are drained.",
	},
	{
		.name = "resources",
		OBJECT,
		.default_value = "{requests: {cpu: 250m, memory: 96Mi}, limits: {memory: 256Mi}}",
		.text = "Requests and limits of the container.",
	},
	POD_ANNOTATIONS("pods"),
	POD_LABELS("pods"),
};

static const struct schema_key writer_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether the writer is installed: it syncs every `sync.interval` of the "
			"configuration, applies bundles of `reservoir.storage.dropClaim`, and runs "
			"`gc` and `verify` every `keep.interval` and `verify.interval`. A Lease "
			"keeps a second one from writing.",
	},
	{
		.name = "resources",
		OBJECT,
		.default_value = "{requests: {cpu: 100m, memory: 160Mi}, limits: {memory: 512Mi}}",
		.text = "Requests and limits of the container.",
	},
	POD_ANNOTATIONS("pod"),
	POD_LABELS("pod"),
	{
		.name = "serviceAccountAnnotations",
		ANNOTATIONS,
		.default_value = "{}",
		.text = "Annotations of its service account, the only one with a right: to its "
			"Lease.",
	},
};

static const struct schema_key sync_keys[] = {
	{
		.name = "schedule",
		STRING(0, CRON_MAX, CRON),
		.default_value = "\"\"",
		.text = "When a CronJob syncs, as in `17 3 * * *`; none when empty. For those who "
			"would rather have that than `sync.interval`.",
	},
	{
		.name = "timeZone",
		STRING(0, DNS_LABEL_MAX, "^([A-Za-z][-+/_A-Za-z0-9]*)?$"),
		.default_value = "\"\"",
		.text = "Time zone of the schedule; that of the cluster when empty.",
	},
};

static const struct schema_key service_keys[] = {
	{
		.name = "port",
		.type = SCHEMA_U32,
		.min = 1,
		.max = UINT16_MAX,
		.default_value = "80",
		.text = "Port of the Service; 443 goes with `reservoir.secrets.tls`.",
	},
	{
		.name = "annotations",
		ANNOTATIONS,
		.default_value = "{}",
		.text = "Annotations of the Service.",
	},
};

static const struct schema_key ingress_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether an Ingress lets clients in that are not in the cluster.",
	},
	{
		.name = "className",
		OPTIONAL_NAME,
		.text = "Its class; the cluster's default when empty.",
	},
	{
		.name = "host",
		OPTIONAL_NAME,
		.text = "Name by which clients find it.",
	},
	{
		.name = "tlsSecret",
		OPTIONAL_NAME,
		.text = "Secret with the certificate of that name; plain HTTP when empty.",
	},
	{
		.name = "annotations",
		ANNOTATIONS,
		.default_value = "{}",
		.text = "Annotations, which controllers read: bodies of any size, no buffering.",
	},
};

static const struct schema_key network_keys[] = {
	{
		.name = "clientsFrom",
		ARRAY,
		.default_value = "[]",
		.text = "Who may reach the servers: peers as in a NetworkPolicy's `from`; "
			"everybody when empty.",
	},
	{
		.name = "upstreams",
		ARRAY,
		.default_value = "[]",
		.text = "Where a `hub` or `cache` may connect to: peers as in a NetworkPolicy's "
			"`to`; anywhere when empty. A `site` connects nowhere.",
	},
	{
		.name = "upstreamPorts",
		LIST(values_port_item, 1, PORTS_MAX),
		.default_value = "[80, 443]",
		.text = "On which ports, besides those of names.",
	},
};

const struct schema_key reservoir_values[RESERVOIR_VALUES] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether Reservoir is installed.",
	},
	{
		.name = "mode",
		.type = SCHEMA_ENUM,
		.values = modes,
		.default_value = "site",
		.text = "`site`: no pod may connect to anything outside, and updates are carried "
			"in; `hub`: the writer fetches from upstreams; `cache`: the servers do, "
			"too.",
	},
	{
		.name = "image",
		MAPPING(image_keys),
		.text = "Its image; `image.pullSecrets` are used for it, too.",
	},
	{
		.name = "config",
		.type = SCHEMA_FOREIGN,
		.item = &reservoir_config_root,
		.default_value = "{}",
		.text = "Its configuration; every key is in docs/reservoir-configuration.md. The "
			"chart adds where it listens, where bundles arrive and where the "
			"certificate is.",
	},
	{
		.name = "secrets",
		MAPPING(secrets_keys),
		.text = "What must not stand in a ConfigMap.",
	},
	{
		.name = "storage",
		MAPPING(storage_keys),
		.text = "Where the packages are.",
	},
	{
		.name = "server",
		MAPPING(server_keys),
		.text = "`silica-reservoir serve`, which reads the store only.",
	},
	{
		.name = "writer",
		MAPPING(writer_keys),
		.text = "`silica-reservoir writer`, of which there is one.",
	},
	{
		.name = "sync",
		MAPPING(sync_keys),
		.text = "`silica-reservoir sync` by the clock.",
	},
	{
		.name = "service",
		MAPPING(service_keys),
		.text = "How clients in the cluster find it.",
	},
	{
		.name = "ingress",
		MAPPING(ingress_keys),
		.text = "How others do.",
	},
	{
		.name = "networkPolicy",
		MAPPING(network_keys),
		.text = "Its network, with `networkPolicy.enabled`; `networkPolicy.metricsFrom` "
			"counts as clients.",
	},
	{
		.name = "nodeSelector",
		LABELS(0),
		.default_value = "{}",
		.text = "Labels of the nodes to use, besides `kubernetes.io/os: linux`.",
	},
	{
		.name = "tolerations",
		ARRAY,
		.default_value = "[]",
		.text = "Taints that its pods tolerate.",
	},
	{
		.name = "priorityClassName",
		OPTIONAL_NAME,
		.text = "Priority class of its pods.",
	},
};
