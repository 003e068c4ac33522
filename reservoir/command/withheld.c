/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/withheld.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "reservoir/store/object.h"
#include "reservoir/store/reach.h"

struct withheld {
	struct store *store;
	const struct revoked *revoked;
	const char *repository;
	const struct manifest *served;
	const struct ecosystem *ecosystem;
	const char *what;
	struct strbuf *out;
};

static bool is_of_package(const struct withheld *withheld, const char *path)
{
	char name[STORE_PATH_MAX];

	return withheld->ecosystem->package(path, name, sizeof(name)) &&
	       strcasecmp(name, withheld->what) == 0;
}

/* --- what is published --- */

static void describe(const struct withheld *withheld, const struct manifest_entry *entry)
{
	if (revoked_has(withheld->revoked, &entry->digest))
		strbuf_printf(withheld->out,
			      "  %s was recalled: clients get 410 until `recall --undo`\n",
			      entry->path);
	else if (!object_exists(withheld->store, &entry->digest))
		strbuf_printf(withheld->out,
			      "  %s is %s: clients get 503 until `sync` or `verify --repair`\n",
			      entry->path,
			      quarantine_has(withheld->store, &entry->digest)
				      ? "damaged and in quarantine"
				      : "lost");
}

static void look_at_served(const struct withheld *withheld)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	manifest_seek(withheld->served, "", &cursor);
	while (manifest_next(&cursor, &entry))
		if (is_of_package(withheld, entry.path))
			describe(withheld, &entry);
}

/* --- what was published earlier --- */

static bool is_served(const struct withheld *withheld, const struct manifest_entry *entry)
{
	struct manifest_entry now;

	return manifest_find(withheld->served, entry->path, &now) &&
	       digest_equal(&now.digest, &entry->digest);
}

static int look_at_item(void *ctx, const struct reach_item *item)
{
	const struct withheld *withheld = ctx;

	if (!item->entry)
		return strcmp(item->repository, withheld->repository) == 0 ? 0 : -ENOENT;
	if (revoked_has(withheld->revoked, item->digest) &&
	    is_of_package(withheld, item->entry->path) && !is_served(withheld, item->entry))
		strbuf_printf(withheld->out,
			      "  %s of generation %llu was recalled: nobody gets it until "
			      "`recall --undo`\n",
			      item->entry->path, (unsigned long long)item->generation);
	return 0;
}

/* One that cannot be read has nothing to say. */
static void look_at_earlier(struct withheld *withheld)
{
	_cleanup_generation_list_ struct generation_list list = { 0 };
	_cleanup_(generation_freep) struct generation *before = NULL;

	if (withheld->revoked->n == 0 || generation_list_all(withheld->store, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		struct generation *generation = NULL;

		if (generation_read(withheld->store, list.numbers[i], &generation, NULL) < 0)
			continue;
		(void)reach_each(withheld->store, before, generation, look_at_item, withheld, NULL);
		generation_free(before);
		before = generation;
	}
}

void withheld_describe(struct store *store, const struct generation *current,
		       const struct generation_repository *repository,
		       const struct manifest *served, const struct ecosystem *ecosystem,
		       const char *what, struct strbuf *out)
{
	struct withheld withheld = {
		.store = store,
		.revoked = &current->revoked,
		.repository = repository->name,
		.served = served,
		.ecosystem = ecosystem,
		.what = what,
		.out = out,
	};

	if (!ecosystem->package)
		return;
	look_at_served(&withheld);
	look_at_earlier(&withheld);
}
