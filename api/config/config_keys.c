/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config_keys.h"

#include <assert.h>
#include <string.h>

#include "api/config/config.h"
#include "base/macro.h"

#define SECOND_MS 1000u
#define MINUTE_MS (60u * SECOND_MS)
#define HOUR_MS (60u * MINUTE_MS)

/* Where a value lies in its struct. */
#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

static const char *const versions[] = { [CONFIG_V1] = "v1", NULL };
static const char *const units[] = {
	[CONFIG_UNIT_WHOLE] = "whole",
	[CONFIG_UNIT_PARTITION] = "partition",
	NULL,
};

static_assert(ARRAY_SIZE(versions) == _CONFIG_VERSION_MAX + 1, "every version has a name");
static_assert(ARRAY_SIZE(units) == _CONFIG_UNIT_MAX + 1, "every unit has a name");
static_assert(sizeof(enum config_unit) == sizeof(uint32_t), "SCHEMA_ENUM stores 32 bits");

static int check_name(const void *value, struct error *err)
{
	return resource_name_check(value, err);
}

static int check_word(const void *value, struct error *err)
{
	const char *text = value;

	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return error_set(err, EINVAL,
				 "'%s' has more than lower-case letters, digits and '-'", text);
	return 0;
}

static int check_power_of_two(const void *value, struct error *err)
{
	uint32_t number;

	memcpy(&number, value, sizeof(number));
	if ((number & (number - 1)) != 0)
		return error_set(err, EINVAL, "%u is not a power of two", number);
	return 0;
}

static const struct schema_key devices_keys[] = {
	{
		.name = "vendor",
		.type = SCHEMA_STRING,
		FIELD(struct config_devices, vendor),
		.min = 1,
		.max = CONFIG_WORD_MAX - 1,
		.check = check_word,
		.text = "Name of a driver, as in `furiosa`; any vendor when left out.",
	},
	{
		.name = "product",
		.type = SCHEMA_STRING,
		FIELD(struct config_devices, product),
		.min = 1,
		.max = CONFIG_WORD_MAX - 1,
		.check = check_word,
		.text = "Name of a product, as in `rngd` or `warboy`; any product when left out.",
	},
};

static const struct schema_key resource_keys[] = {
	{
		.name = "name",
		.type = SCHEMA_STRING,
		FIELD(struct config_resource, name),
		.min = 1,
		.max = RESOURCE_NAME_MAX - 1,
		.required = true,
		.check = check_name,
		.text = "Name of the extended resource that pods ask for, as in `furiosa.ai/npu`; "
			"no two resources have the same.",
	},
	{
		.name = "devices",
		.type = SCHEMA_MAPPING,
		FIELD(struct config_resource, devices),
		.default_value = "{}",
		.keys = devices_keys,
		.n_keys = ARRAY_SIZE(devices_keys),
		.text = "Which devices the resource is made of; a device must agree with every key "
			"that is written.",
	},
	{
		.name = "unit",
		.type = SCHEMA_ENUM,
		FIELD(struct config_resource, unit),
		.values = units,
		.default_value = "whole",
		.text = "What one unit of the resource is: a `whole` device, or a `partition` of "
			"its cores.",
	},
	{
		.name = "cores",
		.type = SCHEMA_U32,
		FIELD(struct config_resource, cores),
		.min = 1,
		.max = CONFIG_CORES_MAX,
		.unit = "cores",
		.when = "unit",
		.when_values = 1u << CONFIG_UNIT_PARTITION,
		.check = check_power_of_two,
		.text = "Size of one partition, a power of two.",
	},
};

static const struct schema_key resource_item = {
	.name = "resources[]",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct config_resource),
	.keys = resource_keys,
	.n_keys = ARRAY_SIZE(resource_keys),
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

static const struct schema_key config_keys[] = {
	{
		.name = "version",
		.type = SCHEMA_ENUM,
		FIELD(struct config, version),
		.values = versions,
		.required = true,
		.text = "Version of the schema.",
	},
	{
		.name = "resources",
		.type = SCHEMA_LIST,
		.offset = offsetof(struct config, resources),
		.n_offset = offsetof(struct config, n_resources),
		.min = 1,
		.max = CONFIG_RESOURCES_MAX,
		.item = &resource_item,
		.unique = "name",
		.default_value = "[{name: furiosa.ai/npu, devices: {vendor: furiosa}}]",
		.text = "Resources of the node; a device belongs to the first that matches it.",
	},
	{
		.name = "health",
		.type = SCHEMA_MAPPING,
		FIELD(struct config, health),
		.default_value = "{}",
		.keys = health_keys,
		.n_keys = ARRAY_SIZE(health_keys),
		.text = "How the health of devices is watched.",
	},
	{
		.name = "rescanInterval",
		.type = SCHEMA_DURATION,
		FIELD(struct config, rescan_interval_ms),
		.min = 500,
		.max = HOUR_MS,
		.default_value = "5s",
		.text = "Time between two scans for devices that were added or removed; events of "
			"the kernel trigger further ones.",
	},
};

static_assert(ARRAY_SIZE(config_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(resource_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(devices_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(health_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");

const struct schema_key config_root = {
	.name = "configuration",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct config),
	.keys = config_keys,
	.n_keys = ARRAY_SIZE(config_keys),
};
