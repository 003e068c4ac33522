/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/reasons.h"
#include "drivers/driver.h"
#include "tests/unit/inventory/node.h"

#define CANDIDATES_MAX 64

/* A '.' of @units is a free unit, 'm' one that must be included, '#' one that is held. */
struct choice_case {
	const char *topology;
	const struct unit_rule *rule;
	enum preferred_policy policy;
	const char *units;
	size_t wanted;
	const char *expected; /* sentences behind the tables */
};

static void explain(const struct choice_case *c, struct strbuf *out)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot(c->topology);
	_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(snapshot, c->rule);
	struct candidate candidates[CANDIDATES_MAX];
	size_t chosen[CANDIDATES_MAX];
	struct reasons_choice choice = {
		.set = set,
		.policy = c->policy,
		.candidates = candidates,
		.chosen = chosen,
	};
	int n;

	assert_int_equal(strlen(c->units), set->n_units);
	for (size_t i = 0; i < set->n_units; i++)
		if (c->units[i] != '#')
			candidates[choice.n++] =
				(struct candidate) { &set->units[i], c->units[i] == 'm' };
	n = preferred_choose(set, c->policy, candidates, choice.n, c->wanted, chosen);
	assert_int_equal(n, c->wanted);
	choice.n_chosen = c->wanted;
	assert_int_equal(reasons_choice(&choice, false, out), 0);
}

static void says_why(void **state)
{
	static const struct choice_case cases[] = {
		{ "0 0 1", &node_whole, PREFERRED_ALIGNED, "...", 1,
		  "The choice lies on one card, the smallest part that can hold it.\n"
		  "It is one of 3 that could; it had 1 free.\n" },
		{ "0 0 1", &node_whole, PREFERRED_ALIGNED, "...", 2,
		  "The choice lies on one NUMA node, the smallest part that can hold it.\n" },
		{ "0/a/x 0/a/x 0/b 0/b", &node_whole, PREFERRED_ALIGNED, "....", 2,
		  "The choice lies behind one PCI bridge, the smallest part that can hold it.\n" },
		{ "0/a 0/a 0/b", &node_whole, PREFERRED_ALIGNED, "...", 2,
		  "The choice lies below one root complex, the smallest part that can hold "
		  "it.\n" },
		{ "0 1 2", &node_whole, PREFERRED_ALIGNED, "...", 2,
		  "The choice lies on the node: no smaller part can hold it.\n" },
		{ "0 0 1 1", &node_whole, PREFERRED_ALIGNED, "m..m", 2,
		  "The choice lies on the node. A NUMA node could hold it, but what must be "
		  "included is elsewhere.\n" },
		{ "0 0 1 1", &node_whole, PREFERRED_DISTRIBUTED, "....", 2,
		  "The choice lies on the node: nearness does not come first in this policy.\n" },
		{ "0 1", &node_cores_4, PREFERRED_ALIGNED, "#...", 1,
		  "The choice lies on one card, the smallest part that can hold it.\n"
		  "It is one of 2 that could; it had 1 free.\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(8192);
		const char *sentences;

		explain(&cases[i], &out);
		sentences = strstr(strbuf_str(&out), "The choice lies");
		assert_non_null(sentences);
		assert_string_equal(sentences, cases[i].expected);
	}
}

static void shows_units_and_parts(void **state)
{
	static const struct choice_case c = { "0 0/a 1", &node_cores_4, PREFERRED_ALIGNED, "#.m...",
					      3,	 NULL };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(8192);

	(void)state;
	explain(&c, &out);
	assert_string_equal(
		strbuf_str(&out),
		"DEVICE       NAME  NUMA  PCI           FREE BEFORE  WHY\n"
		"B_cores_0-3  npu1  0     0000:00:01.0  2 of 2       must be included\n"
		"B_cores_4-7  npu1  0     0000:00:01.0  2 of 2       on a card that must be used\n"
		"A_cores_4-7  npu0  0     0000:00:00.0  1 of 2       finishes a started card\n"
		"\n"
		"PART       OF THEM  CAN HOLD IT  CHOSEN\n"
		"card       3        0            2\n"
		"NUMA node  2        1            1\n"
		"\n"
		"The choice lies on one NUMA node, the smallest part that can hold it.\n");
}

static void names_policies(void **state)
{
	static const char *const names[_PREFERRED_POLICY_MAX] = {
		[PREFERRED_ALIGNED] = "aligned: ",
		[PREFERRED_PACKED] = "packed: ",
		[PREFERRED_DISTRIBUTED] = "distributed: ",
	};

	(void)state;
	for (int i = 0; i < _PREFERRED_POLICY_MAX; i++)
		assert_ptr_equal(strstr(reasons_policy((enum preferred_policy)i), names[i]),
				 reasons_policy((enum preferred_policy)i));
}

static void compares_rules(void **state)
{
	static const char *const node[] = { "node", NULL };
	static const char *const others[] = { "a*", "b", NULL };
	static const char *const serial[] = { "S-1", NULL };
	static const struct {
		struct unit_rule rule;
		const char *expected;
	} cases[] = {
		{ { .resource = "r" }, "matches" },
		{ { .select = { .vendors = node } }, "matches" },
		{ { .select = { .uuids = serial } }, "matches" },
		{ { .product = "rngd", .architecture = "rngd" }, "matches" },
		{ { .select = { .vendors = others } },
		  "vendor is 'node', the rule wants 'a*' or 'b'" },
		{ { .select = { .vendors = node, .products = others } },
		  "product is 'rngd', the rule wants 'a*' or 'b'" },
		{ { .select = { .architectures = others } },
		  "architecture is 'rngd', the rule wants 'a*' or 'b'" },
		{ { .select = { .bdfs = others } },
		  "PCI address is '0000:00:00.0', the rule wants 'a*' or 'b'" },
		{ { .select = { .uuids = others } }, "UUID is '', the rule wants 'a*' or 'b'" },
		{ { .product = "warboy" }, "product is 'rngd', the rule wants 'warboy'" },
		{ { .architecture = "xe" }, "architecture is 'rngd', the rule wants 'xe'" },
	};
	struct device *device = node_device("0", 0);

	(void)state;
	device->architecture = "rngd";
	(void)memcpy(device->serial, "S-1", sizeof("S-1"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(512);

		reasons_rule(&cases[i].rule, device, &out);
		assert_string_equal(strbuf_str(&out), cases[i].expected);
	}
	device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why),
		cmocka_unit_test(shows_units_and_parts),
		cmocka_unit_test(names_policies),
		cmocka_unit_test(compares_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
