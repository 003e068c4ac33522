/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define CELL_MAX 8192 /* a device ID of 1 KiB is four times that when it is escaped */
#define GAP "  "

static size_t count_headers(const char *const *headers)
{
	size_t n = 0;

	while (headers[n])
		n++;
	assert(n <= TABLE_COLUMNS_MAX);
	return n;
}

struct table table_init(const char *const *headers)
{
	return (struct table) {
		.headers = headers,
		.n_columns = count_headers(headers),
		.arena = arena_init(TABLE_MEMORY_MAX),
	};
}

void table_done(struct table *table)
{
	arena_done(&table->arena);
	free(table->cells);
	*table = (struct table) { 0 };
}

static int reserve(struct table *table)
{
	size_t cap = table->cap > 0 ? 2 * table->cap : 64;
	struct table_cell *cells;

	if (table->n < table->cap)
		return 0;
	cells = reallocarray(table->cells, cap, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	table->cells = cells;
	table->cap = cap;
	return 0;
}

static const char *keep(struct table *table, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(&table->arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

static void vprint(struct strbuf *sb, const char *fmt, va_list args) _printf_(2, 0);

static void vprint(struct strbuf *sb, const char *fmt, va_list args)
{
	char text[CELL_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, args);
	text_escape(sb, text);
}

void table_put(struct table *table, enum paint paint, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf escaped = STRBUF_INIT(4 * CELL_MAX);
	const char *text;
	va_list args;

	if (table->error)
		return;
	va_start(args, fmt);
	vprint(&escaped, fmt, args);
	va_end(args);
	text = keep(table, escaped.len > 0 ? strbuf_str(&escaped) : "-");
	if (!text || strbuf_error(&escaped) < 0 || reserve(table) < 0) {
		table->error = -ENOMEM;
		return;
	}
	table->cells[table->n++] = (struct table_cell) { text, paint };
}

static void measure(const struct table *table, size_t *widths)
{
	for (size_t i = 0; i < table->n_columns; i++)
		widths[i] = strlen(table->headers[i]);
	for (size_t i = 0; i < table->n; i++) {
		size_t column = i % table->n_columns;

		widths[column] = MAX(widths[column], strlen(table->cells[i].text));
	}
}

void table_paint(struct strbuf *out, bool on, enum paint paint, const char *text)
{
	static const char *const codes[_PAINT_MAX] = {
		[PAINT_NONE] = "",	  [PAINT_GOOD] = "\033[32m", [PAINT_WARNING] = "\033[33m",
		[PAINT_BAD] = "\033[31m", [PAINT_DIM] = "\033[2m",   [PAINT_TITLE] = "\033[1m",
	};

	if (!on || paint == PAINT_NONE) {
		strbuf_puts(out, text);
		return;
	}
	strbuf_printf(out, "%s%s\033[0m", codes[paint], text);
}

static void pad(struct strbuf *out, size_t n)
{
	strbuf_printf(out, "%*s" GAP, (int)n, "");
}

int table_print(const struct table *table, bool paint, struct strbuf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	size_t last = table->n_columns - 1;

	assert(table->n_columns > 0);
	measure(table, widths);
	for (size_t i = 0; i <= last; i++) {
		table_paint(out, paint, PAINT_TITLE, table->headers[i]);
		if (i < last)
			pad(out, widths[i] - strlen(table->headers[i]));
	}
	strbuf_puts(out, "\n");
	for (size_t i = 0; i < table->n; i++) {
		const struct table_cell *cell = &table->cells[i];
		size_t column = i % table->n_columns;

		table_paint(out, paint, cell->paint, cell->text);
		if (column < last)
			pad(out, widths[column] - strlen(cell->text));
		else
			strbuf_puts(out, "\n");
	}
	return table->error;
}
