/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands print for people: times and tables.
 *
 * Source: ISO 8601 for times
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

#define REPORT_WORD_MAX 48		     /* bytes with the NUL of a time or an age */
#define REPORT_MAX ((size_t)8 * 1024 * 1024) /* of what is put together before it is printed */
#define REPORT_COLUMNS_MAX 8

/**
 * report_time() - Write a time of the local zone.
 * @seconds: since 1970
 * @ret: receives it, as in "2026-11-22T13:05:00+09:00"
 *
 * Return: @ret; "-" for 0.
 */
const char *report_time(int64_t seconds, char ret[REPORT_WORD_MAX]);

/**
 * report_age() - Write how long ago a time was.
 * @seconds: since 1970
 * @now: the same
 * @ret: receives it, as in "3 h" or "12 d"
 *
 * Return: @ret; "-" for 0.
 */
const char *report_age(int64_t seconds, int64_t now, char ret[REPORT_WORD_MAX]);

/* Rows of words, in columns as wide as their widest word. */
struct report_table {
	struct strbuf cells; /* words, each with its NUL */
	size_t n_columns;
	bool right[REPORT_COLUMNS_MAX]; /* numbers */
};

/**
 * report_table_init() - Begin a table.
 * @heads: words of its first row, ended by NULL; one that begins with '>' is aligned right
 *
 * Return: the table, to be released with report_table_done().
 */
struct report_table report_table_init(const char *const *heads);

/**
 * report_table_done() - Release a table.
 * @table: table
 */
void report_table_done(struct report_table *table);
#define _cleanup_report_table_ _cleanup_(report_table_done)

/**
 * report_table_add() - Add the next word, from left to right and row by row.
 * @table: table
 * @word: word; copied
 */
void report_table_add(struct report_table *table, const char *word);

/**
 * report_table_write() - Append a table, a line for each row.
 * @table: table
 * @indent: in front of each line
 * @out: appended to
 */
void report_table_write(const struct report_table *table, const char *indent, struct strbuf *out);

/**
 * report_print_json() - Write JSON to standard output, and release it.
 * @json: value, or NULL when there was no memory for it
 * @lines: on one line
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int report_print_json(json_t *json, bool lines, struct error *err);
