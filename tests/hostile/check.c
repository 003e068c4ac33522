/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/hostile/check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/driver.h"
#include "drivers/sysfs.h"

#define NUMA_MAX 1023

static bool is_range(struct core_range range, unsigned int cores)
{
	return range.first <= range.last && range.last < cores;
}

static bool are_texts_good(const struct device *device)
{
	const char *const texts[] = {
		device->name,
		device->uuid,
		device->serial,
		device->product,
		device->architecture,
		device->driver_version,
		device->firmware_version,
		device->link_group,
		device->fault,
		device->sysfs_path,
		device->pci.path,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!str_is_printable(texts[i]))
			return false;
	return device->name[0] != '\0';
}

static bool is_place_good(const struct device *device)
{
	char bdf[DEVICE_BDF_MAX];

	if (device->sysfs_path[0] == '/' || strstr(device->sysfs_path, ".."))
		return false;
	return device->bdf[0] == '\0' ||
	       (pci_bdf_parse(device->bdf, bdf) == 0 && strcmp(device->bdf, bdf) == 0);
}

static bool are_identities_good(const struct device *device)
{
	return (device->uuid[0] == '\0' || sysfs_is_id(device->uuid)) &&
	       (device->serial[0] == '\0' || sysfs_is_id(device->serial));
}

static bool is_product_good(const struct device *device)
{
	return device->product[0] == '\0' ||
	       sysfs_consists_of(device->product, SYSFS_LETTERS SYSFS_DIGITS "-._");
}

static bool are_numbers_good(const struct device *device)
{
	return device->numa_node >= DEVICE_NUMA_UNKNOWN && device->numa_node <= NUMA_MAX &&
	       device->index >= DEVICE_INDEX_UNKNOWN && device->pci.class <= 0xffffff &&
	       device->cores <= DEVICE_CORES_MAX;
}

static bool are_nodes_good(const struct device *device)
{
	if (device->n_nodes > DEVICE_NODES_MAX)
		return false;
	for (size_t i = 0; i < device->n_nodes; i++) {
		const struct device_node *node = &device->nodes[i];

		if (!str_starts_with(node->path, "/dev/") || strstr(node->path, "..") ||
		    !str_is_printable(node->path))
			return false;
		if (!node->shared && !is_range(node->cores, DEVICE_CORES_MAX))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(node->path, device->nodes[k].path) == 0)
				return false;
	}
	return true;
}

static bool is_partition_good(const struct device_partition *partition, unsigned int cores)
{
	return partition->id && partition->profile && str_is_printable(partition->id) &&
	       str_is_printable(partition->profile) && partition->profile[0] != '\0' &&
	       is_range(partition->cores, cores);
}

static bool are_partitions_good(const struct device *device)
{
	if (device->n_partitions > DEVICE_PARTITIONS_MAX)
		return false;
	for (size_t i = 0; i < device->n_partitions; i++) {
		const struct core_range *cores = &device->partitions[i].cores;

		if (!is_partition_good(&device->partitions[i], device->cores))
			return false;
		for (size_t k = 0; k < i; k++)
			if (memcmp(cores, &device->partitions[k].cores, sizeof(*cores)) == 0)
				return false;
	}
	return true;
}

static bool are_core_ranges_good(const struct device *device)
{
	if (device->n_core_ranges > DEVICE_CORE_RANGES_MAX)
		return false;
	for (size_t i = 0; i < device->n_core_ranges; i++)
		if (!is_range(device->core_ranges[i], device->cores))
			return false;
	return true;
}

const char *check_device(const struct device *device)
{
	static const struct {
		bool (*is_good)(const struct device *device);
		const char *wrong;
	} rules[] = {
		{ are_texts_good, "a text is not printable, or there is no name" },
		{ is_place_good, "a place that is none" },
		{ are_identities_good, "an identity with characters that no ID has" },
		{ is_product_good, "a product that is no word" },
		{ are_numbers_good, "a number out of range" },
		{ are_nodes_good, "device files that are none" },
		{ are_partitions_good, "partitions that are none, or the same twice" },
		{ are_core_ranges_good, "core ranges that are none" },
	};

	if (!device->driver)
		return "no driver";
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].is_good(device))
			return rules[i].wrong;
	return NULL;
}

static bool are_readings_good(const struct device_readings *readings)
{
	return isfinite(readings->temperature_celsius) && isfinite(readings->power_watts) &&
	       isfinite(readings->memory_used_bytes) && !(readings->utilization_ratio > 1);
}

const char *check_answers(const struct host *host, const struct device *device)
{
	struct device_readings readings = device_readings_none();
	struct error err = { 0 };
	int r = device->driver->probe(host, device, &err);

	if (r > 0 || (r < 0 && err.msg[0] == '\0'))
		return "a probe that gives no reason";
	if (!str_is_printable(err.msg))
		return "a reason that is not printable";
	r = device->driver->measure ? device->driver->measure(host, device, &readings, &err) : 0;
	if (r > 0 || (r == 0 && !are_readings_good(&readings)))
		return "a reading that is no number";
	return NULL;
}
