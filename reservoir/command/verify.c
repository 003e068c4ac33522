/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/output.h"
#include "base/size.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/repair.h"
#include "reservoir/command/report.h"
#include "reservoir/command/stop.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/scrub.h"

#define PROGRESS_MS 500

static const char *const faults[] = {
	[SCRUB_DAMAGED] = "damaged",   [SCRUB_UNREADABLE] = "unreadable",
	[SCRUB_MISSING] = "missing",   [SCRUB_SIZE] = "wrong size",
	[SCRUB_MANIFEST] = "manifest", [SCRUB_GENERATION] = "generation",
};

struct verification {
	const struct settings *settings;
	struct repair_list list;
	struct error *err;
	uint64_t begun_ms;
	uint64_t told_ms;
	bool terminal;
};

/* --- What is found --- */

static int put_json(const struct verification *verification, const struct scrub_finding *finding)
{
	static const struct digest none;
	char hex[DIGEST_TEXT_SIZE];

	return report_print_json(json_pack("{s:s, s:s?, s:s?, s:s?, s:I, s:s?}", "fault",
					   faults[finding->fault], "object",
					   digest_equal(&finding->digest, &none)
						   ? NULL
						   : digest_format(&finding->digest, hex),
					   "repository", finding->repository, "path", finding->path,
					   "generation", (json_int_t)finding->generation, "text",
					   finding->text),
				 true, verification->err);
}

static void clear_line(const struct verification *verification)
{
	if (verification->terminal && verification->told_ms)
		(void)fputs("\r\033[K", stdout);
}

static int put_text(const struct verification *verification, const struct scrub_finding *finding)
{
	char hex[DIGEST_TEXT_SIZE];
	int n;

	clear_line(verification);
	(void)digest_format(&finding->digest, hex);
	if (finding->fault == SCRUB_GENERATION)
		n = printf("%-10s  %" PRIu64 ": %s\n", faults[finding->fault], finding->generation,
			   finding->text);
	else if (!finding->repository)
		n = printf("%-10s  %s: %s\n", faults[finding->fault], hex, finding->text);
	else
		n = printf("%-10s  %s%s%s of generation %" PRIu64 " (%s)\n", faults[finding->fault],
			   finding->repository, finding->path ? "/" : "",
			   finding->path ? finding->path : "", finding->generation, hex);
	return n < 0 ? error_set(verification->err, errno, "write to standard output: %m") : 0;
}

static int found(void *ctx, const struct scrub_finding *finding)
{
	struct verification *verification = ctx;
	int r = verification->settings->json ? put_json(verification, finding)
					     : put_text(verification, finding);

	if (r == 0 && verification->settings->repair && finding->repository)
		r = repair_add(&verification->list, finding, verification->err);
	return r;
}

static void progress(void *ctx, const struct scrub_report *report)
{
	struct verification *verification = ctx;
	uint64_t now_ms = clock_ms();
	uint64_t ms = MAX(now_ms - verification->begun_ms, UINT64_C(1));
	char word[2][SIZE_TEXT_MAX];

	if (!verification->terminal || now_ms - verification->told_ms < PROGRESS_MS)
		return;
	verification->told_ms = now_ms;
	(void)printf("\r\033[K%" PRIu64 " objects, %s, %s/s", report->objects,
		     size_format(report->bytes, word[0]),
		     size_format(report->bytes * 1000 / ms, word[1]));
	(void)fflush(stdout);
}

/* --- What comes of it --- */

/* Who writes at the moment keeps the log; then this is only in the log of messages. */
static void audit(const struct settings *settings, const struct scrub_report *report)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	struct error err = { 0 };
	char text[128];
	int r;

	if (report->quarantined == 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64 " objects", report->quarantined);
	r = store_open(settings->store, STORE_WRITE, &store, &err);
	if (r == 0)
		r = catalogue_open(store, &catalogue, &err);
	if (r == 0)
		r = catalogue_audit(catalogue, "quarantine", text, &err);
	if (r == 0)
		r = catalogue_commit(catalogue, &err);
	if (r < 0)
		log_warning("verify", "%s quarantined; not in the audit log: %s", text,
			    error_text(&err, r));
}

static int put_repairs(const struct verification *verification, uint64_t done, struct error *err)
{
	const struct repair_list *list = &verification->list;

	for (size_t i = 0; i < list->n; i++) {
		const struct repair_item *item = &list->items[i];

		if (item->done || verification->settings->json)
			continue;
		if (printf("not repaired  %s%s%s: %s\n", item->repository, item->path ? "/" : "",
			   item->path ? item->path : "",
			   item->why ? item->why
				     : "nothing says where it came from; what came in a "
				       "bundle is back after `import --repair MANIFEST`, "
				       "what was made here after `sync`") < 0)
			return error_set(err, errno, "write to standard output: %m");
	}
	if (verification->settings->json)
		return report_print_json(json_pack("{s:I}", "repaired", (json_int_t)done), true,
					 err);
	return printf("repaired %" PRIu64 " objects\n", done) < 0
		       ? error_set(err, errno, "write to standard output: %m")
		       : 0;
}

static bool all_done(const struct repair_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->items[i].done)
			return false;
	return true;
}

static int put_report(const struct settings *settings, const struct scrub_report *report,
		      bool stopped, struct error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(REPORT_MAX);
	char word[SIZE_TEXT_MAX];

	if (settings->json)
		return report_print_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "objects",
						   (json_int_t)report->objects, "bytes",
						   (json_int_t)report->bytes, "references",
						   (json_int_t)report->references, "quarantined",
						   (json_int_t)report->quarantined, "faults",
						   (json_int_t)report->faults, "stopped", stopped),
					 true, err);
	strbuf_printf(&out, "%s%" PRIu64 " objects (%s) read, %" PRIu64 " references followed: ",
		      stopped ? "stopped: " : "", report->objects, size_format(report->bytes, word),
		      report->references);
	if (report->faults == 0)
		strbuf_puts(&out, "all as it should be\n");
	else
		strbuf_printf(&out, "%" PRIu64 " faults, %" PRIu64 " objects quarantined\n",
			      report->faults, report->quarantined);
	return output_write(&out, stdout, err);
}

static int look(struct verification *verification, struct scrub_report *report, struct error *err)
{
	const struct settings *settings = verification->settings;
	struct scrub_settings scrub_settings = {
		.repositories = settings->n_words ? settings->words : NULL,
		.n_repositories = settings->n_words,
		.jobs = settings->jobs,
		.found = found,
		.ctx = verification,
		.progress = progress,
	};
	_cleanup_(store_closep) struct store *store = NULL;
	int r = stop_catch(&scrub_settings.stop, err);

	if (r == 0)
		r = store_open(settings->store, STORE_READ, &store, err);
	if (r == 0)
		r = scrub(store, &scrub_settings, report, err);
	clear_line(verification);
	return r;
}

static int verify(struct verification *verification, struct error *err)
{
	const struct settings *settings = verification->settings;
	struct scrub_report report = { 0 };
	uint64_t done = 0;
	int r = look(verification, &report, err);
	bool stopped = r == -EINTR;

	if (r == 0 || stopped)
		r = put_report(settings, &report, stopped, err);
	if (r < 0)
		return r;
	audit(settings, &report);
	if (stopped)
		return COMMAND_INCOMPLETE;
	if (report.faults == 0)
		return COMMAND_DONE;
	if (!settings->repair)
		return COMMAND_INCOMPLETE;
	r = repair_all(settings, &verification->list, &done, err);
	if (r == 0)
		r = put_repairs(verification, done, err);
	if (r < 0)
		return r;
	return all_done(&verification->list) ? COMMAND_DONE : COMMAND_INCOMPLETE;
}

int verify_run(const struct settings *settings, struct error *err)
{
	struct verification verification = {
		.settings = settings,
		.err = err,
		.begun_ms = clock_ms(),
		.terminal = isatty(STDOUT_FILENO) && !settings->json,
	};
	int r = verify(&verification, err);

	repair_done(&verification.list);
	return r;
}
