/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/repair.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/command/source.h"
#include "reservoir/config/config.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/object.h"
#include "reservoir/sync/run.h"

struct repair {
	struct store *store;
	struct catalogue *catalogue;
	struct fetcher *fetcher;
	const struct reservoir_config *config;
	struct repair_list *list;
	size_t next;   /* to be asked for */
	bool is_asked; /* one of the same digest, in this round */
};

int repair_add(struct repair_list *list, const struct scrub_finding *finding, struct error *err)
{
	struct repair_item *item;

	if (list->n == REPAIR_ITEMS_MAX)
		return error_set(err, E2BIG, "there is more to repair than %zu objects",
				 REPAIR_ITEMS_MAX);
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct repair_item *items = reallocarray(list->items, cap, sizeof(*items));

		if (!items)
			return error_set(err, ENOMEM, "no memory for what is to be repaired");
		list->items = items;
		list->cap = cap;
	}
	item = &list->items[list->n];
	*item = (struct repair_item) { .digest = finding->digest, .size = finding->size };
	item->repository = strdup(finding->repository);
	item->path = finding->path ? strdup(finding->path) : NULL;
	if (!item->repository || (finding->path && !item->path)) {
		free(item->repository);
		free(item->path);
		return error_set(err, ENOMEM, "no memory for what is to be repaired");
	}
	list->n++;
	return 0;
}

void repair_done(struct repair_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].repository);
		free(list->items[i].path);
		free(list->items[i].url);
		free(list->items[i].why);
	}
	free(list->items);
	*list = (struct repair_list) { 0 };
}

/* --- Fetching --- */

static void complain(struct repair_item *item, const char *why)
{
	free(item->why);
	item->why = strdup(why);
}

static void fetched(void *ctx, _unused_ const struct fetch_request *request,
		    const struct fetch_result *result)
{
	struct repair_item *item = ctx;

	item->done = result->status == FETCH_DONE;
	if (result->status == FETCH_FAILED)
		complain(item, result->error.msg);
	else if (!item->done)
		complain(item, "upstream does not have it any more");
}

static bool is_same_as_before(const struct repair_list *list, size_t i)
{
	return i > 0 && digest_equal(&list->items[i - 1].digest, &list->items[i].digest);
}

static bool ask_item(struct repair *repair, struct fetcher *fetcher, struct repair_item *item)
{
	const struct fetch_request request = {
		.url = item->url,
		.sha256 = &item->digest,
		.size = item->size,
		.label = "repair",
		.done = fetched,
		.ctx = item,
	};
	struct error err = { 0 };

	item->asked = true;
	if (fetcher_add(fetcher, &request, &err) < 0) {
		complain(item, err.msg);
		return false;
	}
	repair->is_asked = true;
	return true;
}

/* Asks for the next object: false when there is none left in this round. */
static bool ask(void *ctx, struct fetcher *fetcher)
{
	struct repair *repair = ctx;

	while (repair->next < repair->list->n) {
		size_t i = repair->next++;
		struct repair_item *item = &repair->list->items[i];

		if (!is_same_as_before(repair->list, i))
			repair->is_asked = false;
		if (!repair->is_asked && !item->asked && item->url &&
		    !object_exists(repair->store, &item->digest) && ask_item(repair, fetcher, item))
			return true;
	}
	return false;
}

/* What one path does not have any more, another may: as an index that has changed has its
 * old bytes by their hash. */
static int fetch_all(struct repair *repair, struct error *err)
{
	int r = source_find_all(repair->config, repair->fetcher, repair->list, err);

	while (r == 0) {
		repair->next = 0;
		if (!ask(repair, repair->fetcher))
			return object_flush(repair->store, err);
		r = fetcher_run(repair->fetcher, ask, repair, err);
	}
	return r;
}

/* --- Making again --- */

static bool misses(const struct repair *repair, const char *repository)
{
	for (size_t i = 0; i < repair->list->n; i++)
		if (strcmp(repair->list->items[i].repository, repository) == 0 &&
		    !object_exists(repair->store, &repair->list->items[i].digest))
			return true;
	return false;
}

/* Indexes that this site makes come out the same again, and are put where they were. */
static int make_again(const struct repair *repair, struct error *err)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	int r = generation_current(repair->store, &current, err);

	for (size_t i = 0; r == 0 && i < current->n_repositories; i++) {
		const struct generation_repository *published = &current->repositories[i];
		const struct repository *repository =
			reservoir_config_repository(repair->config, published->name);
		const struct ecosystem *ecosystem = ecosystem_find(published->ecosystem);
		struct digest served;

		if (!repository || !ecosystem || !ecosystem->finish ||
		    !misses(repair, published->name))
			continue;
		/* What cannot be made is told as missing. */
		(void)ecosystem->finish(repair->store, repository, &published->collected, &served,
					NULL);
	}
	return r < 0 ? r : object_flush(repair->store, err);
}

/* --- All --- */

static int compare(const void *a, const void *b)
{
	const struct repair_item *x = a;
	const struct repair_item *y = b;

	return memcmp(x->digest.bytes, y->digest.bytes, DIGEST_SIZE);
}

/* What was had is out of quarantine. */
static uint64_t settle(const struct repair *repair)
{
	uint64_t done = 0;

	for (size_t i = 0; i < repair->list->n; i++) {
		struct repair_item *item = &repair->list->items[i];
		char hex[DIGEST_TEXT_SIZE];
		char path[DIGEST_TEXT_SIZE + 16];

		item->done = object_exists(repair->store, &item->digest);
		if (!item->done || is_same_as_before(repair->list, i))
			continue;
		(void)snprintf(path, sizeof(path), "quarantine/%s",
			       digest_format(&item->digest, hex));
		(void)unlinkat(store_dirfd(repair->store), path, 0);
		done++;
	}
	return done;
}

static int audit(const struct repair *repair, uint64_t done, struct error *err)
{
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text), "%" PRIu64 " of %zu references", done, repair->list->n);
	r = catalogue_audit(repair->catalogue, "repair", text, err);
	return r < 0 ? r : catalogue_commit(repair->catalogue, err);
}

static int run(struct repair *repair, uint64_t *ret_done, struct error *err)
{
	int r;

	if (repair->list->n > 1)
		qsort(repair->list->items, repair->list->n, sizeof(repair->list->items[0]),
		      compare);
	r = fetch_all(repair, err);
	if (r == 0)
		r = make_again(repair, err);
	if (r < 0)
		return r;
	*ret_done = settle(repair);
	return audit(repair, *ret_done, err);
}

int repair_all(const struct settings *settings, struct repair_list *list, uint64_t *ret_done,
	       struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct repair repair = { .config = &config, .list = list };
	int r = settings_load_config(settings, &config, err);

	if (r == 0)
		r = store_open(settings->store, STORE_WRITE, &repair.store, err);
	if (r == 0)
		r = catalogue_open(repair.store, &repair.catalogue, err);
	if (r == 0)
		r = sync_fetcher_new(repair.store, &config.sync, &repair.fetcher, err);
	if (r == 0)
		r = run(&repair, ret_done, err);
	fetcher_free(repair.fetcher);
	catalogue_close(repair.catalogue);
	store_close(repair.store);
	return r < 0 ? error_wrap(err, r, "repair") : 0;
}
