/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/arrival.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "reservoir/command/report.h"
#include "reservoir/store/reach.h"

struct arrival {
	struct store *store;
	const struct ecosystem *ecosystem;
	const char *repository;
	const char *what;
	struct digest last; /* manifest that was looked at */
	bool has;	    /* what was found in it */
};

static bool manifest_has(const struct arrival *arrival, const struct manifest *manifest)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	char name[STORE_PATH_MAX];

	manifest_seek(manifest, "", &cursor);
	while (manifest_next(&cursor, &entry))
		if (arrival->ecosystem->package(entry.path, name, sizeof(name)) &&
		    strcasecmp(name, arrival->what) == 0)
			return true;
	return false;
}

/* Generations share most manifests: each is looked at once. */
static bool generation_has(struct arrival *arrival, const struct generation *generation)
{
	const struct generation_repository *row =
		generation_repository(generation, arrival->repository);
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;

	if (!row)
		return false;
	if (digest_equal(&row->served, &arrival->last))
		return arrival->has;
	arrival->last = row->served;
	arrival->has = manifest_open(arrival->store, &row->served, &manifest, NULL) == 0 &&
		       manifest_has(arrival, manifest);
	return arrival->has;
}

/* The first of the generations in a row, up to the current one, that have it. */
static void find_first(struct arrival *arrival, const struct generation_list *list,
		       struct generation **ret, bool *ret_oldest)
{
	for (size_t i = list->n; i > 0; i--) {
		struct generation *generation = NULL;

		if (generation_read(arrival->store, list->numbers[i - 1], &generation, NULL) < 0)
			return;
		if (!generation_has(arrival, generation)) {
			generation_free(generation);
			return;
		}
		generation_free(*ret);
		*ret = generation;
		*ret_oldest = i == 1;
	}
}

int arrival_describe(struct store *store, const struct generation *current,
		     const struct generation_repository *repository,
		     const struct ecosystem *ecosystem, const char *what, struct strbuf *out,
		     struct error *err)
{
	_cleanup_generation_list_ struct generation_list list = { 0 };
	_cleanup_(generation_freep) struct generation *first = NULL;
	struct arrival arrival = {
		.store = store, .ecosystem = ecosystem, .repository = repository->name, .what = what
	};
	char word[REPORT_WORD_MAX];
	bool oldest = false;
	int r;

	if (!current->origin_id[0] || !ecosystem->package)
		return 0;
	r = generation_list_all(store, &list, err);
	if (r < 0)
		return r;
	find_first(&arrival, &list, &first, &oldest);
	if (!first)
		strbuf_printf(out,
			      "  no bundle has brought %s; the last one is %" PRIu64
			      " of hub %.8s\n",
			      what, current->origin_sequence, current->origin_id);
	else if (first->origin_id[0])
		strbuf_printf(out, "  came with bundle %" PRIu64 " of hub %.8s%s, %s\n",
			      first->origin_sequence, first->origin_id,
			      oldest ? " or before it" : "", report_time(first->created, word));
	return 0;
}
