/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is made of the devices that have candidates, in topology order, where
 * every branch is a run of neighbours:
 *
 *	            system                      nearness 0
 *	      NUMA 0      NUMA 1                1
 *	     root          root   root          2
 *	   bridge  \         |     |  \         3 and more
 *	    | |     |        |     |   |
 *	   npu0 1   2        3     4   5        leaves
 *
 * A branch with one part only is left out, so that there are fewer branches than
 * leaves, and a level is compared by what it is and not by how deep it lies.
 *
 * First the cards of the units that must be included are finished.  What is still
 * wanted comes from the best part of the tree that has enough: the one with more
 * of the included units, then that needs fewer cards, then the nearer, then the
 * fuller one.  Inside it whole parts are taken, largest first, until one part has
 * enough for the rest; that part is chosen in the same way.
 *
 * Source: best fit over a hierarchy, Knuth, The Art of Computer Programming 2.5;
 * the tree from neighbours is that of Kasai et al., "Linear-Time
 * Longest-Common-Prefix Computation in Suffix Arrays and Its Applications", 2001
 */
#include "inventory/preferred.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "inventory/topology.h"

/* What a nearness of topology_shared() amounts to when branches are compared. */
#define NEARNESS_BRIDGE 3U	 /* a deeper bridge is not better */
#define NEARNESS_DEVICE UINT_MAX /* of a leaf to itself */

struct part {
	struct part *parent;
	struct part *child; /* first one, NULL for a leaf */
	struct part *next;  /* sibling */
	unsigned int nearness;
	size_t first_leaf;
	size_t n_leaves;
	size_t first_unit; /* of a leaf, with n_units: numbers in the set */
	size_t n_units;
	size_t must;  /* units in it that are chosen to begin with */
	size_t free;  /* units in it that can be taken */
	size_t gain;  /* scratch: units chosen if as many as possible are taken */
	size_t peers; /* scratch: of a leaf, cards of its NUMA node that are as empty */
};

struct choice {
	const struct unit_set *set;
	const struct candidate *candidates;
	size_t n;
	size_t wanted; /* how many are still to be chosen */

	size_t *chosen; /* the caller's */
	size_t n_chosen;
	bool *taken;	 /* of each candidate */
	size_t *of_unit; /* candidate of each unit of the set, plus one; 0: none */

	struct part *parts; /* leaves first, in order, then branches */
	size_t n_leaves;
	size_t n_parts;
	bool packed;	       /* the fuller part comes before the nearer */
	bool partitions;       /* a card has several units: count cards */
	struct part **scratch; /* room for a pointer to each leaf */
	size_t *with_free;     /* scratch: how many cards have so many free units */
	size_t max_free;       /* the most that one has */
};

static void choice_done(struct choice *choice)
{
	free(choice->taken);
	free(choice->of_unit);
	free(choice->parts);
	free(choice->scratch);
	free(choice->with_free);
}

static bool is_usable(const struct choice *choice, size_t candidate)
{
	const struct unit *unit = choice->candidates[candidate].unit;

	return !choice->taken[candidate] && unit && unit->healthy;
}

static void take(struct choice *choice, size_t candidate)
{
	choice->taken[candidate] = true;
	choice->chosen[choice->n_chosen++] = candidate;
	choice->wanted--;
}

static void take_must_include(struct choice *choice)
{
	for (size_t i = 0; i < choice->n && choice->wanted > 0; i++) {
		if (choice->candidates[i].must_include)
			take(choice, i);
	}
}

/* Takes what is left, known units before unknown IDs. */
static void take_unusable(struct choice *choice)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < choice->n && choice->wanted > 0; i++) {
			if (!choice->taken[i] && (choice->candidates[i].unit || pass == 1))
				take(choice, i);
		}
	}
}

/* Takes @n free units of a leaf, in order of their cores. */
static void take_units(struct choice *choice, const struct part *leaf, size_t n)
{
	for (size_t i = leaf->first_unit; n > 0 && i < leaf->first_unit + leaf->n_units; i++) {
		size_t of_unit = choice->of_unit[i];

		if (of_unit == 0 || !is_usable(choice, of_unit - 1))
			continue;
		take(choice, of_unit - 1);
		n--;
	}
}

static void take_whole(struct choice *choice, const struct part *part)
{
	for (size_t i = 0; i < part->n_leaves; i++) {
		const struct part *leaf = &choice->parts[part->first_leaf + i];

		take_units(choice, leaf, leaf->free);
	}
}

static void index_candidates(struct choice *choice)
{
	for (size_t i = 0; i < choice->n; i++) {
		if (choice->candidates[i].unit)
			choice->of_unit[choice->candidates[i].unit - choice->set->units] = i + 1;
	}
}

/* The leaf of a unit: the last one, or a new one if the unit is of another device. */
static struct part *leaf_of(struct choice *choice, size_t number)
{
	const struct unit *units = choice->set->units;
	struct part *next = &choice->parts[choice->n_leaves];

	if (choice->n_leaves > 0 && units[next[-1].first_unit].device == units[number].device)
		return next - 1;
	*next = (struct part) { .nearness = NEARNESS_DEVICE,
				.first_leaf = choice->n_leaves,
				.n_leaves = 1,
				.first_unit = number };
	choice->n_leaves++;
	return next;
}

static void count_unit(struct choice *choice, size_t number)
{
	size_t candidate = choice->of_unit[number] - 1;
	struct part *leaf;

	if (!choice->taken[candidate] && !is_usable(choice, candidate))
		return;
	leaf = leaf_of(choice, number);
	leaf->n_units = number - leaf->first_unit + 1;
	leaf->must += choice->taken[candidate];
	leaf->free += !choice->taken[candidate];
}

/* The units of a set lie in topology order, those of a device side by side. */
static void make_leaves(struct choice *choice)
{
	for (size_t i = 0; i < choice->set->n_units; i++) {
		if (choice->of_unit[i] > 0)
			count_unit(choice, i);
	}
	choice->n_parts = choice->n_leaves;
}

static int compare_free(const void *a, const void *b)
{
	const struct part *left = *(const struct part *const *)a;
	const struct part *right = *(const struct part *const *)b;

	if (left->free != right->free)
		return left->free < right->free ? -1 : 1;
	return (left > right) - (left < right);
}

/* Takes units of the cards that are in use anyway, the fullest card first. */
static void finish_started(struct choice *choice)
{
	size_t n = 0;

	for (size_t i = 0; i < choice->n_leaves; i++) {
		if (choice->parts[i].must > 0)
			choice->scratch[n++] = &choice->parts[i];
	}
	qsort(choice->scratch, n, sizeof(struct part *), compare_free);
	for (size_t i = 0; i < n; i++) {
		struct part *leaf = choice->scratch[i];
		size_t count = MIN(leaf->free, choice->wanted);

		take_units(choice, leaf, count);
		leaf->free -= count;
		leaf->must += count;
	}
	for (size_t i = 0; i < choice->n_leaves; i++)
		choice->max_free = MAX(choice->max_free, choice->parts[i].free);
	choice->partitions = choice->max_free > 1;
}

static const struct device *device_of(const struct choice *choice, const struct part *leaf)
{
	return unit_state(choice->set, &choice->set->units[leaf->first_unit])->device;
}

/* Puts a branch in the place of @part, with @part as its only child so far. */
static struct part *grow(struct choice *choice, struct part *part, unsigned int nearness)
{
	struct part *branch = &choice->parts[choice->n_parts++];

	*branch = (struct part) { .parent = part->parent,
				  .nearness = nearness,
				  .first_leaf = part->first_leaf };
	part->parent = branch;
	return branch;
}

/* Hangs each leaf on the branch that it shares with the leaf before it. */
static void make_branches(struct choice *choice)
{
	for (size_t i = 1; i < choice->n_leaves; i++) {
		struct part *leaf = &choice->parts[i];
		struct part *part = leaf - 1;
		unsigned int nearness =
			topology_shared(device_of(choice, leaf - 1), device_of(choice, leaf));

		while (part->parent && part->parent->nearness >= nearness)
			part = part->parent;
		if (part->nearness != nearness)
			part = grow(choice, part, nearness);
		leaf->parent = part;
	}
}

/* Adds the numbers of each leaf to the branches above, and links the children. */
static void sum_up(struct choice *choice)
{
	for (size_t i = 0; i < choice->n_leaves; i++) {
		const struct part *leaf = &choice->parts[i];

		for (struct part *part = leaf->parent; part; part = part->parent) {
			part->n_leaves++;
			part->must += leaf->must;
			part->free += leaf->free;
		}
	}
	for (size_t i = 0; i < choice->n_parts; i++) {
		struct part *part = &choice->parts[i];

		if (!part->parent)
			continue;
		part->next = part->parent->child;
		part->parent->child = part;
	}
}

/* How many of the cards of @part it takes for @n units; it has as many. */
static size_t count_cards(const struct choice *choice, const struct part *part, size_t n)
{
	size_t *with_free = choice->with_free;
	size_t n_cards = 0;

	if (!choice->partitions)
		return n;
	if (part->n_leaves == 1)
		return 1;
	memset(with_free, 0, (choice->max_free + 1) * sizeof(*with_free));
	for (size_t i = 0; i < part->n_leaves; i++)
		with_free[choice->parts[part->first_leaf + i].free]++;
	for (size_t free = choice->max_free; free > 0 && n > 0; free--) {
		size_t needed = MIN(with_free[free], (n + free - 1) / free);

		n_cards += needed;
		n -= MIN(n, needed * free);
	}
	return n_cards;
}

/* How near the cards of a part are, so that parts of all depths can be compared. */
static unsigned int nearness_class(const struct part *part)
{
	unsigned int linked = part->nearness >= TOPOLOGY_SHARED_LINK ? TOPOLOGY_SHARED_LINK : 0;

	if (!part->child)
		return NEARNESS_DEVICE;
	return linked + MIN(part->nearness - linked, NEARNESS_BRIDGE);
}

/*
 * Whether @a is to be taken before @b as it, or what is around it, has less to
 * spare.  Both grow step by step, and a card that is alone behind its bridge waits
 * until the other has grown to the same level.
 */
static bool is_fuller(const struct part *a, const struct part *b)
{
	bool is_first = a->first_leaf < b->first_leaf;

	while (a != b && a->free == b->free && a->parent && b->parent) {
		unsigned int left = nearness_class(a->parent);
		unsigned int right = nearness_class(b->parent);

		a = left >= right ? a->parent : a;
		b = right >= left ? b->parent : b;
	}
	return a->free != b->free ? a->free < b->free : is_first;
}

/* The best part so far that can hold what is wanted. */
struct best {
	struct part *part;
	size_t n_cards;
};

static bool is_better(const struct choice *choice, const struct part *part, size_t n_cards,
		      const struct best *best)
{
	if (!best->part)
		return true;
	if (part->must != best->part->must)
		return part->must > best->part->must;
	if (n_cards != best->n_cards)
		return n_cards < best->n_cards;
	if (choice->packed && part->free != best->part->free)
		return part->free < best->part->free;
	if (nearness_class(part) != nearness_class(best->part))
		return nearness_class(part) > nearness_class(best->part);
	return is_fuller(part, best->part);
}

/* Looks for the best part, @part and all below it; as deep as a PCI path at most. */
static void find_best(const struct choice *choice, struct part *part, size_t n, struct best *best)
{
	size_t n_cards;

	if (part->free < n)
		return;
	n_cards = count_cards(choice, part, n);
	if (is_better(choice, part, n_cards, best))
		*best = (struct best) { part, n_cards };
	for (struct part *child = part->child; child; child = child->next)
		find_best(choice, child, n, best);
}

/* The largest first; of equal ones what is started, then what is nearer. */
static int compare_gain(const void *a, const void *b)
{
	const struct part *left = *(const struct part *const *)a;
	const struct part *right = *(const struct part *const *)b;

	if (left->gain != right->gain)
		return left->gain > right->gain ? -1 : 1;
	if (left->must != right->must)
		return left->must > right->must ? -1 : 1;
	if (nearness_class(left) != nearness_class(right))
		return nearness_class(left) > nearness_class(right) ? -1 : 1;
	return left->first_leaf < right->first_leaf ? -1 : 1;
}

/* Lists what @part is made of: cards if cards are counted, else its children. */
static size_t list_children(const struct choice *choice, const struct part *part,
			    struct part **list)
{
	size_t n = 0;

	if (choice->partitions) {
		for (; n < part->n_leaves; n++)
			list[n] = &choice->parts[part->first_leaf + n];
		return n;
	}
	for (struct part *child = part->child; child; child = child->next)
		list[n++] = child;
	return n;
}

/*
 * Takes @part's own parts whole as long as more is wanted than the next one has,
 * and returns the part that the rest is best taken from.
 */
static struct part *take_parts(struct choice *choice, const struct part *part)
{
	struct part **list = choice->scratch;
	size_t n = list_children(choice, part, list);
	struct best best = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		list[i]->gain = list[i]->must + MIN(list[i]->free, choice->wanted);
	qsort(list, n, sizeof(struct part *), compare_gain);
	for (i = 0; i < n && list[i]->free < choice->wanted; i++)
		take_whole(choice, list[i]);
	for (; i < n; i++)
		find_best(choice, list[i], choice->wanted, &best);
	return best.part;
}

/* Takes what is wanted from below @root, which has more than that. */
static void take_near(struct choice *choice, struct part *root)
{
	struct best best = { 0 };
	struct part *part;

	find_best(choice, root, choice->wanted, &best);
	part = best.part;
	while (part->child)
		part = take_parts(choice, part);
	take_units(choice, part, choice->wanted);
}

/* Takes usable units while there are any. */
static void take_usable(struct choice *choice)
{
	struct part *root = choice->parts;

	index_candidates(choice);
	make_leaves(choice);
	finish_started(choice);
	if (choice->n_leaves == 0 || choice->wanted == 0)
		return;
	make_branches(choice);
	sum_up(choice);
	while (root->parent)
		root = root->parent;
	if (root->free <= choice->wanted)
		take_whole(choice, root);
	else
		take_near(choice, root);
}

/* --- distributed --- */

static int compare_emptiness(const struct part *left, const struct part *right)
{
	return (left->free < right->free) - (left->free > right->free);
}

/* The emptiest first; of equal ones those of one NUMA node side by side. */
static int compare_nodes(const void *a, const void *b, void *ctx)
{
	const struct part *left = *(const struct part *const *)a;
	const struct part *right = *(const struct part *const *)b;
	int order = compare_emptiness(left, right);

	if (order == 0)
		order = device_of(ctx, left)->numa_node - device_of(ctx, right)->numa_node;
	return order != 0 ? order : (left > right) - (left < right);
}

/* The emptiest first; of equal ones the one whose NUMA node has had fewer turns, and
 * before the first turn the one whose NUMA node has more of them. */
static int compare_turns(const void *a, const void *b)
{
	const struct part *left = *(const struct part *const *)a;
	const struct part *right = *(const struct part *const *)b;

	int order = compare_emptiness(left, right);

	if (order == 0)
		order = (left->gain > right->gain) - (left->gain < right->gain);
	if (order == 0)
		order = (left->peers < right->peers) - (left->peers > right->peers);
	return order != 0 ? order : (left > right) - (left < right);
}

static bool is_same_node(const struct choice *choice, const struct part *a, const struct part *b)
{
	return a->free == b->free &&
	       device_of(choice, a)->numa_node == device_of(choice, b)->numa_node;
}

/* Numbers the cards of each NUMA node that have the same number of free units, so
 * that all nodes have their first before one has its second. */
static void number_turns(struct choice *choice)
{
	struct part **leaves = choice->scratch;

	qsort_r(leaves, choice->n_leaves, sizeof(struct part *), compare_nodes, choice);
	for (size_t i = 0; i < choice->n_leaves; i++)
		leaves[i]->gain = i > 0 && is_same_node(choice, leaves[i - 1], leaves[i])
					  ? leaves[i - 1]->gain + 1
					  : 0;
	for (size_t i = choice->n_leaves; i > 0; i--)
		leaves[i - 1]->peers =
			i < choice->n_leaves && is_same_node(choice, leaves[i - 1], leaves[i])
				? leaves[i]->peers
				: leaves[i - 1]->gain + 1;
}

/* The cards are sorted by what is free: those that can hold the rest come first. */
static void take_distributed(struct choice *choice)
{
	index_candidates(choice);
	make_leaves(choice);
	finish_started(choice);
	for (size_t i = 0; i < choice->n_leaves; i++)
		choice->scratch[i] = &choice->parts[i];
	number_turns(choice);
	qsort(choice->scratch, choice->n_leaves, sizeof(struct part *), compare_turns);
	for (size_t i = 0; i < choice->n_leaves && choice->wanted > 0; i++)
		take_units(choice, choice->scratch[i],
			   MIN(choice->scratch[i]->free, choice->wanted));
}

static int choice_reserve(struct choice *choice)
{
	size_t n_leaves = MIN(choice->n, choice->set->snapshot->n_devices);
	size_t max_free = MIN(choice->n, (size_t)DEVICE_PARTITIONS_MAX * UNIT_SHARES_MAX);

	choice->taken = calloc(choice->n + 1, sizeof(*choice->taken));
	choice->of_unit = calloc(choice->set->n_units + 1, sizeof(*choice->of_unit));
	choice->parts = calloc(2 * n_leaves + 1, sizeof(*choice->parts));
	choice->scratch = calloc(n_leaves + 1, sizeof(struct part *));
	choice->with_free = calloc(max_free + 1, sizeof(*choice->with_free));
	if (!choice->taken || !choice->of_unit || !choice->parts || !choice->scratch ||
	    !choice->with_free)
		return -ENOMEM;
	return 0;
}

int preferred_choose(const struct unit_set *set, enum preferred_policy policy,
		     const struct candidate *candidates, size_t n, size_t size, size_t *ret_chosen)
{
	_cleanup_(choice_done) struct choice choice = {
		.set = set,
		.candidates = candidates,
		.n = n,
		.wanted = MIN(size, n),
		.chosen = ret_chosen,
		.packed = policy == PREFERRED_PACKED,
	};
	int r;

	r = choice_reserve(&choice);
	if (r < 0)
		return r;
	take_must_include(&choice);
	if (policy == PREFERRED_DISTRIBUTED)
		take_distributed(&choice);
	else
		take_usable(&choice);
	take_unusable(&choice);
	return (int)choice.n_chosen;
}
