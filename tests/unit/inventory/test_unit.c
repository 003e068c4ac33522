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
		assert_string_equal(set->rule.resource, cases[i].rule->resource);
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

/* A card of 64 cores with a long ID, and many shares: nothing is cut off. */
static void writes_longest_id(void **state)
{
	static const struct device_partition last = { "", "4core", { 60, 63 }, 0 };
	static const struct unit_rule rule = { .resource = "node/share",
					       .kind = UNIT_PARTITION,
					       .shares = UNIT_SHARES_MAX };
	struct device *device = node_device("0", 0);
	struct device_state of_device = { .device = device };
	_cleanup_(snapshot_unrefp) struct snapshot *node = NULL;
	_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
	char expected[UNIT_ID_MAX];

	(void)state;
	device->cores = DEVICE_CORES_MAX;
	device->partitions = &last;
	device->partitioned = true;
	device->n_partitions = 1;
	memset(of_device.id, 'x', DEVICE_ID_MAX - 1);
	node = snapshot_new(1, &of_device, 1);
	set = node_units(node, &rule);
	(void)snprintf(expected, sizeof(expected), "%s_cores_60-63::9999", of_device.id);
	assert_int_equal(set->n_units, UNIT_SHARES_MAX);
	assert_string_equal(set->units[UNIT_SHARES_MAX - 1].id, expected);
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

#define PATTERNS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static void matches_patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool matches;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "?", "", false },
		{ "?", "a", true },
		{ "rngd", "rngd", true },
		{ "rngd", "rngd-s", false },
		{ "rng", "rngd", false },
		{ "rngd*", "rngd-s", true },
		{ "*-s", "rngd-s", true },
		{ "*-s", "rngd-ss", false },
		{ "*-s", "rngd-sx", false },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "acb", false },
		{ "**", "x", true },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "*ab", "aab", true },
		{ "Rngd", "rngd", false },
		{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(unit_pattern_matches(cases[i].pattern, cases[i].text),
				 cases[i].matches);
}

static void matches_rules(void **state)
{
	const struct {
		struct unit_rule rule;
		bool matches;
	} cases[] = {
		{ { .resource = "x" }, true },
		{ { .select = { .vendors = PATTERNS("node") } }, true },
		{ { .select = { .vendors = PATTERNS("furiosa") } }, false },
		{ { .select = { .vendors = PATTERNS("furiosa", "no*") } }, true },
		{ { .select = { .products = PATTERNS("rngd") } }, true },
		{ { .select = { .products = PATTERNS("rngd-s") } }, false },
		{ { .select = { .architectures = PATTERNS("test") } }, true },
		{ { .select = { .architectures = PATTERNS("other") } }, false },
		{ { .select = { .bdfs = PATTERNS("0000:00:*") } }, true },
		{ { .select = { .bdfs = PATTERNS("0000:01:*") } }, false },
		{ { .select = { .uuids = PATTERNS("uuid-?") } }, true },
		{ { .select = { .uuids = PATTERNS("serial") } }, true },
		{ { .select = { .uuids = PATTERNS("other") } }, false },
		{ { .select = { .vendors = PATTERNS("node"), .products = PATTERNS("x") } }, false },
		{ { .product = "rngd", .architecture = "test" }, true },
		{ { .product = "rngd*" }, false },
		{ { .architecture = "other" }, false },
	};
	_cleanup_(device_cleanupp) struct device *device = node_device("0", 0);

	(void)state;
	device->architecture = "test";
	assert_int_equal(str_copy(device->uuid, sizeof(device->uuid), "uuid-1"), 0);
	assert_int_equal(str_copy(device->serial, sizeof(device->serial), "serial"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(unit_rule_matches(&cases[i].rule, device), cases[i].matches);
}

static void fits_kinds(void **state)
{
	static const struct {
		struct unit_rule rule;
		bool partitioned;
		size_t n_partitions; /* the first ones of the node's cards */
		const char *msg;     /* NULL: it fits */
	} cases[] = {
		{ { .kind = UNIT_WHOLE }, false, 14, NULL },
		{ { .kind = UNIT_WHOLE }, false, 0, NULL },
		{ { .kind = UNIT_WHOLE },
		  true,
		  10,
		  "device 'npu0' is cut into partitions (1core, 2core)" },
		{ { .kind = UNIT_WHOLE },
		  true,
		  0,
		  "device 'npu0' is cut into partitions (none is made yet)" },
		{ { .kind = UNIT_PARTITION, .cores = 1 }, false, 14, NULL },
		{ { .kind = UNIT_PARTITION, .cores = 4 }, false, 14, NULL },
		{ { .kind = UNIT_PARTITION, .cores = 3 },
		  false,
		  14,
		  "device 'npu0' has no partitions of 3 cores; there are: 1core, 2core, 4core" },
		{ { .kind = UNIT_PARTITION, .cores = 4 },
		  false,
		  9,
		  "device 'npu0' has no partitions of 4 cores; there are: 1core, 2core" },
		{ { .kind = UNIT_PARTITION, .profile = "2core" }, false, 14, NULL },
		{ { .kind = UNIT_PARTITION, .profile = "?core" }, true, 14, NULL },
		{ { .kind = UNIT_PARTITION, .profile = "1g.*" },
		  false,
		  8,
		  "device 'npu0' has no partitions '1g.*'; there are: 1core" },
		{ { .kind = UNIT_PARTITION }, true, 14, NULL },
		{ { .kind = UNIT_PARTITION },
		  false,
		  8,
		  "device 'npu0' is not cut by its hardware; say which partitions: 1core" },
		{ { .kind = UNIT_PARTITION, .cores = 1 },
		  false,
		  0,
		  "device 'npu0' cannot be cut into partitions" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(device_cleanupp) struct device *device = node_device("0", 0);
		struct error err = { 0 };

		device->partitioned = cases[i].partitioned;
		device->n_partitions = cases[i].n_partitions;
		assert_int_equal(unit_rule_fits(&cases[i].rule, device, &err),
				 cases[i].msg ? -EINVAL : 0);
		assert_string_equal(err.msg, cases[i].msg ? cases[i].msg : "");
	}
}

/* Units of each of @n_rules rules, as list_units() writes them. */
static void assert_divided(struct snapshot *node, const struct unit_rule *rules, size_t n_rules,
			   const char *const *expected)
{
	const struct unit_plan plan = { .snapshot = node, .rules = rules, .n_rules = n_rules };

	for (size_t i = 0; i < n_rules; i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
		char text[TEXT_MAX];

		if (!rules[i].resource)
			continue;
		assert_int_equal(unit_set_build(&plan, i, &set, NULL), 0);
		assert_string_equal(list_units(set, text), expected[i]);
	}
}

/* Each part of a device belongs to the first rule that takes it. */
static void gives_parts_to_first_rule(void **state)
{
	const struct unit_rule rules[] = {
		{ .resource = "x/0", .select = { .products = PATTERNS("other") } },
		{ .select = { .bdfs = PATTERNS("0000:00:03.0") } }, /* withheld */
		{ .resource = "x/1",
		  .select = { .bdfs = PATTERNS("0000:00:00.0") },
		  .kind = UNIT_PARTITION,
		  .profile = "4core" },
		{ .resource = "x/2", .kind = UNIT_PARTITION, .cores = 3 },
		{ .resource = "x/3",
		  .select = { .bdfs = PATTERNS("0000:00:0[01].0", "0000:00:01.0") },
		  .kind = UNIT_WHOLE },
		{ .resource = "x/4", .kind = UNIT_PARTITION, .profile = "?core" },
		{ .resource = "x/5" },
	};
	static const char *const expected[] = {
		"",
		NULL,
		"A_cores_0-3 A_cores_4-7",
		"",
		"B",
		"C_cores_0 C_cores_1 C_cores_2 C_cores_3 C_cores_4 C_cores_5 C_cores_6 C_cores_7",
		"",
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0 0 0");

	(void)state;
	assert_divided(node, rules, ARRAY_SIZE(rules), expected);
}

/* What the hardware has cut goes to partitions, by profile; the rest stays whole. */
static void divides_hardware_partitions(void **state)
{
	static const struct device_partition partitions[] = {
		{ "MIG-a", "1g.10gb", { 0, 0 }, 10 },
		{ "MIG-b", "3g.40gb", { 1, 1 }, 40 },
		{ "MIG-c", "1g.10gb", { 2, 2 }, 10 },
	};
	static const struct unit_rule rules[] = {
		{ .resource = "x/gpu" },
		{ .resource = "x/small", .kind = UNIT_PARTITION, .profile = "1g.10gb" },
		{ .resource = "x/rest", .kind = UNIT_PARTITION },
	};
	static const char *const expected[] = { "B", "MIG-a MIG-c", "MIG-b" };
	struct device *device = node_device("0", 0);
	struct device_state states[] = {
		{ .device = device, .id = "A", .healthy = true },
		{ .device = node_device("0", 1), .id = "B", .healthy = true },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = NULL;

	(void)state;
	device->partitioned = true;
	device->n_core_ranges = 0;
	assert_int_equal(device_set_partitions(device, partitions, ARRAY_SIZE(partitions)), 0);
	node = snapshot_new(1, states, ARRAY_SIZE(states));
	assert_divided(node, rules, ARRAY_SIZE(rules), expected);
	device_unref(states[0].device);
	device_unref(states[1].device);
}

static void divides_into_shares(void **state)
{
	static const struct unit_rule whole = { .resource = "x/share", .shares = 3 };
	static const struct unit_rule pair = {
		.resource = "x/share", .kind = UNIT_PARTITION, .profile = "4core", .shares = 2
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0");
	_cleanup_(unit_set_unrefp) struct unit_set *thirds = node_units(node, &whole);
	_cleanup_(unit_set_unrefp) struct unit_set *halves = node_units(node, &pair);
	char text[TEXT_MAX];

	(void)state;
	assert_string_equal(list_units(thirds, text), "A::0 A::1 A::2 B::0 B::1 B::2");
	assert_int_equal(thirds->units[5].share, 2);
	assert_true(unit_memory_bytes(thirds, &thirds->units[0]) == (UINT64_C(8) << 30) / 3);
	assert_string_equal(list_units(halves, text),
			    "A_cores_0-3::0 A_cores_0-3::1 A_cores_4-7::0 A_cores_4-7::1 "
			    "B_cores_0-3::0 B_cores_0-3::1 B_cores_4-7::0 B_cores_4-7::1");
	assert_true(unit_memory_bytes(halves, &halves->units[0]) == UINT64_C(2) << 30);
}

/* --- overlapping units --- */

static const struct unit_rule overlapping[] = {
	{ .resource = "x/whole" },
	{ .resource = "x/half", .kind = UNIT_PARTITION, .profile = "4core", .overlap = true },
	{ .resource = "x/share", .shares = 2, .overlap = true },
};

static const struct {
	struct unit_claim claim;
	const char *expected[ARRAY_SIZE(overlapping)];
} claim_cases[] = {
	{ { "x/whole", "Z", "nobody" },
	  { "A B", "A_cores_0-3 A_cores_4-7 B_cores_0-3 B_cores_4-7", "A::0 A::1 B::0 B::1" } },
	{ { "x/whole", "A", "pod a/b" },
	  { "A B", "A_cores_0-3! A_cores_4-7! B_cores_0-3 B_cores_4-7", "A::0! A::1! B::0 B::1" } },
	{ { "x/half", "A_cores_4-7", "pod a/b" },
	  { "A! B", "A_cores_0-3 A_cores_4-7 B_cores_0-3 B_cores_4-7", "A::0! A::1! B::0 B::1" } },
	{ { "x/share", "B::1", "pod a/b" },
	  { "A B!", "A_cores_0-3 A_cores_4-7 B_cores_0-3! B_cores_4-7!", "A::0 A::1 B::0 B::1" } },
	/* A resource that is no longer configured. */
	{ { "old/quarter", "B_cores_2-3", "pod a/b" },
	  { "A B!", "A_cores_0-3 A_cores_4-7 B_cores_0-3! B_cores_4-7", "A::0 A::1 B::0! B::1!" } },
	{ { "old/quarter", "B_cores_9-3", "pod a/b" },
	  { "A B", "A_cores_0-3 A_cores_4-7 B_cores_0-3 B_cores_4-7", "A::0 A::1 B::0 B::1" } },
};

static void claims_hide_what_overlaps(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(claim_cases); i++) {
		const struct unit_plan plan = { .snapshot = node,
						.rules = overlapping,
						.n_rules = ARRAY_SIZE(overlapping),
						.claims = &claim_cases[i].claim,
						.n_claims = 1 };

		for (size_t rule = 0; rule < ARRAY_SIZE(overlapping); rule++) {
			_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
			char text[TEXT_MAX];

			assert_int_equal(unit_set_build(&plan, rule, &set, NULL), 0);
			assert_string_equal(list_units(set, text), claim_cases[i].expected[rule]);
		}
	}
}

static void hidden_units_say_who_has_them(void **state)
{
	static const struct unit_claim claims[] = {
		{ "x/other", "B", "pod c/d" },
		{ "x/whole", "A", "pod a/b, container c" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0");
	const struct unit_plan plan = { .snapshot = node,
					.rules = overlapping,
					.n_rules = ARRAY_SIZE(overlapping),
					.claims = claims,
					.n_claims = ARRAY_SIZE(claims) };
	_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
	const struct unit *unit;
	char text[HEALTH_REASON_MAX];

	(void)state;
	assert_int_equal(unit_set_build(&plan, 1, &set, NULL), 0);
	unit = unit_set_find(set, "A_cores_0-3");
	assert_non_null(unit);
	assert_string_equal(unit_reason(set, unit, text, sizeof(text)),
			    "overlaps 'A' (x/whole), held by pod a/b, container c");
	assert_ptr_equal(unit_conflict(set, unit, claims, ARRAY_SIZE(claims)), &claims[1]);
	assert_null(unit_conflict(set, unit, claims, 1));
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
	const struct unit_plan fits = { .snapshot = most, .rules = &node_cores_1, .n_rules = 1 };
	const struct unit_plan passes = { .snapshot = more, .rules = &node_cores_1, .n_rules = 1 };
	struct unit_set *none = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(unit_set_build(&fits, 0, &set, &err), 0);
	assert_int_equal(set->n_units, UNITS_MAX);
	assert_int_equal(unit_set_build(&passes, 0, &none, &err), -E2BIG);
	assert_null(none);
	assert_string_equal(err.msg, "'node/1' has 262152 units, more than 262144");
}

static void survives_no_memory(void **state)
{
	static const struct unit_claim claim = { "x", "A", "somebody" };
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0");
	const struct unit_plan plan = { .snapshot = node,
					.rules = &node_cores_1,
					.n_rules = 1,
					.claims = &claim,
					.n_claims = 1 };
	size_t n_failed = 1;
	size_t n_tries;

	(void)state;
	for (n_tries = 0; n_failed > 0; n_tries++) {
		struct error err = { 0 };
		struct unit_set *set = NULL;
		int r;

		memory_fail_after(n_tries);
		r = unit_set_build(&plan, 0, &set, &err);
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
		cmocka_unit_test(cuts_cards),
		cmocka_unit_test(gives_cores),
		cmocka_unit_test(writes_longest_id),
		cmocka_unit_test(follows_health),
		cmocka_unit_test(gives_reasons),
		cmocka_unit_test(matches_rules),
		cmocka_unit_test(fits_kinds),
		cmocka_unit_test(gives_parts_to_first_rule),
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(divides_hardware_partitions),
		cmocka_unit_test(divides_into_shares),
		cmocka_unit_test(claims_hide_what_overlaps),
		cmocka_unit_test(hidden_units_say_who_has_them),
		cmocka_unit_test(compares_sets),
		cmocka_unit_test(compares_health_and_kind),
		cmocka_unit_test(counts_references),
		cmocka_unit_test(cuts_many_cards),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
