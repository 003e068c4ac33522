/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/stop.h"
#include "reservoir/ecosystem.h"
#include "reservoir/sync/display.h"
#include "reservoir/sync/run.h"

#define STOP_GRACE_S 1			    /* to end what is at hand, and report */
#define TEXT_MAX ((size_t)64 * 1024 * 1024) /* of a report: 256 repositories of 400 lines */

/* Writes after what is drawn was cleared, in one write: nothing flickers. */
static void print(const struct strbuf *text)
{
	if (text->len == 0)
		return;
	(void)fputs(strbuf_str(text), stdout);
	(void)fflush(stdout);
}

static void print_plan(void *ctx, const struct sync_report *report)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	display_clear(ctx, &text);
	report_describe_plan(report, &text);
	print(&text);
}

static void print_report(void *ctx, const struct sync_report *report)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	display_clear(ctx, &text);
	report_describe(report, &text);
	print(&text);
}

static void print_progress(void *ctx, const struct fetch_progress *progress, size_t n)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct display *display = ctx;

	if (display->style.is_live)
		display->style = display_style_of(STDOUT_FILENO, false);
	display_update(display, progress, n, clock_ms(), &text);
	print(&text);
}

static int print_json(const struct sync_reports *reports, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	if (report_json(reports->reports, reports->n, &text) < 0)
		return error_set(err, ENOMEM, "no memory for the report");
	print(&text);
	return 0;
}

/* A closed window is as it was configured: whoever runs this at fixed times is told when. */
static int say_later(const struct settings *settings, struct error *err)
{
	struct error when = *err;

	*err = (struct error) { 0 };
	return (settings->json ? puts("[]") : printf("not now: %s\n", when.msg)) < 0
		       ? COMMAND_FAILED
		       : COMMAND_DONE;
}

int sync_run(const struct settings *settings, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct display display = {
		.style = display_style_of(STDOUT_FILENO, settings->no_progress),
	};
	struct sync_run run = {
		.config = &config,
		.find = ecosystem_find,
		.names = settings->words,
		.n_names = settings->n_words,
		.plan_only = settings->dry_run,
		.planned = settings->json ? NULL : print_plan,
		.finished = settings->json ? NULL : print_report,
		.progress = settings->json ? NULL : print_progress,
		.ctx = &display,
	};
	int status;
	int r;

	r = settings_load_config(settings, &config, err);
	if (r == 0)
		r = store_open(settings->store, STORE_WRITE, &store, err);
	if (r == 0)
		r = stop_catch(&run.stop, err);
	/* A large index is read, or a solver runs, for longer. */
	if (r == 0)
		r = stop_within(STOP_GRACE_S, err);
	if (r < 0)
		return r;
	run.store = store;
	status = sync_all(&run, &reports, err);
	if (status == -EAGAIN)
		return say_later(settings, err);
	if (status >= 0 && settings->json)
		r = print_json(&reports, err);
	if (status < 0 || r < 0)
		return MIN(status, r);
	return status > 0 ? COMMAND_INCOMPLETE : COMMAND_DONE;
}
