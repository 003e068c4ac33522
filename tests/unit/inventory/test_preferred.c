/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/preferred.h"
#include "inventory/topology.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/inventory/node.h"

#define CANDIDATES_MAX 64
#define SEARCH_MAX 10 /* candidates of which all subsets are looked at */
#define TEXT_MAX 256
#define N_RANDOM 3000
#define N_CARDS 7500

/*
 * A request: candidates are written as "AB!C~?", which is cards by letter, of
 * partitions the cores behind it as in "A012B4"; '!' stands behind one that must
 * be included, '~' behind an unhealthy one, '?' for one that is not known.
 */
struct request {
	struct snapshot *node;
	struct unit_set *set;
	struct candidate candidates[CANDIDATES_MAX];
	size_t n;
	enum preferred_policy policy; /* PREFERRED_ALIGNED unless set */
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

static void add_unit(struct request *request, char card, char core)
{
	char id[UNIT_ID_MAX];

	assert_true(request->n < CANDIDATES_MAX);
	(void)snprintf(id, sizeof(id), core ? "%c_cores_%c" : "%c", card, core);
	request->candidates[request->n].unit = unit_set_find(request->set, id);
	assert_non_null(request->candidates[request->n].unit);
	request->n++;
}

static void make_unhealthy(struct request *request, const struct unit *unit)
{
	request->set->units[unit - request->set->units].healthy = false;
}

static void parse(struct request *request, const char *text)
{
	bool whole = request->set->rule.kind == UNIT_WHOLE;
	char card = '\0';

	for (; *text != '\0'; text++) {
		if (*text == '!')
			request->candidates[request->n - 1].must_include = true;
		else if (*text == '~')
			make_unhealthy(request, request->candidates[request->n - 1].unit);
		else if (*text == '?')
			request->n++;
		else if (*text >= '0' && *text <= '9')
			add_unit(request, card, *text);
		else
			card = *text;
		if (whole && *text == card)
			add_unit(request, card, '\0');
	}
}

/* Writes the candidates of @chosen as they were written in the request, without marks. */
static const char *write_chosen(const struct request *request, size_t n_chosen, char *text)
{
	bool chosen[CANDIDATES_MAX] = { false };
	char card = '\0';
	size_t len = 0;

	for (size_t i = 0; i < n_chosen; i++)
		chosen[request->chosen[i]] = true;
	for (size_t i = 0; i < request->n; i++) {
		const struct unit *unit = request->candidates[i].unit;

		if (!chosen[i])
			continue;
		if (!unit)
			text[len++] = '?';
		if (unit && unit->id[0] != card)
			text[len++] = card = unit->id[0];
		if (unit && unit->id[1] != '\0')
			text[len++] = unit->id[strlen(unit->id) - 1];
	}
	text[len] = '\0';
	return text;
}

/* Exactly as many as asked for, none twice, and first those that must be there. */
static void assert_sound(const struct candidate *candidates, size_t n, size_t size,
			 const size_t *chosen, int r)
{
	bool *seen = calloc(n + 1, sizeof(*seen));
	size_t n_must = 0;

	assert_non_null(seen);
	for (size_t i = 0; i < n; i++)
		n_must += candidates[i].must_include;
	assert_int_equal(r, MIN(size, n));
	for (size_t i = 0; i < (size_t)r; i++) {
		assert_true(chosen[i] < n);
		assert_false(seen[chosen[i]]);
		seen[chosen[i]] = true;
		assert_int_equal(candidates[chosen[i]].must_include, i < n_must);
	}
	free(seen);
}

static int choose(struct request *request, size_t size)
{
	int r = preferred_choose(request->set, request->policy, request->candidates, request->n,
				 size, request->chosen);

	assert_sound(request->candidates, request->n, size, request->chosen, r);
	return r;
}

struct preferred_case {
	const char *topology;
	const char *candidates;
	size_t size;
	const char *chosen;
};

static void check_policy(enum preferred_policy policy, const struct preferred_case *cases, size_t n,
			 const struct unit_rule *rule)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(request_done) struct request request;
		char text[TEXT_MAX];
		int r;

		request_init(&request, cases[i].topology, rule);
		parse(&request, cases[i].candidates);
		request.policy = policy;
		r = choose(&request, cases[i].size);
		assert_string_equal(write_chosen(&request, (size_t)r, text), cases[i].chosen);
	}
}

static void check(const struct preferred_case *cases, size_t n, const struct unit_rule *rule)
{
	check_policy(PREFERRED_ALIGNED, cases, n, rule);
}

/* Two NUMA nodes, each with two switches of two cards: A-B, C-D and E-F, G-H. */
#define SERVER                                    \
	"0/a/x/1 0/a/x/1 0/b/y/1 0/b/y/1 1/c/z/1" \
	" 1/c/z/1 1/d/w/1 1/d/w/1"

static void chooses_cards(void **state)
{
	static const struct preferred_case cases[] = {
		{ "0", "A", 0, "" },
		{ "0", "A", 1, "A" },
		{ "0", "A", 9, "A" },
		{ "0", "", 3, "" },
		/* One card: where least is left, so that what is large stays whole. */
		{ SERVER, "ABCDEFGH", 1, "A" },
		{ SERVER, "ABCEFGH", 1, "C" },
		{ SERVER, "ACDEFG", 1, "A" },
		{ SERVER, "ABCDEFG", 1, "G" },
		{ SERVER, "ABCDEH", 1, "E" },
		{ SERVER, "HGFEDCBA", 1, "A" },
		/* Several: one switch, then one NUMA node, then what there is. */
		{ SERVER, "ABCDEFGH", 2, "AB" },
		{ SERVER, "BCEGH", 2, "GH" },
		{ SERVER, "ABCDEFG", 2, "EF" },
		{ SERVER, "ACEFG", 2, "EF" },
		{ SERVER, "ACEG", 2, "AC" },
		{ SERVER, "AEG", 2, "EG" },
		{ SERVER, "BF", 2, "BF" },
		{ SERVER, "ABCDEFGH", 3, "ABC" },
		{ SERVER, "ABCDEFG", 3, "EFG" },
		{ SERVER, "ABCDEFGH", 4, "ABCD" },
		{ SERVER, "ABCEFGH", 4, "EFGH" },
		{ SERVER, "ABCEFG", 4, "ABCG" },
		{ SERVER, "ABCEFGH", 5, "CEFGH" },
		{ SERVER, "ABCEFGH", 6, "ABEFGH" },
		{ SERVER, "ABCDEFGH", 8, "ABCDEFGH" },
		/* One switch is better than one root complex. */
		{ "0/a/x 0/a/y 0/a/z 0/a/z", "ABCD", 2, "CD" },
		{ "0/a/x 0/a/y 0/b/z 0/c/z", "ABCD", 2, "AB" },
		/* A switch is a switch, however deep. */
		{ "0/a/x/y/z 0/a/x/y/z 0/a/x/y/z 0/b/w 0/b/w", "ABCDE", 2, "DE" },
		{ "0/a/x/y 0/a/x/y 0/a/x 0/b/w 0/b/w 0/b/w 0/b/w", "ABCDEFG", 2, "AB" },
		/* Nothing known: in order. */
		{ "- - -", "CBA", 2, "BA" },
		{ "0 1 1 -", "ABCD", 2, "BC" },
		{ "-/a -/b -/b", "ABC", 2, "BC" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases), &node_whole);
}

static void stays_near_what_must_be_included(void **state)
{
	static const struct preferred_case cases[] = {
		{ SERVER, "ABC!DEFGH", 1, "C" },
		{ SERVER, "ABC!DEFGH", 2, "CD" },
		{ SERVER, "ABC!EFGH", 2, "AC" },
		{ SERVER, "ABC!DEFGH", 3, "ACD" },
		{ SERVER, "ABCDEF!GH", 4, "EFGH" },
		{ SERVER, "C!EFGH", 3, "CEF" },
		{ SERVER, "A!BCDEFGH!", 3, "ABH" },
		{ SERVER, "A!BCDEFGH!", 4, "ABCH" },
		{ SERVER, "A!B!CDE!FGH", 4, "ABCE" },
		/* More than are asked for. */
		{ SERVER, "A!B!C!", 3, "ABC" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases), &node_whole);
}

static void takes_unusable_last(void **state)
{
	static const struct preferred_case cases[] = {
		{ SERVER, "A~BCD", 2, "CD" },
		{ SERVER, "A~BC~D", 2, "BD" },
		{ SERVER, "A~BC~D", 3, "ABD" },
		{ SERVER, "?A~BC~D", 3, "ABD" },
		{ SERVER, "?A~BC~D", 5, "?ABCD" },
		{ SERVER, "??A~", 2, "?A" },
		{ SERVER, "A~C~", 1, "A" },
		{ SERVER, "??", 1, "?" },
		/* Unless they must be included; then they count, and tell the place. */
		{ SERVER, "ABC~!DE", 2, "CD" },
		{ SERVER, "ABCD?!", 2, "A?" },
		{ SERVER, "A~!BCDEF", 2, "AB" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases), &node_whole);
}

static void chooses_partitions(void **state)
{
	static const struct preferred_case cases[] = {
		/* A started card before a fresh one, the one that fits best. */
		{ "0 0 0", "A01234567B01234567C01234567", 1, "A0" },
		{ "0 0 0", "A01234567B0123456C01234567", 1, "B0" },
		{ "0 0 0", "A01234567B56C012", 2, "B56" },
		{ "0 0 0", "A01234567B56C012", 3, "C012" },
		{ "0 0 0", "A01234567B56C012", 4, "A0123" },
		/* Fewest cards, even if they are further away from each other. */
		{ "0 0 0", "A01234567B56C012", 9, "A01234567B5" },
		{ "0 0 0", "A01234567B56C012", 11, "A01234567C012" },
		{ "0/a 0/b 0/b 1/a 1/a", "A01B0C0D012E0", 4, "D012E0" },
		{ "0/a/x 0/a/x 0/a/x 1/b/y 1/b/z", "A0B0C0D01E0", 3, "D01E0" },
		{ "0/a/x 0/a/x 0/a/x 0/b/y 1/b/z", "A01B01C01D012E012", 6, "D012E012" },
		/* Of as few cards the nearer ones. */
		{ "0 1 0 1", "A0123B0123C012D0123", 7, "A0123C012" },
		{ "0/a 0/b 0/b 1/c", "A0123B0123C0123D0123", 8, "B0123C0123" },
		{ "0 0 1", "A012B0123C0123", 8, "B0123C0123" },
		{ "0 0 1", "A012B0123C0123", 9, "A0B0123C0123" },
		/* The cards of what must be included are finished first. */
		{ "0 0", "A01234567B01!2", 2, "B01" },
		{ "0 0", "A01234567B01!2", 3, "B012" },
		{ "0 0", "A01234567B01!2", 5, "A01B012" },
		{ "0 0", "A01!2B01234!567", 3, "A01B4" },
		{ "0 0", "A01!2B01234!567", 5, "A012B04" },
		{ "0 0 1", "A0!B01234567C0123", 4, "A0B012" },
		{ "0/a 0/a 0/b", "A0!B01234567C0123", 4, "A0B012" },
		{ "0 0", "A0~!123B01", 3, "A012" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases), &node_cores_1);
}

static void must_include_is_cut_at_size(void **state)
{
	_cleanup_(request_done) struct request request;

	(void)state;
	request_init(&request, SERVER, &node_whole);
	parse(&request, "ABC!D!E!");
	assert_int_equal(preferred_choose(request.set, PREFERRED_ALIGNED, request.candidates,
					  request.n, 2, request.chosen),
			 2);
	assert_int_equal(request.chosen[0], 2);
	assert_int_equal(request.chosen[1], 3);
}

/* A candidate that is listed twice is promised not to be; still nothing is written past. */
static void bears_duplicates(void **state)
{
	_cleanup_(request_done) struct request request;

	(void)state;
	request_init(&request, SERVER, &node_whole);
	parse(&request, "AAAB");
	assert_int_equal(choose(&request, 3), 3);
	assert_int_equal(choose(&request, 9), 4);
}

/* What a set of candidates is worth. */
struct worth {
	int weakest; /* link of all pairs; INT_MAX if there is none */
	int sum;     /* of the links of all pairs */
	size_t n_cards;
};

static int links[SEARCH_MAX][SEARCH_MAX];

static void measure_links(const struct request *request)
{
	assert_true(request->n <= SEARCH_MAX);
	for (size_t i = 0; i < request->n; i++) {
		for (size_t j = 0; j < request->n; j++)
			links[i][j] = (int)topology_link(
				unit_state(request->set, request->candidates[i].unit)->device,
				unit_state(request->set, request->candidates[j].unit)->device);
	}
}

static struct worth worth_of(const struct request *request, unsigned int subset)
{
	struct worth worth = { .weakest = INT_MAX };

	for (size_t i = 0; i < request->n; i++) {
		bool new_card = true;

		if (!(subset >> i & 1))
			continue;
		for (size_t j = 0; j < i; j++) {
			if (!(subset >> j & 1))
				continue;
			worth.weakest = MIN(worth.weakest, links[i][j]);
			worth.sum += links[i][j];
			new_card &= links[i][j] != TOPOLOGY_LINK_SAME;
		}
		worth.n_cards += new_card;
	}
	return worth;
}

/* The best of all subsets of @size that could have been chosen, each part by itself. */
static struct worth find_best_worth(const struct request *request, size_t size)
{
	struct worth best = { .n_cards = SIZE_MAX };
	unsigned int must = 0;

	for (size_t i = 0; i < request->n; i++)
		must |= (unsigned int)request->candidates[i].must_include << i;
	for (unsigned int subset = 0; subset < 1U << request->n; subset++) {
		struct worth worth;

		if ((subset & must) != must || (size_t)__builtin_popcount(subset) != size)
			continue;
		worth = worth_of(request, subset);
		best.weakest = MAX(best.weakest, worth.weakest);
		best.sum = MAX(best.sum, worth.sum);
		best.n_cards = MIN(best.n_cards, worth.n_cards);
	}
	return best;
}

static struct worth choose_worth(struct request *request, size_t size)
{
	unsigned int subset = 0;
	int r = choose(request, size);

	for (int i = 0; i < r; i++)
		subset |= 1U << request->chosen[i];
	return worth_of(request, subset);
}

/* On the usual server the sum of all links is the highest, whatever is free. */
static void is_optimal_on_a_server(void **state)
{
	(void)state;
	for (unsigned int free = 1; free < 1U << 8; free++) {
		_cleanup_(request_done) struct request request;

		request_init(&request, SERVER, &node_whole);
		for (size_t i = 0; i < 8; i++) {
			if (free >> i & 1)
				add_unit(&request, (char)('A' + i), '\0');
		}
		measure_links(&request);
		for (size_t size = 1; size <= request.n; size++) {
			struct worth best = find_best_worth(&request, size);
			struct worth worth = choose_worth(&request, size);

			assert_int_equal(worth.weakest, best.weakest);
			assert_int_equal(worth.sum, best.sum);
		}
	}
}

/* Where it is not: the fuller NUMA node is taken, although the other has a pair. */
static void prefers_the_fuller_node(void **state)
{
	static const struct preferred_case cases[] = {
		{ "0/a 0/b 0/c 1/d 1/d 1/e 1/f", "ABCDEFG", 3, "ABC" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases), &node_whole);
}

/* The fuller part of the node, where an aligned choice takes the nearer cards. */
static void packs(void **state)
{
	static const struct preferred_case near[] = {
		{ "0/a 0/b 1/c/x 1/c/x 1/c/x", "ABCDE", 2, "CD" },
	};
	static const struct preferred_case cases[] = {
		{ "0/a 0/b 1/c/x 1/c/x 1/c/x", "ABCDE", 2, "AB" },
		{ "0/a 0/b 1/c/x 1/c/x 1/c/x", "ABCE!", 2, "CE" },
	};
	static const struct preferred_case partitions[] = {
		{ "0 0 1", "A01234567B5C012", 1, "B5" },
		{ "0 0 1", "A01234567B5C012", 3, "C012" },
	};

	(void)state;
	check_policy(PREFERRED_ALIGNED, near, ARRAY_SIZE(near), &node_whole);
	check_policy(PREFERRED_PACKED, cases, ARRAY_SIZE(cases), &node_whole);
	check_policy(PREFERRED_PACKED, partitions, ARRAY_SIZE(partitions), &node_cores_1);
}

static void distributes(void **state)
{
	static const struct preferred_case cases[] = {
		{ "0 0 0 1 1 1", "ABCDEF", 2, "AD" },
		{ "0 0 0 1 1 1", "ABCDEF", 4, "ABDE" },
		/* The NUMA node with more to spare comes first. */
		{ "0 0 0 1 1 1", "BCDEF", 1, "D" },
		{ "0 0 0 1 1 1", "ABCF", 1, "A" },
		{ "0 0 0 1 1 1", "CDEF", 3, "CDE" },
		{ "0 0 1", "ABC", 1, "A" },
	};
	static const struct preferred_case partitions[] = {
		/* The emptiest card, then its NUMA node. */
		{ "0 0 1 1", "A12B0C01D01", 1, "C0" },	   { "0 0 1 1", "A1B012C01D01", 1, "B0" },
		{ "0 0 1 1", "A1B01C01D01", 1, "C0" },	   { "0 0 1 1", "A1B01C0D01", 1, "B0" },
		{ "0 0 1 1", "A01B01C01D01", 3, "A01C0" },
	};

	(void)state;
	check_policy(PREFERRED_DISTRIBUTED, cases, ARRAY_SIZE(cases), &node_whole);
	check_policy(PREFERRED_DISTRIBUTED, partitions, ARRAY_SIZE(partitions), &node_cores_1);
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
	static const char *const numa_nodes[] = { "0", "1", "-" };
	static const char *const bridges[] = { "", "/x", "/y", "/x/u", "/x/v", "/x/u/w" };
	size_t len = 0;

	for (size_t i = 0; i < n_cards; i++) {
		const char *numa = numa_nodes[next_random(20) * ARRAY_SIZE(numa_nodes) / 23];

		/* A root complex is in one NUMA node only. */
		len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s%s/%s%c%s", i > 0 ? " " : "",
					numa, numa, "abc"[next_random(3)],
					bridges[next_random(ARRAY_SIZE(bridges))]);
	}
	text[len] = '\0';
}

static void mark_random_must(struct request *request, size_t n)
{
	while (n-- > 0)
		request->candidates[next_random((uint32_t)request->n)].must_include = true;
}

static size_t count_must(const struct request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < request->n; i++)
		n += request->candidates[i].must_include;
	return n;
}

/* A size that has room for all that must be included. */
static size_t random_size(const struct request *request)
{
	size_t n_must = count_must(request);

	return n_must + next_random((uint32_t)(request->n - n_must + 1));
}

/* The weakest link is as strong as it can be. */
static void keeps_cards_near(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		_cleanup_(request_done) struct request request;
		size_t n = 1 + next_random(SEARCH_MAX - 1);
		char text[TEXT_MAX];
		size_t size;

		random_topology(text, n);
		request_init(&request, text, &node_whole);
		for (size_t j = 0; j < n; j++)
			add_unit(&request, (char)('A' + j), '\0');
		mark_random_must(&request, next_random(3));
		size = random_size(&request);
		measure_links(&request);
		assert_int_equal(choose_worth(&request, size).weakest,
				 find_best_worth(&request, size).weakest);
	}
}

/* Partitions are on as few cards as can be. */
static void keeps_partitions_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		_cleanup_(request_done) struct request request;
		char text[TEXT_MAX];
		size_t size;

		random_topology(text, 4);
		request_init(&request, text, &node_cores_1);
		for (size_t j = 0; j < request.set->n_units && request.n < SEARCH_MAX; j++) {
			if (next_random(3) == 0)
				request.candidates[request.n++].unit = &request.set->units[j];
		}
		if (request.n == 0)
			continue;
		mark_random_must(&request, next_random(3));
		size = random_size(&request);
		measure_links(&request);
		assert_int_equal(choose_worth(&request, size).n_cards,
				 size == 0 ? 0 : find_best_worth(&request, size).n_cards);
	}
}

/* Anything goes: unhealthy, unknown, any size. */
static void is_sound_for_anything(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		static const struct unit_rule *const rules[] = { &node_whole, &node_cores_1,
								 &node_cores_4 };
		_cleanup_(request_done) struct request request;
		char text[TEXT_MAX];

		random_topology(text, 1 + next_random(6));
		request_init(&request, text, rules[next_random(ARRAY_SIZE(rules))]);
		for (size_t j = 0; j < request.set->n_units; j++) {
			struct unit *unit = &request.set->units[j];
			bool known = next_random(8) > 0;

			unit->healthy = next_random(4) > 0;
			if (next_random(3) > 0)
				request.candidates[request.n++].unit = known ? unit : NULL;
		}
		if (request.n > 0)
			mark_random_must(&request, next_random(4));
		(void)choose(&request, count_must(&request) + next_random(50));
	}
}

static struct snapshot *make_many(void)
{
	struct device_state *states = calloc(N_CARDS, sizeof(*states));
	struct snapshot *snapshot;

	assert_non_null(states);
	for (size_t i = 0; i < N_CARDS; i++) {
		char place[TEXT_MAX];

		(void)snprintf(place, sizeof(place), "%zu/%zu/%zu/%zu", i % 8, i % 56, i / 100,
			       i / 10);
		states[i].device = node_device(place, i);
		states[i].healthy = true;
		(void)snprintf(states[i].id, sizeof(states[i].id), "card-%05zu", i);
	}
	snapshot = snapshot_new(1, states, N_CARDS);
	assert_non_null(snapshot);
	for (size_t i = 0; i < N_CARDS; i++)
		device_unref(states[i].device);
	free(states);
	return snapshot;
}

static void shuffle(struct candidate *candidates, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = next_random((uint32_t)i + 1);
		struct candidate candidate = candidates[i];

		candidates[i] = candidates[j];
		candidates[j] = candidate;
	}
}

static size_t count_cards(const struct candidate *candidates, const size_t *chosen, size_t n)
{
	static bool seen[N_CARDS];
	size_t n_cards = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < n; i++) {
		uint32_t device = candidates[chosen[i]].unit->device;

		n_cards += !seen[device];
		seen[device] = true;
	}
	return n_cards;
}

static void chooses_of_many(void **state)
{
	static const size_t sizes[] = { 0, 1, 8, 9, 1000, 30001, 60000 };
	static struct candidate candidates[N_CARDS * NODE_CORES];
	static size_t chosen[N_CARDS * NODE_CORES];
	_cleanup_(snapshot_unrefp) struct snapshot *node = make_many();
	_cleanup_(unit_set_unrefp) struct unit_set *set = node_units(node, &node_cores_1);

	(void)state;
	assert_int_equal(set->n_units, ARRAY_SIZE(candidates));
	for (size_t i = 0; i < set->n_units; i++)
		candidates[i].unit = &set->units[i];
	shuffle(candidates, ARRAY_SIZE(candidates));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int r = preferred_choose(set, PREFERRED_ALIGNED, candidates, ARRAY_SIZE(candidates),
					 sizes[i], chosen);

		assert_sound(candidates, ARRAY_SIZE(candidates), sizes[i], chosen, r);
		assert_int_equal(count_cards(candidates, chosen, sizes[i]),
				 (sizes[i] + NODE_CORES - 1) / NODE_CORES);
	}
}

static void survives_no_memory(void **state)
{
	_cleanup_(request_done) struct request request;
	size_t n_failed = 1;
	size_t n_tries;

	(void)state;
	request_init(&request, SERVER, &node_whole);
	parse(&request, "ABCD");
	for (n_tries = 0; n_failed > 0; n_tries++) {
		int r;

		memory_fail_after(n_tries);
		r = preferred_choose(request.set, PREFERRED_ALIGNED, request.candidates, request.n,
				     2, request.chosen);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 2);
	}
	assert_true(n_tries > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_cards),
		cmocka_unit_test(stays_near_what_must_be_included),
		cmocka_unit_test(takes_unusable_last),
		cmocka_unit_test(chooses_partitions),
		cmocka_unit_test(must_include_is_cut_at_size),
		cmocka_unit_test(bears_duplicates),
		cmocka_unit_test(is_optimal_on_a_server),
		cmocka_unit_test(prefers_the_fuller_node),
		cmocka_unit_test(packs),
		cmocka_unit_test(distributes),
		cmocka_unit_test(keeps_cards_near),
		cmocka_unit_test(keeps_partitions_together),
		cmocka_unit_test(is_sound_for_anything),
		cmocka_unit_test(chooses_of_many),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
