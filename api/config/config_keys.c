/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config_keys.h"

#include <assert.h>

#include "api/config/config_check.h"
#include "api/config/schema_rows.h"
#include "base/macro.h"

#define SECOND_MS 1000u
#define MINUTE_MS (60u * SECOND_MS)
#define HOUR_MS (60u * MINUTE_MS)

static const char *const versions[] = { [CONFIG_V1] = "v1", NULL };
static const char *const units[] = {
	[CONFIG_UNIT_WHOLE] = "whole",
	[CONFIG_UNIT_PARTITION] = "partition",
	[CONFIG_UNIT_SHARE] = "share",
	NULL,
};
/* The first of the units. */
static const char *const shared_units[] = {
	[CONFIG_UNIT_WHOLE] = "whole",
	[CONFIG_UNIT_PARTITION] = "partition",
	NULL,
};
static const char *const allocates[] = {
	[CONFIG_ALLOCATE_DEVICE_NODES] = "deviceNodes",
	[CONFIG_ALLOCATE_ENV] = "env",
	[CONFIG_ALLOCATE_CDI] = "cdi",
	[CONFIG_ALLOCATE_ANNOTATIONS] = "annotations",
	NULL,
};
static const char *const preferences[] = {
	[CONFIG_PREFERRED_ALIGNED] = "aligned",
	[CONFIG_PREFERRED_PACKED] = "packed",
	[CONFIG_PREFERRED_DISTRIBUTED] = "distributed",
	NULL,
};
static const char *const label_families[] = {
	[CONFIG_FAMILY_NEUTRAL] = "neutral",
	[CONFIG_FAMILY_VENDOR] = "vendor",
	NULL,
};
static const char *const furiosa_spellings[] = {
	[CONFIG_FURIOSA_BOTH] = "both",
	[CONFIG_FURIOSA_CODE] = "code",
	[CONFIG_FURIOSA_DOCS] = "docs",
	NULL,
};
static const char *const partitionings[] = {
	[CONFIG_PARTITIONING_UNSET] = "",	    [CONFIG_PARTITIONING_NONE] = "none",
	[CONFIG_PARTITIONING_1CORE] = "1core.6gb",  [CONFIG_PARTITIONING_2CORE] = "2core.12gb",
	[CONFIG_PARTITIONING_4CORE] = "4core.24gb", NULL,
};
static const char *const strategies[] = {
	[CONFIG_PARTITIONING_UNSET] = "",
	[CONFIG_PARTITIONING_NONE] = "generic",
	[CONFIG_PARTITIONING_1CORE] = "single-core",
	[CONFIG_PARTITIONING_2CORE] = "dual-core",
	[CONFIG_PARTITIONING_4CORE] = "quad-core",
	NULL,
};

static_assert(ARRAY_SIZE(versions) == _CONFIG_VERSION_MAX + 1, "every version has a name");
static_assert(ARRAY_SIZE(units) == _CONFIG_UNIT_MAX + 1, "every unit has a name");
static_assert(ARRAY_SIZE(allocates) == _CONFIG_ALLOCATE_MAX + 1, "every way has a name");
static_assert(ARRAY_SIZE(preferences) == _CONFIG_PREFERRED_MAX + 1, "every choice has a name");
static_assert(ARRAY_SIZE(label_families) == _CONFIG_FAMILY_MAX + 1, "every family has a name");
static_assert(ARRAY_SIZE(furiosa_spellings) == _CONFIG_FURIOSA_MAX + 1, "every way has a name");
static_assert(ARRAY_SIZE(partitionings) == _CONFIG_PARTITIONING_MAX + 1, "every cut has a name");
static_assert(ARRAY_SIZE(strategies) == _CONFIG_PARTITIONING_MAX + 1, "every cut has a name");
static_assert(sizeof(enum config_unit) == sizeof(uint32_t), "SCHEMA_ENUM stores 32 bits");
static_assert(CONFIG_NOTES_MAX >= SCHEMA_NOTES_MAX, "every note has room");

static const struct schema_key vendor_item = {
	.name = "vendor[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_vendor,
};
static const struct schema_key product_item = {
	.name = "product[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_word,
};
static const struct schema_key architecture_item = {
	.name = "architecture[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_word,
};
static const struct schema_key bdf_item = {
	.name = "bdf[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_bdf,
};
static const struct schema_key uuid_item = {
	.name = "uuid[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_word,
};
static const struct schema_key node_item = {
	.name = "names[]",
	TEXT(struct config_node_name, text),
	.check = config_check_node_pattern,
};

/* A row for the struct config_patterns @list in @of. */
#define PATTERNS(key, of, list, row, words)                                                  \
	{                                                                                    \
		.name = (key), .type = SCHEMA_LIST, ITEMS(of, list.items, list.n), .min = 1, \
		.max = CONFIG_PATTERNS_MAX, .item = &(row), .text = (words)                  \
	}

/* The rows of a struct config_selector in @of; @in is its path there, with a dot behind. */
#define SELECTOR(of, in)                                                                       \
	PATTERNS("vendor", of, in vendor, vendor_item, "Names of drivers, as in `furiosa`."),  \
		PATTERNS("product", of, in product, product_item, "Products, as in `rngd`."),  \
		PATTERNS("architecture", of, in architecture, architecture_item,               \
			 "Architectures, as in `xe`."),                                        \
		PATTERNS("bdf", of, in bdf, bdf_item, "PCI addresses, as in `0000:27:00.0`."), \
		PATTERNS("uuid", of, in uuid, uuid_item, "UUIDs as the vendor writes them.")

static const struct schema_key label_keys[] = {
	{
		.name = "label",
		TEXT(struct config_label, key),
		.check = config_check_label_key,
	},
	{
		.name = "label value",
		.type = SCHEMA_STRING,
		FIELD(struct config_label, value),
		.max = CONFIG_LABEL_VALUE_MAX - 1,
		.check = config_check_label_value,
	},
};

static const struct schema_key label_item = {
	.name = "labels.*",
	MAPPING(label_keys),
	.size = sizeof(struct config_label),
};

static const struct schema_key nodes_keys[] = {
	{
		.name = "names",
		.type = SCHEMA_LIST,
		ITEMS(struct config_nodes, names, n_names),
		.min = 1,
		.max = CONFIG_PATTERNS_MAX,
		.item = &node_item,
		.text = "Names of nodes.",
	},
	{
		.name = "labels",
		.type = SCHEMA_MAP,
		ITEMS(struct config_nodes, labels, n_labels),
		.min = 1,
		.max = CONFIG_LABELS_MAX,
		.item = &label_item,
		.text = "Labels that the node must have, all of them.",
	},
};

static const struct schema_key devices_keys[] = { SELECTOR(struct config_selector, ) };

static const struct schema_key mps_keys[] = {
	{
		.name = "pipeDirectory",
		TEXT(struct config_mps, pipe_directory),
		.required = true,
		.check = config_check_path,
		.text = "Directory on the host in which the control daemon listens; it becomes "
			"`CUDA_MPS_PIPE_DIRECTORY`.",
	},
	{
		.name = "logDirectory",
		TEXT(struct config_mps, log_directory),
		.check = config_check_path,
		.text = "Directory on the host for the daemon's logs; it becomes "
			"`CUDA_MPS_LOG_DIRECTORY`.",
	},
};

static const struct schema_key resource_keys[] = {
	{
		.name = "name",
		TEXT(struct config_resource, name),
		.required = true,
		.check = config_check_name,
		.text = "Name of the extended resource that pods ask for, as in `furiosa.ai/npu`. "
			"Behind the `/` may stand `{product}`, `{architecture}` and, of "
			"partitions, `{profile}`: there is one resource for each that the node "
			"has. No two resources have the same name unless both have `nodes`.",
	},
	{
		.name = "devices",
		MAPPING(devices_keys),
		FIELD(struct config_resource, devices),
		.text = "Which devices the resource is made of: every key that is written must "
			"hold, and of a list one pattern. `*` stands for any characters and `?` "
			"for one. A device belongs to the first resource that matches it.",
	},
	{
		.name = "nodes",
		MAPPING(nodes_keys),
		FIELD(struct config_resource, nodes),
		.text = "On which nodes the resource is offered; on all when left out.",
	},
	{
		.name = "unit",
		.type = SCHEMA_ENUM,
		FIELD(struct config_resource, unit),
		.values = units,
		.default_value = "whole",
		.text = "What one unit of the resource is: a `whole` device, a `partition` of it, "
			"or one of several `share`s, between which nothing separates.",
	},
	{
		.name = "of",
		.type = SCHEMA_ENUM,
		FIELD(struct config_resource, of),
		.values = shared_units,
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_SHARE,
		.optional = true,
		.default_value = "whole",
		.text = "What is shared.",
	},
	{
		.name = "cores",
		.type = SCHEMA_U32,
		FIELD(struct config_resource, cores),
		.min = 1,
		.max = CONFIG_CORES_MAX,
		.unit = "cores",
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_PARTITION | 1u << CONFIG_UNIT_SHARE,
		.optional = true,
		.check = config_check_cores,
		.text = "Size of one partition, a power of two, of a device that Silica cuts.",
	},
	{
		.name = "profile",
		TEXT(struct config_resource, profile),
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_PARTITION | 1u << CONFIG_UNIT_SHARE,
		.optional = true,
		.check = config_check_word,
		.text = "Pattern of the partitions' profiles, as in `1g.*`. Without `cores` and "
			"`profile` it is every partition that the hardware has been cut into.",
	},
	{
		.name = "shares",
		.type = SCHEMA_U32,
		FIELD(struct config_resource, shares),
		.min = CONFIG_SHARES_MIN,
		.max = CONFIG_SHARES_MAX,
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_SHARE,
		.text = "How many units each device or partition is offered as.",
	},
	{
		.name = "failRequestsGreaterThanOne",
		.type = SCHEMA_BOOL,
		FIELD(struct config_resource, fail_requests_greater_than_one),
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_SHARE,
		.optional = true,
		.default_value = "false",
		.text = "Whether a container that asks for several shares is refused; they give it "
			"no more than one does.",
	},
	{
		.name = "overlap",
		.type = SCHEMA_BOOL,
		FIELD(struct config_resource, overlap),
		.default_value = "false",
		.text = "Also offers devices that an earlier resource offers; taking a unit hides "
			"what overlaps it until it is released.",
	},
	{
		.name = "allocate",
		.type = SCHEMA_SET,
		FIELD(struct config_resource, allocate),
		.values = allocates,
		.min = 1,
		.max = _CONFIG_ALLOCATE_MAX,
		.default_value = "[deviceNodes, env]",
		.text = "What a container is given: the device files, the environment variables "
			"and mounts of the vendor, names of CDI devices in the answer, or the same "
			"as annotations.",
	},
	{
		.name = "preferred",
		.type = SCHEMA_ENUM,
		FIELD(struct config_resource, preferred),
		.values = preferences,
		.default_value = "aligned",
		.text = "Which units a container gets when there is a choice: `aligned`, near each "
			"other; `packed`, on few devices; `distributed`, over many devices.",
	},
	{
		.name = "mps",
		MAPPING(mps_keys),
		FIELD(struct config_resource, mps),
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_SHARE,
		.optional = true,
		.text = "Shares are clients of a running control daemon of NVIDIA's Multi-Process "
			"Service; only with `vendor: nvidia`.",
	},
};

static const struct schema_key resource_item = {
	.name = "resources[]",
	MAPPING(resource_keys),
	.size = sizeof(struct config_resource),
	.check = config_check_resource,
};

static const struct schema_key exclude_keys[] = {
	SELECTOR(struct config_exclude, devices.),
	{
		.name = "nodes",
		MAPPING(nodes_keys),
		FIELD(struct config_exclude, nodes),
		.text = "On which nodes; on all when left out.",
	},
};

static const struct schema_key exclude_item = {
	.name = "exclude[]",
	MAPPING(exclude_keys),
	.size = sizeof(struct config_exclude),
	.check = config_check_exclude,
};

static const struct schema_key enable_item = {
	.name = "enable[]",
	TEXT(struct config_driver_name, name),
	.place = offsetof(struct config_driver_name, place),
	.check = config_check_driver,
};
static const struct schema_key disable_item = {
	.name = "disable[]",
	TEXT(struct config_driver_name, name),
	.place = offsetof(struct config_driver_name, place),
	.check = config_check_driver,
};

static const struct schema_key drivers_keys[] = {
	{
		.name = "enable",
		.type = SCHEMA_LIST,
		ITEMS(struct config_drivers, enable, n_enable),
		.max = CONFIG_DRIVERS_MAX,
		.item = &enable_item,
		.text = "Drivers to use besides those that are on by default.",
	},
	{
		.name = "disable",
		.type = SCHEMA_LIST,
		ITEMS(struct config_drivers, disable, n_disable),
		.max = CONFIG_DRIVERS_MAX,
		.item = &disable_item,
		.text = "Drivers not to use.",
	},
	{
		.name = "declare",
		.type = SCHEMA_LIST,
		ITEMS(struct config_drivers, declare, n_declare),
		.max = CONFIG_DECLARED_MAX,
		.item = &config_driver_item,
		.unique = "name",
		.text = "Cards that are described instead of programmed; see "
			"[declared drivers](declared-drivers.md).",
	},
};

static const struct schema_key cdi_keys[] = {
	{
		.name = "directory",
		TEXT(struct config_cdi, directory),
		.default_value = "/var/run/cdi",
		.check = config_check_path,
		.text = "Directory on the host for the specifications of what is allocated with "
			"`cdi` or `annotations`.",
	},
};

static const struct schema_key health_keys[] = {
	{
		.name = "interval",
		.type = SCHEMA_DURATION,
		FIELD(struct config_health, interval_ms),
		.min = 100,
		.max = MINUTE_MS,
		.default_value = "500ms",
		.text = "Time between two probes of a device.",
	},
	{
		.name = "unhealthyAfter",
		.type = SCHEMA_U32,
		FIELD(struct config_health, unhealthy_after),
		.min = 1,
		.max = 100,
		.unit = "probes",
		.default_value = "1",
		.text = "Bad probes in a row until a device is Unhealthy.",
	},
	{
		.name = "healthyAfter",
		.type = SCHEMA_U32,
		FIELD(struct config_health, healthy_after),
		.min = 1,
		.max = 100,
		.unit = "probes",
		.default_value = "3",
		.text = "Good probes in a row until a device is Healthy again.",
	},
	{
		.name = "forgetAfter",
		.type = SCHEMA_DURATION,
		FIELD(struct config_health, forget_after_ms),
		.min = 0,
		.max = 168 * HOUR_MS,
		.default_value = "10m",
		.text = "How long a device that has disappeared stays listed as Unhealthy; `0s` "
			"drops it at once.",
	},
};

static const struct schema_key labels_keys[] = {
	{
		.name = "families",
		.type = SCHEMA_SET,
		FIELD(struct config_labels, families),
		.values = label_families,
		.min = 1,
		.max = _CONFIG_FAMILY_MAX,
		.default_value = "[neutral, vendor]",
		.text = "Which labels a node gets: `neutral`, Silica's own, spelled alike for "
			"every vendor; `vendor`, those that the tools of each vendor write.",
	},
	{
		.name = "furiosa",
		.type = SCHEMA_ENUM,
		FIELD(struct config_labels, furiosa),
		.values = furiosa_spellings,
		.default_value = "both",
		.text = "Names of Furiosa's labels of versions: those that its tool writes, as in "
			"`furiosa.ai/driver.version` (`code`), those that its manual has, as in "
			"`furiosa.ai/npu.driver.version` (`docs`), or `both`.",
	},
	{
		.name = "betaNames",
		.type = SCHEMA_BOOL,
		FIELD(struct config_labels, beta_names),
		.default_value = "false",
		.text = "Whether the older names under `beta.furiosa.ai/` and `beta.amd.com/` are "
			"written as well.",
	},
};

static const struct schema_key node_keys[] = {
	{
		.name = "removeStartupTaints",
		.type = SCHEMA_BOOL,
		FIELD(struct config_node_extras, remove_startup_taints),
		.default_value = "false",
		.text = "Whether the taint `<domain>/not-ready`, as in `furiosa.ai/not-ready`, is "
			"taken from the node once its capacity has every resource of that domain "
			"for which there are devices.",
	},
	{
		.name = "exclusiveTaints",
		.type = SCHEMA_BOOL,
		FIELD(struct config_node_extras, exclusive_taints),
		.default_value = "false",
		.text = "Whether a node with devices of a resource keeps the taint "
			"`<resource>=exclusive:NoSchedule`, as in "
			"`furiosa.ai/npu=exclusive:NoSchedule`, so that only pods that tolerate it "
			"come there.",
	},
	{
		.name = "condition",
		.type = SCHEMA_BOOL,
		FIELD(struct config_node_extras, condition),
		.default_value = "false",
		.text = "Whether the node has the condition `AcceleratorsHealthy`, which is "
			"`False` while a device is unhealthy.",
	},
	{
		.name = "events",
		.type = SCHEMA_BOOL,
		FIELD(struct config_node_extras, events),
		.default_value = "true",
		.text = "Whether devices that fail and recover, and configurations that are "
			"refused, are recorded as Events of the node.",
	},
};

static const struct schema_key disabled_uuid_item = {
	.name = "disabledDeviceUUIDs.*[]",
	TEXT(struct config_pattern, text),
	.place = offsetof(struct config_pattern, place),
	.check = config_check_word,
};

static const struct schema_key disabled_keys[] = {
	{
		.name = "node",
		TEXT(struct config_disabled, node),
		.check = config_check_node,
	},
	{
		.name = "disabledDeviceUUIDs.*",
		.type = SCHEMA_LIST,
		ITEMS(struct config_disabled, uuids.items, uuids.n),
		.max = CONFIG_PATTERNS_MAX,
		.item = &disabled_uuid_item,
	},
};

static const struct schema_key disabled_item = {
	.name = "disabledDeviceUUIDs.*",
	MAPPING(disabled_keys),
	.size = sizeof(struct config_disabled),
};

static const struct schema_key config_keys[] = {
	{
		.name = "version",
		.type = SCHEMA_ENUM,
		FIELD(struct config_file, config.version),
		.values = versions,
		.required = true,
		.text = "Version of the schema.",
	},
	{
		.name = "drivers",
		MAPPING(drivers_keys),
		FIELD(struct config_file, config.drivers),
		.check = config_check_drivers,
		.text = "Which drivers look for devices.",
	},
	{
		.name = "resources",
		.type = SCHEMA_LIST,
		ITEMS(struct config_file, config.resources, config.n_resources),
		.min = 1,
		.max = CONFIG_RESOURCES_MAX,
		.item = &resource_item,
		.unique = "name",
		.may_repeat = config_may_repeat,
		.text = "Resources of the node; when left out, those below under Defaults.",
	},
	{
		.name = "exclude",
		.type = SCHEMA_LIST,
		ITEMS(struct config_file, config.exclude, config.n_exclude),
		.max = CONFIG_EXCLUDES_MAX,
		.item = &exclude_item,
		.text = "Devices that no resource offers, selected as under `resources[].devices`.",
	},
	{
		.name = "cdi",
		MAPPING(cdi_keys),
		FIELD(struct config_file, config.cdi),
		.default_value = "{}",
		.text = "The Container Device Interface.",
	},
	{
		.name = "health",
		MAPPING(health_keys),
		FIELD(struct config_file, config.health),
		.default_value = "{}",
		.text = "How the health of devices is watched.",
	},
	{
		.name = "rescanInterval",
		.type = SCHEMA_DURATION,
		FIELD(struct config_file, config.rescan_interval_ms),
		.min = 500,
		.max = HOUR_MS,
		.default_value = "5s",
		.text = "Time between two scans for devices that were added or removed; events of "
			"the kernel trigger further ones.",
	},
	{
		.name = "labels",
		MAPPING(labels_keys),
		FIELD(struct config_file, config.labels),
		.default_value = "{}",
		.text = "Labels of the node; see [labels](labels.md).",
	},
	{
		.name = "node",
		MAPPING(node_keys),
		FIELD(struct config_file, config.node),
		.default_value = "{}",
		.text = "What else the labeller keeps on the Node object.",
	},
	{
		.name = "partitioning",
		.type = SCHEMA_ENUM,
		FIELD(struct config_file, furiosa.partitioning),
		.values = partitionings,
		.deprecated = "use 'resources', with 'unit: partition' and 'cores'",
		.text = "How Furiosa's cards are cut.",
	},
	{
		.name = "resourceStrategy",
		.type = SCHEMA_ENUM,
		FIELD(struct config_file, furiosa.strategy),
		.values = strategies,
		.deprecated = "use 'resources', with 'unit: partition' and 'cores'",
		.text = "How Furiosa's cards are cut.",
	},
	{
		.name = "disabledDeviceUUIDs",
		.type = SCHEMA_MAP,
		ITEMS(struct config_file, furiosa.disabled, furiosa.n_disabled),
		.max = CONFIG_DISABLED_MAX,
		.item = &disabled_item,
		.deprecated = "use 'exclude', with 'uuid' and 'nodes'",
		.text = "Furiosa's cards that are not offered, for each node.",
	},
	{
		.name = "disabledDeviceUUIDListMap",
		.type = SCHEMA_MAP,
		ITEMS(struct config_file, furiosa.disabled_list, furiosa.n_disabled_list),
		.max = CONFIG_DISABLED_MAX,
		.item = &disabled_item,
		.deprecated = "use 'exclude', with 'uuid' and 'nodes'",
		.text = "The same.",
	},
	{
		.name = "debugMode",
		.type = SCHEMA_BOOL,
		FIELD(struct config_file, furiosa.debug_mode),
		.default_value = "false",
		.deprecated = "it has no effect; use the option --log-level",
		.text = "Does nothing.",
	},
};

static_assert(ARRAY_SIZE(config_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(resource_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(exclude_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(health_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");

const struct schema_key config_root = {
	.name = "configuration",
	MAPPING(config_keys),
	.size = sizeof(struct config_file),
	.check = config_check_file,
};
