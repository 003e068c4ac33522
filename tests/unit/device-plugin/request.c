/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device-plugin/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/deviceplugin.pb-c.h"
#include "base/strbuf.h"
#include "drivers/driver.h"
#include "tests/test.h"

#define IDS_MAX 64
#define CONTAINERS_MAX 8
#define CARD_CORES 4

static int probe_file(const struct host *host, const struct device *device, struct error *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/dev/%s.works", host->root, device->name);
	if (access(path, F_OK) < 0)
		return error_set(err, EIO, "it does not work");
	return 0;
}

static const struct driver card_driver = {
	.name = "fake",
	.vendor = "Fake",
	.probe = probe_file,
};

static const struct device_partition card_partitions[] = {
	{ "", "1core", { 0, 0 }, 0 }, { "", "1core", { 1, 1 }, 0 }, { "", "1core", { 2, 2 }, 0 },
	{ "", "1core", { 3, 3 }, 0 }, { "", "2core", { 0, 1 }, 0 }, { "", "2core", { 2, 3 }, 0 },
};

const struct unit_rule request_whole = { .resource = "fake.io/card", .kind = UNIT_WHOLE };
const struct unit_rule request_pairs = { .resource = "fake.io/pair",
					 .kind = UNIT_PARTITION,
					 .cores = 2 };

static struct device *make_card(const struct tree *tree, const char *name)
{
	static const struct {
		const char *suffix;
		bool shared;
		struct core_range cores;
	} files[] = {
		{ "", true, { 0, 0 } },	    { "0", false, { 0, 0 } }, { "1", false, { 1, 1 } },
		{ "2", false, { 2, 2 } },   { "3", false, { 3, 3 } }, { "0-1", false, { 0, 1 } },
		{ "2-3", false, { 2, 3 } },
	};
	struct device_node nodes[ARRAY_SIZE(files)];
	char paths[ARRAY_SIZE(files)][16];
	struct device *device = device_new(&card_driver);

	(void)snprintf(device->name, sizeof(device->name), "%s", name);
	device->cores = CARD_CORES;
	device->partitions = card_partitions;
	device->n_partitions = ARRAY_SIZE(card_partitions);
	device->numa_node = DEVICE_NUMA_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "/dev/%s%s", name, files[i].suffix);
		nodes[i] = (struct device_node) { paths[i], files[i].shared, files[i].cores };
		tree_link(tree, paths[i] + 1, "/dev/null");
	}
	device->core_ranges[0] = (struct core_range) { 0, 1 };
	device->core_ranges[1] = (struct core_range) { 2, 3 };
	device->n_core_ranges = 2;
	assert_int_equal(device_set_nodes(device, nodes, ARRAY_SIZE(files)), 0);
	return device;
}

struct snapshot *request_node(const struct tree *tree)
{
	static const char *const names[] = { "a", "b", "c" };
	struct device_state states[ARRAY_SIZE(names)] = { 0 };
	struct snapshot *snapshot;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "dev/%s.works", names[i]);
		tree_puts(tree, path, "");
		states[i].device = make_card(tree, names[i]);
		(void)snprintf(states[i].id, sizeof(states[i].id), "%c", (char)('A' + i));
		states[i].present = true;
		states[i].healthy = true;
	}
	snapshot = snapshot_new(1, states, ARRAY_SIZE(names));
	assert_non_null(snapshot);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		device_unref(states[i].device);
	return snapshot;
}

struct unit_set *request_units(struct snapshot *snapshot, const struct unit_rule *rule)
{
	const struct unit_plan plan = { .snapshot = snapshot, .rules = rule, .n_rules = 1 };
	struct unit_set *units = NULL;

	assert_int_equal(unit_set_build(&plan, 0, &units, NULL), 0);
	return units;
}

static void on_claimed(void *ctx)
{
	struct request_fixture *fixture = ctx;

	fixture->n_claimed++;
}

int request_setup(void **state)
{
	struct request_fixture *fixture = calloc(1, sizeof(*fixture));
	void *tree;

	if (!fixture || tree_setup(&tree) < 0)
		return -1;
	fixture->tree = tree;
	fixture->snapshot = request_node(fixture->tree);
	fixture->whole = request_units(fixture->snapshot, &request_whole);
	fixture->pairs = request_units(fixture->snapshot, &request_pairs);
	fixture->terms.ways = TERMS_DEVICE_NODES;
	fixture->claims = claims_new(on_claimed, fixture);
	*state = fixture;
	return fixture->claims ? 0 : -1;
}

int request_teardown(void **state)
{
	struct request_fixture *fixture = *state;
	void *tree = fixture->tree;

	claims_free(fixture->claims);
	unit_set_unref(fixture->whole);
	unit_set_unref(fixture->pairs);
	snapshot_unref(fixture->snapshot);
	free(fixture);
	return tree_teardown(&tree);
}

/* Splits @text at spaces, in place. */
static size_t split(char *text, char **ids)
{
	size_t n = 0;

	for (char *id = strsep(&text, " "); id; id = strsep(&text, " "))
		if (*id)
			ids[n++] = id;
	assert_true(n <= IDS_MAX);
	return n;
}

static struct rpc_message pack(const ProtobufCMessage *message)
{
	struct rpc_message packed = { .len = protobuf_c_message_get_packed_size(message) };

	packed.data = malloc(packed.len + 1);
	assert_non_null(packed.data);
	protobuf_c_message_pack(message, packed.data);
	return packed;
}

struct rpc_message request_allocate(const char *text)
{
	V1beta1__AllocateRequest request = V1BETA1__ALLOCATE_REQUEST__INIT;
	V1beta1__ContainerAllocateRequest containers[CONTAINERS_MAX];
	V1beta1__ContainerAllocateRequest *pointers[CONTAINERS_MAX];
	char *ids[CONTAINERS_MAX][IDS_MAX];
	char *copy = strdup(text);
	char *rest = copy;
	struct rpc_message message;

	request.container_requests = pointers;
	for (char *part = strsep(&rest, "|"); part && *text; part = strsep(&rest, "|")) {
		size_t n = request.n_container_requests++;

		assert_true(n < CONTAINERS_MAX);
		v1beta1__container_allocate_request__init(&containers[n]);
		containers[n].devices_ids = ids[n];
		containers[n].n_devices_ids = split(part, ids[n]);
		pointers[n] = &containers[n];
	}
	message = pack(&request.base);
	free(copy);
	return message;
}

struct rpc_message request_pre_start(const char *text)
{
	V1beta1__PreStartContainerRequest request = V1BETA1__PRE_START_CONTAINER_REQUEST__INIT;
	char *copy = strdup(text);
	char *ids[IDS_MAX];
	struct rpc_message message;

	request.n_devices_ids = split(copy, ids);
	request.devices_ids = ids;
	message = pack(&request.base);
	free(copy);
	return message;
}

struct rpc_message request_preferred(const char *available, const char *must_include, int size)
{
	V1beta1__PreferredAllocationRequest request = V1BETA1__PREFERRED_ALLOCATION_REQUEST__INIT;
	V1beta1__ContainerPreferredAllocationRequest container =
		V1BETA1__CONTAINER_PREFERRED_ALLOCATION_REQUEST__INIT;
	V1beta1__ContainerPreferredAllocationRequest *pointers[] = { &container };
	char *copies[] = { strdup(available), strdup(must_include) };
	char *ids[2][IDS_MAX];
	struct rpc_message message;

	container.n_available_deviceids = split(copies[0], ids[0]);
	container.available_deviceids = ids[0];
	container.n_must_include_deviceids = split(copies[1], ids[1]);
	container.must_include_deviceids = ids[1];
	container.allocation_size = size;
	request.container_requests = pointers;
	request.n_container_requests = 1;
	message = pack(&request.base);
	free(copies[0]);
	free(copies[1]);
	return message;
}
