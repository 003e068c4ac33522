/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "inventory/identity.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define CARDS_MAX 6
#define N_MANY 5000

struct card {
	const char *uuid;
	const char *serial;
	const char *bdf;
};

static struct device *make(const struct card *card)
{
	struct device *device = node_device("0", 0);

	assert_int_equal(str_copy(device->uuid, sizeof(device->uuid), card->uuid), 0);
	assert_int_equal(str_copy(device->serial, sizeof(device->serial), card->serial), 0);
	assert_int_equal(str_copy(device->bdf, sizeof(device->bdf), card->bdf), 0);
	return device;
}

static void release(const struct device **devices, size_t n)
{
	while (n > 0)
		device_unref(devices[--n]);
}

static void assigns_ids(void **state)
{
	static const struct {
		struct card cards[CARDS_MAX];
		const char *ids[CARDS_MAX];
	} cases[] = {
		{ { { "U1", "S1", "b1" } }, { "U1" } },
		{ { { "", "S1", "b1" } }, { "S1" } },
		{ { { "", "", "b1" } }, { "b1" } },
		{ { { "", "", "" } }, { "" } },
		/* Zeros, in every form seen. */
		{ { { "00000000-0000-0000-0000-000000000000", "S1", "b1" } }, { "S1" } },
		{ { { "0", "00000", "b1" } }, { "b1" } },
		{ { { "-", "--", "b1" } }, { "b1" } },
		{ { { "0000000a", "S1", "b1" } }, { "0000000a" } },
		/* Characters that have no place in an ID. */
		{ { { "U 1", "S1", "b1" } }, { "S1" } },
		{ { { "U/1", "S\"1", "b1" } }, { "b1" } },
		{ { { "U\n1", "S\xc3\xa9", "b,1" } }, { "" } },
		{ { { "GPU-a.b_c:d", "S1", "b1" } }, { "GPU-a.b_c:d" } },
		/* It would be a partition of another card. */
		{ { { "U1_cores_0-1", "S1", "b1" }, { "U1", "S2", "b2" } }, { "S1", "U1" } },
		/* Claimed by two. */
		{ { { "U1", "S1", "b1" }, { "U1", "S2", "b2" } }, { "S1", "S2" } },
		{ { { "U1", "S1", "b1" }, { "U1", "", "b2" } }, { "S1", "b2" } },
		{ { { "U1", "S1", "b1" }, { "U1", "S1", "b2" }, { "U2", "S1", "b3" } },
		  { "b1", "b2", "U2" } },
		/* Across the levels. */
		{ { { "X", "S1", "b1" }, { "", "X", "b2" } }, { "S1", "b2" } },
		{ { { "b2", "S1", "b1" }, { "", "", "b2" } }, { "S1", "" } },
		{ { { "X", "X", "b1" } }, { "X" } },
		/* One address for two. */
		{ { { "", "", "b1" }, { "", "", "b1" } }, { "b1", "" } },
		{ { { "", "", "b1" }, { "", "S2", "b1" }, { "", "", "b1" } }, { "b1", "S2", "" } },
		{ { { "U1", "S1", "b1" }, { "U1", "S1", "b1" } }, { "b1", "" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device *devices[CARDS_MAX];
		char ids[CARDS_MAX][DEVICE_ID_MAX] = { 0 };
		size_t n = 0;

		for (; n < CARDS_MAX && cases[i].cards[n].uuid; n++)
			devices[n] = make(&cases[i].cards[n]);
		assert_int_equal(identity_assign(devices, n, ids), 0);
		for (size_t j = 0; j < n; j++)
			assert_string_equal(ids[j], cases[i].ids[j]);
		release(devices, n);
	}
}

static void keeps_ids(void **state)
{
	static const struct {
		struct card cards[CARDS_MAX];
		const char *before[CARDS_MAX];
		const char *after[CARDS_MAX];
	} cases[] = {
		/* The second card with that UUID comes later. */
		{ { { "U1", "S1", "b1" }, { "U1", "S2", "b2" } }, { "U1", "" }, { "U1", "S2" } },
		{ { { "U1", "", "b1" }, { "U1", "", "b2" } }, { "", "U1" }, { "b1", "U1" } },
		/* The first one has gone for good, and the other's ID stays. */
		{ { { "U1", "S1", "b1" } }, { "S1" }, { "S1" } },
		/* A card that no longer tells its UUID, and one that claims it. */
		{ { { "", "", "b1" }, { "U1", "", "b2" } }, { "U1", "" }, { "U1", "b2" } },
		{ { { "", "", "b1" }, { "", "", "b2" } }, { "b2", "" }, { "b2", "" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device *devices[CARDS_MAX];
		char ids[CARDS_MAX][DEVICE_ID_MAX] = { 0 };
		size_t n = 0;

		for (; n < CARDS_MAX && cases[i].cards[n].uuid; n++) {
			devices[n] = make(&cases[i].cards[n]);
			assert_int_equal(str_copy(ids[n], sizeof(ids[n]), cases[i].before[n]), 0);
		}
		assert_int_equal(identity_assign(devices, n, ids), 0);
		for (size_t j = 0; j < n; j++)
			assert_string_equal(ids[j], cases[i].after[j]);
		release(devices, n);
	}
}

/* A listed device: its ID, what it told, and whether it is present. */
struct listed {
	const char *id;
	struct card card;
	bool present;
};

static struct snapshot *make_listed(const struct listed *listed)
{
	struct device_state states[CARDS_MAX] = { 0 };
	const struct device *devices[CARDS_MAX];
	struct snapshot *snapshot;
	size_t n = 0;

	for (; n < CARDS_MAX && listed[n].id; n++) {
		devices[n] = make(&listed[n].card);
		states[n].device = devices[n];
		states[n].present = listed[n].present;
		assert_int_equal(str_copy(states[n].id, sizeof(states[n].id), listed[n].id), 0);
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	release(devices, n);
	return snapshot;
}

static const struct {
	struct listed listed[CARDS_MAX];
	struct card found[CARDS_MAX];
	const char *ids[CARDS_MAX]; /* NULL: a new device */
} recognition_cases[] = {
	{ { { 0 } }, { { "U1", "S1", "b1" } }, { NULL } },
	/* By UUID or serial number, wherever it is, gone or not. */
	{ { { "U1", { "U1", "S1", "b1" }, true } }, { { "U1", "S1", "b1" } }, { "U1" } },
	{ { { "U1", { "U1", "S1", "b1" }, true } }, { { "U1", "S1", "b9" } }, { "U1" } },
	{ { { "U1", { "U1", "S1", "b1" }, false } }, { { "U1", "S1", "b9" } }, { "U1" } },
	{ { { "S1", { "", "S1", "b1" }, false } }, { { "", "S1", "b9" } }, { "S1" } },
	{ { { "S1", { "", "S1", "b1" }, false } }, { { "U1", "S1", "b9" } }, { "S1" } },
	{ { { "U1", { "", "", "b1" }, false } }, { { "U1", "S1", "b1" } }, { "U1" } },
	/* Unless it contradicts. */
	{ { { "U1", { "U1", "S1", "b1" }, false } }, { { "U1", "S2", "b1" } }, { NULL } },
	{ { { "S1", { "U1", "S1", "b1" }, true } }, { { "U2", "S1", "b1" } }, { NULL } },
	/* By place while it is there, also when it no longer tells who it is. */
	{ { { "U1", { "U1", "S1", "b1" }, true } }, { { "", "", "b1" } }, { "U1" } },
	{ { { "U1", { "U1", "", "b1" }, true } }, { { "0000", "", "b1" } }, { "U1" } },
	{ { { "b1", { "", "", "b1" }, true } }, { { "U1", "", "b1" } }, { "b1" } },
	{ { { "U1", { "U1", "S1", "b1" }, true } }, { { "U2", "S1", "b1" } }, { NULL } },
	{ { { "U1", { "U1", "S1", "b1" }, true } }, { { "", "S2", "b1" } }, { NULL } },
	/* Not by place after it has gone, unless it never told more. */
	{ { { "U1", { "U1", "S1", "b1" }, false } }, { { "", "", "b1" } }, { NULL } },
	{ { { "b1", { "", "", "b1" }, false } }, { { "U1", "", "b1" } }, { NULL } },
	{ { { "b1", { "", "", "b1" }, false } }, { { "", "", "b1" } }, { "b1" } },
	{ { { "b1", { "U1", "", "b1" }, false } }, { { "U1", "", "b1" } }, { "b1" } },
	{ { { "b1", { "", "", "b1" }, false } }, { { "", "", "b2" } }, { NULL } },
	{ { { "b1", { "", "", "b1" }, false } }, { { "", "", "" } }, { NULL } },
	/* The card moved, and another took its place. */
	{ { { "U1", { "U1", "", "b1" }, true } },
	  { { "", "", "b1" }, { "U1", "", "b2" } },
	  { NULL, "U1" } },
	{ { { "U1", { "U1", "", "b1" }, true }, { "U2", { "U2", "", "b2" }, true } },
	  { { "U2", "", "b1" }, { "U1", "", "b2" } },
	  { "U2", "U1" } },
	{ { { "U1", { "U1", "", "b1" }, false }, { "U2", { "U2", "", "b1" }, true } },
	  { { "U1", "", "b1" } },
	  { "U1" } },
	/* Two cards with one UUID: whichever is where it was. */
	{ { { "S1", { "U1", "S1", "b1" }, true }, { "S2", { "U1", "S2", "b2" }, false } },
	  { { "U1", "S1", "b1" }, { "U1", "S2", "b2" } },
	  { "S1", "S2" } },
	{ { { "U1", { "U1", "", "b1" }, true } },
	  { { "U1", "", "b2" }, { "U1", "", "b1" } },
	  { NULL, "U1" } },
	{ { { "U1", { "U1", "", "b1" }, false } },
	  { { "U1", "", "b2" }, { "U1", "", "b3" } },
	  { NULL, NULL } },
	/* No state is given twice. */
	{ { { "b1", { "", "", "b1" }, true } },
	  { { "", "", "b1" }, { "", "", "b1" } },
	  { "b1", NULL } },
};

static void recognises(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recognition_cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *listed =
			make_listed(recognition_cases[i].listed);
		const struct card *cards = recognition_cases[i].found;
		const struct device_state *states[CARDS_MAX];
		const struct device *found[CARDS_MAX];
		size_t n = 0;

		for (; n < CARDS_MAX && cards[n].uuid; n++)
			found[n] = make(&cards[n]);
		assert_int_equal(identity_recognise(listed, found, n, states), 0);
		for (size_t j = 0; j < n; j++) {
			const char *id = recognition_cases[i].ids[j];

			assert_string_equal(states[j] ? states[j]->id : "new", id ? id : "new");
		}
		release(found, n);
	}
}

static void tells_drivers_apart(void **state)
{
	static const struct listed card[] = { { "U1", { "U1", "S1", "b1" }, true }, { 0 } };
	_cleanup_(snapshot_unrefp) struct snapshot *listed = make_listed(card);
	static const struct driver other = { .name = "other" };
	const struct device_state *states[1];
	const struct device *found[1];
	struct device *device;

	(void)state;
	device = make(&card[0].card);
	device->driver = &other;
	found[0] = device;
	assert_int_equal(identity_recognise(listed, found, 1, states), 0);
	assert_null(states[0]);
	release(found, 1);
}

/* Every UUID is claimed by two, so that all go by their address. */
static void names_many(void **state)
{
	static const struct device *devices[N_MANY];
	static char ids[N_MANY][DEVICE_ID_MAX];

	(void)state;
	for (size_t i = 0; i < N_MANY; i++) {
		struct device *device = node_device("0", i);

		(void)snprintf(device->uuid, sizeof(device->uuid), "U%zu", i / 2);
		(void)snprintf(device->bdf, sizeof(device->bdf), "b%zu", i);
		devices[i] = device;
	}
	assert_int_equal(identity_assign(devices, N_MANY, ids), 0);
	for (size_t i = 0; i < N_MANY; i++)
		assert_string_equal(ids[i], devices[i]->bdf);
	release(devices, N_MANY);
}

static void survives_no_memory(void **state)
{
	static const struct listed card[] = { { "U1", { "U1", "S1", "b1" }, true }, { 0 } };
	_cleanup_(snapshot_unrefp) struct snapshot *listed = make_listed(card);
	const struct device *device = make(&card[0].card);
	const struct device_state *states[1];
	size_t n_failed = 1;
	size_t n_tries = 0;

	(void)state;
	while (n_failed > 0) {
		char ids[1][DEVICE_ID_MAX] = { "" };
		int assigned;
		int recognised;

		memory_fail_after(n_tries);
		assigned = identity_assign(&device, 1, ids);
		n_failed = memory_restore();
		assert_int_equal(assigned, n_failed > 0 ? -ENOMEM : 0);
		assert_string_equal(ids[0], n_failed > 0 ? "" : "U1");

		memory_fail_after(n_tries);
		recognised = identity_recognise(listed, &device, 1, states);
		n_failed += memory_restore();
		assert_int_equal(recognised, n_failed > 0 ? -ENOMEM : 0);
		n_tries++;
	}
	assert_true(n_tries > 3);
	device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assigns_ids), cmocka_unit_test(keeps_ids),
		cmocka_unit_test(recognises),  cmocka_unit_test(tells_drivers_apart),
		cmocka_unit_test(names_many),  cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
