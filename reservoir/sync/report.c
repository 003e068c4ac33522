/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/size.h"

#define LINE_MAX_BYTES 1024

static const char *const results[] = {
	[SYNC_RESULT_NONE] = "not begun",      [SYNC_RESULT_PUBLISHED] = "published",
	[SYNC_RESULT_UNCHANGED] = "unchanged", [SYNC_RESULT_PLANNED] = "planned",
	[SYNC_RESULT_SKIPPED] = "skipped",     [SYNC_RESULT_INCOMPLETE] = "incomplete",
	[SYNC_RESULT_STOPPED] = "stopped",     [SYNC_RESULT_FAILED] = "failed",
};

void report_lines_done(struct report_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->lines[i]);
	free(lines->lines);
	*lines = (struct report_lines) { 0 };
}

void report_done(struct sync_report *report)
{
	report_lines_done(&report->missing);
	report_lines_done(&report->notes);
}

void report_lines_add(struct report_lines *lines, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	char **grown;
	int n;

	lines->all++;
	if (lines->n >= REPORT_LINES_MAX)
		return;
	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	grown = reallocarray(lines->lines, lines->n + 1, sizeof(*grown));
	if (n < 0 || !grown)
		return;
	lines->lines = grown;
	grown[lines->n] = strdup(line);
	if (grown[lines->n])
		lines->n++;
}

bool report_is_complete(const struct sync_report *report)
{
	return report->result != SYNC_RESULT_NONE && report->result < SYNC_RESULT_INCOMPLETE &&
	       report->missing.all == 0;
}

bool report_holds_back(const struct sync_report *report)
{
	return report->missing.all > report->absent;
}

const char *report_result_name(enum sync_result result)
{
	return results[result];
}

void report_describe_plan(const struct sync_report *report, struct strbuf *out)
{
	const struct sync_plan *plan = &report->plan;
	char all[SIZE_TEXT_MAX], fetch[SIZE_TEXT_MAX], room[SIZE_TEXT_MAX];

	strbuf_printf(out,
		      "%s: %" PRIu64 " files of %s; to fetch: %" PRIu64 " of %s; removed: %" PRIu64
		      "; room for %s\n",
		      report->name, plan->files, size_format(plan->bytes, all), plan->fetch_files,
		      size_format(plan->fetch_bytes, fetch), plan->removed,
		      size_format(report->free_bytes, room));
}

static void describe_lines(const struct report_lines *lines, const char *kind, struct strbuf *out)
{
	for (size_t i = 0; i < lines->n; i++)
		strbuf_printf(out, "  %s: %s\n", kind, lines->lines[i]);
	if (lines->all > lines->n)
		strbuf_printf(out, "  and %" PRIu64 " more\n", lines->all - lines->n);
}

void report_describe(const struct sync_report *report, struct strbuf *out)
{
	char bytes[SIZE_TEXT_MAX];

	strbuf_printf(out, "%s: %s", report->name, results[report->result]);
	if (report->generation > 0)
		strbuf_printf(out, "%s as generation %" PRIu64,
			      report->result == SYNC_RESULT_PUBLISHED ? ""
								      : " after it was published",
			      report->generation);
	if (report->missing.all > 0)
		strbuf_printf(out, ", %" PRIu64 " missing", report->missing.all);
	if (report->fetched.requests > 0 || report->fetched.bytes_done > 0)
		strbuf_printf(out,
			      "; %" PRIu64 " requests, %s in %" PRIu64 ".%" PRIu64 " s, %" PRIu64
			      " tried again",
			      report->fetched.requests,
			      size_format(report->fetched.bytes_done, bytes),
			      report->duration_ms / 1000, report->duration_ms % 1000 / 100,
			      report->fetched.retries);
	strbuf_puts(out, "\n");
	if (report->error.code != 0)
		strbuf_printf(out, "  %s\n", report->error.msg);
	describe_lines(&report->missing, "missing", out);
	describe_lines(&report->notes, "note", out);
}

static json_t *lines_json(const struct report_lines *lines)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < lines->n; i++)
		if (json_array_append_new(array, json_string(lines->lines[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *plan_json(const struct sync_report *report)
{
	const struct sync_plan *plan = &report->plan;

	if (!report->is_planned)
		return json_null();
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "files", (json_int_t)plan->files, "bytes",
			 (json_int_t)plan->bytes, "fetchFiles", (json_int_t)plan->fetch_files,
			 "fetchBytes", (json_int_t)plan->fetch_bytes, "removed",
			 (json_int_t)plan->removed, "freeBytes", (json_int_t)report->free_bytes);
}

static json_t *one_json(const struct sync_report *report)
{
	const struct fetch_progress *fetched = &report->fetched;

	return json_pack(
		"{s:s,s:s,s:s,s:I,s:o,s:{s:I,s:I,s:I,s:I,s:I},s:I,s:I,s:o,s:o,s:s*}", "name",
		report->name, "ecosystem", report->ecosystem, "result", results[report->result],
		"generation", (json_int_t)report->generation, "plan", plan_json(report), "fetched",
		"files", (json_int_t)fetched->files_done, "bytes", (json_int_t)fetched->bytes_done,
		"failed", (json_int_t)fetched->files_failed, "retries",
		(json_int_t)fetched->retries, "requests", (json_int_t)fetched->requests,
		"durationMs", (json_int_t)report->duration_ms, "missingCount",
		(json_int_t)report->missing.all, "missing", lines_json(&report->missing), "notes",
		lines_json(&report->notes), "error", report->error.code ? report->error.msg : NULL);
}

static int dump(const char *text, size_t len, void *ctx)
{
	struct strbuf *out = ctx;

	strbuf_add(out, text, len);
	return strbuf_error(out);
}

int report_json(const struct sync_report *reports, size_t n, struct strbuf *out)
{
	json_t *root = json_array();
	int r = root ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (json_array_append_new(root, one_json(&reports[i])) < 0)
			r = -ENOMEM;
	if (r == 0 && json_dump_callback(root, dump, out, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
		r = -ENOMEM;
	json_decref(root);
	strbuf_puts(out, "\n");
	return r;
}
