/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people: columns as wide as what is in them, colours where wanted.
 *
 * Every cell is escaped, so foreign text can do a terminal no harm.
 *
 * Source: ECMA-48, Select Graphic Rendition
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/macro.h"
#include "base/strbuf.h"

#define TABLE_COLUMNS_MAX 20
#define TABLE_MEMORY_MAX ((size_t)128 * 1024 * 1024) /* 131,072 rows of 1 KiB, as held devices */

enum paint {
	PAINT_NONE,
	PAINT_GOOD,
	PAINT_WARNING,
	PAINT_BAD,
	PAINT_DIM,
	PAINT_TITLE,
	_PAINT_MAX,
};

struct table_cell {
	const char *text; /* in the arena */
	enum paint paint;
};

struct table {
	const char *const *headers; /* NULL ends them */
	size_t n_columns;
	struct table_cell *cells; /* owned; row by row */
	size_t n;
	size_t cap;
	struct arena arena;
	int error; /* 0 or -ENOMEM; sticks */
};

/**
 * table_init() - Make an empty table.
 * @headers: names of the columns; NULL ends them; borrowed
 *
 * Return: the table, to be released with table_done().
 */
struct table table_init(const char *const *headers);

/**
 * table_done() - Release a table.
 * @table: table
 */
void table_done(struct table *table);
#define _cleanup_table_ _cleanup_(table_done)

/**
 * table_put() - Add the next cell, row by row.
 * @table: table
 * @paint: its colour
 * @fmt: printf format; an empty text is shown as "-"
 */
void table_put(struct table *table, enum paint paint, const char *fmt, ...) _printf_(3, 4);

/**
 * table_print() - Write a table with its headers.
 * @table: table with whole rows
 * @paint: use colours
 * @out: appended to
 *
 * Return: 0, or -ENOMEM if a cell could not be kept.
 */
int table_print(const struct table *table, bool paint, struct strbuf *out);

/**
 * table_paint() - Write a text in a colour.
 * @out: appended to
 * @on: use colours
 * @paint: the colour
 * @text: what to write; is not escaped
 */
void table_paint(struct strbuf *out, bool on, enum paint paint, const char *text);
