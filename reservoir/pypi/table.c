/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/table.h"

#include <errno.h>
#include <string.h>

#define NAMES_BYTES_MAX ((size_t)512 * 1024 * 1024)

void pypi_table_init(struct pypi_table *ret)
{
	*ret = (struct pypi_table) { .arena = arena_init(NAMES_BYTES_MAX) };
}

void pypi_table_done(struct pypi_table *table)
{
	arena_done(&table->arena);
	free(table->names);
	free(table->slots);
	*table = (struct pypi_table) { 0 };
}

/* FNV-1a. */
static uint64_t hash(const char *name)
{
	uint64_t value = UINT64_C(14695981039346656037);

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return value ^ (value >> 32);
}

/* The slot of a name, or the free one where it belongs. */
static size_t slot_of(const struct pypi_table *table, const char *name)
{
	size_t at = hash(name) & (table->n_slots - 1);

	while (table->slots[at] && strcmp(table->names[table->slots[at] - 1], name) != 0)
		at = (at + 1) & (table->n_slots - 1);
	return at;
}

int64_t pypi_table_find(const struct pypi_table *table, const char *name)
{
	size_t at;

	if (table->n_slots == 0)
		return -ENOENT;
	at = slot_of(table, name);
	return table->slots[at] ? (int64_t)table->slots[at] - 1 : -ENOENT;
}

static int grow(struct pypi_table *table)
{
	size_t cap = table->cap ? 2 * table->cap : 64;
	const char **names = reallocarray(table->names, cap, sizeof(*names));
	uint32_t *slots;

	if (!names)
		return -ENOMEM;
	table->names = names;
	table->cap = cap;
	slots = calloc(2 * cap, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(table->slots);
	table->slots = slots;
	table->n_slots = 2 * cap;
	for (size_t i = 0; i < table->n; i++)
		slots[slot_of(table, names[i])] = (uint32_t)i + 1;
	return 0;
}

int64_t pypi_table_add(struct pypi_table *table, const char *name)
{
	int64_t found = pypi_table_find(table, name);
	size_t len = strlen(name) + 1;
	char *copy;

	if (found >= 0)
		return found;
	if (table->n == PYPI_TABLE_MAX)
		return -E2BIG;
	if (2 * table->n >= table->n_slots) {
		int r = grow(table);

		if (r < 0)
			return r;
	}
	copy = arena_alloc(&table->arena, len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, len);
	table->names[table->n] = copy;
	table->slots[slot_of(table, name)] = (uint32_t)table->n + 1;
	return (int64_t)table->n++;
}
