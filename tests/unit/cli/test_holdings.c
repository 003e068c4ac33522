/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/holdings.h"
#include "tests/unit/cli/scene.h"
#include "tests/unit/inventory/node.h"

static const struct unit_rule whole[] = { { .resource = "node/whole", .kind = UNIT_WHOLE } };

static void joins(void **state)
{
	static const struct {
		struct scene_row row;
		bool listed;
		bool offered; /* its resource is */
		bool unit;
		const char *device; /* "" for none */
	} cases[] = {
		{ { "p", "node/whole", "A" }, true, true, true, "A" },
		{ { "p", "node/whole", "Z" }, true, true, false, "" },
		{ { "p", "node/whole", "A_cores_0-1" }, true, true, false, "A" },
		{ { "p", "other/gpu", "B" }, true, false, false, "B" },
		{ { "p", "other/gpu", "Z" }, false, false, false, "" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0 1");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_podresources_ struct podresources held = scene_table(&cases[i].row, 1);
		_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, &held);
		_cleanup_holdings_ struct holdings holdings = { 0 };
		const struct holding *holding;

		assert_int_equal(holdings_join(&view, &held, &holdings, NULL), 0);
		assert_int_equal(holdings.n, cases[i].listed);
		if (holdings.n == 0)
			continue;
		holding = &holdings.list[0];
		assert_int_equal(holding->set != NULL, cases[i].offered);
		assert_int_equal(holding->unit != NULL, cases[i].unit);
		assert_string_equal(holding->state ? holding->state->id : "", cases[i].device);
	}
}

static void counts(void **state)
{
	static const struct unit_rule rules[] = {
		{ .resource = "node/2", .kind = UNIT_PARTITION, .cores = 2, .overlap = true },
		{ .resource = "node/4", .kind = UNIT_PARTITION, .cores = 4, .overlap = true },
	};
	static const struct scene_row rows[] = { { "p", "node/2", "A_cores_0-1" },
						 { "q", "node/2", "A_cores_4-5" } };
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0 1");
	_cleanup_podresources_ struct podresources held = scene_table(rows, ARRAY_SIZE(rows));
	_cleanup_view_ struct view view = scene_view(snapshot, rules, 2, &held);
	_cleanup_holdings_ struct holdings holdings = { 0 };

	(void)state;
	assert_int_equal(holdings_join(&view, &held, &holdings, NULL), 0);
	assert_int_equal(holdings.n_uses, 4);
	assert_string_equal(holdings.uses[0].state->id, "A");
	assert_int_equal(holdings.uses[0].n_units, 4);
	assert_int_equal(holdings.uses[0].bar.held, 2);
	assert_int_equal(holdings.uses[0].bar.free, 2);
	assert_string_equal(holdings.uses[1].state->id, "B");
	assert_int_equal(holdings.uses[1].bar.free, 4);
	/* Both halves of A have something of them held under the other name. */
	assert_string_equal(holdings.uses[2].set->rule.resource, "node/4");
	assert_int_equal(holdings.uses[2].bar.hidden, 2);
	assert_int_equal(holdings.uses[3].bar.free, 2);
}

static void counts_without_a_kubelet(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0 1");
	_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, NULL);
	_cleanup_holdings_ struct holdings holdings = { 0 };

	(void)state;
	assert_int_equal(holdings_join(&view, NULL, &holdings, NULL), 0);
	assert_int_equal(holdings.n, 0);
	assert_int_equal(holdings.n_uses, 2);
	assert_int_equal(holdings.uses[1].bar.free, 1);
	assert_int_equal(holdings.uses[1].bar.held, 0);
}

static void finds_overlaps(void **state)
{
	static const struct unit_rule rules[] = {
		{ .resource = "node/2", .kind = UNIT_PARTITION, .cores = 2 },
		{ .resource = "node/share",
		  .kind = UNIT_PARTITION,
		  .cores = 4,
		  .shares = 3,
		  .overlap = true },
	};
	static const struct {
		struct scene_row a, b;
		bool overlap;
	} cases[] = {
		{ { "p", "node/2", "A_cores_0-1" }, { "q", "node/2", "A_cores_2-3" }, false },
		{ { "p", "node/2", "A_cores_0-1" }, { "q", "node/2", "B_cores_0-1" }, false },
		{ { "p", "node/2", "A_cores_0-1" }, { "q", "node/share", "A_cores_0-3::1" }, true },
		{ { "p", "node/2", "A_cores_0-1" },
		  { "q", "node/share", "A_cores_4-7::1" },
		  false },
		{ { "p", "node/share", "A_cores_0-3::0" },
		  { "q", "node/share", "A_cores_0-3::1" },
		  false },
		{ { "p", "node/2", "A_cores_0-1" }, { "q", "gone/whole", "A" }, true },
		/* One device twice is a conflict of the kubelet's. */
		{ { "p", "node/2", "A_cores_0-1" }, { "q", "node/2", "A_cores_0-1" }, false },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0 1");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct scene_row rows[] = { cases[i].a, cases[i].b };
		_cleanup_podresources_ struct podresources held = scene_table(rows, 2);
		_cleanup_view_ struct view view = scene_view(snapshot, rules, 2, NULL);
		_cleanup_holdings_ struct holdings holdings = { 0 };

		assert_int_equal(holdings_join(&view, &held, &holdings, NULL), 0);
		assert_int_equal(holdings.n, 2);
		assert_int_equal(holdings_overlap(&holdings.list[0], &holdings.list[1]),
				 cases[i].overlap);
		assert_int_equal(holdings_overlap(&holdings.list[1], &holdings.list[0]),
				 cases[i].overlap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins),
		cmocka_unit_test(counts),
		cmocka_unit_test(counts_without_a_kubelet),
		cmocka_unit_test(finds_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
