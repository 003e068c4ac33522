/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"

/* A device is constant to all who share it, but not to what counts and frees it. */
static void *unconst(const void *object)
{
	union {
		const void *constant;
		void *writable;
	} alias = { .constant = object };

	return alias.writable;
}

static int *refs_of(const struct device *device)
{
	struct device *writable = unconst(device);

	return &writable->refs;
}

struct device *device_new(const struct driver *driver)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->refs = 1;
	device->driver = driver_ref(driver);
	device->architecture = "";
	device->numa_node = DEVICE_NUMA_UNKNOWN;
	device->index = DEVICE_INDEX_UNKNOWN;
	return device;
}

const struct device *device_ref(const struct device *device)
{
	__atomic_add_fetch(refs_of(device), 1, __ATOMIC_RELAXED);
	return device;
}

void device_unref(const struct device *device)
{
	int saved_errno = errno;

	/* Acquire and release: whoever frees must see all that the others did. */
	if (!device || __atomic_sub_fetch(refs_of(device), 1, __ATOMIC_ACQ_REL) > 0)
		return;
	driver_unref(device->driver);
	free(unconst(device->nodes));
	free(unconst(device->facts));
	if (device->partitions_owned)
		free(unconst(device->partitions));
	free(unconst(device));
	errno = saved_errno;
}

void device_cleanupp(struct device **device)
{
	device_unref(*device);
}

/* Copies a text with its NUL to where there is room; returns the place behind it. */
static char *copy_text(char *dst, const char *text)
{
	size_t len = strlen(text) + 1;

	memcpy(dst, text, len);
	return dst + len;
}

int device_set_nodes(struct device *device, const struct device_node *nodes, size_t n)
{
	size_t size = n * sizeof(*nodes);
	struct device_node *copy;
	char *text;

	if (n > DEVICE_NODES_MAX)
		return -E2BIG;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		size += strlen(nodes[i].path) + 1;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	text = (char *)(copy + n);
	for (size_t i = 0; i < n; i++) {
		copy[i] = nodes[i];
		copy[i].path = text;
		text = copy_text(text, nodes[i].path);
	}
	device->nodes = copy;
	device->n_nodes = n;
	return 0;
}

int device_set_partitions(struct device *device, const struct device_partition *partitions,
			  size_t n)
{
	size_t size = n * sizeof(*partitions);
	struct device_partition *copy;
	char *text;

	if (n > DEVICE_PARTITIONS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		size_t id = strlen(partitions[i].id) + 1;
		size_t profile = strlen(partitions[i].profile) + 1;

		if (id > DEVICE_UUID_MAX || profile > DEVICE_PROFILE_MAX)
			return -E2BIG;
		size += id + profile;
	}
	if (n == 0)
		return 0;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	text = (char *)(copy + n);
	for (size_t i = 0; i < n; i++) {
		copy[i] = partitions[i];
		copy[i].id = text;
		text = copy_text(text, partitions[i].id);
		copy[i].profile = text;
		text = copy_text(text, partitions[i].profile);
	}
	device->partitions = copy;
	device->n_partitions = n;
	device->partitions_owned = true;
	return 0;
}

int device_set_facts(struct device *device, const struct device_fact *facts, size_t n)
{
	size_t size = n * sizeof(*facts);
	struct device_fact *copy;
	char *text;

	if (n > DEVICE_FACTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		size_t name = strlen(facts[i].name) + 1, value = strlen(facts[i].value) + 1;

		if (name > DEVICE_FACT_MAX || value > DEVICE_FACT_MAX)
			return -E2BIG;
		size += name + value;
	}
	if (n == 0)
		return 0;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	text = (char *)(copy + n);
	for (size_t i = 0; i < n; i++) {
		copy[i].name = text;
		text = copy_text(text, facts[i].name);
		copy[i].value = text;
		text = copy_text(text, facts[i].value);
	}
	device->facts = copy;
	device->n_facts = n;
	return 0;
}

const char *device_fact(const struct device *device, const char *name)
{
	for (size_t i = 0; i < device->n_facts; i++)
		if (strcmp(device->facts[i].name, name) == 0)
			return device->facts[i].value;
	return NULL;
}

void device_set_fault(struct device *device, const char *fmt, ...)
{
	va_list args;

	if (device->fault[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(device->fault, sizeof(device->fault), fmt, args);
	va_end(args);
}

static bool core_range_equal(struct core_range a, struct core_range b)
{
	return a.first == b.first && a.last == b.last;
}

static bool texts_equal(const struct device *a, const struct device *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->sysfs_path, b->sysfs_path) == 0 &&
	       strcmp(a->bdf, b->bdf) == 0 && strcmp(a->uuid, b->uuid) == 0 &&
	       strcmp(a->serial, b->serial) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
	       strcmp(a->product, b->product) == 0 &&
	       strcmp(a->driver_version, b->driver_version) == 0 &&
	       strcmp(a->firmware_version, b->firmware_version) == 0 &&
	       strcmp(a->link_group, b->link_group) == 0 && strcmp(a->fault, b->fault) == 0;
}

static bool pci_equal(const struct device_pci *a, const struct device_pci *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subsystem_vendor == b->subsystem_vendor &&
	       a->subsystem_device == b->subsystem_device && a->class == b->class &&
	       strcmp(a->path, b->path) == 0;
}

static bool core_ranges_equal(const struct device *a, const struct device *b)
{
	if (a->n_core_ranges != b->n_core_ranges)
		return false;
	for (size_t i = 0; i < a->n_core_ranges; i++)
		if (!core_range_equal(a->core_ranges[i], b->core_ranges[i]))
			return false;
	return true;
}

static bool nodes_equal(const struct device *a, const struct device *b)
{
	if (a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].shared != b->nodes[i].shared ||
		    !core_range_equal(a->nodes[i].cores, b->nodes[i].cores) ||
		    strcmp(a->nodes[i].path, b->nodes[i].path) != 0)
			return false;
	return true;
}

static bool partitions_equal(const struct device *a, const struct device *b)
{
	if (a->n_partitions != b->n_partitions || a->partitioned != b->partitioned)
		return false;
	if (a->partitions == b->partitions)
		return true;
	for (size_t i = 0; i < a->n_partitions; i++) {
		const struct device_partition *left = &a->partitions[i];
		const struct device_partition *right = &b->partitions[i];

		if (!core_range_equal(left->cores, right->cores) ||
		    left->memory_bytes != right->memory_bytes || strcmp(left->id, right->id) != 0 ||
		    strcmp(left->profile, right->profile) != 0)
			return false;
	}
	return true;
}

static bool facts_equal(const struct device *a, const struct device *b)
{
	if (a->n_facts != b->n_facts)
		return false;
	for (size_t i = 0; i < a->n_facts; i++)
		if (strcmp(a->facts[i].name, b->facts[i].name) != 0 ||
		    strcmp(a->facts[i].value, b->facts[i].value) != 0)
			return false;
	return true;
}

bool device_equal(const struct device *a, const struct device *b)
{
	return a->driver == b->driver && a->numa_node == b->numa_node && a->cores == b->cores &&
	       a->memory_bytes == b->memory_bytes && a->index == b->index &&
	       partitions_equal(a, b) && texts_equal(a, b) && pci_equal(&a->pci, &b->pci) &&
	       core_ranges_equal(a, b) && nodes_equal(a, b) && facts_equal(a, b);
}

bool device_has_core_range(const struct device *device, struct core_range range)
{
	for (size_t i = 0; i < device->n_core_ranges; i++)
		if (core_range_equal(device->core_ranges[i], range))
			return true;
	return false;
}

bool core_ranges_overlap(struct core_range a, struct core_range b)
{
	return a.first <= b.last && b.first <= a.last;
}

int device_list_add(struct device_list *list, struct device *device)
{
	if (list->n >= DEVICES_MAX)
		return -E2BIG;
	if (list->n == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 8;
		struct device **devices = reallocarray(list->devices, cap, sizeof(struct device *));

		if (!devices)
			return -ENOMEM;
		list->devices = devices;
		list->cap = cap;
	}
	list->devices[list->n++] = device;
	return 0;
}

void device_list_done(struct device_list *list)
{
	int saved_errno = errno;

	for (size_t i = 0; i < list->n; i++)
		device_unref(list->devices[i]);
	free(list->devices);
	*list = (struct device_list) { 0 };
	errno = saved_errno;
}
