/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is unpacked into memory of its own, counted, copied into rows and
 * dropped.  Rows of one container share the text of its names, and neighbours that
 * of their resource; the ID of a device is the end of its key.
 */
#include "api/kubelet/podresources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/podresources.pb-c.h"
#include "api/kubelet/unpack.h"
#include "base/cleanup.h"
#include "base/macro.h"

/* Between resource and device ID in a key; no resource name contains it. */
#define KEY_SEPARATOR '\n'
#define KEY_MAX (PODRESOURCES_RESOURCE_MAX + 1 + PODRESOURCES_DEVICE_ID_MAX)
/* Text is copied out of a message and is no longer than that; a piece of it takes
 * up to 15 bytes more. */
#define TEXT_MAX (PODRESOURCES_MESSAGE_MAX + 64U * PODRESOURCES_HOLDINGS_MAX)

static int unpack_answer(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
			 size_t len, struct unpacked **ret, struct error *err)
{
	int r;

	if (len > PODRESOURCES_MESSAGE_MAX)
		return error_set(err, EMSGSIZE, "%s of %zu bytes, at most %u are allowed",
				 descriptor->short_name, len, PODRESOURCES_MESSAGE_MAX);
	r = unpack(descriptor, PODRESOURCES_MEMORY_MAX, data, len, ret, err);
	if (r == -EINVAL)
		return error_set(err, EBADMSG, "%zu bytes are no %s", len, descriptor->short_name);
	return r;
}

/* Whether @text can be a name at all: graphic ASCII, neither empty nor too long. */
static int check_name(const char *what, const char *text, size_t max, struct error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > max)
		return error_set(err, EBADMSG, "%s of %zu bytes, 1 to %zu are allowed", what, len,
				 max);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return error_set(err, EBADMSG, "%s has a byte 0x%02x", what,
					 (unsigned char)text[i]);
	return 0;
}

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "no memory for the devices of pods");
}

static int copy_name(struct podresources *table, const char *what, const char *text, size_t max,
		     const char **ret, struct error *err)
{
	size_t size = strlen(text) + 1;
	char *copy;
	int r;

	r = check_name(what, text, max, err);
	if (r < 0)
		return r;
	copy = arena_alloc(&table->text, size);
	if (!copy)
		return no_memory(err);
	memcpy(copy, text, size);
	*ret = copy;
	return 0;
}

/* Writes the key of a device into @buf, which has room for it. */
static void write_key(char *buf, const char *resource, size_t resource_len, const char *id,
		      size_t id_len)
{
	memcpy(buf, resource, resource_len);
	buf[resource_len] = KEY_SEPARATOR;
	memcpy(buf + resource_len + 1, id, id_len + 1);
}

static const char *key_of(const void *table, uint32_t row)
{
	return ((const struct podresources_holding *)table)[row].key;
}

/* The row above, if it is of the same container and resource. */
static const struct podresources_holding *above(const struct podresources *table,
						const struct podresources_holding *holder)
{
	const struct podresources_holding *last;

	if (table->n == 0)
		return NULL;
	last = &table->holdings[table->n - 1];
	if (last->container != holder->container || strcmp(last->resource, holder->resource) != 0)
		return NULL;
	return last;
}

/* Adds a row for @holder, whose resource is that of the message. */
static int add_device(struct podresources *table, const struct podresources_holding *holder,
		      const char *id, struct error *err)
{
	const struct podresources_holding *last = above(table, holder);
	struct podresources_holding *row = &table->holdings[table->n];
	size_t resource_len = strlen(holder->resource);
	size_t id_len = strlen(id);
	char *key;
	int r;

	if (id_len > PODRESOURCES_DEVICE_ID_MAX)
		return error_set(err, E2BIG, "device ID of %zu bytes, at most %d are allowed",
				 id_len, PODRESOURCES_DEVICE_ID_MAX);
	if (last && strcmp(last->device_id, id) == 0)
		return 0; /* on another NUMA node */
	*row = *holder;
	if (last) {
		row->resource = last->resource;
	} else {
		r = copy_name(table, "resource name", holder->resource, PODRESOURCES_RESOURCE_MAX,
			      &row->resource, err);
		if (r < 0)
			return r;
	}
	key = arena_alloc(&table->text, resource_len + 1 + id_len + 1);
	if (!key)
		return no_memory(err);
	write_key(key, row->resource, resource_len, id, id_len);
	row->key = key;
	row->device_id = key + resource_len + 1;
	table->n++;
	return 0;
}

static int add_devices(struct podresources *table, struct podresources_holding holder,
		       V1__ContainerDevices *const *devices, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		holder.resource = devices[i]->resource_name;
		for (size_t j = 0; j < devices[i]->n_device_ids; j++) {
			int r = add_device(table, &holder, devices[i]->device_ids[j], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int add_pod(struct podresources *table, const V1__PodResources *pod, struct error *err)
{
	struct podresources_holding holder = { 0 };
	int r;

	r = copy_name(table, "namespace", pod->namespace_, PODRESOURCES_NAMESPACE_MAX,
		      &holder.pod_namespace, err);
	if (r == 0)
		r = copy_name(table, "pod name", pod->name, PODRESOURCES_POD_MAX, &holder.pod_name,
			      err);
	for (size_t i = 0; i < pod->n_containers && r == 0; i++) {
		const V1__ContainerResources *container = pod->containers[i];

		r = copy_name(table, "container name", container->name, PODRESOURCES_CONTAINER_MAX,
			      &holder.container, err);
		if (r == 0)
			r = add_devices(table, holder, container->devices, container->n_devices,
					err);
	}
	return r;
}

static size_t count_ids(V1__ContainerDevices *const *devices, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += devices[i]->n_device_ids;
	return count;
}

static int table_init(struct podresources *table, size_t n, struct error *err)
{
	if (n > PODRESOURCES_HOLDINGS_MAX)
		return error_set(err, E2BIG, "%zu devices in one answer, at most %u are allowed", n,
				 PODRESOURCES_HOLDINGS_MAX);
	table->text = arena_init(TEXT_MAX);
	table->holdings = calloc(n + 1, sizeof(*table->holdings));
	return table->holdings ? 0 : no_memory(err);
}

/* Completes a table whose rows are there, and hands it over. */
static int table_finish(struct podresources *table, struct podresources *ret, struct error *err)
{
	int r = strindex_init(&table->index, table->holdings, table->n, key_of);

	if (r < 0)
		return no_memory(err);
	*ret = *table;
	*table = (struct podresources) { 0 };
	return 0;
}

int podresources_decode_list(const uint8_t *data, size_t len, struct podresources *ret,
			     struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	_cleanup_podresources_ struct podresources table = { 0 };
	const V1__ListPodResourcesResponse *message;
	size_t n = 0;
	int r;

	r = unpack_answer(&v1__list_pod_resources_response__descriptor, data, len, &unpacked, err);
	if (r < 0)
		return r;
	message = (const void *)unpacked->message;
	for (size_t i = 0; i < message->n_pod_resources; i++) {
		const V1__PodResources *pod = message->pod_resources[i];

		for (size_t j = 0; j < pod->n_containers; j++)
			n += count_ids(pod->containers[j]->devices, pod->containers[j]->n_devices);
	}
	r = table_init(&table, n, err);
	for (size_t i = 0; i < message->n_pod_resources && r == 0; i++)
		r = add_pod(&table, message->pod_resources[i], err);
	return r < 0 ? r : table_finish(&table, ret, err);
}

int podresources_decode_allocatable(const uint8_t *data, size_t len, struct podresources *ret,
				    struct error *err)
{
	static const struct podresources_holding nobody = { .pod_namespace = "",
							    .pod_name = "",
							    .container = "" };
	_cleanup_(unpacked_freep) struct unpacked *unpacked = NULL;
	_cleanup_podresources_ struct podresources table = { 0 };
	const V1__AllocatableResourcesResponse *message;
	int r;

	r = unpack_answer(&v1__allocatable_resources_response__descriptor, data, len, &unpacked,
			  err);
	if (r < 0)
		return r;
	message = (const void *)unpacked->message;
	r = table_init(&table, count_ids(message->devices, message->n_devices), err);
	if (r == 0)
		r = add_devices(&table, nobody, message->devices, message->n_devices, err);
	return r < 0 ? r : table_finish(&table, ret, err);
}

const struct podresources_holding *podresources_find(const struct podresources *table,
						     const char *resource, const char *device_id)
{
	size_t resource_len = strlen(resource);
	size_t id_len = strlen(device_id);
	char key[KEY_MAX + 1];
	int64_t row;

	if (resource_len > PODRESOURCES_RESOURCE_MAX || id_len > PODRESOURCES_DEVICE_ID_MAX)
		return NULL;
	write_key(key, resource, resource_len, device_id, id_len);
	row = strindex_find(&table->index, key);
	/* What is asked for may be no name, and its key that of another device. */
	if (row < 0 || strcmp(table->holdings[row].resource, resource) != 0)
		return NULL;
	return &table->holdings[row];
}

static bool is_same_container(const struct podresources_holding *a,
			      const struct podresources_holding *b)
{
	return strcmp(a->container, b->container) == 0 && strcmp(a->pod_name, b->pod_name) == 0 &&
	       strcmp(a->pod_namespace, b->pod_namespace) == 0;
}

bool podresources_next_conflict(const struct podresources *table, size_t *at,
				struct podresources_conflict *ret)
{
	while (*at < table->n) {
		const struct podresources_holding *other = &table->holdings[(*at)++];
		int64_t row = strindex_find(&table->index, other->key);

		if (row >= 0 && !is_same_container(&table->holdings[row], other)) {
			*ret = (struct podresources_conflict) { &table->holdings[row], other };
			return true;
		}
	}
	return false;
}

void podresources_done(struct podresources *table)
{
	int saved_errno = errno;

	strindex_done(&table->index);
	arena_done(&table->text);
	free(table->holdings);
	*table = (struct podresources) { 0 };
	errno = saved_errno;
}
