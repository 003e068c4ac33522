/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A choice is explained by counting: of each kind of part of the node (card, bridge,
 * NUMA node, ...) how many there are, how many could hold the request, and over how
 * many of them the choice is spread.
 */
#include "cli/reasons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/table.h"
#include "cli/text.h"
#include "drivers/driver.h"

/* Parts of a node, from the smallest to all of it. */
enum level {
	LEVEL_CARD,
	LEVEL_BRIDGE,
	LEVEL_ROOT,
	LEVEL_NUMA,
	LEVEL_LINKS,
	LEVEL_NODE,
	_LEVEL_MAX,
};

static const struct {
	const char *name;
	const char *place; /* of a choice that is in one of them */
} levels[_LEVEL_MAX] = {
	[LEVEL_CARD] = { "card", "on one card" },
	[LEVEL_BRIDGE] = { "PCI bridge", "behind one PCI bridge" },
	[LEVEL_ROOT] = { "root complex", "below one root complex" },
	[LEVEL_NUMA] = { "NUMA node", "on one NUMA node" },
	[LEVEL_LINKS] = { "vendor's links", "in one group of the vendor's links" },
	[LEVEL_NODE] = { "node", "on the node" },
};

/* A card that has units of the set. */
struct card {
	const struct device_state *state;
	size_t units;
	size_t free;
	size_t must;
	size_t chosen;
};

struct cards {
	struct card *list;
	size_t n;
};

static void cards_done(struct cards *cards)
{
	free(cards->list);
}

/* --- parts of the node --- */

/* Bytes of the first @n components of a PCI path; 0 if there are no more than these. */
static size_t length_of(const char *path, size_t n)
{
	size_t len = 0;

	for (; n > 0; n--) {
		len += strcspn(path + len, "/");
		if (path[len] == '\0')
			return 0;
		len += n > 1;
	}
	return len;
}

/* Whether two devices share the first components of their paths, bridges only. */
static bool share_path(const struct device *a, const struct device *b, size_t n)
{
	size_t len = length_of(a->pci.path, n);

	return len > 0 && len == length_of(b->pci.path, n) &&
	       strncmp(a->pci.path, b->pci.path, len) == 0;
}

static bool is_together(enum level level, const struct device *a, const struct device *b)
{
	if (a == b || level == LEVEL_NODE)
		return true;
	if (level == LEVEL_LINKS)
		return a->link_group[0] != '\0' && strcmp(a->link_group, b->link_group) == 0;
	if (a->numa_node != b->numa_node || level == LEVEL_CARD)
		return false;
	if (level == LEVEL_NUMA && a->numa_node != DEVICE_NUMA_UNKNOWN)
		return true;
	return share_path(a, b, level == LEVEL_BRIDGE ? 2 : 1);
}

/* The parts of one level. */
struct parts_count {
	size_t n;
	size_t enough;	/* could hold what is wanted */
	size_t touched; /* have something of the choice */
	size_t free;	/* of the last one that is touched */
};

/* Sums up the part whose first card is @first; false if it is of an earlier part. */
static bool sum_part(const struct cards *cards, enum level level, size_t first, struct card *ret)
{
	*ret = (struct card) { .state = cards->list[first].state };
	for (size_t i = 0; i < cards->n; i++) {
		const struct card *card = &cards->list[i];

		if (!is_together(level, card->state->device, ret->state->device))
			continue;
		if (i < first)
			return false;
		ret->free += card->free;
		ret->chosen += card->chosen;
	}
	return true;
}

static struct parts_count count_parts(const struct cards *cards, enum level level, size_t wanted)
{
	struct parts_count count = { 0 };

	for (size_t i = 0; i < cards->n; i++) {
		struct card part;

		if (!sum_part(cards, level, i, &part))
			continue;
		count.n++;
		count.enough += part.free >= wanted;
		count.touched += part.chosen > 0;
		if (part.chosen > 0)
			count.free = part.free;
	}
	return count;
}

/* --- the choice --- */

const char *reasons_policy(enum preferred_policy policy)
{
	static const char *const texts[_PREFERRED_POLICY_MAX] = {
		[PREFERRED_ALIGNED] = "aligned: few cards, near each other, then the fuller ones",
		[PREFERRED_PACKED] = "packed: few cards, the fuller ones, then near each other",
		[PREFERRED_DISTRIBUTED] = "distributed: the emptier cards, over all NUMA nodes",
	};

	return texts[policy];
}

static struct card *find_card(const struct cards *cards, const struct device_state *state)
{
	for (size_t i = 0; i < cards->n; i++)
		if (cards->list[i].state == state)
			return &cards->list[i];
	return NULL;
}

static int make_cards(const struct reasons_choice *choice, struct cards *ret)
{
	const struct unit_set *set = choice->set;

	ret->list = calloc(set->n_units + 1, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	/* Units of one card lie side by side. */
	for (size_t i = 0; i < set->n_units; i++) {
		const struct device_state *state = unit_state(set, &set->units[i]);

		if (ret->n == 0 || ret->list[ret->n - 1].state != state)
			ret->list[ret->n++].state = state;
		ret->list[ret->n - 1].units++;
	}
	for (size_t i = 0; i < choice->n; i++) {
		struct card *card = find_card(ret, unit_state(set, choice->candidates[i].unit));

		card->free++;
		card->must += choice->candidates[i].must_include;
	}
	for (size_t i = 0; i < choice->n_chosen; i++)
		find_card(ret, unit_state(set, choice->candidates[choice->chosen[i]].unit))
			->chosen++;
	return 0;
}

/* The smallest level with a part that could hold the request, or that does. */
static enum level find_smallest(const struct parts_count *counts, bool chosen)
{
	enum level level = LEVEL_CARD;

	while (level < LEVEL_NODE &&
	       (chosen ? counts[level].touched != 1 : counts[level].enough == 0))
		level++;
	return level;
}

static size_t count_must(const struct cards *cards)
{
	size_t n = 0;

	for (size_t i = 0; i < cards->n; i++)
		n += cards->list[i].must;
	return n;
}

static void say_why(const struct reasons_choice *choice, const struct cards *cards,
		    const struct parts_count *counts, struct strbuf *out)
{
	enum level is = find_smallest(counts, true);
	enum level could = find_smallest(counts, false);

	strbuf_printf(out, "The choice lies %s", levels[is].place);
	if (is == LEVEL_NODE && counts[LEVEL_NUMA].enough == 0)
		strbuf_puts(out, ": no smaller part can hold it");
	else if (is == could)
		strbuf_puts(out, ", the smallest part that can hold it");
	else if (count_must(cards) > 0)
		strbuf_printf(out, ". A %s could hold it, but what must be included is elsewhere",
			      levels[could].name);
	else if (choice->policy != PREFERRED_ALIGNED)
		strbuf_puts(out, ": nearness does not come first in this policy");
	strbuf_puts(out, ".\n");
	if (is != LEVEL_NODE && counts[is].enough > 1)
		strbuf_printf(out, "It is one of %zu that could; it had %zu free.\n",
			      counts[is].enough, counts[is].free);
}

static int print_levels(const struct parts_count *counts, bool paint, struct strbuf *out)
{
	static const char *const headers[] = { "PART", "OF THEM", "CAN HOLD IT", "CHOSEN", NULL };
	_cleanup_table_ struct table table = table_init(headers);

	for (int level = 0; level < LEVEL_NODE; level++) {
		/* Parts that are but cards again say nothing. */
		if (level > LEVEL_CARD && counts[level].n == counts[LEVEL_CARD].n)
			continue;
		table_put(&table, PAINT_NONE, "%s", levels[level].name);
		table_put(&table, PAINT_NONE, "%zu", counts[level].n);
		table_put(&table, counts[level].enough > 0 ? PAINT_GOOD : PAINT_NONE, "%zu",
			  counts[level].enough);
		table_put(&table, PAINT_NONE, "%zu", counts[level].touched);
	}
	return table_print(&table, paint, out);
}

static void put_numa(struct table *table, int numa_node)
{
	if (numa_node == DEVICE_NUMA_UNKNOWN)
		table_put(table, PAINT_NONE, "%s", "");
	else
		table_put(table, PAINT_NONE, "%d", numa_node);
}

static int print_units(const struct reasons_choice *choice, const struct cards *cards, bool paint,
		       struct strbuf *out)
{
	static const char *const headers[] = { "DEVICE",      "NAME", "NUMA", "PCI",
					       "FREE BEFORE", "WHY",  NULL };
	_cleanup_table_ struct table table = table_init(headers);

	for (size_t i = 0; i < choice->n_chosen; i++) {
		const struct candidate *candidate = &choice->candidates[choice->chosen[i]];
		const struct device_state *state = unit_state(choice->set, candidate->unit);
		const struct card *card = find_card(cards, state);

		table_put(&table, PAINT_NONE, "%s", candidate->unit->id);
		table_put(&table, PAINT_NONE, "%s", state->device->name);
		put_numa(&table, state->device->numa_node);
		table_put(&table, PAINT_NONE, "%s", state->device->bdf);
		table_put(&table, PAINT_NONE, "%zu of %zu", card->free, card->units);
		table_put(&table, PAINT_NONE, "%s",
			  candidate->must_include    ? "must be included"
			  : card->must > 0	     ? "on a card that must be used"
			  : card->free < card->units ? "finishes a started card"
						     : "");
	}
	return table_print(&table, paint, out);
}

int reasons_choice(const struct reasons_choice *choice, bool paint, struct strbuf *out)
{
	_cleanup_(cards_done) struct cards cards = { 0 };
	struct parts_count counts[_LEVEL_MAX];
	int r = make_cards(choice, &cards);

	if (r < 0)
		return r;
	for (int level = 0; level < _LEVEL_MAX; level++)
		counts[level] = count_parts(&cards, (enum level)level, choice->n_chosen);
	r = print_units(choice, &cards, paint, out);
	if (r < 0)
		return r;
	strbuf_puts(out, "\n");
	r = print_levels(counts, paint, out);
	if (r < 0)
		return r;
	strbuf_puts(out, "\n");
	say_why(choice, &cards, counts, out);
	return 0;
}

/* --- rules --- */

static bool any_matches(const char *const *patterns, const char *text)
{
	for (; *patterns; patterns++)
		if (unit_pattern_matches(*patterns, text))
			return true;
	return false;
}

static void put_patterns(struct strbuf *out, const char *const *patterns)
{
	for (size_t i = 0; patterns[i]; i++)
		strbuf_printf(out, "%s'%s'", i > 0 ? " or " : "", patterns[i]);
}

void reasons_rule(const struct unit_rule *rule, const struct device *device, struct strbuf *out)
{
	const char *architecture = device->architecture ? device->architecture : "";
	const char *const product_words[] = { rule->product, NULL };
	const char *const architecture_words[] = { rule->architecture, NULL };
	const struct {
		const char *what;
		const char *text;
		const char *other; /* compared as well, or NULL */
		const char *const *patterns;
	} rows[] = {
		{ "vendor", device->driver->name, NULL, rule->select.vendors },
		{ "product", device->product, NULL, rule->select.products },
		{ "product", device->product, NULL, rule->product ? product_words : NULL },
		{ "architecture", architecture, NULL, rule->select.architectures },
		{ "architecture", architecture, NULL,
		  rule->architecture ? architecture_words : NULL },
		{ "PCI address", device->bdf, NULL, rule->select.bdfs },
		{ "UUID", device->uuid, device->serial, rule->select.uuids },
	};

	if (unit_rule_matches(rule, device)) {
		strbuf_puts(out, "matches");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].patterns || any_matches(rows[i].patterns, rows[i].text) ||
		    (rows[i].other && any_matches(rows[i].patterns, rows[i].other)))
			continue;
		strbuf_printf(out, "%s is '%s', the rule wants ", rows[i].what, rows[i].text);
		put_patterns(out, rows[i].patterns);
		return;
	}
	strbuf_puts(out, "does not match");
}
