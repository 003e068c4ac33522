/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/reach.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

struct walk {
	reach_fn fn;
	void *ctx;
	struct reach_item item;
};

static int tell(void *ctx, _unused_ enum manifest_change change,
		_unused_ const struct manifest_entry *before, const struct manifest_entry *after)
{
	struct walk *walk = ctx;

	if (!after)
		return 0;
	walk->item.digest = &after->digest;
	walk->item.entry = after;
	return walk->fn(walk->ctx, &walk->item);
}

/* @before is a manifest that was told already, or NULL. */
static int reach_manifest(struct store *store, const struct digest *before,
			  const struct digest *digest, struct walk *walk, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *old = NULL;
	_cleanup_(manifest_freep) struct manifest *new = NULL;
	int r;

	if (before && digest_equal(before, digest))
		return 0;
	walk->item.digest = digest;
	walk->item.entry = NULL;
	r = walk->fn(walk->ctx, &walk->item);
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r == 0)
		r = manifest_open(store, digest, &new, err);
	if (r < 0)
		return r;
	/* One that is damaged cannot tell what was told: then all is told again. */
	if (before)
		(void)manifest_open(store, before, &old, NULL);
	return manifest_diff(old, new, tell, walk);
}

int reach_each(struct store *store, const struct generation *before,
	       const struct generation *generation, reach_fn fn, void *ctx, struct error *err)
{
	struct walk walk = { .fn = fn, .ctx = ctx };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < generation->n_repositories; i++) {
		const struct generation_repository *repository = &generation->repositories[i];
		const struct generation_repository *old =
			before ? generation_repository(before, repository->name) : NULL;

		walk.item.generation = generation->number;
		walk.item.repository = repository->name;
		r = reach_manifest(store, old ? &old->collected : NULL, &repository->collected,
				   &walk, err);
		if (r == 0 && (!old || !digest_equal(&old->served, &repository->served)))
			r = reach_manifest(store, old ? &old->served : &repository->collected,
					   &repository->served, &walk, err);
		if (r < 0)
			return error_wrap(err, r, "generation %llu, repository '%s'",
					  (unsigned long long)generation->number, repository->name);
	}
	return 0;
}

int generation_list_add(struct generation_list *list, uint64_t number, struct error *err)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		uint64_t *numbers = reallocarray(list->numbers, cap, sizeof(*numbers));

		if (!numbers)
			return error_set(err, ENOMEM, "no memory for a list of generations");
		list->numbers = numbers;
		list->cap = cap;
	}
	list->numbers[list->n++] = number;
	return 0;
}

bool generation_list_has(const struct generation_list *list, uint64_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->numbers[i] == number)
			return true;
	return false;
}

void generation_list_done(struct generation_list *list)
{
	free(list->numbers);
	*list = (struct generation_list) { 0 };
}

static int add_number(void *ctx, uint64_t number)
{
	return generation_list_add(ctx, number, NULL);
}

int generation_list_all(struct store *store, struct generation_list *ret, struct error *err)
{
	return generation_each(store, add_number, ret, err);
}
