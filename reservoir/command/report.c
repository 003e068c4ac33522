/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"

const char *report_time(int64_t seconds, char ret[REPORT_WORD_MAX])
{
	time_t time = (time_t)seconds;
	struct tm tm;
	size_t n;

	(void)str_copy(ret, REPORT_WORD_MAX, "-");
	if (seconds == 0 || !localtime_r(&time, &tm))
		return ret;
	n = strftime(ret, REPORT_WORD_MAX, "%Y-%m-%dT%H:%M:%S%z", &tm);
	/* +0900 becomes +09:00. */
	if (n >= 5 && n + 1 < REPORT_WORD_MAX) {
		memmove(ret + n - 1, ret + n - 2, 3);
		ret[n - 2] = ':';
	}
	return ret;
}

const char *report_age(int64_t seconds, int64_t now, char ret[REPORT_WORD_MAX])
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	int64_t age = now > seconds ? now - seconds : 0;
	size_t i = 0;

	if (seconds == 0) {
		(void)str_copy(ret, REPORT_WORD_MAX, "-");
		return ret;
	}
	/* Two of a unit say more than one: 36 h, not 1 d. */
	while (i + 1 < ARRAY_SIZE(units) && age < 2 * units[i].seconds)
		i++;
	(void)snprintf(ret, REPORT_WORD_MAX, "%" PRId64 " %s", age / units[i].seconds,
		       units[i].unit);
	return ret;
}

struct report_table report_table_init(const char *const *heads)
{
	struct report_table table = { .cells = STRBUF_INIT(REPORT_MAX) };

	for (; heads[table.n_columns]; table.n_columns++) {
		const char *head = heads[table.n_columns];

		table.right[table.n_columns] = head[0] == '>';
		report_table_add(&table, head + (head[0] == '>'));
	}
	return table;
}

void report_table_done(struct report_table *table)
{
	strbuf_done(&table->cells);
}

void report_table_add(struct report_table *table, const char *word)
{
	strbuf_add(&table->cells, word, strlen(word) + 1);
}

static void measure(const struct report_table *table, size_t widths[REPORT_COLUMNS_MAX])
{
	size_t column = 0;

	for (size_t at = 0; at < table->cells.len; at += strlen(table->cells.data + at) + 1) {
		widths[column] = MAX(widths[column], strlen(table->cells.data + at));
		column = (column + 1) % table->n_columns;
	}
}

void report_table_write(const struct report_table *table, const char *indent, struct strbuf *out)
{
	size_t widths[REPORT_COLUMNS_MAX] = { 0 };
	size_t column = 0;

	measure(table, widths);
	for (size_t at = 0; at < table->cells.len; at += strlen(table->cells.data + at) + 1) {
		const char *word = table->cells.data + at;
		bool last = column + 1 == table->n_columns;
		int width = last && !table->right[column] ? 0 : (int)widths[column];

		strbuf_printf(out, "%s%*s%s", column ? "  " : indent,
			      table->right[column] ? width : -width, word, last ? "\n" : "");
		column = last ? 0 : column + 1;
	}
}

int report_print_json(json_t *json, bool lines, struct error *err)
{
	int r;

	if (!json)
		return error_set(err, ENOMEM, "no memory for the report");
	r = json_dumpf(json, stdout, lines ? JSON_COMPACT : JSON_INDENT(2));
	json_decref(json);
	if (r < 0 || putchar('\n') == EOF || (!lines && fflush(stdout) != 0))
		return error_set(err, errno ? errno : EIO, "write to standard output: %m");
	return 0;
}
