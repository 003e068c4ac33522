/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

#define SLOTS 256u
#define TEXT_MAX 512u /* bytes of what a request says; others are looked up each time */

struct slot {
	uint64_t serial; /* of the picture; 0: free */
	uint32_t hash;
	uint32_t len;
	struct memo_entry entry;
	char text[TEXT_MAX];
};

struct memo {
	struct slot slots[SLOTS];
};

struct memo *memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

/* Puts a text and its NUL behind others; a missing one is another than an empty one. */
static size_t put(char *text, size_t n, const char *more)
{
	size_t len = more ? strlen(more) : 0;

	if (n + len + 2 > TEXT_MAX)
		return TEXT_MAX;
	text[n++] = more ? '+' : '-';
	if (more)
		memcpy(text + n, more, len);
	text[n + len] = '\0';
	return n + len + 1;
}

/* All that decides which file it is; 0 if that is too long. */
static size_t write_text(const struct request *request, char text[TEXT_MAX])
{
	size_t n = put(text, 0, request->target);

	n = n < TEXT_MAX ? put(text, n, request->format) : n;
	n = n < TEXT_MAX ? put(text, n, request->accept) : n;
	n = n < TEXT_MAX ? put(text, n, request->accept_encoding) : n;
	return n < TEXT_MAX ? n : 0;
}

static uint32_t hash_of(const char *text, size_t len)
{
	uint64_t h = len * UINT64_C(0x9e3779b97f4a7c15);

	for (; len >= sizeof(h); len -= sizeof(h), text += sizeof(h)) {
		uint64_t word;

		memcpy(&word, text, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
		h ^= h >> 32;
	}
	for (; len > 0; len--, text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ (h >> 32));
}

const struct memo_entry *memo_find(const struct memo *memo, const struct picture *picture,
				   const struct request *request)
{
	const struct slot *slot;
	char text[TEXT_MAX];
	size_t len = memo ? write_text(request, text) : 0;
	uint32_t hash;

	if (len == 0)
		return NULL;
	hash = hash_of(text, len);
	slot = &memo->slots[hash % SLOTS];
	if (slot->serial != picture->serial || slot->hash != hash || slot->len != len ||
	    memcmp(slot->text, text, len) != 0)
		return NULL;
	return &slot->entry;
}

void memo_note(struct memo *memo, const struct picture *picture, const struct request *request,
	       const struct picture_repository *repository, const struct plan *plan)
{
	char text[TEXT_MAX];
	size_t len = memo ? write_text(request, text) : 0;
	struct slot *slot;
	uint32_t hash;

	if (len == 0 || strlen(plan->path) >= MEMO_PATH_MAX)
		return;
	hash = hash_of(text, len);
	slot = &memo->slots[hash % SLOTS];
	slot->serial = picture->serial;
	slot->hash = hash;
	slot->len = (uint32_t)len;
	slot->entry.repository = repository;
	slot->entry.key = plan->key;
	slot->entry.counts = plan->counts;
	etag_format(&plan->key.digest, (enum encoding)plan->key.encoding, slot->entry.etag);
	(void)str_copy(slot->entry.path, sizeof(slot->entry.path), plan->path);
	memcpy(slot->text, text, len);
}
