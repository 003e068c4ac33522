/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/inventory/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "tests/test.h"

#define NODE_CARDS_MAX 64
#define NODE_WORD_MAX 32

#define GIB (UINT64_C(1) << 30)

static const struct device_partition partitions[] = {
	{ "", "1core", { 0, 0 }, GIB },	    { "", "1core", { 1, 1 }, GIB },
	{ "", "1core", { 2, 2 }, GIB },	    { "", "1core", { 3, 3 }, GIB },
	{ "", "1core", { 4, 4 }, GIB },	    { "", "1core", { 5, 5 }, GIB },
	{ "", "1core", { 6, 6 }, GIB },	    { "", "1core", { 7, 7 }, GIB },
	{ "", "2core", { 0, 1 }, 2 * GIB }, { "", "2core", { 2, 3 }, 2 * GIB },
	{ "", "2core", { 4, 5 }, 2 * GIB }, { "", "2core", { 6, 7 }, 2 * GIB },
	{ "", "4core", { 0, 3 }, 4 * GIB }, { "", "4core", { 4, 7 }, 4 * GIB },
};

const struct driver node_driver = { .name = "node", .vendor = "Node" };

const struct unit_rule node_whole = { .resource = "node/whole", .kind = UNIT_WHOLE };
const struct unit_rule node_cores_1 = { .resource = "node/1", .kind = UNIT_PARTITION, .cores = 1 };
const struct unit_rule node_cores_2 = { .resource = "node/2", .kind = UNIT_PARTITION, .cores = 2 };
const struct unit_rule node_cores_4 = { .resource = "node/4", .kind = UNIT_PARTITION, .cores = 4 };

static void add_core_ranges(struct device *device)
{
	for (unsigned int size = 1; size <= 4; size *= 2) {
		for (unsigned int first = 0; first < NODE_CORES; first += size)
			device->core_ranges[device->n_core_ranges++] = (struct core_range) {
				.first = (uint8_t)first,
				.last = (uint8_t)(first + size - 1),
			};
	}
}

struct device *node_device(const char *place, size_t number)
{
	struct device *device = device_new(&node_driver);
	const char *root = strchr(place, '/');
	const char *group = strchr(place, '@');

	assert_non_null(device);
	device->numa_node = place[0] == '-' ? DEVICE_NUMA_UNKNOWN : place[0] - '0';
	(void)snprintf(device->name, sizeof(device->name), "npu%zu", number);
	(void)snprintf(device->bdf, sizeof(device->bdf), "0000:%02zx:%02zx.0", number / 32 % 256,
		       number % 32);
	if (root)
		(void)snprintf(device->pci.path, sizeof(device->pci.path), "pci%.*s/%s",
			       (int)strcspn(root + 1, "@"), root + 1, device->bdf);
	if (group)
		assert_int_equal(
			str_copy(device->link_group, sizeof(device->link_group), group + 1), 0);
	assert_int_equal(str_copy(device->product, sizeof(device->product), "rngd"), 0);
	device->cores = NODE_CORES;
	device->partitions = partitions;
	device->n_partitions = ARRAY_SIZE(partitions);
	device->memory_bytes = 8 * GIB;
	add_core_ranges(device);
	return device;
}

/* Cuts the next word off, or returns NULL. */
static const char *next_word(const char *text, char *word)
{
	size_t len = strcspn(text, " ");

	if (len == 0)
		return NULL;
	assert_true(len < NODE_WORD_MAX);
	memcpy(word, text, len);
	word[len] = '\0';
	return text + len + (text[len] == ' ');
}

struct snapshot *node_snapshot(const char *topology)
{
	struct device_state states[NODE_CARDS_MAX] = { 0 };
	struct snapshot *snapshot;
	char word[NODE_WORD_MAX];
	size_t n = 0;

	for (const char *rest = next_word(topology, word); rest; rest = next_word(rest, word)) {
		assert_true(n < NODE_CARDS_MAX);
		states[n] = (struct device_state) { .device = node_device(word, n),
						    .present = true,
						    .healthy = true };
		(void)snprintf(states[n].id, sizeof(states[n].id), n < 26 ? "%c" : "%c%zu",
			       (char)('A' + n % 26), n / 26);
		n++;
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	while (n > 0)
		device_unref(states[--n].device);
	return snapshot;
}

struct unit_set *node_units(struct snapshot *snapshot, const struct unit_rule *rule)
{
	const struct unit_plan plan = { .snapshot = snapshot, .rules = rule, .n_rules = 1 };
	struct unit_set *set = NULL;

	assert_int_equal(unit_set_build(&plan, 0, &set, NULL), 0);
	return set;
}
