/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/podresources.h"
#include "base/strbuf.h"
#include "tests/test.h"

#define MESSAGE_MAX (2 * PODRESOURCES_MESSAGE_MAX)
#define NPU "furiosa.ai/npu"

/* One ContainerDevices as the kubelet sends them: one ID in each. */
struct row {
	const char *pod_namespace;
	const char *pod_name;
	const char *container;
	const char *resource;
	const char *device_id;
};

/* Appends a field that carries @len bytes, see protobuf's encoding guide. */
static void put_field(struct strbuf *out, unsigned int number, const void *data, size_t len)
{
	uint8_t head[12] = { (uint8_t)(number << 3 | 2) };
	size_t n_head = 1;
	size_t left = len;

	for (; left > 0x7f; left >>= 7)
		head[n_head++] = (uint8_t)((left & 0x7f) | 0x80);
	head[n_head++] = (uint8_t)left;
	strbuf_add(out, head, n_head);
	if (len > 0)
		strbuf_add(out, data, len);
}

static void put_text(struct strbuf *out, unsigned int number, const char *text)
{
	put_field(out, number, text, strlen(text));
}

/* Moves @message into @out as a field. */
static void put_message(struct strbuf *out, unsigned int number, struct strbuf *message)
{
	put_field(out, number, message->data, message->len);
	strbuf_done(message);
}

/* With a TopologyInfo that holds NUMA node 0, which nobody reads. */
static void put_device(struct strbuf *out, unsigned int number, const char *resource,
		       const char *device_id)
{
	static const uint8_t topology[] = { 1 << 3 | 2, 0 };
	struct strbuf device = STRBUF_INIT(MESSAGE_MAX);

	put_text(&device, 1, resource);
	put_text(&device, 2, device_id);
	put_field(&device, 3, topology, sizeof(topology));
	put_message(out, number, &device);
}

static bool is_same_pod(const struct row *a, const struct row *b)
{
	return strcmp(a->pod_namespace, b->pod_namespace) == 0 &&
	       strcmp(a->pod_name, b->pod_name) == 0;
}

/* Appends the container of the first row; gives the number of its rows. */
static size_t put_container(struct strbuf *pod, const struct row *rows, size_t n)
{
	struct strbuf container = STRBUF_INIT(MESSAGE_MAX);
	size_t i = 0;

	put_text(&container, 1, rows[0].container);
	for (; i < n && is_same_pod(rows, &rows[i]) &&
	       strcmp(rows[0].container, rows[i].container) == 0;
	     i++)
		if (rows[i].resource)
			put_device(&container, 2, rows[i].resource, rows[i].device_id);
	put_field(&container, 3, "\x01\x02", 2); /* CPUs */
	put_field(&container, 5, "", 0);	 /* a dynamic resource */
	put_message(pod, 3, &container);
	return i;
}

/* Makes a ListPodResourcesResponse; neighbours of one container stay together. */
static struct strbuf make_list(const struct row *rows, size_t n)
{
	struct strbuf list = STRBUF_INIT(MESSAGE_MAX);

	for (size_t i = 0; i < n;) {
		const struct row *first = &rows[i];
		struct strbuf pod = STRBUF_INIT(MESSAGE_MAX);

		put_text(&pod, 1, first->pod_name);
		put_text(&pod, 2, first->pod_namespace);
		while (i < n && is_same_pod(first, &rows[i]))
			i += put_container(&pod, &rows[i], n - i);
		put_message(&list, 1, &pod);
	}
	assert_int_equal(strbuf_error(&list), 0);
	return list;
}

static int decode_rows(const struct row *rows, size_t n, struct podresources *ret,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf list = make_list(rows, n);

	return podresources_decode_list((const uint8_t *)list.data, list.len, ret, err);
}

static void assert_row(const struct podresources_holding *holding, const struct row *row)
{
	assert_string_equal(holding->pod_namespace, row->pod_namespace);
	assert_string_equal(holding->pod_name, row->pod_name);
	assert_string_equal(holding->container, row->container);
	assert_string_equal(holding->resource, row->resource);
	assert_string_equal(holding->device_id, row->device_id);
}

static void list_is_flat_and_can_be_searched(_unused_ void **state)
{
	static const struct row rows[] = {
		{ "default", "train-0", "main", NPU, "a" },
		{ "default", "train-0", "main", NPU, "b" },
		{ "default", "train-0", "main", "example.com/gpu", "a" },
		{ "default", "train-0", "sidecar", NPU, "c" },
		{ "team-a", "train-0", "main", NPU, "" },
		{ "team-a", "train-1", "main", NPU, "odd \n\x01 id" },
	};
	struct podresources table;
	struct error err = { 0 };

	assert_int_equal(decode_rows(rows, ARRAY_SIZE(rows), &table, &err), 0);
	assert_int_equal(table.n, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_row(&table.holdings[i], &rows[i]);
		assert_ptr_equal(podresources_find(&table, rows[i].resource, rows[i].device_id),
				 &table.holdings[i]);
	}
	podresources_done(&table);
}

static void what_nobody_holds_is_not_found(_unused_ void **state)
{
	static const struct row rows[] = {
		{ "default", "p", "main", NPU, "a" },
		{ "default", "p", "main", "example.com/gpu", "b\nc" },
	};
	static const struct podresources empty = { 0 };
	char long_name[2 * PODRESOURCES_DEVICE_ID_MAX] = { 0 };
	struct podresources table;

	memset(long_name, 'x', sizeof(long_name) - 1);
	assert_int_equal(decode_rows(rows, ARRAY_SIZE(rows), &table, NULL), 0);
	assert_null(podresources_find(&table, NPU, "b"));
	assert_null(podresources_find(&table, "example.com/gpu", "a"));
	assert_null(podresources_find(&table, "", ""));
	/* No resource can be called so, but a caller can say so. */
	assert_null(podresources_find(&table, "example.com/gpu\nb", "c"));
	assert_null(podresources_find(&table, NPU, long_name));
	assert_null(podresources_find(&table, long_name, "a"));
	assert_null(podresources_find(&empty, NPU, "a"));
	podresources_done(&table);
}

static void empty_answers_are_empty_tables(_unused_ void **state)
{
	static const struct row rows[] = {
		{ "default", "p", "main", NULL, NULL },
		{ "default", "p", "other", NULL, NULL },
	};
	struct podresources_conflict conflict;
	struct podresources table;
	size_t at = 0;

	assert_int_equal(podresources_decode_list(NULL, 0, &table, NULL), 0);
	assert_int_equal(table.n, 0);
	assert_null(podresources_find(&table, NPU, "a"));
	assert_false(podresources_next_conflict(&table, &at, &conflict));
	podresources_done(&table);
	/* Containers without devices are no rows. */
	assert_int_equal(decode_rows(rows, ARRAY_SIZE(rows), &table, NULL), 0);
	assert_int_equal(table.n, 0);
	podresources_done(&table);
	podresources_done(&table); /* once more does nothing */
}

/* A device on two NUMA nodes comes twice, one behind the other. */
static void device_of_two_numa_nodes_is_one_row(_unused_ void **state)
{
	static const struct row rows[] = {
		{ "default", "p", "main", NPU, "a" },	  { "default", "p", "main", NPU, "a" },
		{ "default", "p", "main", NPU, "b" },	  { "default", "p", "main", "x.io/b", "b" },
		{ "default", "p", "sidecar", NPU, "c" },  { "default", "p", "sidecar", NPU, "c" },
		{ "default", "other", "main", NPU, "d" },
	};
	static const size_t expected[] = { 0, 2, 3, 4, 6 };
	struct podresources_conflict conflict;
	struct podresources table;
	size_t at = 0;

	assert_int_equal(decode_rows(rows, ARRAY_SIZE(rows), &table, NULL), 0);
	assert_int_equal(table.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_row(&table.holdings[i], &rows[expected[i]]);
	assert_false(podresources_next_conflict(&table, &at, &conflict));
	podresources_done(&table);
}

static void conflicts_name_both_holders(_unused_ void **state)
{
	static const struct row rows[] = {
		{ "default", "p", "main", NPU, "a" },	  { "default", "p", "main", NPU, "b" },
		{ "default", "p", "sidecar", NPU, "a" },  /* another container */
		{ "default", "q", "main", NPU, "b" },	  /* another pod */
		{ "team-a", "p", "main", NPU, "b" },	  /* another namespace */
		{ "team-a", "p", "main", "x.io/b", "b" }, /* another resource */
		{ "default", "p", "main", NPU, "a" },	  /* the first one's successor */
	};
	static const size_t expected[][2] = { { 0, 2 }, { 1, 3 }, { 1, 4 } };
	struct podresources_conflict conflict;
	struct podresources table;
	size_t at = 0;

	assert_int_equal(decode_rows(rows, ARRAY_SIZE(rows), &table, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_true(podresources_next_conflict(&table, &at, &conflict));
		assert_ptr_equal(conflict.first, &table.holdings[expected[i][0]]);
		assert_ptr_equal(conflict.other, &table.holdings[expected[i][1]]);
	}
	assert_false(podresources_next_conflict(&table, &at, &conflict));
	assert_false(podresources_next_conflict(&table, &at, &conflict));
	podresources_done(&table);
}

static void table_can_be_moved(_unused_ void **state)
{
	static const struct row rows[] = { { "default", "p", "main", NPU, "a" } };
	struct podresources table;
	struct podresources moved;

	assert_int_equal(decode_rows(rows, 1, &table, NULL), 0);
	moved = table;
	memset(&table, 0xaa, sizeof(table));
	assert_row(podresources_find(&moved, NPU, "a"), &rows[0]);
	podresources_done(&moved);
}

static void allocatable_devices_are_held_by_nobody(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT(MESSAGE_MAX);
	static const struct row expected[] = {
		{ "", "", "", NPU, "a" },
		{ "", "", "", NPU, "b" },
		{ "", "", "", "example.com/gpu", "a" },
	};
	struct podresources_conflict conflict;
	struct podresources table;
	struct error err = { 0 };
	size_t at = 0;

	put_device(&message, 1, NPU, "a");
	put_device(&message, 1, NPU, "a"); /* on its other NUMA node */
	put_device(&message, 1, NPU, "b");
	put_device(&message, 1, "example.com/gpu", "a");
	put_field(&message, 2, "\x05", 1); /* CPUs */
	assert_int_equal(podresources_decode_allocatable((const uint8_t *)message.data, message.len,
							 &table, &err),
			 0);
	assert_int_equal(table.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_row(&table.holdings[i], &expected[i]);
		assert_ptr_equal(
			podresources_find(&table, expected[i].resource, expected[i].device_id),
			&table.holdings[i]);
	}
	assert_false(podresources_next_conflict(&table, &at, &conflict));
	podresources_done(&table);
}

static void malformed_messages_are_refused(_unused_ void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\x0a", 1 },			   /* a length is missing */
		{ "\x0a\x05\x0a", 3 },		   /* shorter than it says */
		{ "\xff\xff\xff\xff\xff\xff", 6 }, /* no tag */
		{ "\x0a\x02\x0a\x7f", 4 },	   /* inner length past the end */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint8_t *data = (const uint8_t *)cases[i].bytes;
		struct podresources table;
		struct error err = { 0 };

		assert_int_equal(podresources_decode_list(data, cases[i].len, &table, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.msg, "ListPodResourcesResponse"));
		assert_int_equal(podresources_decode_allocatable(data, cases[i].len, &table, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.msg, "AllocatableResourcesResponse"));
	}
}

static void impossible_names_are_refused(_unused_ void **state)
{
	static const struct {
		struct row row;
		const char *text;
	} cases[] = {
		{ { "", "p", "main", NPU, "a" }, "namespace of 0 bytes, 1 to 63 are allowed" },
		{ { "default", "", "main", NPU, "a" }, "pod name of 0 bytes" },
		{ { "default", "p", "", NPU, "a" }, "container name of 0 bytes" },
		{ { "default", "p", "main", "", "a" }, "resource name of 0 bytes" },
		{ { "default", "p q", "main", NPU, "a" }, "pod name has a byte 0x20" },
		{ { "default", "p", "main", "x.io/b\nc", "a" }, "resource name has a byte 0x0a" },
		{ { "default", "p\x1b[2J", "main", NPU, "a" }, "pod name has a byte 0x1b" },
		{ { "default", "p", "m\xc3\xa4in", NPU, "a" }, "container name has a byte 0xc3" },
		{ { "default", "p", "m\x7f", NPU, "a" }, "container name has a byte 0x7f" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct podresources table;
		struct error err = { 0 };

		assert_int_equal(decode_rows(&cases[i].row, 1, &table, &err), -EBADMSG);
		assert_non_null(strstr(err.msg, cases[i].text));
	}
}

static void names_have_a_maximum(_unused_ void **state)
{
	char text[2048];
	const struct {
		struct row row;
		size_t max;
		int code;
	} cases[] = {
		{ { text, "p", "main", NPU, "a" }, PODRESOURCES_NAMESPACE_MAX, -EBADMSG },
		{ { "default", text, "main", NPU, "a" }, PODRESOURCES_POD_MAX, -EBADMSG },
		{ { "default", "p", text, NPU, "a" }, PODRESOURCES_CONTAINER_MAX, -EBADMSG },
		{ { "default", "p", "main", text, "a" }, PODRESOURCES_RESOURCE_MAX, -EBADMSG },
		{ { "default", "p", "main", NPU, text }, PODRESOURCES_DEVICE_ID_MAX, -E2BIG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct row *row = &cases[i].row;
		struct podresources table;

		memset(text, 'x', sizeof(text));
		text[cases[i].max] = '\0';
		assert_int_equal(decode_rows(row, 1, &table, NULL), 0);
		assert_row(podresources_find(&table, row->resource, row->device_id), row);
		podresources_done(&table);
		text[cases[i].max] = 'x';
		text[cases[i].max + 1] = '\0';
		assert_int_equal(decode_rows(row, 1, &table, NULL), cases[i].code);
	}
}

#define FULL_PODS 256
#define FULL_DEVICES 65536

/* 65,536 shares on 256 pods, in IDs and names as long as they come. */
static void full_node_fits(_unused_ void **state)
{
	struct row *rows = calloc(FULL_DEVICES, sizeof(*rows));
	char(*ids)[64] = calloc(FULL_DEVICES, sizeof(*ids));
	char(*pods)[64] = calloc(FULL_PODS, sizeof(*pods));
	struct strbuf list;
	struct podresources table;
	struct error err = { 0 };

	for (size_t i = 0; i < FULL_PODS; i++)
		(void)snprintf(pods[i], sizeof(pods[i]), "inference-server-7d8f9c6b5d-%05zu", i);
	for (size_t i = 0; i < FULL_DEVICES; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]),
			       "GPU-6f1d7b4e-0c3a-4a53-9f5e-2b7f3f9a%04zx-share-%zu", i % 4096,
			       i / 4096);
		rows[i] = (struct row) { "inference", pods[i / (FULL_DEVICES / FULL_PODS)], "main",
					 "silica.example.com/gpu.shared", ids[i] };
	}
	list = make_list(rows, FULL_DEVICES);
	assert_true(list.len > 4U * 1024 * 1024);
	assert_true(list.len < PODRESOURCES_MESSAGE_MAX);
	assert_int_equal(
		podresources_decode_list((const uint8_t *)list.data, list.len, &table, &err), 0);
	assert_int_equal(table.n, FULL_DEVICES);
	for (size_t i = 0; i < FULL_DEVICES; i += 1021)
		assert_row(podresources_find(&table, rows[i].resource, rows[i].device_id),
			   &rows[i]);
	podresources_done(&table);
	strbuf_done(&list);
	free(pods);
	free(ids);
	free(rows);
}

/* A ContainerDevices of @n_ids short IDs, twice. */
static int decode_many(size_t n_ids, struct podresources *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT(MESSAGE_MAX);

	for (int half = 0; half < 2; half++) {
		struct strbuf devices = STRBUF_INIT(MESSAGE_MAX);
		static const char *const ids[] = { "a", "b" };

		put_text(&devices, 1, NPU);
		for (size_t i = 0; i < n_ids; i++)
			put_text(&devices, 2, ids[i % 2]);
		put_message(&message, 1, &devices);
	}
	return podresources_decode_allocatable((const uint8_t *)message.data, message.len, ret,
					       err);
}

static void devices_have_a_maximum(_unused_ void **state)
{
	struct podresources table;
	struct error err = { 0 };

	assert_int_equal(decode_many(PODRESOURCES_HOLDINGS_MAX / 2, &table, &err), 0);
	assert_int_equal(table.n, PODRESOURCES_HOLDINGS_MAX);
	podresources_done(&table);
	assert_int_equal(decode_many(PODRESOURCES_HOLDINGS_MAX / 2 + 1, &table, &err), -E2BIG);
	assert_string_equal(err.msg, "131074 devices in one answer, at most 131072 are allowed");
}

/* Few bytes on the wire can be much memory. */
static void messages_have_a_memory_budget(_unused_ void **state)
{
	struct podresources table;
	struct error err = { 0 };

	assert_int_equal(decode_many(2000 * 1000, &table, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "needs more than 64 MiB of memory"));
}

static void long_messages_are_refused_unread(_unused_ void **state)
{
	uint8_t *data = calloc(1, PODRESOURCES_MESSAGE_MAX + 1);
	struct podresources table;
	struct error err = { 0 };

	assert_int_equal(podresources_decode_list(data, PODRESOURCES_MESSAGE_MAX + 1, &table, &err),
			 -EMSGSIZE);
	assert_non_null(strstr(err.msg, "at most 16777216 are allowed"));
	assert_int_equal(podresources_decode_list(data, PODRESOURCES_MESSAGE_MAX, &table, &err),
			 -EBADMSG); /* what is not too long is read, and is nothing */
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_flat_and_can_be_searched),
		cmocka_unit_test(what_nobody_holds_is_not_found),
		cmocka_unit_test(empty_answers_are_empty_tables),
		cmocka_unit_test(device_of_two_numa_nodes_is_one_row),
		cmocka_unit_test(conflicts_name_both_holders),
		cmocka_unit_test(table_can_be_moved),
		cmocka_unit_test(allocatable_devices_are_held_by_nobody),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(impossible_names_are_refused),
		cmocka_unit_test(names_have_a_maximum),
		cmocka_unit_test(full_node_fits),
		cmocka_unit_test(devices_have_a_maximum),
		cmocka_unit_test(messages_have_a_memory_budget),
		cmocka_unit_test(long_messages_are_refused_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
