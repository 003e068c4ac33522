/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sync of a repository has come to.
 *
 * Source: struct sync of reservoir/sync/sync.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/sync/sync.h"

#define REPORT_LINES_MAX 200u /* that are kept; the rest is counted */

enum sync_result {
	SYNC_RESULT_NONE,	/* not begun */
	SYNC_RESULT_PUBLISHED,	/* something is new */
	SYNC_RESULT_UNCHANGED,	/* upstream is what the store has */
	SYNC_RESULT_PLANNED,	/* only a plan was asked for */
	SYNC_RESULT_SKIPPED,	/* it has no upstream, or is a cache */
	SYNC_RESULT_INCOMPLETE, /* something listed could not be had: the old one stays */
	SYNC_RESULT_STOPPED,	/* by a signal or the end of the window: the old one stays */
	SYNC_RESULT_FAILED,	/* the error says why: the old one stays */
	_SYNC_RESULT_MAX,
};

struct report_lines {
	char **lines;
	size_t n;
	uint64_t all; /* with those that are not kept */
};

struct sync_report {
	char name[STORE_NAME_MAX];
	const char *ecosystem; /* static */
	enum sync_result result;
	bool is_planned;
	struct sync_plan plan;
	uint64_t free_bytes; /* that may be used, when planned */
	struct report_lines missing;
	uint64_t absent; /* of what is missing: not to be had, which holds nothing back */
	struct report_lines notes;
	struct fetch_progress fetched; /* label is NULL */
	uint64_t duration_ms;
	uint64_t generation; /* that was published, 0 for none */
	struct error error;

	/* For sync_plan(). */
	bool plan_only;
	uint64_t keep_free;
	void (*planned)(void *ctx, const struct sync_report *report);
	void *ctx;
};

/**
 * report_done() - Release what a report owns.
 * @report: report, or all-zero
 */
void report_done(struct sync_report *report);

/**
 * report_lines_add() - Keep a line.
 * @lines: lines
 * @fmt: printf format of one line; longer ones than 1 KiB are cut
 */
void report_lines_add(struct report_lines *lines, const char *fmt, ...) _printf_(2, 3);

/**
 * report_lines_done() - Release lines; there are none afterwards.
 * @lines: lines, or all-zero
 */
void report_lines_done(struct report_lines *lines);

/**
 * report_is_complete() - Whether a repository is what its upstream is.
 * @report: report
 *
 * Return: true if so, or if nothing else was wanted.
 */
bool report_is_complete(const struct sync_report *report);

/**
 * report_holds_back() - Whether something is missing without which nothing is published.
 * @report: report
 *
 * Return: true if so.
 */
bool report_holds_back(const struct sync_report *report);

/**
 * report_result_name() - The word for a result, as in "published".
 * @result: result
 *
 * Return: static text.
 */
const char *report_result_name(enum sync_result result);

/**
 * report_describe_plan() - Write a plan for people: one line, or two.
 * @report: report that is planned
 * @out: appended to
 */
void report_describe_plan(const struct sync_report *report, struct strbuf *out);

/**
 * report_describe() - Write a report for people.
 * @report: report
 * @out: appended to
 */
void report_describe(const struct sync_report *report, struct strbuf *out);

/**
 * report_json() - Write reports as a JSON array.
 * @reports: @n reports
 * @n: number
 * @out: appended to, ends in a newline
 *
 * Return: 0, or -ENOMEM.
 */
int report_json(const struct sync_report *reports, size_t n, struct strbuf *out);
