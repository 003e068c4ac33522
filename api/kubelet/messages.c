/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubelet/messages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/deviceplugin.pb-c.h"
#include "api/kubelet/kubelet.h"
#include "api/kubelet/pluginregistration.pb-c.h"
#include "api/kubelet/unpack.h"
#include "base/cleanup.h"
#include "base/macro.h"

/* Bytes for what a message is put together from; above what the kubelet takes (4 MiB)
 * by a factor, as an element's struct is larger than what it becomes. */
#define ANSWER_MEMORY_MAX (64 * 1024 * 1024)

/* The kubelet compares these words byte by byte. */
static char healthy_word[] = "Healthy";
static char unhealthy_word[] = "Unhealthy";

/* What the requests of a kubelet may take. */
static int unpack_request(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
			  size_t len, struct unpacked **ret, struct error *err)
{
	return unpack(descriptor, KUBELET_REQUEST_MEMORY_MAX, data, len, ret, err);
}

static int pack(const ProtobufCMessage *message, struct rpc_message *ret)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *data = malloc(MAX(len, (size_t)1));

	if (!data)
		return -ENOMEM;
	protobuf_c_message_pack(message, data);
	*ret = (struct rpc_message) { .data = data, .len = len };
	return 0;
}

static size_t varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

/* Size of a field with a number below 16 that carries @len bytes. */
static size_t field_size(size_t len)
{
	return 1 + varint_size(len) + len;
}

size_t kubelet_device_list_size_max(size_t n, kubelet_device_fn get, const void *ctx)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		struct kubelet_device device = get(ctx, i);
		size_t size = field_size(strlen(device.id)) + field_size(strlen(unhealthy_word));

		if (device.numa_node >= 0) {
			/* Node 0 is the default of its field, which is left out. */
			size_t node = device.numa_node > 0
					      ? 1 + varint_size((uint64_t)device.numa_node)
					      : 0;

			size += field_size(field_size(node));
		}
		total += field_size(size);
	}
	return total;
}

/* One TopologyInfo serves all devices of a NUMA node. */
struct topology {
	V1beta1__TopologyInfo info;
	V1beta1__NUMANode node;
	V1beta1__NUMANode *nodes[1];
};

static void topology_init(struct topology *topology, int numa_node)
{
	v1beta1__topology_info__init(&topology->info);
	v1beta1__numanode__init(&topology->node);
	topology->node.id = numa_node;
	topology->nodes[0] = &topology->node;
	topology->info.nodes = topology->nodes;
	topology->info.n_nodes = 1;
}

/* Kernels number NUMA nodes up to 1023 (CONFIG_NODES_SHIFT is at most 10). */
#define NUMA_NODES_MAX 1024

static int max_numa_node(size_t n, kubelet_device_fn get, const void *ctx)
{
	int max = -1;

	for (size_t i = 0; i < n; i++)
		max = MAX(max, get(ctx, i).numa_node);
	return MIN(max, NUMA_NODES_MAX - 1);
}

int kubelet_encode_device_list(size_t n, kubelet_device_fn get, const void *ctx,
			       struct rpc_message *ret)
{
	V1beta1__ListAndWatchResponse list = V1BETA1__LIST_AND_WATCH_RESPONSE__INIT;
	int max_node = max_numa_node(n, get, ctx);
	_cleanup_free_ struct topology *topologies =
		calloc((size_t)max_node + 2, sizeof(*topologies));
	_cleanup_free_ V1beta1__Device *devices = calloc(n + 1, sizeof(*devices));
	_cleanup_free_ V1beta1__Device **pointers = calloc(n + 1, sizeof(*pointers));

	if (!topologies || !devices || !pointers)
		return -ENOMEM;
	for (int node = 0; node <= max_node; node++)
		topology_init(&topologies[node], node);
	for (size_t i = 0; i < n; i++) {
		struct kubelet_device device = get(ctx, i);

		v1beta1__device__init(&devices[i]);
		devices[i].id = (char *)(uintptr_t)device.id;
		devices[i].health = device.healthy ? healthy_word : unhealthy_word;
		if (device.numa_node >= 0 && device.numa_node <= max_node)
			devices[i].topology = &topologies[device.numa_node].info;
		pointers[i] = &devices[i];
	}
	list.devices = pointers;
	list.n_devices = n;
	return pack(&list.base, ret);
}

int kubelet_encode_options(struct rpc_message *ret)
{
	V1beta1__DevicePluginOptions options = V1BETA1__DEVICE_PLUGIN_OPTIONS__INIT;

	options.get_preferred_allocation_available = 1;
	return pack(&options.base, ret);
}

int kubelet_encode_register(const char *endpoint, const char *resource, struct rpc_message *ret)
{
	V1beta1__RegisterRequest request;
	V1beta1__DevicePluginOptions options = V1BETA1__DEVICE_PLUGIN_OPTIONS__INIT;
	char version[] = KUBELET_DEVICE_PLUGIN_VERSION;

	v1beta1__register_request__init(&request);
	options.get_preferred_allocation_available = 1;
	request.version = version;
	request.endpoint = (char *)(uintptr_t)endpoint;
	request.resource_name = (char *)(uintptr_t)resource;
	request.options = &options;
	return pack(&request.base, ret);
}

int kubelet_encode_plugin_info(const char *resource, struct rpc_message *ret)
{
	Pluginregistration__PluginInfo info;
	char type[] = KUBELET_PLUGIN_TYPE;
	char version[] = KUBELET_DEVICE_PLUGIN_VERSION;
	char *versions[] = { version };

	pluginregistration__plugin_info__init(&info);
	info.type = type;
	info.name = (char *)(uintptr_t)resource;
	info.supported_versions = versions;
	info.n_supported_versions = ARRAY_SIZE(versions);
	return pack(&info.base, ret);
}

int kubelet_decode_registration_status(const uint8_t *data, size_t len, bool *ret_registered,
				       char *text, size_t size, struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	const Pluginregistration__RegistrationStatus *status;
	int r;

	r = unpack_request(&pluginregistration__registration_status__descriptor, data, len,
			   &unpacked, err);
	if (r < 0)
		return r;
	status = (const void *)unpacked->message;
	*ret_registered = status->plugin_registered;
	(void)snprintf(text, size, "%s", status->error);
	return 0;
}

/* Makes an array of a row for each of @n containers, in the memory of the message. */
static int add_rows(struct unpacked *unpacked, size_t n, size_t row_size, void *ret_rows,
		    struct error *err)
{
	void *rows;

	if (n > KUBELET_CONTAINERS_MAX)
		return error_set(err, E2BIG,
				 "%zu containers in one request, at most %d are allowed", n,
				 KUBELET_CONTAINERS_MAX);
	rows = arena_alloc(&unpacked->arena, n * row_size);
	if (!rows)
		return error_set(err, ENOMEM, "no memory for %zu containers", n);
	*(void **)ret_rows = rows;
	return 0;
}

int kubelet_decode_allocate(const uint8_t *data, size_t len, struct kubelet_allocate_request *ret,
			    struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	const V1beta1__AllocateRequest *message;
	struct kubelet_ids *rows;
	size_t n;
	int r;

	r = unpack_request(&v1beta1__allocate_request__descriptor, data, len, &unpacked, err);
	if (r < 0)
		return r;
	message = (const void *)unpacked->message;
	n = message->n_container_requests;
	r = add_rows(unpacked, n, sizeof(*rows), &rows, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct kubelet_ids) { message->container_requests[i]->devices_ids,
						 message->container_requests[i]->n_devices_ids };
	*ret = (struct kubelet_allocate_request) { rows, n, TAKE_PTR(unpacked) };
	return 0;
}

int kubelet_decode_pre_start(const uint8_t *data, size_t len, struct kubelet_allocate_request *ret,
			     struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	const V1beta1__PreStartContainerRequest *message;
	struct kubelet_ids *row;
	int r;

	r = unpack_request(&v1beta1__pre_start_container_request__descriptor, data, len, &unpacked,
			   err);
	if (r < 0)
		return r;
	message = (const void *)unpacked->message;
	r = add_rows(unpacked, 1, sizeof(*row), &row, err);
	if (r < 0)
		return r;
	*row = (struct kubelet_ids) { message->devices_ids, message->n_devices_ids };
	*ret = (struct kubelet_allocate_request) { row, 1, TAKE_PTR(unpacked) };
	return 0;
}

void kubelet_allocate_request_done(struct kubelet_allocate_request *request)
{
	unpacked_free(request->message);
	*request = (struct kubelet_allocate_request) { 0 };
}

/* The protobuf-c objects of one container's answer, in blocks. */
/* The generated structs want pointers to what may be written; nothing is. */
static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Takes an array of pointers to @n fresh elements of @size bytes each. */
static void *take_rows(struct arena *arena, size_t n, size_t size)
{
	char *rows = arena_alloc(arena, n * size + 1);
	char **pointers = arena_alloc(arena, (n + 1) * sizeof(*pointers));

	if (!rows || !pointers)
		return NULL;
	for (size_t i = 0; i < n; i++)
		pointers[i] = rows + i * size;
	return pointers;
}

static int put_devices(struct arena *arena, const struct kubelet_allocation *allocation,
		       V1beta1__ContainerAllocateResponse *ret)
{
	ret->n_devices = allocation->n_devices;
	ret->devices = take_rows(arena, ret->n_devices, sizeof(**ret->devices));
	for (size_t i = 0; ret->devices && i < ret->n_devices; i++) {
		const struct kubelet_device_spec *device = &allocation->devices[i];

		v1beta1__device_spec__init(ret->devices[i]);
		ret->devices[i]->container_path = text_of(device->path);
		ret->devices[i]->host_path = text_of(device->path);
		ret->devices[i]->permissions = text_of(device->permissions);
	}
	return ret->devices ? 0 : -ENOMEM;
}

static int put_mounts(struct arena *arena, const struct kubelet_allocation *allocation,
		      V1beta1__ContainerAllocateResponse *ret)
{
	ret->n_mounts = allocation->n_mounts;
	ret->mounts = take_rows(arena, ret->n_mounts, sizeof(**ret->mounts));
	for (size_t i = 0; ret->mounts && i < ret->n_mounts; i++) {
		const struct kubelet_mount *mount = &allocation->mounts[i];

		v1beta1__mount__init(ret->mounts[i]);
		ret->mounts[i]->container_path = text_of(mount->container_path);
		ret->mounts[i]->host_path = text_of(mount->host_path);
		ret->mounts[i]->read_only = mount->read_only;
	}
	return ret->mounts ? 0 : -ENOMEM;
}

static int put_envs(struct arena *arena, const struct kubelet_allocation *allocation,
		    V1beta1__ContainerAllocateResponse *ret)
{
	ret->n_envs = allocation->n_envs;
	ret->envs = take_rows(arena, ret->n_envs, sizeof(**ret->envs));
	for (size_t i = 0; ret->envs && i < ret->n_envs; i++) {
		v1beta1__container_allocate_response__envs_entry__init(ret->envs[i]);
		ret->envs[i]->key = text_of(allocation->envs[i].key);
		ret->envs[i]->value = text_of(allocation->envs[i].value);
	}
	return ret->envs ? 0 : -ENOMEM;
}

static int put_annotations(struct arena *arena, const struct kubelet_allocation *allocation,
			   V1beta1__ContainerAllocateResponse *ret)
{
	ret->n_annotations = allocation->n_annotations;
	ret->annotations = take_rows(arena, ret->n_annotations, sizeof(**ret->annotations));
	for (size_t i = 0; ret->annotations && i < ret->n_annotations; i++) {
		v1beta1__container_allocate_response__annotations_entry__init(ret->annotations[i]);
		ret->annotations[i]->key = text_of(allocation->annotations[i].key);
		ret->annotations[i]->value = text_of(allocation->annotations[i].value);
	}
	return ret->annotations ? 0 : -ENOMEM;
}

static int put_cdi_devices(struct arena *arena, const struct kubelet_allocation *allocation,
			   V1beta1__ContainerAllocateResponse *ret)
{
	ret->n_cdi_devices = allocation->n_cdi_devices;
	ret->cdi_devices = take_rows(arena, ret->n_cdi_devices, sizeof(**ret->cdi_devices));
	for (size_t i = 0; ret->cdi_devices && i < ret->n_cdi_devices; i++) {
		v1beta1__cdidevice__init(ret->cdi_devices[i]);
		ret->cdi_devices[i]->name = text_of(allocation->cdi_devices[i]);
	}
	return ret->cdi_devices ? 0 : -ENOMEM;
}

static int put_container(struct arena *arena, const struct kubelet_allocation *allocation,
			 V1beta1__ContainerAllocateResponse *ret)
{
	static int (*const puts[])(struct arena * arena,
				   const struct kubelet_allocation *allocation,
				   V1beta1__ContainerAllocateResponse *ret) = {
		put_devices, put_mounts, put_envs, put_annotations, put_cdi_devices,
	};
	int r = 0;

	v1beta1__container_allocate_response__init(ret);
	for (size_t i = 0; i < ARRAY_SIZE(puts) && r == 0; i++)
		r = puts[i](arena, allocation, ret);
	return r;
}

int kubelet_encode_allocations(const struct kubelet_allocation *containers, size_t n,
			       struct rpc_message *ret)
{
	V1beta1__AllocateResponse response = V1BETA1__ALLOCATE_RESPONSE__INIT;
	struct arena arena = arena_init(ANSWER_MEMORY_MAX);
	int r;

	response.n_container_responses = n;
	response.container_responses = take_rows(&arena, n, sizeof(**response.container_responses));
	r = response.container_responses ? 0 : -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++)
		r = put_container(&arena, &containers[i], response.container_responses[i]);
	if (r == 0)
		r = pack(&response.base, ret);
	arena_done(&arena);
	return r;
}

static int read_preference(const V1beta1__ContainerPreferredAllocationRequest *message,
			   struct kubelet_preference *ret, struct error *err)
{
	if (message->allocation_size < 0)
		return error_set(err, EINVAL, "allocation_size is %d, it cannot be negative",
				 message->allocation_size);
	*ret = (struct kubelet_preference) {
		.available = { message->available_deviceids, message->n_available_deviceids },
		.must_include = { message->must_include_deviceids,
				  message->n_must_include_deviceids },
		.size = (size_t)message->allocation_size,
	};
	return 0;
}

int kubelet_decode_preferred(const uint8_t *data, size_t len, struct kubelet_preferred_request *ret,
			     struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	const V1beta1__PreferredAllocationRequest *message;
	struct kubelet_preference *rows;
	size_t n;
	int r;

	r = unpack_request(&v1beta1__preferred_allocation_request__descriptor, data, len, &unpacked,
			   err);
	if (r < 0)
		return r;
	message = (const void *)unpacked->message;
	n = message->n_container_requests;
	r = add_rows(unpacked, n, sizeof(*rows), &rows, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_preference(message->container_requests[i], &rows[i], err);
	if (r < 0)
		return r;
	*ret = (struct kubelet_preferred_request) { rows, n, TAKE_PTR(unpacked) };
	return 0;
}

void kubelet_preferred_request_done(struct kubelet_preferred_request *request)
{
	unpacked_free(request->message);
	*request = (struct kubelet_preferred_request) { 0 };
}

int kubelet_encode_preferred(const struct kubelet_ids *containers, size_t n,
			     struct rpc_message *ret)
{
	V1beta1__PreferredAllocationResponse response =
		V1BETA1__PREFERRED_ALLOCATION_RESPONSE__INIT;
	_cleanup_free_ V1beta1__ContainerPreferredAllocationResponse *messages =
		calloc(n + 1, sizeof(*messages));
	_cleanup_free_ V1beta1__ContainerPreferredAllocationResponse **pointers =
		calloc(n + 1, sizeof(*pointers));

	if (!messages || !pointers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		v1beta1__container_preferred_allocation_response__init(&messages[i]);
		messages[i].deviceids = (char **)(uintptr_t)containers[i].ids;
		messages[i].n_deviceids = containers[i].n;
		pointers[i] = &messages[i];
	}
	response.container_responses = pointers;
	response.n_container_responses = n;
	return pack(&response.base, ret);
}
