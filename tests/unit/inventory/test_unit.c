/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "inventory/unit.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define TEXT_MAX 512
#define N_CARDS 7500

/* IDs of a set with one space between them; '!' behind an unhealthy one. */
static const char *list_units(const struct unit_set *set, char *text)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < set->n_units; i++) {
		len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%s%s", i > 0 ? " " : "",
					set->units[i].id, set->units[i].healthy ? "" : "!");
		assert_true(len < TEXT_MAX);
	}
	return text;
}

static void cuts_cards(void **state)
{
	static const struct {
		const char *topology;
		const struct unit_rule *rule;
		const char *ids;
	} cases[] = {
		{ "", &node_whole, "" },
		{ "", &node_cores_1, "" },
		{ "0", &node_whole, "A" },
		{ "0", &node_cores_4, "A_cores_0-3 A_cores_4-7" },
		{ "0", &node_cores_2, "A_cores_0-1 A_cores_2-3 A_cores_4-5 A_cores_6-7" },
		{ "0", &node_cores_1,
		  "A_cores_0 A_cores_1 A_cores_2 A_cores_3 A_cores_4 A_cores_5 A_cores_6 "
		  "A_cores_7" },
		/* NUMA node, PCI path, ID. */
		{ "1 0 - 0", &node_whole, "C B D A" },
		{ "0/b 0/a/y 0/a/x 0/a/y", &node_whole, "C B D A" },
		{ "1/a 0/b", &node_cores_4, "B_cores_0-3 B_cores_4-7 A_cores_0-3 A_cores_4-7" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot(cases[i].topology);
		_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(node, cases[i].rule);
		char text[TEXT_MAX];

		assert_string_equal(list_units(set, text), cases[i].ids);
		assert_ptr_equal(set->rule, cases[i].rule);
		for (size_t j = 0; j < set->n_units; j++) {
			const struct unit *unit = &set->units[j];

			assert_ptr_equal(unit_set_find(set, unit->id), unit);
			assert_memory_equal(unit->id, unit_state(set, unit)->id, 1);
		}
		assert_null(unit_set_find(set, "Z"));
		assert_null(unit_set_find(set, ""));
	}
}

static void gives_cores(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0");
	_cleanup_(unit_set_unrefp) struct unit_set *whole = node_units(node, &node_whole);
	_cleanup_(unit_set_unrefp) struct unit_set *pairs = node_units(node, &node_cores_2);

	(void)state;
	assert_int_equal(whole->units[0].cores.first, 0);
	assert_int_equal(whole->units[0].cores.last, NODE_CORES - 1);
	assert_int_equal(pairs->units[3].cores.first, 6);
	assert_int_equal(pairs->units[3].cores.last, 7);
}

/* A card of 64 cores with a long ID: nothing is cut off. */
static void writes_longest_id(void **state)
{
	struct device *device = node_device("0", 0);
	struct device_state of_device = { .device = device };
	_cleanup_(snapshot_unrefp) struct snapshot *node = NULL;
	_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
	char expected[UNIT_ID_MAX];

	(void)state;
	device->cores = DEVICE_CORES_MAX;
	memset(of_device.id, 'x', DEVICE_ID_MAX - 1);
	node = snapshot_new(1, &of_device, 1);
	set = node_units(node, &node_cores_4);
	(void)snprintf(expected, sizeof(expected), "%s_cores_60-63", of_device.id);
	assert_int_equal(set->n_units, 16);
	assert_string_equal(set->units[15].id, expected);
	device_unref(device);
}

/* "A" works, "B" is unhealthy, and two of the cores of "C" cannot be opened as a pair. */
static struct snapshot *make_ailing(void)
{
	struct device_state states[3] = { 0 };
	struct snapshot *snapshot;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct device *device = node_device("0", i);

		states[i] = (struct device_state) { .device = device,
						    .id = { (char)('A' + i) },
						    .present = true,
						    .healthy = i != 1 };
		if (i == 2)
			device->core_ranges[NODE_CORES + 1] = device->core_ranges[NODE_CORES];
	}
	assert_int_equal(str_copy(states[1].reason, HEALTH_REASON_MAX, "it burns"), 0);
	assert_int_equal(str_copy(states[2].reason, HEALTH_REASON_MAX, "healthy again"), 0);
	snapshot = snapshot_new(1, states, ARRAY_SIZE(states));
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		device_unref(states[i].device);
	return snapshot;
}

static void follows_health(void **state)
{
	static const struct {
		const struct unit_rule *rule;
		const char *ids;
	} cases[] = {
		{ &node_whole, "A B! C" },
		{ &node_cores_2,
		  "A_cores_0-1 A_cores_2-3 A_cores_4-5 A_cores_6-7 B_cores_0-1! B_cores_2-3! "
		  "B_cores_4-5! B_cores_6-7! C_cores_0-1 C_cores_2-3! C_cores_4-5 C_cores_6-7" },
		{ &node_cores_4,
		  "A_cores_0-3 A_cores_4-7 B_cores_0-3! B_cores_4-7! C_cores_0-3 C_cores_4-7" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = make_ailing();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(node, cases[i].rule);
		char text[TEXT_MAX];

		assert_string_equal(list_units(set, text), cases[i].ids);
	}
}

static void gives_reasons(void **state)
{
	static const struct {
		const char *id;
		const char *reason;
	} cases[] = {
		{ "A_cores_2-3", "" },
		{ "B_cores_2-3", "it burns" },
		{ "C_cores_0-1", "" },
		{ "C_cores_2-3", "cores 2-3 cannot be opened as one" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = make_ailing();
	_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(node, &node_cores_2);
	char text[HEALTH_REASON_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct unit *unit = unit_set_find(set, cases[i].id);

		assert_non_null(unit);
		assert_string_equal(unit_reason(set, unit, text, sizeof(text)), cases[i].reason);
	}
	assert_string_equal(unit_reason(set, unit_set_find(set, "B_cores_0-1"), text, 4), "it ");
}

static void matches_rules(void **state)
{
	static const struct {
		struct unit_rule rule;
		bool matches;
	} cases[] = {
		{ { .vendor = NULL }, true },
		{ { .vendor = "node" }, true },
		{ { .vendor = "furiosa" }, false },
		{ { .product = "rngd" }, true },
		{ { .product = "rngd-s" }, false },
		{ { .product = "rng" }, false },
		{ { .vendor = "node", .product = "rngd" }, true },
		{ { .vendor = "other", .product = "rngd" }, false },
	};
	_cleanup_(device_cleanupp) struct device *device = node_device("0", 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(unit_rule_matches(&cases[i].rule, device), cases[i].matches);
}

static void fits_sizes(void **state)
{
	static const unsigned int none[] = { 0 };
	static const unsigned int odd[] = { 2, 3, 0 };
	static const struct {
		enum unit_kind kind;
		unsigned int cores;
		const unsigned int *sizes; /* NULL: those of the node's cards */
		unsigned int device_cores;
		const char *msg; /* NULL: it fits */
	} cases[] = {
		{ UNIT_WHOLE, 0, NULL, 8, NULL },
		{ UNIT_WHOLE, 3, none, 0, NULL },
		{ UNIT_PARTITION, 1, NULL, 8, NULL },
		{ UNIT_PARTITION, 4, NULL, 8, NULL },
		{ UNIT_PARTITION, 2, odd, 8, NULL },
		{ UNIT_PARTITION, 3, NULL, 8,
		  "device 'npu0' cannot be cut into partitions of 3 cores; sizes are 1, 2, 4" },
		{ UNIT_PARTITION, 8, NULL, 8,
		  "device 'npu0' cannot be cut into partitions of 8 cores; sizes are 1, 2, 4" },
		{ UNIT_PARTITION, 0, NULL, 8,
		  "device 'npu0' cannot be cut into partitions of 0 cores; sizes are 1, 2, 4" },
		{ UNIT_PARTITION, 3, odd, 8,
		  "device 'npu0' cannot be cut into partitions of 3 cores; sizes are 2" },
		{ UNIT_PARTITION, 4, NULL, 2,
		  "device 'npu0' cannot be cut into partitions of 4 cores; sizes are 1, 2" },
		{ UNIT_PARTITION, 1, none, 8, "device 'npu0' cannot be cut into partitions" },
		{ UNIT_PARTITION, 1, NULL, 0, "device 'npu0' cannot be cut into partitions" },
		{ UNIT_PARTITION, 1, NULL, 128, "device 'npu0' cannot be cut into partitions" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(device_cleanupp) struct device *device = node_device("0", 0);
		struct unit_rule rule = { .kind = cases[i].kind, .cores = cases[i].cores };
		struct error err = { 0 };

		device->cores = cases[i].device_cores;
		if (cases[i].sizes)
			device->partition_cores = cases[i].sizes;
		assert_int_equal(unit_rule_fits(&rule, device, &err), cases[i].msg ? -EINVAL : 0);
		assert_string_equal(err.msg, cases[i].msg ? cases[i].msg : "");
	}
}

/* A device belongs to the first rule that matches it, even if it does not fit there. */
static void gives_device_to_first_rule(void **state)
{
	static const struct unit_rule rules[] = {
		{ .resource = "x/0", .product = "other" },
		{ .resource = "x/1", .product = "rngd", .kind = UNIT_PARTITION, .cores = 4 },
		{ .resource = "x/2", .vendor = "node" },
		{ .resource = "x/3" },
	};
	static const unsigned int none[] = { 0 };
	static const char *const expected[] = { "", "A_cores_0-3 A_cores_4-7", "C", "" };
	struct device_state states[3] = { 0 };
	_cleanup_(snapshot_unrefp) struct snapshot *node = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct device *device = node_device("0", i);

		states[i] = (struct device_state) { .device = device,
						    .id = { (char)('A' + i) },
						    .healthy = true };
		if (i == 1)
			device->partition_cores = none;
		if (i == 2)
			device->product[0] = 'x';
	}
	node = snapshot_new(1, states, ARRAY_SIZE(states));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
		char text[TEXT_MAX];

		assert_int_equal(unit_set_build(node, rules, ARRAY_SIZE(rules), i, &set, NULL), 0);
		assert_string_equal(list_units(set, text), expected[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		device_unref(states[i].device);
}

static void compares_sets(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool equal;
	} cases[] = {
		{ "0 1", "0 1", true },
		{ "0/x/y 0/x/z", "0/x/y 0/x/z", true },
		{ "0/x 0/y", "0/y 0/x", true }, /* other places, other order */
		{ "0 1", "1 0", false },
		{ "0", "-", false },
		{ "0", "0 0", false },
		{ "", "", true },
		{ "", "0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *left = node_snapshot(cases[i].a);
		_cleanup_(snapshot_unrefp) struct snapshot *right = node_snapshot(cases[i].b);
		_cleanup_(unit_set_unrefp) struct unit_set *a = node_units(left, &node_whole);
		_cleanup_(unit_set_unrefp) struct unit_set *b = node_units(right, &node_whole);

		assert_int_equal(unit_set_equal(a, b), cases[i].equal);
		assert_int_equal(unit_set_equal(b, a), cases[i].equal);
	}
}

static void compares_health_and_kind(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *well = node_snapshot("0 0 0");
	_cleanup_(snapshot_unrefp) struct snapshot *ailing = make_ailing();
	_cleanup_(unit_set_unrefp) struct unit_set *a = node_units(well, &node_whole);
	_cleanup_(unit_set_unrefp) struct unit_set *b = node_units(ailing, &node_whole);
	_cleanup_(unit_set_unrefp) struct unit_set *c = node_units(well, &node_cores_4);
	_cleanup_(unit_set_unrefp) struct unit_set *d = node_units(ailing, &node_cores_4);

	(void)state;
	assert_false(unit_set_equal(a, b));
	assert_false(unit_set_equal(a, c));
	assert_false(unit_set_equal(c, d));
	assert_true(unit_set_equal(b, b));
}

static void counts_references(void **state)
{
	struct snapshot *node = node_snapshot("0");
	struct unit_set *set = node_units(node, &node_cores_1);

	(void)state;
	assert_int_equal(node->refs, 2);
	snapshot_unref(node);
	assert_ptr_equal(unit_set_ref(set), set);
	unit_set_unref(set);
	assert_string_equal(unit_state(set, &set->units[0])->id, "A");
	unit_set_unref(set);
	unit_set_unref(NULL);
}

/* A snapshot of @n equal cards, which share one device. */
static struct snapshot *make_many(size_t n)
{
	struct device *device = node_device("0/a", 0);
	struct device_state *states = calloc(n, sizeof(*states));
	struct snapshot *snapshot;

	assert_non_null(states);
	for (size_t i = 0; i < n; i++) {
		states[i].device = device;
		states[i].healthy = true;
		(void)snprintf(states[i].id, sizeof(states[i].id), "card-%05zu", i);
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	free(states);
	device_unref(device);
	return snapshot;
}

static void cuts_many_cards(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *node = make_many(N_CARDS);
	_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(node, &node_cores_1);

	(void)state;
	assert_int_equal(set->n_units, N_CARDS * NODE_CORES);
	for (size_t i = 0; i < set->n_units; i++) {
		char id[UNIT_ID_MAX];

		(void)snprintf(id, sizeof(id), "card-%05zu_cores_%zu", i / NODE_CORES,
			       i % NODE_CORES);
		assert_string_equal(set->units[i].id, id);
		assert_ptr_equal(unit_set_find(set, id), &set->units[i]);
	}
}

static void refuses_too_many(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *most = make_many(UNITS_MAX / NODE_CORES);
	_cleanup_(snapshot_unrefp) struct snapshot *more = make_many(UNITS_MAX / NODE_CORES + 1);
	_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
	struct unit_set *none = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(unit_set_build(most, &node_cores_1, 1, 0, &set, &err), 0);
	assert_int_equal(set->n_units, UNITS_MAX);
	assert_int_equal(unit_set_build(more, &node_cores_1, 1, 0, &none, &err), -E2BIG);
	assert_null(none);
	assert_string_equal(err.msg, "'node/1' has 262152 units, more than 262144");
}

static void survives_no_memory(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0");
	size_t n_failed = 1;
	size_t n_tries;

	(void)state;
	for (n_tries = 0; n_failed > 0; n_tries++) {
		struct error err = { 0 };
		struct unit_set *set = NULL;
		int r;

		memory_fail_after(n_tries);
		r = unit_set_build(node, &node_cores_1, 1, 0, &set, &err);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 0);
		assert_int_equal(err.code, n_failed > 0 ? ENOMEM : 0);
		assert_int_equal(!set, n_failed > 0);
		unit_set_unref(set);
		assert_int_equal(node->refs, 1);
	}
	assert_true(n_tries > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_cards),	     cmocka_unit_test(gives_cores),
		cmocka_unit_test(writes_longest_id), cmocka_unit_test(follows_health),
		cmocka_unit_test(gives_reasons),     cmocka_unit_test(matches_rules),
		cmocka_unit_test(fits_sizes),	     cmocka_unit_test(gives_device_to_first_rule),
		cmocka_unit_test(compares_sets),     cmocka_unit_test(compares_health_and_kind),
		cmocka_unit_test(counts_references), cmocka_unit_test(cuts_many_cards),
		cmocka_unit_test(refuses_too_many),  cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
