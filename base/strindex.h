/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the row of a table by a string: an open-addressing hash index of
 * 32-bit row numbers.  The strings stay in the table; the index only asks for
 * them, so 60,000 rows cost 512 KiB.
 *
 * Source: linear probing, Knuth, The Art of Computer Programming 6.4,
 * algorithm L; FNV-1a by Fowler, Noll and Vo
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * typedef strindex_key_fn - Gives the string of a row.
 * @table: as given to strindex_init()
 * @row: row number
 *
 * Return: NUL-terminated key that does not change while the index lives.
 */
typedef const char *(*strindex_key_fn)(const void *table, uint32_t row);

struct strindex {
	const void *table;
	strindex_key_fn key;
	uint32_t *slots; /* row + 1, 0 when free */
	size_t n_slots;	 /* a power of two */
};

/**
 * strindex_init() - Index the first rows of a table.
 * @index: index to fill
 * @table: passed to @key; borrowed, must stay where it is
 * @n_rows: rows to index, at most 2^30
 * @key: gives the key of a row
 *
 * Of rows with equal keys the first one is found.
 *
 * Return: 0, or -ENOMEM, or -E2BIG when there are too many rows.
 */
int strindex_init(struct strindex *index, const void *table, size_t n_rows, strindex_key_fn key);

/**
 * strindex_find() - Find a row.
 * @index: initialised index
 * @key: string to look for
 *
 * Return: row number, or -ENOENT.
 */
int64_t strindex_find(const struct strindex *index, const char *key);

/**
 * strindex_done() - Release the index; the table is left alone.
 * @index: initialised or all-zero index
 */
void strindex_done(struct strindex *index);
