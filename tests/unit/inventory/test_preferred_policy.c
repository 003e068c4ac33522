/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policies of a preferred allocation differ in, and what they have in
 * common.  What is checked against all subsets is small enough for that.
 *
 * Candidates are written as in "A012 B4": cards by letter, each with the cores that
 * are free; without cores it is a whole card.
 */
#include "tests/test.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/preferred.h"
#include "inventory/topology.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define SEARCH_MAX 9 /* candidates of which all subsets are looked at */
#define CANDIDATES_MAX 512
#define TEXT_MAX 256
#define CARDS_MAX 8
#define N_RANDOM 1500

struct request {
	struct snapshot *node;
	struct unit_set *set;
	struct candidate candidates[CANDIDATES_MAX];
	size_t n;
	size_t chosen[CANDIDATES_MAX];
};

static void request_done(struct request *request)
{
	unit_set_unref(request->set);
	snapshot_unref(request->node);
}

static void request_init(struct request *request, const char *topology,
			 const struct unit_rule *rule)
{
	*request = (struct request) { .node = node_snapshot(topology) };
	request->set = node_units(request->node, rule);
}

static void add_unit(struct request *request, const char *id)
{
	assert_true(request->n < CANDIDATES_MAX);
	request->candidates[request->n].unit = unit_set_find(request->set, id);
	assert_non_null(request->candidates[request->n].unit);
	request->n++;
}

static void parse(struct request *request, const char *text)
{
	char card = '\0';
	char id[UNIT_ID_MAX];

	for (; *text; text++) {
		if (*text >= 'A')
			card = *text;
		if (*text == ' ')
			continue;
		if (*text == card && text[1] >= '0' && text[1] <= '9')
			continue;
		(void)snprintf(id, sizeof(id), *text == card ? "%c" : "%c_cores_%c", card, *text);
		add_unit(request, id);
	}
}

/* Exactly as many as asked for, none twice. */
static void choose(struct request *request, enum preferred_policy policy, size_t size)
{
	bool seen[CANDIDATES_MAX] = { false };
	int r = preferred_choose(request->set, policy, request->candidates, request->n, size,
				 request->chosen);

	assert_int_equal(r, MIN(size, request->n));
	for (int i = 0; i < r; i++) {
		assert_true(request->chosen[i] < request->n);
		assert_false(seen[request->chosen[i]]);
		seen[request->chosen[i]] = true;
	}
}

/* How many were chosen of each card, as in "A3 C1". */
static const char *count_chosen(const struct request *request, size_t n, char *text)
{
	size_t counts[CARDS_MAX] = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		const struct unit *unit = request->candidates[request->chosen[i]].unit;

		if (unit)
			counts[unit->device]++;
	}
	text[0] = '\0';
	for (size_t i = 0; i < CARDS_MAX; i++)
		if (counts[i] > 0)
			len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%c%zu",
						len > 0 ? " " : "", (char)('A' + i), counts[i]);
	return text;
}

#define ALL "01234567"

static void policies_differ(void **state)
{
	static const struct {
		const char *topology;
		const char *candidates; /* cores, or cards */
		size_t size;
		const char *chosen[_PREFERRED_POLICY_MAX]; /* aligned, packed, distributed */
	} cases[] = {
		/* One card: the fullest, or the emptiest. */
		{ "0 0 1", "A" ALL " B012 C" ALL, 2, { "B2", "B2", "A2" } },
		{ "0 0 1", "A01 B012 C0123", 3, { "B3", "B3", "C3" } },
		/* Near each other, or on what is fullest. */
		{ "0/a/x 0/a/x 0/a/x 1/b 1/c", "ABCDE", 2, { "A1 B1", "D1 E1", "A1 D1" } },
		{ "0/a/x 0/a/x 0/a/x 1/b 1/c", "ABC", 2, { "A1 B1", "A1 B1", "A1 B1" } },
		/* All NUMA nodes have their first before one has its second. */
		{ "0 0 1 1", "ABCD", 2, { "A1 B1", "A1 B1", "A1 C1" } },
		{ "0 0 1 1", "ABCD", 3, { "A1 B1 C1", "A1 B1 C1", "A1 B1 C1" } },
		{ "0 0 0 1", "ABCD", 2, { "A1 B1", "A1 B1", "A1 D1" } },
		{ "0 0 1", "A" ALL " B" ALL " C" ALL, 16, { "A8 B8", "A8 B8", "A8 C8" } },
		/* Emptier comes before another NUMA node. */
		{ "0 0 1", "A" ALL " B" ALL " C0", 9, { "A8 B1", "A8 B1", "A8 B1" } },
		/* Groups of links do not hide which NUMA node a card is on. */
		{ "0@g 1@g 0@h 1@h", "A" ALL " B0 C" ALL " D" ALL, 16, { 0, 0, "A8 D8" } },
		/* A group of links is nearer than a bridge. */
		{ "0/a@g 1/b@g 0/c/x 0/c/x", "ABCD", 2, { "A1 B1", "A1 B1", "B1 C1" } },
		{ "0/a@g 1/b@g 0/c/x 0/c/x", "ACD", 2, { "C1 D1", "C1 D1", "C1 D1" } },
		{ "0/a@g 0/a@h 1/b@g 1/b@h", "ABCD", 2, { "A1 C1", "A1 C1", "A1 C1" } },
		{ "0/a@g 0/a@g 1/b@g 1/b@h", "ABCD", 2, { "A1 B1", "A1 B1", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool whole = !strpbrk(cases[i].candidates, ALL);
		_cleanup_(request_done) struct request request;
		char text[TEXT_MAX];

		request_init(&request, cases[i].topology, whole ? &node_whole : &node_cores_1);
		parse(&request, cases[i].candidates);
		for (enum preferred_policy policy = 0; policy < _PREFERRED_POLICY_MAX; policy++) {
			const char *chosen = cases[i].chosen[policy];

			if (!chosen)
				continue;
			choose(&request, policy, cases[i].size);
			if (strcmp(count_chosen(&request, cases[i].size, text), chosen) != 0)
				fail_msg("case %zu, policy %d: %s", i, (int)policy, text);
		}
	}
}

/* Numbers that are the same in every run (xorshift; Marsaglia, 2003). */
static uint32_t next_random(uint32_t below)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % below;
}

static void random_topology(char *text, size_t n_cards)
{
	static const char *const places[] = { "0/a",   "0/a/x", "0/a/x/u", "0/b",
					      "1/c/y", "1/c",	"1/d",	   "-/e" };
	static const char *const groups[] = { "", "", "@g", "@h" };
	size_t len = 0;

	for (size_t i = 0; i < n_cards; i++)
		len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%s%s", i > 0 ? " " : "",
					places[next_random(ARRAY_SIZE(places))],
					groups[next_random(ARRAY_SIZE(groups))]);
}

/* A choice of some units; must_include is marked for some of them. */
static void random_request(struct request *request, const struct unit_rule *rule, size_t n_cards)
{
	char text[TEXT_MAX];

	random_topology(text, n_cards);
	request_init(request, text, rule);
	for (size_t i = 0; i < request->set->n_units && request->n < SEARCH_MAX; i++)
		if (next_random(3) == 0)
			request->candidates[request->n++].unit = &request->set->units[i];
	for (size_t i = 0; i < request->n; i++)
		request->candidates[i].must_include = next_random(6) == 0;
}

static unsigned int must_of(const struct request *request)
{
	unsigned int must = 0;

	for (size_t i = 0; i < request->n; i++)
		must |= (unsigned int)request->candidates[i].must_include << i;
	return must;
}

static unsigned int subset_of(const struct request *request, size_t n)
{
	unsigned int subset = 0;

	for (size_t i = 0; i < n; i++)
		subset |= 1U << request->chosen[i];
	return subset;
}

static int n_cards_of(const struct request *request, unsigned int subset)
{
	unsigned int cards = 0;

	for (size_t i = 0; i < request->n; i++)
		if (subset >> i & 1)
			cards |= 1U << request->candidates[i].unit->device;
	return __builtin_popcount(cards);
}

/* The weakest link of a subset; those of different groups are as good as none. */
static int weakest_of(const struct request *request, unsigned int subset)
{
	int weakest = INT_MAX;

	for (size_t i = 0; i < request->n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct device *a, *b;

			if (!(subset >> i & 1) || !(subset >> j & 1))
				continue;
			a = unit_state(request->set, request->candidates[i].unit)->device;
			b = unit_state(request->set, request->candidates[j].unit)->device;
			weakest = MIN(weakest, strcmp(a->link_group, b->link_group) == 0
						       ? (int)topology_link(a, b)
						       : (int)TOPOLOGY_LINK_SYSTEM);
		}
	return weakest;
}

static int better_of(int a, int b)
{
	return MAX(a, b);
}

static int fewer_of(int a, int b)
{
	return MIN(a, b);
}

/* The best value that a subset of @size has, if it has all that must be included. */
static int search(const struct request *request, size_t size,
		  int (*value)(const struct request *request, unsigned int subset),
		  int (*choose_value)(int a, int b))
{
	unsigned int must = must_of(request);
	bool found = false;
	int best = 0;

	for (unsigned int subset = 0; subset < 1U << request->n; subset++) {
		int worth;

		if ((subset & must) != must || (size_t)__builtin_popcount(subset) != size)
			continue;
		worth = value(request, subset);
		best = found ? choose_value(best, worth) : worth;
		found = true;
	}
	assert_true(found);
	return best;
}

/* A size that has room for all that must be included. */
static size_t random_size(const struct request *request)
{
	size_t n_must = (size_t)__builtin_popcount(must_of(request));

	return n_must + next_random((uint32_t)(request->n - n_must + 1));
}

static void all_take_as_few_cards_as_can_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		_cleanup_(request_done) struct request request;
		size_t size;

		random_request(&request, &node_cores_1, 4);
		size = random_size(&request);
		for (enum preferred_policy policy = 0; policy < _PREFERRED_POLICY_MAX; policy++) {
			choose(&request, policy, size);
			assert_int_equal(n_cards_of(&request, subset_of(&request, size)),
					 search(&request, size, n_cards_of, fewer_of));
		}
	}
}

static void linked_cards_stay_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		_cleanup_(request_done) struct request request;
		size_t size;

		random_request(&request, &node_whole, CARDS_MAX);
		size = random_size(&request);
		choose(&request, PREFERRED_ALIGNED, size);
		assert_int_equal(weakest_of(&request, subset_of(&request, size)),
				 search(&request, size, weakest_of, better_of));
	}
}

/* How many candidates there are of each card. */
static void count_free(const struct request *request, size_t counts[CARDS_MAX])
{
	memset(counts, 0, CARDS_MAX * sizeof(*counts));
	for (size_t i = 0; i < request->n; i++)
		counts[request->candidates[i].unit->device]++;
}

/* What fits one card comes from the fullest that can hold it, or from the emptiest. */
static void one_card_is_the_fullest_or_the_emptiest(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		_cleanup_(request_done) struct request request;
		size_t counts[CARDS_MAX], least = SIZE_MAX, most = 0, size = 1 + next_random(3);

		random_request(&request, &node_cores_1, 4);
		for (size_t j = 0; j < request.n; j++)
			request.candidates[j].must_include = false;
		count_free(&request, counts);
		for (size_t j = 0; j < CARDS_MAX; j++) {
			least = counts[j] >= size ? MIN(least, counts[j]) : least;
			most = MAX(most, counts[j]);
		}
		if (least == SIZE_MAX)
			continue;
		choose(&request, PREFERRED_PACKED, size);
		assert_int_equal(counts[request.candidates[request.chosen[0]].unit->device], least);
		choose(&request, PREFERRED_DISTRIBUTED, size);
		assert_int_equal(counts[request.candidates[request.chosen[0]].unit->device], most);
	}
}

/* More shares of a card than it could have cores. */
static void many_shares_of_a_card(void **state)
{
	static const struct unit_rule shares = { .resource = "node/share",
						 .kind = UNIT_WHOLE,
						 .shares = 100 };
	static const struct {
		size_t size;
		size_t n_taken; /* shares of A that are no candidates */
		const char *chosen[_PREFERRED_POLICY_MAX];
	} cases[] = {
		{ 100, 0, { "A100", "A100", "A100" } },
		{ 150, 0, { "A100 B50", "A100 B50", "A100 B50" } },
		{ 30, 60, { "A30", "A30", "B30" } },
		{ 65, 30, { "A65", "A65", "B65" } },
		{ 120, 70, { "A20 B100", "A20 B100", "B100 C20" } },
		{ 300, 0, { "A100 B100 C100", "A100 B100 C100", "A100 B100 C100" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(request_done) struct request request;
		char text[TEXT_MAX];

		request_init(&request, "0 0 0", &shares);
		for (size_t j = cases[i].n_taken; j < request.set->n_units; j++)
			request.candidates[request.n++].unit = &request.set->units[j];
		for (enum preferred_policy policy = 0; policy < _PREFERRED_POLICY_MAX; policy++) {
			choose(&request, policy, cases[i].size);
			assert_string_equal(count_chosen(&request, cases[i].size, text),
					    cases[i].chosen[policy]);
		}
	}
}

static void survives_no_memory(void **state)
{
	_cleanup_(request_done) struct request request;

	(void)state;
	request_init(&request, "0 0 1", &node_cores_1);
	parse(&request, "A" ALL " B012 C" ALL);
	for (enum preferred_policy policy = 0; policy < _PREFERRED_POLICY_MAX; policy++) {
		size_t n_failed = 1, n_tries;

		for (n_tries = 0; n_failed > 0; n_tries++) {
			int r;

			memory_fail_after(n_tries);
			r = preferred_choose(request.set, policy, request.candidates, request.n, 9,
					     request.chosen);
			n_failed = memory_restore();
			assert_int_equal(r, n_failed > 0 ? -ENOMEM : 9);
		}
		assert_true(n_tries > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_differ),
		cmocka_unit_test(all_take_as_few_cards_as_can_be),
		cmocka_unit_test(linked_cards_stay_together),
		cmocka_unit_test(one_card_is_the_fullest_or_the_emptiest),
		cmocka_unit_test(many_shares_of_a_card),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
