/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/holdings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct holding locate(const struct view *view, const struct podresources_holding *row)
{
	struct holding holding = { .row = row, .set = view_find_set(view, row->resource) };

	if (holding.set)
		holding.unit = unit_set_find(holding.set, row->device_id);
	if (!holding.unit) {
		holding.state = unit_locate(view->snapshot, row->device_id, &holding.cores);
		return holding;
	}
	holding.state = unit_state(holding.set, holding.unit);
	holding.cores = holding.unit->cores;
	return holding;
}

/* A kubelet lists in any order; of equal entries the first stays first. */
static int compare_holdings(const void *a, const void *b)
{
	const struct podresources_holding *left = ((const struct holding *)a)->row;
	const struct podresources_holding *right = ((const struct holding *)b)->row;
	int order = strcmp(left->pod_namespace, right->pod_namespace);

	if (order == 0)
		order = strcmp(left->pod_name, right->pod_name);
	if (order == 0)
		order = strcmp(left->container, right->container);
	if (order == 0)
		order = strcmp(left->resource, right->resource);
	if (order == 0)
		order = strcmp(left->device_id, right->device_id);
	return order != 0 ? order : (left > right) - (left < right);
}

const struct holding *holdings_find(const struct holdings *holdings,
				    const struct podresources_holding *row)
{
	const struct holding wanted = { .row = row };

	if (holdings->n == 0)
		return NULL;
	return bsearch(&wanted, holdings->list, holdings->n, sizeof(wanted), compare_holdings);
}

static int join(const struct view *view, const struct podresources *held, struct holdings *holdings)
{
	holdings->list = calloc(held->n + 1, sizeof(*holdings->list));
	if (!holdings->list)
		return -ENOMEM;
	for (size_t i = 0; i < held->n; i++) {
		struct holding holding = locate(view, &held->holdings[i]);

		if (holding.set || holding.state)
			holdings->list[holdings->n++] = holding;
	}
	qsort(holdings->list, holdings->n, sizeof(*holdings->list), compare_holdings);
	return 0;
}

static void count_unit(struct text_bar *bar, const struct unit_set *set, const struct unit *unit,
		       const struct podresources *held)
{
	if (held && podresources_find(held, set->rule.resource, unit->id))
		bar->held++;
	else if (unit->hidden > 0)
		bar->hidden++;
	else if (unit->healthy)
		bar->free++;
	else
		bar->unusable++;
}

/* Adds what a set has of each device; its units lie by device. */
static void add_uses(struct holdings *holdings, const struct unit_set *set,
		     const struct podresources *held)
{
	struct card_use *use = NULL;

	for (size_t i = 0; i < set->n_units; i++) {
		const struct device_state *state = unit_state(set, &set->units[i]);

		if (!use || use->state != state) {
			use = &holdings->uses[holdings->n_uses++];
			*use = (struct card_use) { .set = set, .state = state, .first_unit = i };
		}
		use->n_units++;
		count_unit(&use->bar, set, &set->units[i], held);
	}
}

static size_t count_uses(const struct unit_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_units; i++)
		n += i == 0 || set->units[i].device != set->units[i - 1].device;
	return n;
}

static int make_uses(const struct view *view, const struct podresources *held,
		     struct holdings *holdings)
{
	size_t n = 0;

	for (size_t i = 0; i < view->offer.n_resources; i++)
		n += count_uses(view->sets[i]);
	holdings->uses = calloc(n + 1, sizeof(*holdings->uses));
	if (!holdings->uses)
		return -ENOMEM;
	for (size_t i = 0; i < view->offer.n_resources; i++)
		add_uses(holdings, view->sets[i], held);
	return 0;
}

int holdings_join(const struct view *view, const struct podresources *held, struct holdings *ret,
		  struct error *err)
{
	_cleanup_holdings_ struct holdings holdings = { 0 };
	int r = held ? join(view, held, &holdings) : 0;

	if (r == 0)
		r = make_uses(view, held, &holdings);
	if (r < 0)
		return error_set(err, -r, "no memory for what is held");
	*ret = holdings;
	holdings = (struct holdings) { 0 };
	return 0;
}

static bool is_same_entry(const struct holding *a, const struct holding *b)
{
	return strcmp(a->row->resource, b->row->resource) == 0 &&
	       strcmp(a->row->device_id, b->row->device_id) == 0;
}

/* Shares of one part have the same rule and the same cores. */
static bool are_shares(const struct holding *a, const struct holding *b)
{
	return a->unit && b->unit && a->set == b->set && a->set->rule.shares > 0 &&
	       a->cores.first == b->cores.first && a->cores.last == b->cores.last;
}

bool holdings_overlap(const struct holding *a, const struct holding *b)
{
	return a->state && a->state == b->state && core_ranges_overlap(a->cores, b->cores) &&
	       !is_same_entry(a, b) && !are_shares(a, b);
}

void holdings_done(struct holdings *holdings)
{
	int saved_errno = errno;

	free(holdings->list);
	free(holdings->uses);
	*holdings = (struct holdings) { 0 };
	errno = saved_errno;
}
