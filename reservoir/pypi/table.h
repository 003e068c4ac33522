/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing set of strings, each with a number: rows of tables found by name.
 *
 * Source: linear probing, as in base/strindex.h, whose tables do not grow
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"

#define PYPI_TABLE_MAX 4000000u /* names: several times PyPI's projects */

struct pypi_table {
	struct arena arena; /* of the names */
	const char **names; /* by number */
	size_t n, cap;
	uint32_t *slots; /* number + 1, 0 when free */
	size_t n_slots;	 /* a power of two */
};

/**
 * pypi_table_init() - Make an empty table.
 * @ret: the table, to be released with pypi_table_done()
 */
void pypi_table_init(struct pypi_table *ret);

/**
 * pypi_table_done() - Release a table.
 * @table: initialised or all-zero table
 */
void pypi_table_done(struct pypi_table *table);

/**
 * pypi_table_find() - Find a name.
 * @table: table
 * @name: name
 *
 * Return: its number, or -ENOENT.
 */
int64_t pypi_table_find(const struct pypi_table *table, const char *name);

/**
 * pypi_table_add() - Find a name, added if it is not there.
 * @table: table
 * @name: name; copied
 *
 * Return: its number, counted from 0 in the order of adding; -E2BIG or -ENOMEM.
 */
int64_t pypi_table_add(struct pypi_table *table, const char *name);
