/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/picture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

static unsigned int add_slot(struct picture_slots *slots, const char *name)
{
	unsigned int n = atomic_load(&slots->n);

	for (unsigned int i = 1; i < n; i++)
		if (strcmp(slots->names[i], name) == 0)
			return i;
	n = n ? n : 1; /* the first is not given away */
	if (n >= PICTURE_SLOTS || str_copy(slots->names[n], STORE_NAME_MAX, name) < 0)
		return 0;
	atomic_store(&slots->n, n + 1);
	return n;
}

static unsigned int take_slot(struct picture_slots *slots, const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	unsigned int slot;

	(void)pthread_mutex_lock(&lock);
	slot = add_slot(slots, name);
	(void)pthread_mutex_unlock(&lock);
	return slot;
}

/* @newer: an older manifest is better than none; in a snapshot it would be a lie. */
static void open_manifest(struct store *store, struct picture_repository *row,
			  const struct picture_repository *before, bool newer)
{
	struct error err = { 0 };

	if (before && before->manifest && manifest_is_lost(before->manifest->manifest))
		before = NULL;
	if (before && before->manifest &&
	    digest_equal(&before->manifest->digest, &row->info.served)) {
		row->manifest = shared_ref(before->manifest);
		return;
	}
	if (shared_open(store, &row->info.served, &row->manifest, &err) == 0)
		return;
	row->fault = err;
	if (before && newer)
		row->manifest = shared_ref(before->manifest);
}

static void fill_row(struct picture *picture, const char *ecosystem, struct picture_slots *slots,
		     struct picture_repository *row)
{
	row->slot = take_slot(slots, row->info.name);
	row->setup = setup_repository(picture->setup, row->info.name);
	row->is_private = !setup_may_read(picture->setup, row->setup, USER_NONE);
	row->ecosystem = ecosystem_find(ecosystem);
}

static void add_published(struct picture *picture, struct store *store,
			  const struct generation *generation, struct picture_slots *slots,
			  const struct picture *before)
{
	for (size_t i = 0; i < generation->n_repositories; i++) {
		struct picture_repository *row = &picture->repositories[picture->n_repositories++];

		row->info = generation->repositories[i];
		row->published = true;
		fill_row(picture, row->info.ecosystem, slots, row);
		open_manifest(store, row, before ? picture_find(before, row->info.name) : NULL,
			      before && generation->number >= before->number);
	}
}

static void add_configured(struct picture *picture, const struct generation *generation,
			   struct picture_slots *slots)
{
	const struct reservoir_config *config = &picture->setup->config;

	for (size_t i = 0; i < config->n_repositories; i++) {
		const struct repository *repository = &config->repositories[i];
		struct picture_repository *row;

		if (generation_repository(generation, repository->name))
			continue;
		row = &picture->repositories[picture->n_repositories++];
		memcpy(row->info.name, repository->name, sizeof(row->info.name));
		fill_row(picture, repository_ecosystem_name(repository->ecosystem), slots, row);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct picture_repository *one = a, *other = b;

	return strcmp(one->info.name, other->info.name);
}

int picture_new(struct store *store, struct setup *setup, const struct generation *generation,
		struct picture_slots *slots, const struct picture *before, struct picture **ret,
		struct error *err)
{
	static atomic_uint_fast64_t serial;
	struct picture *picture = calloc(1, sizeof(*picture));
	size_t most = generation->n_repositories + setup->config.n_repositories + 1;

	if (picture)
		picture->repositories = calloc(most, sizeof(*picture->repositories));
	if (!picture || !picture->repositories ||
	    revoked_merge(&picture->revoked, &generation->revoked, NULL) < 0) {
		if (picture)
			free(picture->repositories);
		free(picture);
		return error_set(err, ENOMEM, "no memory for a generation");
	}
	atomic_init(&picture->refs, 1);
	picture->serial = atomic_fetch_add(&serial, 1) + 1;
	picture->setup = setup_ref(setup);
	picture->number = generation->number;
	picture->created = generation->created;
	picture->root = generation->root;
	memcpy(picture->reason, generation->reason, sizeof(picture->reason));
	add_published(picture, store, generation, slots, before);
	add_configured(picture, generation, slots);
	qsort(picture->repositories, picture->n_repositories, sizeof(*picture->repositories),
	      by_name);
	*ret = picture;
	return 0;
}

struct picture *picture_ref(struct picture *picture)
{
	atomic_fetch_add_explicit(&picture->refs, 1, memory_order_relaxed);
	return picture;
}

void picture_unref(struct picture *picture)
{
	if (!picture || atomic_fetch_sub_explicit(&picture->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < picture->n_repositories; i++)
		shared_unref(picture->repositories[i].manifest);
	free(picture->repositories);
	revoked_done(&picture->revoked);
	setup_unref(picture->setup);
	free(picture);
}

const struct picture_repository *picture_find(const struct picture *picture, const char *name)
{
	size_t low = 0, high = picture->n_repositories;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(picture->repositories[middle].info.name, name);

		if (order == 0)
			return &picture->repositories[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
