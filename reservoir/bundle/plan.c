/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/plan.h"

#include <errno.h>

#include "reservoir/bundle/digest_set.h"
#include "reservoir/bundle/record.h"
#include "reservoir/store/object.h"

#define N_LAYERS 2 /* as collected, and as served */

static const struct digest *layer_of(const struct generation_repository *repository, size_t layer)
{
	return layer == 0 ? &repository->collected : &repository->served;
}

/* One walk. */
struct walk {
	const struct plan *plan;
	struct error *err;
	struct digest_set seen;
	uint64_t ordinal;
	uint32_t n_passes;
	uint32_t pass;
	bool changed_only; /* before what was added: the same bytes may have a base */
	const struct manifest *after;
};

static int open_layer(struct store *store, const struct generation_repository *repository,
		      size_t layer, struct manifest **ret, struct error *err)
{
	*ret = NULL;
	if (!repository)
		return 0;
	return manifest_open(store, layer_of(repository, layer), ret, err);
}

/* Whether a layer says the same as another that is looked at anyway. */
static bool is_repeated(const struct generation_repository *repository, size_t layer)
{
	return layer > 0 && digest_equal(&repository->collected, &repository->served);
}

static const struct generation_repository *find_before(const struct plan *plan, const char *name)
{
	return plan->before ? generation_repository(plan->before, name) : NULL;
}

static bool in_pass(const struct walk *walk, const struct digest *digest)
{
	uint32_t head = (uint32_t)digest->bytes[0] << 24 | (uint32_t)digest->bytes[1] << 16 |
			(uint32_t)digest->bytes[2] << 8 | digest->bytes[3];

	return (uint32_t)((uint64_t)head * walk->n_passes >> 32) == walk->pass;
}

static int tell(struct walk *walk, struct plan_object *object)
{
	object->ordinal = walk->ordinal++;
	return walk->plan->fn(walk->plan->ctx, object);
}

static void find_source(const struct walk *walk, const struct manifest_entry *entry,
			struct plan_object *object)
{
	struct manifest_entry page;

	if (entry->encoding == ENCODING_IDENTITY || entry->size > RECORD_INDEX_MAX ||
	    !manifest_variant(walk->after, entry->path, entry->media, ENCODING_IDENTITY, &page) ||
	    page.size > RECORD_INDEX_MAX)
		return;
	object->has_source = true;
	object->source = page.digest;
	object->source_size = page.size;
}

static int look(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		const struct manifest_entry *after)
{
	struct walk *walk = ctx;
	struct plan_object object = { 0 };
	int r;

	if (change == MANIFEST_REMOVED || (change == MANIFEST_CHANGED) != walk->changed_only ||
	    !in_pass(walk, &after->digest) ||
	    revoked_has(&walk->plan->after->revoked, &after->digest))
		return 0;
	r = digest_set_add(&walk->seen, &after->digest, walk->err);
	if (r <= 0)
		return r;
	object.digest = after->digest;
	object.size = after->size;
	object.media = after->media;
	object.encoding = after->encoding;
	if (before && before->size > 0) {
		object.has_base = true;
		object.base = before->digest;
		object.base_size = before->size;
	}
	find_source(walk, after, &object);
	return tell(walk, &object);
}

/* Looks at one layer of one repository. */
static int walk_layer(struct walk *walk, const struct generation_repository *repository,
		      size_t layer)
{
	_cleanup_(manifest_freep) struct manifest *before = NULL;
	_cleanup_(manifest_freep) struct manifest *after = NULL;
	const struct generation_repository *old = find_before(walk->plan, repository->name);
	int r;

	if (is_repeated(repository, layer) ||
	    (old && digest_equal(layer_of(old, layer), layer_of(repository, layer))))
		return 0;
	r = open_layer(walk->plan->store, old, layer, &before, walk->err);
	r = r < 0 ? r : open_layer(walk->plan->store, repository, layer, &after, walk->err);
	if (r < 0)
		return r;
	walk->after = after;
	return manifest_diff(before, after, look, walk);
}

static int walk_layers(struct walk *walk)
{
	const struct generation *after = walk->plan->after;
	int r = 0;

	for (size_t i = 0; i < after->n_repositories && r >= 0; i++)
		for (size_t layer = 0; layer < N_LAYERS && r >= 0; layer++)
			r = walk_layer(walk, &after->repositories[i], layer);
	return r;
}

/* What the old generation has is seen already. */
static int see_manifest(struct walk *walk, const struct manifest *manifest)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	int r = 0;

	manifest_seek(manifest, "", &cursor);
	while (r >= 0 && manifest_next(&cursor, &entry))
		if (in_pass(walk, &entry.digest))
			r = digest_set_add(&walk->seen, &entry.digest, walk->err);
	return r < 0 ? r : 0;
}

static int see_before(struct walk *walk)
{
	const struct generation *before = walk->plan->before;
	int r = 0;

	for (size_t i = 0; before && i < before->n_repositories && r >= 0; i++)
		for (size_t layer = 0; layer < N_LAYERS && r >= 0; layer++) {
			_cleanup_(manifest_freep) struct manifest *manifest = NULL;

			if (is_repeated(&before->repositories[i], layer))
				continue;
			r = open_layer(walk->plan->store, &before->repositories[i], layer,
				       &manifest, walk->err);
			r = r < 0 ? r : see_manifest(walk, manifest);
		}
	return r;
}

static int object_size(struct store *store, const struct digest *digest, uint64_t *ret,
		       struct error *err)
{
	_cleanup_close_ int fd = object_open(store, digest, ret, err);

	return fd < 0 ? fd : 0;
}

static int tell_manifest(struct walk *walk, const struct generation_repository *repository,
			 const struct generation_repository *old, size_t layer)
{
	struct plan_object object = { .digest = *layer_of(repository, layer), .is_manifest = true };
	int r = digest_set_add(&walk->seen, &object.digest, walk->err);

	if (r <= 0)
		return r;
	r = object_size(walk->plan->store, &object.digest, &object.size, walk->err);
	if (r == 0 && old) {
		object.has_base = true;
		object.base = *layer_of(old, layer);
		r = object_size(walk->plan->store, &object.base, &object.base_size, walk->err);
	}
	return r < 0 ? r : tell(walk, &object);
}

/* The manifests themselves: few, so all in one pass. */
static int tell_manifests(struct walk *walk)
{
	const struct plan *plan = walk->plan;
	int r = 0;

	for (size_t i = 0; plan->before && i < plan->before->n_repositories && r >= 0; i++)
		for (size_t layer = 0; layer < N_LAYERS && r >= 0; layer++)
			r = digest_set_add(&walk->seen,
					   layer_of(&plan->before->repositories[i], layer),
					   walk->err);
	for (size_t i = 0; i < plan->after->n_repositories && r >= 0; i++)
		for (size_t layer = 0; layer < N_LAYERS && r >= 0; layer++) {
			const struct generation_repository *repository =
				&plan->after->repositories[i];

			r = tell_manifest(walk, repository, find_before(plan, repository->name),
					  layer);
		}
	return r < 0 ? r : 0;
}

static uint64_t count_entries(const struct generation *generation)
{
	uint64_t n = 0;

	for (size_t i = 0; generation && i < generation->n_repositories; i++)
		n += N_LAYERS * generation->repositories[i].n_files;
	return n;
}

static int walk_passes(struct walk *walk)
{
	int r = 0;

	for (walk->pass = 0; walk->pass < walk->n_passes && r >= 0; walk->pass++) {
		digest_set_clear(&walk->seen);
		r = see_before(walk);
		walk->changed_only = true;
		r = r < 0 ? r : walk_layers(walk);
		walk->changed_only = false;
		r = r < 0 ? r : walk_layers(walk);
	}
	return r;
}

int plan_walk(const struct plan *plan, struct error *err)
{
	uint64_t n = count_entries(plan->before) + count_entries(plan->after);
	uint32_t size = plan->pass_entries ? plan->pass_entries : PLAN_PASS_ENTRIES;
	struct walk walk = { .plan = plan, .err = err, .n_passes = (uint32_t)(n / size) + 1 };
	int r;

	r = tell_manifests(&walk);
	r = r < 0 ? r : walk_passes(&walk);
	digest_set_done(&walk.seen);
	return r < 0 ? r : 0;
}

struct counts {
	const struct plan *plan;
	const char *ecosystem;
	uint64_t removed;
	uint64_t added;
};

static int count(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		 const struct manifest_entry *after)
{
	struct counts *counts = ctx;
	const char *path = after ? after->path : before->path;

	if (counts->plan->is_package && !counts->plan->is_package(counts->ecosystem, path))
		return 0;
	if (change == MANIFEST_REMOVED)
		counts->removed++;
	else if (change == MANIFEST_ADDED || !digest_equal(&before->digest, &after->digest))
		counts->added++;
	return 0;
}

static int count_repository(const struct plan *plan, const struct generation_repository *old,
			    const struct generation_repository *repository, struct counts *counts,
			    struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *before = NULL;
	_cleanup_(manifest_freep) struct manifest *after = NULL;
	int r;

	if (old && repository && digest_equal(&old->served, &repository->served))
		return 0;
	counts->ecosystem = (repository ? repository : old)->ecosystem;
	r = open_layer(plan->store, old, 1, &before, err);
	r = r < 0 ? r : open_layer(plan->store, repository, 1, &after, err);
	return r < 0 ? r : manifest_diff(before, after, count, counts);
}

int plan_removed(const struct plan *plan, uint64_t *ret_removed, uint64_t *ret_added,
		 struct error *err)
{
	struct counts counts = { .plan = plan };
	int r = 0;

	for (size_t i = 0; i < plan->after->n_repositories && r >= 0; i++) {
		const struct generation_repository *repository = &plan->after->repositories[i];

		r = count_repository(plan, find_before(plan, repository->name), repository, &counts,
				     err);
	}
	for (size_t i = 0; plan->before && i < plan->before->n_repositories && r >= 0; i++) {
		const struct generation_repository *old = &plan->before->repositories[i];

		if (!generation_repository(plan->after, old->name))
			r = count_repository(plan, old, NULL, &counts, err);
	}
	if (r < 0)
		return r;
	*ret_removed = counts.removed;
	*ret_added = counts.added;
	return 0;
}
