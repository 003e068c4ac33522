/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/macro.h"

/* Blocks double from one page up to this; a larger piece gets its own block. */
#define BLOCK_MIN 4096
#define BLOCK_MAX (256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t size; /* of @data, bytes */
	alignas(max_align_t) unsigned char data[];
};

struct arena arena_init(size_t max)
{
	return (struct arena) { .left = max };
}

static size_t next_size(const struct arena *arena, size_t size)
{
	size_t wanted = arena->blocks ? arena->blocks->size * 2 : BLOCK_MIN;

	return MAX(MIN(wanted, (size_t)BLOCK_MAX), size);
}

static bool add_block(struct arena *arena, size_t size)
{
	size_t block_size = MIN(next_size(arena, size), arena->left);
	struct arena_block *block;

	if (size > block_size) {
		arena->exceeded = true;
		return false;
	}
	block = malloc(sizeof(*block) + block_size);
	if (!block) {
		arena->out_of_memory = true;
		return false;
	}
	block->next = arena->blocks;
	block->size = block_size;
	arena->blocks = block;
	arena->left -= block_size;
	arena->used = 0;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	void *piece;

	if (size > SIZE_MAX - align) {
		arena->exceeded = true;
		return NULL;
	}
	size = (size + align - 1) / align * align;
	if (!arena->blocks || size > arena->blocks->size - arena->used)
		if (!add_block(arena, size))
			return NULL;
	piece = arena->blocks->data + arena->used;
	arena->used += size;
	return piece;
}

void arena_done(struct arena *arena)
{
	int saved_errno = errno;

	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena) { 0 };
	errno = saved_errno;
}
