/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/ecosystem.h"
#include "reservoir/serve/origin.h"

/* An index that says where some of the objects are. */
struct index {
	struct search *search;
	const struct repository *repository;
	const struct ecosystem *ecosystem;
	struct repair_item *item;
	char *path;
	char *why; /* it was not had; or NULL */
};

struct search {
	struct repair_list *list;
	struct index *indexes; /* as many as there may be: one for each object */
	size_t n, next;
	int failure;
};

static void search_done(struct search *search)
{
	for (size_t i = 0; i < search->n; i++) {
		free(search->indexes[i].path);
		free(search->indexes[i].why);
	}
	free(search->indexes);
}

/* --- what an index says --- */

static int by_digest(const void *key, const void *item)
{
	return memcmp(((const struct digest *)key)->bytes,
		      ((const struct repair_item *)item)->digest.bytes, DIGEST_SIZE);
}

struct answer {
	struct search *search;
	const char *url; /* of the index */
};

static int set_url(struct repair_item *item, const char *url)
{
	if (!item->url)
		item->url = strdup(url);
	return item->url ? 0 : -ENOMEM;
}

/* One of the objects with its digest is enough: all are the same. */
static int take(void *ctx, const struct expectation *expectation)
{
	const struct answer *answer = ctx;
	struct repair_list *list = answer->search->list;
	struct repair_item *item = bsearch(&expectation->sha256, list->items, list->n,
					   sizeof(list->items[0]), by_digest);
	char url[FETCH_URL_MAX];

	if (!item || !expectation->url ||
	    fetch_url_join(answer->url, expectation->url, url, NULL) < 0)
		return 0;
	return set_url(item, url);
}

static void arrived(void *ctx, const struct fetch_request *request _unused_,
		    const struct fetch_result *result)
{
	struct index *index = ctx;
	struct answer answer = { index->search, result->url };
	struct error err = { 0 };
	int r = 0;

	if (result->status == FETCH_DONE)
		r = index->ecosystem->expect(index->path, result->data, (size_t)result->size, take,
					     &answer, &err);
	else if (result->status == FETCH_FAILED)
		index->why = strdup(result->error.msg);
	if (r == -ENOMEM)
		index->search->failure = r;
	else if (r < 0)
		index->why = strdup(error_text(&err, r));
}

/* --- asking --- */

static int by_path(const void *a, const void *b)
{
	const struct index *x = a, *y = b;
	int order = strcmp(x->repository->name, y->repository->name);

	return order ? order : strcmp(x->path, y->path);
}

static bool ask_index(struct fetcher *fetcher, struct index *index)
{
	struct origin origin;
	struct fetch_request request = {
		.url = origin.url,
		.to_memory = true,
		.compressed = true,
		.label = "repair",
		.done = arrived,
		.ctx = index,
	};

	if (!origin_find(index->ecosystem, index->repository, index->path, &origin) ||
	    !origin.url[0])
		return false;
	request.accept = origin.accept;
	return fetcher_add(fetcher, &request, NULL) == 0;
}

/* Of all with the same path. */
static bool is_first(const struct search *search, const struct index *index)
{
	return index == search->indexes || by_path(index - 1, index) != 0;
}

static bool ask(void *ctx, struct fetcher *fetcher)
{
	struct search *search = ctx;

	while (search->next < search->n) {
		struct index *index = &search->indexes[search->next++];

		if (is_first(search, index) && ask_index(fetcher, index))
			return true;
	}
	return false;
}

static int tell_why(const struct search *search)
{
	const char *why = NULL;

	for (size_t i = 0; i < search->n; i++) {
		struct repair_item *item = search->indexes[i].item;

		if (is_first(search, &search->indexes[i]))
			why = search->indexes[i].why;
		if (item->url || item->why)
			continue;
		item->why = strdup(why ? why : "no index of the upstream has it");
		if (!item->why)
			return -ENOMEM;
	}
	return 0;
}

static int ask_all(struct search *search, struct fetcher *fetcher, struct error *err)
{
	int r;

	if (search->n == 0)
		return 0;
	qsort(search->indexes, search->n, sizeof(*search->indexes), by_path);
	r = fetcher_run(fetcher, ask, search, err);
	if (r == 0)
		r = search->failure;
	return r < 0 ? r : tell_why(search);
}

/* --- all --- */

static int add_item(struct search *search, const struct repository *repository,
		    struct repair_item *item)
{
	const struct ecosystem *ecosystem =
		ecosystem_find(repository_ecosystem_name(repository->ecosystem));
	struct index *index = &search->indexes[search->n];
	char path[STORE_PATH_MAX];
	struct origin origin;

	if (!ecosystem)
		return 0;
	if (!ecosystem->index)
		return origin_find(ecosystem, repository, item->path, &origin) && origin.url[0]
			       ? set_url(item, origin.url)
			       : 0;
	/* What this site makes itself, another sync makes again. */
	if (!ecosystem->index(item->path, path))
		return 0;
	*index = (struct index) { .search = search,
				  .repository = repository,
				  .ecosystem = ecosystem,
				  .item = item,
				  .path = strdup(path) };
	if (!index->path)
		return -ENOMEM;
	search->n++;
	return 0;
}

int source_find_all(const struct reservoir_config *config, struct fetcher *fetcher,
		    struct repair_list *list, struct error *err)
{
	_cleanup_(search_done) struct search search = { .list = list };
	int r = 0;

	search.indexes = calloc(list->n + 1, sizeof(*search.indexes));
	if (!search.indexes)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct repository *repository =
			reservoir_config_repository(config, list->items[i].repository);

		if (repository && repository->upstream[0] && list->items[i].path)
			r = add_item(&search, repository, &list->items[i]);
	}
	if (r == 0)
		r = ask_all(&search, fetcher, err);
	return r == -ENOMEM ? error_set(err, ENOMEM, "no memory for what is to be repaired") : r;
}
