/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
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

/* What was told until now, and what has to be told when the run is cut short. */
struct telling {
	pthread_mutex_t lock; /* kept by who says the last words: nothing follows them */
	bool json;
	struct display display;
	const struct sync_reports *reports; /* NULL before they begin, and when all is over */
	size_t n_finished;
	struct fetch_progress fetched; /* of the repository that is being synced */
};

static void on_begun(void *ctx, const struct sync_reports *reports)
{
	struct telling *telling = ctx;

	(void)pthread_mutex_lock(&telling->lock);
	telling->reports = reports;
	(void)pthread_mutex_unlock(&telling->lock);
}

static void on_planned(void *ctx, const struct sync_report *report)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct telling *telling = ctx;

	(void)pthread_mutex_lock(&telling->lock);
	display_clear(&telling->display, &text);
	report_describe_plan(report, &text);
	print(&text);
	(void)pthread_mutex_unlock(&telling->lock);
}

static void on_finished(void *ctx, const struct sync_report *report)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct telling *telling = ctx;

	(void)pthread_mutex_lock(&telling->lock);
	if (!telling->json) {
		display_clear(&telling->display, &text);
		report_describe(report, &text);
		print(&text);
	}
	telling->n_finished++;
	telling->fetched = (struct fetch_progress) { 0 };
	(void)pthread_mutex_unlock(&telling->lock);
}

static void draw(struct display *display, const struct fetch_progress *progress, size_t n)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	if (display->style.is_live)
		display->style = display_style_of(STDOUT_FILENO, false);
	display_update(display, progress, n, clock_ms(), &text);
	print(&text);
}

static void on_progress(void *ctx, const struct fetch_progress *progress, size_t n)
{
	struct telling *telling = ctx;
	const struct sync_report *now;

	(void)pthread_mutex_lock(&telling->lock);
	now = &telling->reports->reports[telling->n_finished];
	for (size_t i = 0; i < n; i++)
		if (strcmp(progress[i].label, now->name) == 0)
			telling->fetched = progress[i];
	if (!telling->json)
		draw(&telling->display, progress, n);
	(void)pthread_mutex_unlock(&telling->lock);
}

static void on_over(struct telling *telling)
{
	(void)pthread_mutex_lock(&telling->lock);
	telling->reports = NULL;
	(void)pthread_mutex_unlock(&telling->lock);
}

static int print_json(const struct sync_reports *reports, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	if (report_json(reports->reports, reports->n, &text) < 0)
		return error_set(err, ENOMEM, "no memory for the report");
	print(&text);
	return 0;
}

/* Of the repository that is at hand, and those that come after it: what they hold is another
 * thread's. */
static struct sync_report stopped_report(const struct telling *telling, size_t i)
{
	const struct sync_report *begun = &telling->reports->reports[i];
	struct sync_report report = { .ecosystem = begun->ecosystem,
				      .result = SYNC_RESULT_STOPPED };

	(void)str_copy(report.name, sizeof(report.name), begun->name);
	(void)error_set(&report.error, EINTR, "stopped");
	if (i == telling->n_finished)
		report.fetched = telling->fetched;
	report.fetched.label = NULL;
	return report;
}

static void report_stopped(struct telling *telling, struct sync_reports *reports)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	display_clear(&telling->display, &text);
	for (size_t i = 0; i < telling->reports->n; i++) {
		bool is_finished = i < telling->n_finished;

		reports->reports[i] =
			is_finished ? telling->reports->reports[i] : stopped_report(telling, i);
		if (!is_finished)
			report_describe(&reports->reports[i], &text);
	}
	if (telling->json)
		(void)print_json(reports, NULL);
	else
		print(&text);
}

/* On another thread, when the one that syncs is not heard of. */
static bool say_last_words(void *ctx)
{
	struct telling *telling = ctx;
	struct sync_reports reports = { 0 };

	(void)pthread_mutex_lock(&telling->lock);
	if (!telling->reports) {
		(void)pthread_mutex_unlock(&telling->lock);
		return false;
	}
	reports.n = telling->reports->n;
	reports.reports = calloc(MAX(reports.n, (size_t)1), sizeof(*reports.reports));
	if (reports.reports)
		report_stopped(telling, &reports);
	free(reports.reports);
	return true;
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

static int sync_store(const struct settings *settings, struct sync_run *run,
		      struct telling *telling, struct error *err)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	int status = sync_all(run, &reports, err);
	int r = 0;

	on_over(telling);
	if (status == -EAGAIN)
		return say_later(settings, err);
	if (status >= 0 && settings->json)
		r = print_json(&reports, err);
	if (status < 0 || r < 0)
		return MIN(status, r);
	return status > 0 ? COMMAND_INCOMPLETE : COMMAND_DONE;
}

int sync_run(const struct settings *settings, struct error *err)
{
	static struct telling telling = { .lock = PTHREAD_MUTEX_INITIALIZER };
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_(store_closep) struct store *store = NULL;
	struct sync_run run = {
		.config = &config,
		.find = ecosystem_find,
		.names = settings->words,
		.n_names = settings->n_words,
		.plan_only = settings->dry_run,
		.begun = on_begun,
		.planned = settings->json ? NULL : on_planned,
		.finished = on_finished,
		.progress = on_progress,
		.ctx = &telling,
	};
	int r;

	telling.json = settings->json;
	telling.display.style = display_style_of(STDOUT_FILENO, settings->no_progress);
	r = settings_load_config(settings, &config, err);
	if (r == 0)
		r = store_open(settings->store, STORE_WRITE, &store, err);
	if (r == 0)
		r = stop_catch(&run.stop, err);
	/* A large index is read, or a solver runs, for longer. */
	if (r == 0)
		r = stop_within(STOP_GRACE_S, say_last_words, &telling, err);
	if (r < 0)
		return r;
	run.store = store;
	return sync_store(settings, &run, &telling, err);
}
