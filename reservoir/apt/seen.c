/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/seen.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE ((size_t)4096)

uint64_t seen_value(const struct digest *digest)
{
	uint64_t value;

	memcpy(&value, digest->bytes, sizeof(value));
	return value;
}

static void make_key(const void *key, size_t len, uint64_t ret[2])
{
	struct digest digest = digest_of(key, len);

	memcpy(ret, digest.bytes, 2 * sizeof(ret[0]));
	if (ret[0] == 0 && ret[1] == 0)
		ret[1] = 1;
}

/* The row of a key, or the free row where it would be. */
static struct seen_row *find(const struct seen *seen, const uint64_t key[2])
{
	size_t at = key[0] & (seen->size - 1);

	for (;;) {
		struct seen_row *row = &seen->rows[at];

		if ((row->key[0] == key[0] && row->key[1] == key[1]) ||
		    (row->key[0] == 0 && row->key[1] == 0))
			return row;
		at = (at + 1) & (seen->size - 1);
	}
}

static int grow(struct seen *seen, struct error *err)
{
	struct seen larger = { .size = seen->size > 0 ? 2 * seen->size : FIRST_SIZE, .n = seen->n };

	larger.rows = calloc(larger.size, sizeof(*larger.rows));
	if (!larger.rows)
		return error_set(err, ENOMEM, "no memory for %zu files", larger.size);
	for (size_t i = 0; i < seen->size; i++)
		if (seen->rows[i].key[0] != 0 || seen->rows[i].key[1] != 0)
			*find(&larger, seen->rows[i].key) = seen->rows[i];
	free(seen->rows);
	*seen = larger;
	return 0;
}

int seen_add(struct seen *seen, const void *key, size_t len, uint64_t value, struct error *err)
{
	struct seen_row *row;
	uint64_t words[2];

	/* Three quarters full at most. */
	if (4 * (seen->n + 1) > 3 * seen->size) {
		int r = grow(seen, err);

		if (r < 0)
			return r;
	}
	make_key(key, len, words);
	row = find(seen, words);
	if (row->key[0] != 0 || row->key[1] != 0)
		return row->value == value ? SEEN_SAME : SEEN_OTHER;
	*row = (struct seen_row) { { words[0], words[1] }, value };
	seen->n++;
	return SEEN_NEW;
}

bool seen_get(const struct seen *seen, const void *key, size_t len, uint64_t *ret)
{
	const struct seen_row *row;
	uint64_t words[2];

	if (seen->size == 0)
		return false;
	make_key(key, len, words);
	row = find(seen, words);
	if (row->key[0] == 0 && row->key[1] == 0)
		return false;
	*ret = row->value;
	return true;
}

bool seen_has(const struct seen *seen, const void *key, size_t len)
{
	uint64_t value;

	return seen_get(seen, key, len, &value);
}

void seen_done(struct seen *seen)
{
	free(seen->rows);
	*seen = (struct seen) { 0 };
}
