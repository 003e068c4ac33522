/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "inventory/unit.h"

static size_t count_parts(const struct device *device)
{
	return device->partitioned ? device->n_partitions : 0;
}

/* --- drivers --- */

static int compare_drivers(const void *a, const void *b)
{
	const struct driver *x = *(const struct driver *const *)a;
	const struct driver *y = *(const struct driver *const *)b;

	return strcmp(x->name, y->name);
}

static int list_drivers(struct label_view *view)
{
	view->drivers = calloc(view->n_cards + 1, sizeof(struct driver *));
	if (!view->drivers)
		return -ENOMEM;
	for (size_t i = 0; i < view->n_cards; i++)
		view->drivers[i] = view->items[i].device->driver;
	qsort(view->drivers, view->n_cards, sizeof(struct driver *), compare_drivers);
	for (size_t i = 0; i < view->n_cards; i++)
		if (i == 0 || compare_drivers(&view->drivers[i], &view->drivers[i - 1]) != 0)
			view->drivers[view->n_drivers++] = view->drivers[i];
	return 0;
}

/* --- cards and parts --- */

static struct label_item item_of(const struct device_state *state)
{
	return (struct label_item) {
		.state = state,
		.device = state->device,
		.tier = _TERMS_TIER_MAX,
	};
}

/* Parts follow in the order of their cards. */
static int list_items(struct label_view *view)
{
	const struct snapshot *snapshot = view->input->snapshot;
	size_t n = snapshot->n_devices;

	for (size_t i = 0; i < snapshot->n_devices; i++)
		n += count_parts(snapshot->devices[i].device);
	view->items = calloc(n + 1, sizeof(*view->items));
	if (!view->items)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_devices; i++)
		view->items[i] = item_of(&snapshot->devices[i]);
	view->n_cards = view->n_items = snapshot->n_devices;
	for (size_t i = 0; i < view->n_cards; i++) {
		const struct device *device = view->items[i].device;

		for (size_t j = 0; j < count_parts(device); j++) {
			struct label_item *item = &view->items[view->n_items++];

			*item = item_of(view->items[i].state);
			item->partition = &device->partitions[j];
		}
	}
	return 0;
}

/* --- what offers them --- */

static unsigned int mode_of(const struct unit_rule *rule)
{
	if (rule->shares > 0)
		return LABEL_MODE_SHARE;
	return rule->kind == UNIT_PARTITION ? LABEL_MODE_PARTITION : LABEL_MODE_WHOLE;
}

static void note_offer(struct label_item *item, const struct offer_resource *resource,
		       const struct unit_rule *rule)
{
	enum terms_tier tier = terms_tier(&resource->terms, rule, item->device);

	item->modes |= mode_of(rule);
	item->tier = MIN(item->tier, tier);
}

static void take_resource(struct label_item *item, const struct offer_resource *resource,
			  const struct unit_rule *rule)
{
	if (item->resource)
		return;
	item->resource = resource;
	item->rule = rule;
}

/* @first_part has for each card where its parts begin. */
static void note_units(struct label_view *view, const size_t *first_part,
		       const struct unit_set *set, const struct offer_resource *resource)
{
	const struct unit_rule *rule = &view->input->offer->rules[resource->rule];

	for (size_t i = 0; i < set->n_units; i++) {
		const struct unit *unit = &set->units[i];
		struct label_item *card = &view->items[unit->device];

		note_offer(card, resource, rule);
		if (rule->kind == UNIT_WHOLE)
			take_resource(card, resource, rule);
		else if (!card->part_resource)
			card->part_resource = resource;
		if (rule->kind == UNIT_PARTITION && card->device->partitioned)
			take_resource(&view->items[first_part[unit->device] + unit->partition],
				      resource, rule);
	}
}

/* The same rules, by which there is one unit where there are many shares. */
static struct unit_rule *rules_of_one_share(const struct offer *offer)
{
	struct unit_rule *rules = calloc(offer->n_rules + 1, sizeof(*rules));

	for (size_t i = 0; rules && i < offer->n_rules; i++) {
		rules[i] = offer->rules[i];
		rules[i].shares = MIN(rules[i].shares, 1U);
	}
	return rules;
}

static size_t *find_first_parts(const struct label_view *view)
{
	size_t *first = calloc(view->n_cards + 1, sizeof(*first));
	size_t next = view->n_cards;

	for (size_t i = 0; first && i < view->n_cards; i++) {
		first[i] = next;
		next += count_parts(view->items[i].device);
	}
	return first;
}

static int note_offers(struct label_view *view, struct error *err)
{
	const struct offer *offer = view->input->offer;
	_cleanup_free_ struct unit_rule *rules = rules_of_one_share(offer);
	_cleanup_free_ size_t *first_part = find_first_parts(view);
	struct unit_plan plan = {
		.snapshot = view->input->snapshot,
		.rules = rules,
		.n_rules = offer->n_rules,
	};

	if (!rules || !first_part)
		return error_set(err, ENOMEM, "no memory for the rules");
	for (size_t i = 0; i < offer->n_resources; i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;
		int r = unit_set_build(&plan, offer->resources[i].rule, &set, err);

		if (r < 0)
			return r;
		note_units(view, first_part, set, &offer->resources[i]);
	}
	return 0;
}

int label_view_make(const struct labels_input *input, struct label_view *ret, struct error *err)
{
	*ret = (struct label_view) { .input = input };
	if (list_items(ret) < 0 || list_drivers(ret) < 0)
		return error_set(err, ENOMEM, "no memory for the cards");
	return input->offer ? note_offers(ret, err) : 0;
}

void label_view_done(struct label_view *view)
{
	free(view->items);
	free(view->drivers);
	*view = (struct label_view) { 0 };
}
