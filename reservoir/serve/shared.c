/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int shared_open(struct store *store, const struct digest *digest, struct shared_manifest **ret,
		struct error *err)
{
	struct shared_manifest *shared = calloc(1, sizeof(*shared));
	int r;

	if (!shared)
		return error_set(err, ENOMEM, "no memory for a manifest");
	atomic_init(&shared->refs, 1);
	shared->digest = *digest;
	r = manifest_open(store, digest, &shared->manifest, err);
	if (r < 0) {
		free(shared);
		return r;
	}
	*ret = shared;
	return 0;
}

struct shared_manifest *shared_ref(struct shared_manifest *shared)
{
	if (shared)
		atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void shared_unref(struct shared_manifest *shared)
{
	if (!shared || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1)
		return;
	manifest_free(shared->manifest);
	free(shared);
}

static size_t slot_of(const struct digest *digest)
{
	return digest->bytes[0] % SHARED_RECENT; /* as good as random */
}

struct shared_manifest *shared_find(const struct shared_recent *recent, const struct digest *digest)
{
	struct shared_manifest *shared = recent->slots[slot_of(digest)];

	return shared && digest_equal(&shared->digest, digest) ? shared_ref(shared) : NULL;
}

void shared_note(struct shared_recent *recent, struct shared_manifest *shared)
{
	struct shared_manifest **slot = &recent->slots[slot_of(&shared->digest)];
	struct shared_manifest *before = *slot;

	*slot = shared_ref(shared);
	shared_unref(before);
}

void shared_forget(struct shared_recent *recent)
{
	for (size_t i = 0; i < SHARED_RECENT; i++)
		shared_unref(recent->slots[i]);
	memset(recent, 0, sizeof(*recent));
}
