/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/digest_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024u

static const unsigned char empty[16];

void digest_set_done(struct digest_set *set)
{
	free(set->slots);
	*set = (struct digest_set) { 0 };
}

void digest_set_clear(struct digest_set *set)
{
	if (set->slots)
		memset(set->slots, 0, set->n_slots * sizeof(*set->slots));
	set->n = 0;
}

/* The slot that has the key, or the free one where it belongs. */
static unsigned char *find(const struct digest_set *set, const unsigned char key[16])
{
	size_t hash;

	memcpy(&hash, key + 8, sizeof(hash));
	for (size_t i = hash & (set->n_slots - 1);; i = (i + 1) & (set->n_slots - 1))
		if (memcmp(set->slots[i], key, 16) == 0 || memcmp(set->slots[i], empty, 16) == 0)
			return set->slots[i];
}

static int grow(struct digest_set *set, struct error *err)
{
	struct digest_set bigger = { .n_slots = set->n_slots ? set->n_slots * 2 : SLOTS_MIN };

	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return error_set(err, ENOMEM, "out of memory for a set of digests");
	for (size_t i = 0; i < set->n_slots; i++)
		if (memcmp(set->slots[i], empty, 16) != 0)
			memcpy(find(&bigger, set->slots[i]), set->slots[i], 16);
	bigger.n = set->n;
	free(set->slots);
	*set = bigger;
	return 0;
}

int digest_set_add(struct digest_set *set, const struct digest *digest, struct error *err)
{
	unsigned char *slot;
	int r;

	if (set->n + set->n / 2 >= set->n_slots) {
		r = grow(set, err);
		if (r < 0)
			return r;
	}
	slot = find(set, digest->bytes);
	if (memcmp(slot, digest->bytes, 16) == 0)
		return 0;
	memcpy(slot, digest->bytes, 16);
	set->n++;
	return 1;
}
