/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STRINDEX_ROWS_MAX (UINT32_C(1) << 30)

static uint64_t hash_string(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return hash ^ (hash >> 32);
}

/* The slot that holds @key, or the free one where it would go. */
static uint32_t *find_slot(const struct strindex *index, const char *key)
{
	size_t mask = index->n_slots - 1;
	size_t at = hash_string(key) & mask;

	while (index->slots[at] != 0 &&
	       strcmp(index->key(index->table, index->slots[at] - 1), key) != 0)
		at = (at + 1) & mask;
	return &index->slots[at];
}

int strindex_init(struct strindex *index, const void *table, size_t n_rows, strindex_key_fn key)
{
	size_t n_slots = 4;

	if (n_rows > STRINDEX_ROWS_MAX)
		return -E2BIG;
	while (n_slots < n_rows * 2)
		n_slots *= 2;
	*index = (struct strindex) { .table = table, .key = key, .n_slots = n_slots };
	index->slots = calloc(n_slots, sizeof(*index->slots));
	if (!index->slots)
		return -ENOMEM;
	for (size_t row = 0; row < n_rows; row++) {
		uint32_t *slot = find_slot(index, key(table, (uint32_t)row));

		if (*slot == 0)
			*slot = (uint32_t)row + 1;
	}
	return 0;
}

int64_t strindex_find(const struct strindex *index, const char *key)
{
	uint32_t slot;

	if (!index->slots)
		return -ENOENT;
	slot = *find_slot(index, key);
	return slot != 0 ? (int64_t)slot - 1 : -ENOENT;
}

void strindex_done(struct strindex *index)
{
	int saved_errno = errno;

	free(index->slots);
	*index = (struct strindex) { 0 };
	errno = saved_errno;
}
