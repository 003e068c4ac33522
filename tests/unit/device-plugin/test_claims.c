/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of a node of two cards that one resource offers whole and another one
 * as pairs of cores.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "device-plugin/claims.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define STARTING "a pod that is being started"
#define UNCONFIRMED_MS 30000
#define NOON_MS 43200000
#define CHOSEN_MAX 4

struct fixture {
	struct snapshot *node;
	struct unit_set *whole;
	struct unit_set *pairs;
	struct claims *claims;
	unsigned int n_changes; /* that the ledger has told */
};

static void on_changed(void *ctx)
{
	struct fixture *fixture = ctx;

	fixture->n_changes++;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->node = node_snapshot("0 0");
	fixture->whole = node_units(fixture->node, &node_whole);
	fixture->pairs = node_units(fixture->node, &node_cores_2);
	fixture->claims = claims_new(on_changed, fixture);
	assert_non_null(fixture->claims);
	claims_track(fixture->claims, true);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	claims_free(fixture->claims);
	unit_set_unref(fixture->whole);
	unit_set_unref(fixture->pairs);
	snapshot_unref(fixture->node);
	free(fixture);
	return 0;
}

/* Claims the units of a text with a space between IDs. */
static int take(const struct fixture *fixture, const struct unit_set *set, const char *text,
		struct error *err)
{
	const struct unit *units[CHOSEN_MAX];
	struct chosen chosen = { .units = units };
	char copy[128];
	char *rest = copy;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *id = strsep(&rest, " "); id; id = strsep(&rest, " ")) {
		units[chosen.n] = unit_set_find(set, id);
		assert_non_null(units[chosen.n++]);
	}
	return claims_take(fixture->claims, set, &chosen, err);
}

/* Compares all claims, written as "resource unit holder" with ';' between them. */
static void assert_claims(const struct fixture *fixture, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
	_cleanup_free_ struct unit_claim *claims = NULL;
	ssize_t n = claims_copy(fixture->claims, &claims);

	assert_true(n >= 0);
	for (ssize_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s %s %s", i > 0 ? ";" : "", claims[i].resource,
			      claims[i].unit, claims[i].holder);
	assert_string_equal(strbuf_str(&text), expected);
}

static const struct unit_claim pod_has_a = { "node/whole", "A", "pod a" };
static const struct unit_claim pod_has_pair = { "node/2", "B_cores_2-3", "pod b" };

static int confirm(const struct fixture *fixture, const struct unit_claim *claim, uint64_t now_ms)
{
	return claims_confirm(fixture->claims, claim, claim ? 1 : 0, now_ms);
}

static void what_is_free_is_claimed(void **state)
{
	const struct fixture *fixture = *state;

	assert_claims(fixture, "");
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_int_equal(fixture->n_changes, 1);
	assert_claims(fixture, "node/whole A " STARTING);
	assert_int_equal(take(fixture, fixture->pairs, "B_cores_6-7 B_cores_0-1", NULL), 0);
	assert_int_equal(fixture->n_changes, 2);
	assert_claims(fixture, "node/whole A " STARTING ";node/2 B_cores_0-1 " STARTING
			       ";node/2 B_cores_6-7 " STARTING);
	/* The kubelet hands a unit out again only when its holder has gone. */
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_claims(fixture, "node/whole A " STARTING ";node/2 B_cores_0-1 " STARTING
			       ";node/2 B_cores_6-7 " STARTING);
}

static void what_overlaps_is_refused(void **state)
{
	static const struct {
		bool whole;
		const char *units;
		const char *text; /* NULL: it is free */
	} cases[] = {
		{ false, "A_cores_0-1",
		  "device 'A_cores_0-1' of node/2 overlaps 'A' of node/whole, held by " STARTING },
		{ false, "B_cores_0-1 A_cores_6-7",
		  "device 'A_cores_6-7' of node/2 overlaps 'A' of node/whole, held by " STARTING },
		{ true, "B",
		  "device 'B' of node/whole overlaps 'B_cores_2-3' of node/2, held by " STARTING },
		{ false, "B_cores_2-3", NULL },
		{ false, "B_cores_0-1", NULL },
	};
	const struct fixture *fixture = *state;

	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_int_equal(take(fixture, fixture->pairs, "B_cores_2-3", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int n_changes = fixture->n_changes;
		struct error err = { 0 };
		int r = take(fixture, cases[i].whole ? fixture->whole : fixture->pairs,
			     cases[i].units, &err);

		assert_int_equal(r, cases[i].text ? -EBUSY : 0);
		assert_string_equal(err.msg, cases[i].text ? cases[i].text : "");
		assert_int_equal(fixture->n_changes, n_changes + !cases[i].text);
	}
	assert_claims(fixture, "node/whole A " STARTING ";node/2 B_cores_0-1 " STARTING
			       ";node/2 B_cores_2-3 " STARTING);
}

/* Where units cannot overlap, claims are kept for a configuration in which they do;
 * nobody has to act on them, and nothing is compared. */
static void without_tracking_claims_are_only_kept(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };

	claims_track(fixture->claims, false);
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_claims(fixture, "node/whole A " STARTING);
	assert_int_equal(fixture->n_changes, 0);
	assert_int_equal(confirm(fixture, &pod_has_a, NOON_MS), 1);
	claims_track(fixture->claims, true);
	assert_int_equal(take(fixture, fixture->pairs, "A_cores_0-1", &err), -EBUSY);
	assert_string_equal(err.msg, "device 'A_cores_0-1' of node/2 overlaps 'A' of node/whole, "
				     "held by pod a");
	assert_int_equal(take(fixture, fixture->whole, "B", NULL), 0);
	assert_claims(fixture, "node/whole A pod a;node/whole B " STARTING);
}

static void the_kubelet_confirms_and_ends_claims(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_int_equal(confirm(fixture, &pod_has_a, NOON_MS), 1);
	assert_claims(fixture, "node/whole A pod a");
	assert_int_equal(confirm(fixture, &pod_has_a, NOON_MS + 1), 0);
	/* What was listed once and is not any more has ended. */
	assert_int_equal(confirm(fixture, NULL, NOON_MS + 2), 1);
	assert_claims(fixture, "");
	assert_int_equal(confirm(fixture, NULL, NOON_MS + 3), 0);
	/* Units that were handed out before the plugin has started. */
	assert_int_equal(confirm(fixture, &pod_has_pair, NOON_MS + 4), 1);
	assert_claims(fixture, "node/2 B_cores_2-3 pod b");
	/* Only what Allocate has noted is told by the function. */
	assert_int_equal(fixture->n_changes, 1);
}

static void unconfirmed_claims_end_after_a_while(void **state)
{
	static const struct {
		uint64_t start_ms; /* when the kubelet first does not list it */
		uint64_t last_ms;  /* the last moment at which the claim stays */
	} cases[] = {
		{ NOON_MS, NOON_MS + UNCONFIRMED_MS - 1 },
		{ 1, UNCONFIRMED_MS },
		{ 0, UNCONFIRMED_MS }, /* of a machine that has just started */
	};
	const struct fixture *fixture = *state;

	/* The first answer is a change by itself: who holds what is known from then on. */
	assert_false(claims_are_known(fixture->claims));
	assert_int_equal(confirm(fixture, NULL, 0), 1);
	assert_true(claims_are_known(fixture->claims));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
		assert_int_equal(confirm(fixture, NULL, cases[i].start_ms), 0);
		assert_int_equal(confirm(fixture, NULL, cases[i].last_ms), 0);
		assert_claims(fixture, "node/whole A " STARTING);
		assert_int_equal(confirm(fixture, NULL, cases[i].last_ms + 1), 1);
		assert_claims(fixture, "");
	}
}

/* Time counts from the first answer without the unit, not from Allocate. */
static void a_unit_that_is_given_again_begins_anew(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(confirm(fixture, &pod_has_a, NOON_MS), 1);
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_claims(fixture, "node/whole A " STARTING);
	assert_int_equal(confirm(fixture, NULL, NOON_MS + 1), 0);
	assert_int_equal(confirm(fixture, NULL, NOON_MS + UNCONFIRMED_MS), 0);
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), 0);
	assert_int_equal(confirm(fixture, NULL, NOON_MS + 2 * UNCONFIRMED_MS), 0);
	assert_claims(fixture, "node/whole A " STARTING);
	assert_int_equal(confirm(fixture, NULL, NOON_MS + 3 * UNCONFIRMED_MS), 1);
	assert_claims(fixture, "");
}

static void the_order_of_the_list_does_not_matter(void **state)
{
	static const struct unit_claim held[] = {
		{ "node/2", "B_cores_2-3", "pod b" },
		{ "node/whole", "A", "pod a" },
		{ "node/whole", "A", "pod a, its other container" },
		{ "node/1", "A", "pod c" },
	};
	static const struct unit_claim turned[] = {
		{ "node/1", "A", "pod c" },
		{ "node/whole", "A", "pod a, its other container" },
		{ "node/whole", "A", "pod a" },
		{ "node/2", "B_cores_2-3", "pod b" },
	};
	const struct fixture *fixture = *state;

	assert_int_equal(claims_confirm(fixture->claims, held, ARRAY_SIZE(held), NOON_MS), 1);
	assert_claims(fixture, "node/1 A pod c;node/whole A pod a;"
			       "node/whole A pod a, its other container;"
			       "node/2 B_cores_2-3 pod b");
	assert_int_equal(claims_confirm(fixture->claims, turned, ARRAY_SIZE(turned), NOON_MS), 0);
}

static void claims_have_a_maximum(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_free_ struct unit_claim *held = calloc(UNIT_CLAIMS_MAX + 1, sizeof(*held));

	for (size_t i = 0; i <= UNIT_CLAIMS_MAX; i++)
		held[i] = (struct unit_claim) { "other.io/x", "x", "pod x" };
	assert_int_equal(confirm(fixture, &pod_has_a, NOON_MS), 1);
	assert_int_equal(claims_confirm(fixture->claims, held, UNIT_CLAIMS_MAX + 1, NOON_MS),
			 -ENOMEM);
	assert_claims(fixture, "node/whole A pod a");
	assert_int_equal(claims_confirm(fixture->claims, held, UNIT_CLAIMS_MAX, NOON_MS), 1);
	/* A full ledger is replaced by another one as well, but takes no more. */
	held[0].holder = "pod y";
	assert_int_equal(claims_confirm(fixture->claims, held, UNIT_CLAIMS_MAX, NOON_MS), 1);
	assert_int_equal(take(fixture, fixture->whole, "A", NULL), -ENOMEM);
	assert_int_equal(fixture->n_changes, 0);
}

static void without_memory_the_ledger_stays(void **state)
{
	const struct fixture *fixture = *state;
	unsigned int n_changes = 0;
	struct unit_claim *copy = NULL;
	size_t n_failed = 1;

	assert_int_equal(take(fixture, fixture->pairs, "B_cores_4-5", NULL), 0);
	for (size_t i = 0; n_failed > 0; i++) {
		struct error err = { 0 };
		int r;

		n_changes = fixture->n_changes;
		memory_fail_after(i);
		r = take(fixture, fixture->pairs, "B_cores_4-5 B_cores_0-1 B_cores_6-7", &err);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 0);
		if (n_failed > 0)
			assert_claims(fixture, "node/2 B_cores_4-5 " STARTING);
		assert_int_equal(fixture->n_changes, n_changes + (n_failed == 0));
	}
	n_failed = 1;
	for (size_t i = 0; n_failed > 0; i++) {
		int r;

		memory_fail_after(i);
		r = confirm(fixture, &pod_has_a, NOON_MS);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 1);
	}
	memory_fail_after(0);
	assert_int_equal(claims_copy(fixture->claims, &copy), -ENOMEM);
	assert_null(claims_new(on_changed, NULL));
	assert_int_equal(memory_restore(), 2);
	memory_fail_after(1);
	assert_int_equal(claims_copy(fixture->claims, &copy), -ENOMEM);
	assert_int_equal(memory_restore(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_free_is_claimed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_overlaps_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(without_tracking_claims_are_only_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_kubelet_confirms_and_ends_claims, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unconfirmed_claims_end_after_a_while, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_unit_that_is_given_again_begins_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_order_of_the_list_does_not_matter, setup,
						teardown),
		cmocka_unit_test_setup_teardown(claims_have_a_maximum, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_the_ledger_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
