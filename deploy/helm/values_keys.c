/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maxima are those of the Kubernetes API where it has one; the others only keep a slip
 * from becoming a manifest that the API server refuses.
 */
#include "deploy/helm/values_keys.h"

#include "api/config/config_keys.h"
#include "base/macro.h"
#include "deploy/helm/values_rows.h"

#define POOLS_MAX 16	 /* each is two more DaemonSets */
#define PATHS_MAX 16	 /* mounts of one pod */
#define SECRETS_MAX 16	 /* of one pod */
#define POOL_NAME_MAX 20 /* a pod's name has 63, of which the release takes most */

#define INTERVAL "^([0-9]+(s|m|h))?$" /* of Prometheus */
/* 1s to 24h, as the labeller takes it: up to 86400 s, 1440 min or 24 h. */
#define SECONDS "([1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s"
#define MINUTES "([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m"
#define HOURS "([1-9]|1[0-9]|2[0-4])h"
#define LABELLER_INTERVAL "^(" SECONDS "|" MINUTES "|" HOURS ")?$"

const char *const values_object[] = { "object", NULL };
const char *const values_array[] = { "array", NULL };
const char *const values_pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };
static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const log_formats[] = { "text", "json", NULL };
static const char *const registrations[] = { "classic", "watcher", "both", NULL };
static const char *const outputs[] = { "api", "nfd", NULL };
static const char *const switches[] = { "auto", "always", "never", NULL };

/* --- maps and lists --- */

static const struct schema_key label_keys[] = {
	{ .name = "key", STRING(1, DNS_MAX + 1 + DNS_LABEL_MAX, LABEL_KEY) },
	{ .name = "value", STRING(0, VALUE_MAX, LABEL_VALUE) },
};
const struct schema_key values_label_item = { .name = "*", MAPPING(label_keys) };

static const struct schema_key annotation_keys[] = {
	{ .name = "key", STRING(1, DNS_MAX + 1 + DNS_LABEL_MAX, LABEL_KEY) },
	{ .name = "value", STRING(0, TEXT_MAX, NULL) },
};
const struct schema_key values_annotation_item = { .name = "*", MAPPING(annotation_keys) };

static const struct schema_key secret_item = {
	.name = "pullSecrets[]",
	STRING(1, DNS_MAX, DNS_NAME),
};
static const struct schema_key path_item = {
	.name = "extraHostPaths[]",
	STRING(2, MOUNT_PATH_MAX, PATH),
};
const struct schema_key values_port_item = {
	.name = "ports[]",
	.type = SCHEMA_U32,
	.min = 1,
	.max = UINT16_MAX,
};

/* --- image, node, configuration --- */

static const struct schema_key image_keys[] = {
	IMAGE_REPOSITORY("silica"),
	IMAGE_TAG,
	IMAGE_DIGEST,
	IMAGE_PULL_POLICY,
	{
		.name = "pullSecrets",
		LIST(secret_item, 0, SECRETS_MAX),
		.default_value = "[]",
		.text = "Names of secrets for the registry.",
	},
};

static const struct schema_key kubelet_keys[] = {
	{
		.name = "rootDir",
		STRING(2, MOUNT_PATH_MAX, PATH),
		.default_value = "/var/lib/kubelet",
		.text = "The kubelet's `--root-dir`, below which its PodResources socket and its "
			"plugin registry are.",
	},
	{
		.name = "devicePluginDir",
		STRING(2, MOUNT_PATH_MAX, PATH),
		.default_value = "/var/lib/kubelet/device-plugins",
		.text = "Where the kubelet listens for device plugins. The kubelet has this path "
			"built in: it does not follow `--root-dir`, so it is changed only for a "
			"distribution that patches it.",
	},
};

static const struct schema_key pool_keys[] = {
	{
		.name = "name",
		STRING(1, POOL_NAME_MAX, WORD),
		.required = true,
		.text = "Name of the pool; part of the names of its DaemonSets.",
	},
	{
		.name = "nodeSelector",
		.type = SCHEMA_MAP,
		.item = &values_label_item,
		.min = 1,
		.max = 1,
		.required = true,
		.text = "The label by which nodes belong to the pool. One label, so that the "
			"DaemonSets of all other nodes can leave these out; of two pools that "
			"match a node the first has it.",
	},
	{
		.name = "config",
		.type = SCHEMA_FOREIGN,
		.item = &config_root,
		.required = true,
		.text = "What differs from `config`: a mapping is merged, a list takes the other's "
			"place.",
	},
};
static const struct schema_key pool_item = { .name = "pools[]", MAPPING(pool_keys) };

static const struct schema_key log_keys[] = {
	{
		.name = "level",
		.type = SCHEMA_ENUM,
		.values = log_levels,
		.default_value = "info",
		.text = "Least level that is logged.",
	},
	{
		.name = "format",
		.type = SCHEMA_ENUM,
		.values = log_formats,
		.default_value = "text",
		.text = "Form of log lines.",
	},
};

static const struct schema_key nvml_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether the programs ask NVIDIA's library, without which MIG devices, "
			"memory sizes and XIDs are not seen. The container runtime has to bring "
			"the library and the device files into the pods, as no pod of this chart "
			"is privileged.",
	},
	{
		.name = "runtimeClassName",
		STRING(1, DNS_MAX, DNS_NAME),
		.default_value = "nvidia",
		.text = "RuntimeClass of NVIDIA's container runtime; used when `nvml.enabled`.",
	},
};

static const struct schema_key affinity_keys[] = {
	{
		.name = "pciLabels",
		SWITCH("false"),
		.text = "Whether only nodes are used on which Node Feature Discovery has seen a "
			"PCI device of a known vendor, of the classes that it labels by default. "
			"Without it every node is used: a node without devices is a normal node.",
	},
	{
		.name = "nodeAffinity",
		OBJECT,
		.default_value = "{}",
		.text = "Node affinity, as in a pod. With `affinity.pciLabels` a node must fulfil "
			"one of the terms required here, or have one of those labels.",
	},
};

/* --- workloads --- */

static const struct schema_key device_plugin_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether the device plugin is installed.",
	},
	{
		.name = "registration",
		.type = SCHEMA_ENUM,
		.values = registrations,
		.default_value = "classic",
		.text = "Way to the kubelet: its Register call, its plugin watcher, or both.",
	},
	{
		.name = "extraHostPaths",
		LIST(path_item, 0, PATHS_MAX),
		.default_value = "[]",
		.text = "Further directories of the host that the plugin may read, for files that "
			"declared drivers hand out as `mounts`.",
	},
	{
		.name = "updateStrategy",
		OBJECT,
		.default_value = "{type: RollingUpdate, rollingUpdate: {maxSurge: 1, "
				 "maxUnavailable: 0}}",
		.text = "How the DaemonSet is updated. The new pod of a node is ready before the "
			"old one ends: each instance has sockets of its own, so devices stay "
			"offered.",
	},
	{
		.name = "resources",
		OBJECT,
		.default_value = "{requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}",
		.text = "Requests and limits of the container.",
	},
	POD_ANNOTATIONS("pods"),
	POD_LABELS("pods"),
	{
		.name = "seLinuxOptions",
		OBJECT,
		.default_value = "{}",
		.text = "SELinux context, as in `{type: container_device_plugin_t}` where SELinux "
			"keeps containers from the kubelet's directory.",
	},
};

static const struct schema_key labeller_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether the node labeller is installed.",
	},
	{
		.name = "output",
		.type = SCHEMA_ENUM,
		.values = outputs,
		.default_value = "api",
		.text = "Where labels go: to the API server, or as a file to Node Feature "
			"Discovery. With `nfd` it needs no right at the API server, but writes as "
			"root to `nodeLabeller.nfdDir`.",
	},
	{
		.name = "nfdDir",
		STRING(2, MOUNT_PATH_MAX, PATH),
		.default_value = "/etc/kubernetes/node-feature-discovery/features.d",
		.text = "Directory on the host from which Node Feature Discovery reads features.",
	},
	{
		.name = "interval",
		STRING(0, 8, LABELLER_INTERVAL),
		.default_value = "\"\"",
		.text = "Time after which labels are looked at again though nothing has changed, "
			"from 1s to 24h; the program's default when empty.",
	},
	{
		.name = "updateStrategy",
		OBJECT,
		.default_value = "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 10%}}",
		.text = "How the DaemonSet is updated. Labels stay while no labeller runs.",
	},
	{
		.name = "resources",
		OBJECT,
		.default_value = "{requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}",
		.text = "Requests and limits of the container.",
	},
	POD_ANNOTATIONS("pods"),
	POD_LABELS("pods"),
	{
		.name = "serviceAccountAnnotations",
		ANNOTATIONS,
		.default_value = "{}",
		.text = "Annotations of the service account.",
	},
	{
		.name = "seLinuxOptions",
		OBJECT,
		.default_value = "{}",
		.text = "SELinux context.",
	},
};

/* --- what is around them --- */

static const struct schema_key admission_keys[] = {
	{
		.name = "enabled",
		.type = SCHEMA_ENUM,
		.values = switches,
		.default_value = "auto",
		.text = "Whether a ValidatingAdmissionPolicy holds each labeller to its own node "
			"and to labels, annotations, its taints and its condition. `auto`: where "
			"the cluster has that API, which is Kubernetes 1.30 and newer.",
	},
};

static const struct schema_key network_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether NetworkPolicies close the pods off. The kubelet's probes always "
			"pass.",
	},
	{
		.name = "metricsFrom",
		ARRAY,
		.default_value = "[]",
		.text = "Who may read the metrics: peers as in a NetworkPolicy's `from`; nobody "
			"when empty.",
	},
	{
		.name = "apiServers",
		ARRAY,
		.default_value = "[]",
		.text = "Where the API server is, for the labeller and Reservoir's writer: peers "
			"as "
			"in a NetworkPolicy's `to`, as in `[{ipBlock: {cidr: 192.0.2.1/32}}]`; "
			"anywhere when empty.",
	},
	{
		.name = "apiServerPorts",
		LIST(values_port_item, 1, PORTS_MAX),
		.default_value = "[443, 6443]",
		.text = "Ports of the API server, the only ones that those two may reach.",
	},
};

#define SCRAPE_INTERVAL                                                              \
	{                                                                            \
		.name = "interval", STRING(0, 8, INTERVAL), .default_value = "\"\"", \
		.text = "Time between two scrapes; Prometheus' default when empty."  \
	}
#define SCRAPE_LABELS                                               \
	{                                                           \
		.name = "labels", LABELS(0), .default_value = "{}", \
		.text = "Labels by which Prometheus finds it."      \
	}

static const struct schema_key pod_monitor_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether a PodMonitor of the Prometheus operator is installed.",
	},
	SCRAPE_INTERVAL,
	SCRAPE_LABELS,
};

static const struct schema_key service_monitor_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "Whether a Service and a ServiceMonitor are installed, for a Prometheus "
			"that looks at services only.",
	},
	SCRAPE_INTERVAL,
	SCRAPE_LABELS,
};

static const struct schema_key metrics_keys[] = {
	{
		.name = "podMonitor",
		MAPPING(pod_monitor_keys),
		.text = "For the Prometheus operator; one of the two is enough.",
	},
	{
		.name = "serviceMonitor",
		MAPPING(service_monitor_keys),
		.text = "The same by way of a Service.",
	},
};

static const struct schema_key cleanup_keys[] = {
	{
		.name = "enabled",
		SWITCH("true"),
		.text = "Whether `helm uninstall` runs a Job that removes what labellers of this "
			"and earlier revisions wrote on nodes. Its service account may patch every "
			"node, and exists only as long as the Job.",
	},
	{
		.name = "deadlineSeconds",
		.type = SCHEMA_U32,
		.min = 10,
		.max = 86400,
		.unit = "seconds",
		.default_value = "240",
		.text = "How long the Job may take. helm waits five minutes for it unless "
			"`--timeout` says otherwise, so more needs both: a cluster of thousands of "
			"nodes, for example.",
	},
	{
		.name = "tolerations",
		ARRAY,
		.default_value = "[{key: node-role.kubernetes.io/control-plane, operator: Exists, "
				 "effect: NoSchedule}]",
		.text = "Taints that the Job tolerates: it needs one node that works, and where "
			"all others are tainted for their devices this is the control plane.",
	},
};

static const struct schema_key simulation_keys[] = {
	{
		.name = "enabled",
		SWITCH("false"),
		.text = "For tests only: the programs look at a simulated node instead of the real "
			"one.",
	},
	{
		.name = "image",
		STRING(0, DNS_MAX, "^([a-z0-9]([-._/:@A-Za-z0-9]*[A-Za-z0-9])?)?$"),
		.default_value = "\"\"",
		.text = "Image that has `silica-sim` in it.",
	},
	{
		.name = "description",
		STRING(1, TEXT_MAX, NULL),
		.default_value = "rngd x2",
		.text = "Cards of the simulated node, as `silica-sim create` takes them.",
	},
};

static const struct schema_key values_keys[] = {
	{
		.name = "nameOverride",
		STRING(0, DNS_LABEL_MAX, "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"),
		.default_value = "\"\"",
		.text = "Takes the place of the chart's name in labels.",
	},
	{
		.name = "fullnameOverride",
		STRING(0, 32, "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"),
		.default_value = "\"\"",
		.text = "Takes the place of the release's name in names of objects.",
	},
	{
		.name = "image",
		MAPPING(image_keys),
		.text = "The image that has all programs.",
	},
	{
		.name = "kubelet",
		MAPPING(kubelet_keys),
		.text = "Where the kubelet is.",
	},
	{
		.name = "config",
		.type = SCHEMA_FOREIGN,
		.item = &config_root,
		.default_value = "{version: v1}",
		.text = "Silica's configuration, for the device plugin and the labeller; every key "
			"is in docs/configuration.md. Deprecated keys are not accepted here, nor "
			"`nodes.labels`, for which there are `pools`. A change is taken up by the "
			"running pods.",
	},
	{
		.name = "pools",
		LIST(pool_item, 0, POOLS_MAX),
		.default_value = "[]",
		.text = "Pools of nodes with a configuration of their own.",
	},
	{
		.name = "log",
		MAPPING(log_keys),
		.text = "Logs of all programs.",
	},
	{
		.name = "nvml",
		MAPPING(nvml_keys),
		.text = "NVIDIA's management library.",
	},
	{
		.name = "nodeSelector",
		LABELS(0),
		.default_value = "{}",
		.text = "Labels of the nodes to use, besides `kubernetes.io/os: linux`.",
	},
	{
		.name = "affinity",
		MAPPING(affinity_keys),
		.text = "Which nodes are used.",
	},
	{
		.name = "tolerations",
		ARRAY,
		.default_value = "[{operator: Exists}]",
		.text = "Taints that the pods tolerate: all, as nodes with accelerators are often "
			"tainted for everybody else.",
	},
	{
		.name = "priorityClassName",
		STRING(0, DNS_MAX, "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$"),
		.default_value = "system-node-critical",
		.text = "Priority class of the pods; without the plugin a node's devices are gone.",
	},
	{
		.name = "devicePlugin",
		MAPPING(device_plugin_keys),
		.text = "`silica-device-plugin`, a DaemonSet.",
	},
	{
		.name = "nodeLabeller",
		MAPPING(labeller_keys),
		.text = "`silica-node-labeller`, a DaemonSet.",
	},
	{
		.name = "admissionPolicy",
		MAPPING(admission_keys),
		.text = "The fence around the labellers.",
	},
	{
		.name = "networkPolicy",
		MAPPING(network_keys),
		.text = "The network of the pods.",
	},
	{
		.name = "metrics",
		MAPPING(metrics_keys),
		.text = "Who collects the metrics.",
	},
	{
		.name = "cleanup",
		MAPPING(cleanup_keys),
		.text = "The end of `helm uninstall`. Labels and the rest that was written through "
			"the API server are removed; Node Feature Discovery drops what it has from "
			"a file when the file expires.",
	},
	{
		.name = "reservoir",
		.type = SCHEMA_MAPPING,
		.keys = reservoir_values,
		.n_keys = RESERVOIR_VALUES,
		.text = "`silica-reservoir`, a mirror of packages for sites without the internet; "
			"docs/reservoir.md tells of it.",
	},
	{
		.name = "simulation",
		MAPPING(simulation_keys),
		.text = "A node that has no accelerators, for tests.",
	},
	{
		.name = "global",
		OBJECT,
		.default_value = "{}",
		.text = "Values of a chart that contains this one; not read.",
	},
};

const struct schema_key values_root = {
	.name = "values",
	MAPPING(values_keys),
};
