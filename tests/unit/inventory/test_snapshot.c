/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "inventory/snapshot.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define STATES_MAX 8

/*
 * Makes a snapshot from text with three characters and a space per device: ID,
 * version, and '+' for healthy, '!' for unhealthy, '?' for gone.
 */
static struct snapshot *make(uint64_t generation, const char *text)
{
	struct device_state states[STATES_MAX] = { 0 };
	size_t n = (strlen(text) + 1) / 4;
	struct snapshot *snapshot;

	assert_true(n <= STATES_MAX);
	for (size_t i = 0; i < n; i++, text += 4) {
		struct device *device = node_device("0", (size_t)text[0]);

		device->firmware_version[0] = text[1];
		states[i] = (struct device_state) { .device = device,
						    .id = { text[0] },
						    .present = text[2] != '?',
						    .healthy = text[2] == '+' };
	}
	snapshot = snapshot_new(generation, states, n);
	assert_non_null(snapshot);
	while (n > 0)
		device_unref(states[--n].device);
	return snapshot;
}

static void orders_and_finds(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make(7, "C1+ A1+ B1!");
	_cleanup_(snapshot_unrefp) struct snapshot *empty = make(8, "");

	(void)state;
	assert_int_equal(snapshot->generation, 7);
	assert_int_equal(snapshot->n_devices, 3);
	for (size_t i = 0; i < 3; i++) {
		const char id[] = { (char)('A' + i), '\0' };

		assert_string_equal(snapshot->devices[i].id, id);
		assert_ptr_equal(snapshot_find(snapshot, id), &snapshot->devices[i]);
		assert_null(snapshot_find(empty, id));
	}
	assert_false(snapshot_find(snapshot, "B")->healthy);
	assert_null(snapshot_find(snapshot, "D"));
	assert_null(snapshot_find(snapshot, ""));
	assert_int_equal(empty->n_devices, 0);
}

static void counts_references(void **state)
{
	struct device *device = node_device("0", 1);
	struct device_state of_device = { .device = device, .id = "A" };
	struct snapshot *a = snapshot_new(1, &of_device, 1);
	struct snapshot *b = snapshot_new(2, &of_device, 1);

	(void)state;
	assert_int_equal(device->refs, 3);
	assert_ptr_equal(snapshot_ref(a), a);
	snapshot_unref(a);
	assert_int_equal(device->refs, 3);
	snapshot_unref(a);
	assert_int_equal(device->refs, 2);
	snapshot_unref(b);
	snapshot_unref(NULL);
	assert_int_equal(device->refs, 1);
	device_unref(device);
}

/* Writes a change as "+A", "-A", "hA" or "fA". */
static void write_change(void *ctx, const struct change *change)
{
	static const char letters[_CHANGE_MAX] = {
		[CHANGE_ADDED] = '+',
		[CHANGE_REMOVED] = '-',
		[CHANGE_HEALTH] = 'h',
		[CHANGE_FACTS] = 'f',
	};
	const char *id = change->after ? change->after->id : "";
	const char *id_before = change->before ? change->before->id : "";
	char *text = ctx;
	char *end = text + strlen(text);

	assert_int_equal(id[0] == '\0', change->kind == CHANGE_REMOVED);
	assert_int_equal(id_before[0] == '\0', change->kind == CHANGE_ADDED);
	if (change->kind == CHANGE_HEALTH || change->kind == CHANGE_FACTS)
		assert_string_equal(id_before, id);
	end[0] = letters[change->kind];
	end[1] = *(change->after ? id : id_before);
	end[2] = '\0';
}

static void lists_differences(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *changes;
	} cases[] = {
		{ "", "", "" },
		{ "", "A1+ B1+", "+A+B" },
		{ "A1+ B1+", "", "-A-B" },
		{ "A1+ B1+", "A1+ B1+", "" },
		{ "A1+ C1+", "A1+ B1+ C1+ D1+", "+B+D" },
		{ "A1+ B1+ C1+ D1+", "B1+ D1+", "-A-C" },
		{ "A1+", "B1+", "-A+B" },
		{ "A1+ B1+", "A1! B2+", "hAfB" },
		{ "A1! B1+", "A2+ B1+", "fAhA" },
		{ "A1+ B1+", "A1? B1+", "hA" },
		{ "A1! B1+", "A1? B1+", "hA" },
		{ "A1? B1+", "A1+ B1+", "hA" },
		{ "A1! B1+", "A1! B1+", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *before = make(1, cases[i].before);
		_cleanup_(snapshot_unrefp) struct snapshot *after = make(2, cases[i].after);
		char text[64] = "";
		size_t n;

		n = snapshot_diff(before, after, write_change, text);
		assert_string_equal(text, cases[i].changes);
		assert_int_equal(n, strlen(text) / 2);
	}
}

static void takes_null_for_empty(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *after = make(1, "A1+ B1!");
	char text[64] = "";

	(void)state;
	assert_int_equal(snapshot_diff(NULL, after, write_change, text), 2);
	assert_string_equal(text, "+A+B");
}

static void survives_no_memory(void **state)
{
	struct device *device = node_device("0", 1);
	struct device_state of_device = { .device = device, .id = "A" };
	struct snapshot *snapshot;

	(void)state;
	memory_fail_after(0);
	snapshot = snapshot_new(1, &of_device, 1);
	assert_int_equal(memory_restore(), 1);
	assert_null(snapshot);
	assert_int_equal(device->refs, 1);
	device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_and_finds),   cmocka_unit_test(counts_references),
		cmocka_unit_test(lists_differences),  cmocka_unit_test(takes_null_for_empty),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
