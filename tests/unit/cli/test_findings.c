/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "cli/findings.h"
#include "tests/unit/cli/scene.h"
#include "tests/unit/inventory/node.h"

#define ROWS_MAX 4
#define KINDS_MAX 4
#define NO_KIND _FINDING_KIND_MAX

static const struct unit_rule whole[] = { { .resource = "node/whole", .kind = UNIT_WHOLE } };

/* Three cards, of which B is unhealthy. */
static struct snapshot *make_node(void)
{
	struct device_state states[3] = { 0 };
	struct snapshot *snapshot;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		states[i] = (struct device_state) {
			.device = node_device("0", i),
			.present = true,
			.healthy = i != 1,
			.reason = "it burns",
		};
		(void)snprintf(states[i].id, sizeof(states[i].id), "%c", (char)('A' + i));
	}
	snapshot = snapshot_new(1, states, ARRAY_SIZE(states));
	assert_non_null(snapshot);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		device_unref(states[i].device);
	return snapshot;
}

static size_t count_rows(const struct scene_row *rows)
{
	size_t n = 0;

	while (n < ROWS_MAX && rows[n].resource)
		n++;
	return n;
}

/* Findings of the node above with these tables; messages are in the arena. */
static struct findings find(const struct view *view, const struct podresources *held,
			    const struct podresources *allocatable, const struct load *loads,
			    size_t n_loads)
{
	_cleanup_holdings_ struct holdings holdings = { 0 };
	struct findings_input input = {
		.snapshot = view->snapshot,
		.sets = (const struct unit_set *const *)view->sets,
		.n_sets = view->offer.n_resources,
		.holdings = &holdings,
		.held = held,
		.allocatable = allocatable,
		.failure = "no kubelet",
		.loads = loads,
		.n_loads = n_loads,
		.idle_below = 0.05,
		.window_seconds = 10,
	};
	struct findings findings = { 0 };

	assert_int_equal(holdings_join(view, held, &holdings, NULL), 0);
	assert_int_equal(findings_make(&input, &findings, NULL), 0);
	return findings;
}

/* Takes out that B is unhealthy, which is told in every case. */
static void drop_unhealthy(struct findings *findings)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n; i++)
		if (findings->list[i].kind != FINDING_UNHEALTHY)
			findings->list[n++] = findings->list[i];
	assert_int_equal(findings->n - n, 1);
	findings->n = n;
}

static void judges_what_is_held(void **state)
{
	static const struct {
		struct scene_row rows[ROWS_MAX];
		enum finding_kind kind; /* of the first finding */
		const char *message;
	} cases[] = {
		{ { { 0 } }, FINDING_FREE, "2 of 3 devices of node/whole are free now" },
		{ { { "p", "node/whole", "A" } },
		  FINDING_FREE,
		  "1 of 3 devices of node/whole is free now" },
		{ { { "p", "node/whole", "A" }, { "q", "node/whole", "C" } }, NO_KIND, NULL },
		{ { { "p", "node/whole", "A" }, { "q", "node/whole", "A" } },
		  FINDING_HELD_TWICE,
		  "A of node/whole is held by ns/p (c) and by ns/q (c)" },
		{ { { "p", "node/whole", "B" } },
		  FINDING_HELD_UNHEALTHY,
		  "ns/p (c) holds B of node/whole, which is unhealthy: it burns" },
		{ { { "p", "node/whole", "Z" } },
		  FINDING_HELD_UNOFFERED,
		  "ns/p (c) holds Z of node/whole, which is not offered" },
		{ { { "p", "other/npu", "A" } },
		  FINDING_HELD_ELSEWHERE,
		  "ns/p (c) holds A of other/npu, which is npu0; that resource is not offered "
		  "here" },
		{ { { "p", "node/whole", "A" }, { "q", "other/npu", "A_cores_0-1" } },
		  FINDING_HELD_OVERLAP,
		  "ns/q (c) holds A_cores_0-1 of other/npu, ns/p (c) A of node/whole: both are "
		  "parts of npu0 that overlap" },
		/* Devices of other plugins are theirs. */
		{ { { "p", "other/gpu", "GPU-1" }, { "q", "other/gpu", "GPU-1" } },
		  FINDING_FREE,
		  "2 of 3 devices of node/whole are free now" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_podresources_ struct podresources held =
			scene_table(cases[i].rows, count_rows(cases[i].rows));
		_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, &held);
		_cleanup_findings_ struct findings findings = find(&view, &held, NULL, NULL, 0);

		drop_unhealthy(&findings);
		if (cases[i].kind == NO_KIND) {
			assert_int_equal(findings.n, 0);
			continue;
		}
		assert_true(findings.n > 0);
		assert_string_equal(finding_name(findings.list[0].kind),
				    finding_name(cases[i].kind));
		assert_string_equal(findings.list[0].message, cases[i].message);
	}
}

static void compares_with_the_kubelet(void **state)
{
	static const struct {
		struct scene_row rows[ROWS_MAX]; /* what the kubelet takes for healthy */
		enum finding_kind kinds[KINDS_MAX];
		const char *message; /* of the first */
	} cases[] = {
		{ { { "", "node/whole", "A" }, { "", "node/whole", "C" } },
		  { FINDING_FREE, NO_KIND },
		  "2 of 3 devices of node/whole are free now" },
		{ { { 0 } },
		  { FINDING_NOT_LISTED, FINDING_FREE, NO_KIND },
		  "2 devices of node/whole healthy here, and none listed by the kubelet: A, C" },
		{ { { "", "other/gpu", "A" } },
		  { FINDING_NOT_LISTED, FINDING_FREE, NO_KIND },
		  "2 devices of node/whole healthy here, and none listed by the kubelet: A, C" },
		{ { { "", "node/whole", "A" } },
		  { FINDING_MISSING, FINDING_FREE, NO_KIND },
		  "1 device of node/whole healthy here, but not to the kubelet: C" },
		{ { { "", "node/whole", "A" },
		    { "", "node/whole", "B" },
		    { "", "node/whole", "C" },
		    { "", "node/whole", "D" } },
		  { FINDING_SURPLUS, FINDING_STALE, FINDING_FREE, NO_KIND },
		  "1 device of node/whole listed by the kubelet, but not offered: D" },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();
	_cleanup_podresources_ struct podresources held = scene_table(NULL, 0);
	_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, &held);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* The rows have a namespace, which nobody reads in this table. */
		_cleanup_podresources_ struct podresources allocatable = { 0 };
		struct scene_row rows[ROWS_MAX];
		size_t n = count_rows(cases[i].rows);
		size_t kind = 0;

		for (size_t j = 0; j < n; j++) {
			rows[j] = cases[i].rows[j];
			rows[j].pod = "p";
		}
		allocatable = scene_table(rows, n);
		_cleanup_findings_ struct findings findings =
			find(&view, &held, &allocatable, NULL, 0);

		drop_unhealthy(&findings);
		for (; cases[i].kinds[kind] != NO_KIND; kind++) {
			assert_true(kind < findings.n);
			assert_string_equal(finding_name(findings.list[kind].kind),
					    finding_name(cases[i].kinds[kind]));
		}
		assert_int_equal(findings.n, kind);
		assert_string_equal(findings.list[0].message, cases[i].message);
	}
}

static void finds_idle_devices(void **state)
{
	static const struct {
		double sum;
		size_t n;
		bool idle;
	} cases[] = {
		{ 0, 0, false }, /* it does not say */
		{ 0, 10, true }, { 0.49, 10, true }, { 0.51, 10, false }, { 10, 10, false },
	};
	static const struct scene_row rows[] = { { "p", "node/whole", "A" },
						 { "q", "node/whole", "C" } };
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();
	_cleanup_podresources_ struct podresources held = scene_table(rows, ARRAY_SIZE(rows));
	_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, &held);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct load load = { &snapshot->devices[0], cases[i].sum, cases[i].n };
		_cleanup_findings_ struct findings findings = find(&view, &held, NULL, &load, 1);

		drop_unhealthy(&findings);
		assert_int_equal(findings.n, cases[i].idle);
		if (!cases[i].idle)
			continue;
		assert_int_equal(findings.list[0].kind, FINDING_HELD_IDLE);
		assert_non_null(strstr(findings.list[0].message, "npu0 (A) was used"));
		assert_non_null(strstr(findings.list[0].message, "over 10 s, below 5 %"));
		assert_non_null(strstr(findings.list[0].message, "held by ns/p (c)"));
		assert_null(strstr(findings.list[0].message, "ns/q"));
	}
}

static void tells_that_the_kubelet_is_silent(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();
	_cleanup_view_ struct view view = scene_view(snapshot, whole, 1, NULL);
	_cleanup_findings_ struct findings findings = find(&view, NULL, NULL, NULL, 0);

	(void)state;
	assert_int_equal(findings.n, 2);
	assert_int_equal(findings.list[0].kind, FINDING_UNHEALTHY);
	assert_string_equal(findings.list[0].message, "npu1 (B) is unhealthy: it burns");
	assert_int_equal(findings.list[1].kind, FINDING_NO_PODRESOURCES);
	assert_string_equal(findings.list[1].message, "who holds what is not known: no kubelet");
}

/* Shares of a card that are all held are one part; what overlaps it is told once. */
static void has_a_maximum(void **state)
{
	static const struct unit_rule shares[] = {
		{ .resource = "node/share", .kind = UNIT_WHOLE, .shares = FINDINGS_MAX + 10 }
	};
	static struct scene_row rows[FINDINGS_MAX + 10];
	static char ids[FINDINGS_MAX + 10][16];
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();
	_cleanup_podresources_ struct podresources held = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "B::%zu", i);
		rows[i] = (struct scene_row) { "p", "node/share", ids[i] };
	}
	held = scene_table(rows, ARRAY_SIZE(rows));
	_cleanup_view_ struct view view = scene_view(snapshot, shares, 1, &held);
	_cleanup_findings_ struct findings findings = find(&view, &held, NULL, NULL, 0);

	assert_int_equal(findings.n, FINDINGS_MAX);
	/* The rest, and that B is unhealthy and that others are free. */
	assert_int_equal(findings.n_left_out, 12);
	assert_int_equal(findings.list[0].kind, FINDING_HELD_UNHEALTHY);
}

/* Errors come before warnings, and each kind has a name and an advice. */
static void knows_all_kinds(void **state)
{
	(void)state;
	for (int kind = 0; kind < _FINDING_KIND_MAX; kind++) {
		assert_true(strlen(finding_name((enum finding_kind)kind)) > 0);
		assert_true(strlen(finding_advice((enum finding_kind)kind)) > 0);
		if (kind > 0)
			assert_true(finding_severity((enum finding_kind)kind) <=
				    finding_severity((enum finding_kind)(kind - 1)));
	}
	assert_string_equal(finding_severity_name(FINDING_ERROR), "error");
	assert_string_equal(finding_severity_name(FINDING_WARNING), "warning");
	assert_string_equal(finding_severity_name(FINDING_INFO), "info");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_what_is_held),
		cmocka_unit_test(compares_with_the_kubelet),
		cmocka_unit_test(finds_idle_devices),
		cmocka_unit_test(tells_that_the_kubelet_is_silent),
		cmocka_unit_test(has_a_maximum),
		cmocka_unit_test(knows_all_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
