/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue is opened for each repository anew: what an ecosystem has put in is
 * committed only after the generation it belongs to is published, and forgotten when
 * it is not.
 */
#include "reservoir/sync/run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"
#include "reservoir/config/window.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/scrub.h"
#include "reservoir/store/synced.h"
#include "reservoir/store/unfinished.h"
#include "reservoir/sync/prune.h"

#define SIGNING_KEY_MAX ((size_t)1024 * 1024) /* what may be in its file: key rings are small */

/* What one run holds. */
struct runner {
	const struct sync_run *run;
	struct fetcher *fetcher;
	struct window window;
	bool window_closed;
	bool pruned; /* the catalogue: once in a run */
};

/* What the sync of one repository holds. */
struct attempt {
	struct runner *runner;
	const struct repository *repository;
	const struct ecosystem *ecosystem;
	struct sync_report *report;
	struct generation *generation;
	const struct generation_repository *before; /* in @generation, or NULL */
	struct manifest *current;
	struct manifest_builder *builder;
	struct catalogue *catalogue;
	int64_t now;
	bool renews; /* only what clients get is made anew: upstream is not asked */
};

void sync_reports_done(struct sync_reports *reports)
{
	for (size_t i = 0; i < reports->n; i++)
		report_done(&reports->reports[i]);
	free(reports->reports);
	*reports = (struct sync_reports) { 0 };
}

static void attempt_done(struct attempt *attempt)
{
	catalogue_close(attempt->catalogue);
	manifest_builder_free(attempt->builder);
	manifest_free(attempt->current);
	generation_free(attempt->generation);
}

static void runner_done(struct runner *runner)
{
	fetcher_free(runner->fetcher);
}

/* Seconds until fetching is allowed. */
static uint32_t opens_in(const struct runner *runner)
{
	uint32_t now = runner->run->now ? runner->run->now() : window_now();

	return window_opens_in(&runner->window, now);
}

static bool is_to_stop(struct runner *runner)
{
	if (runner->run->stop && *runner->run->stop)
		return true;
	if (opens_in(runner) > 0)
		runner->window_closed = true;
	return runner->window_closed;
}

static void on_progress(void *ctx, const struct fetch_progress *progress, size_t n)
{
	struct runner *runner = ctx;

	if (is_to_stop(runner))
		fetcher_stop(runner->fetcher);
	if (runner->run->progress)
		runner->run->progress(runner->run->ctx, progress, n);
}

/* --- one repository --- */

/* Whether what clients get is signed by this site. */
static bool is_signed_here(const struct repository *repository)
{
	return repository->ecosystem == REPOSITORY_APT && repository->mode == REPOSITORY_MIRROR &&
	       repository->apt.publish == APT_CURATED;
}

/* Whether it was signed while the clock was ahead: until then clients refuse it. */
static bool is_of_the_future(const struct attempt *attempt)
{
	return is_signed_here(attempt->repository) && attempt->repository->upstream[0] &&
	       attempt->before->synced > attempt->now + SYNC_AHEAD_MAX_S;
}

/* Drops what was published if it is not to be compared with. */
static void drop_current(struct attempt *attempt)
{
	struct store *store = attempt->runner->run->store;
	const char *why = NULL;

	/* What was lost, or damaged and put aside, is fetched or made anew. */
	if (scrub_misses(store, attempt->current, NULL, &attempt->generation->revoked))
		why = "something is lost, in quarantine or recalled";
	else if (is_of_the_future(attempt))
		why = "it was signed when the clock was ahead";
	if (!why)
		return;
	manifest_free(TAKE_PTR(attempt->current));
	report_lines_add(&attempt->report->notes, "%s, all is compared anew", why);
}

static int open_attempt(struct attempt *attempt, struct error *err)
{
	struct store *store = attempt->runner->run->store;
	int r;

	attempt->now = (int64_t)time(NULL);
	r = generation_current(store, &attempt->generation, err);
	if (r < 0)
		return r;
	attempt->before = generation_repository(attempt->generation, attempt->repository->name);
	if (attempt->before && strcmp(attempt->before->ecosystem, attempt->ecosystem->name) != 0)
		attempt->before = NULL;
	if (attempt->before) {
		r = manifest_open(store, &attempt->before->collected, &attempt->current, err);
		/* A damaged manifest is made anew: what it names is still there. */
		if (r < 0 && r != -EBADMSG && r != -ENOENT)
			return r;
		if (r < 0)
			report_lines_add(&attempt->report->notes,
					 "the manifest is damaged, all is compared anew: %s",
					 error_text(err, r));
		if (r == 0)
			drop_current(attempt);
	}
	r = manifest_builder_new(store, &attempt->builder, err);
	if (r < 0)
		return r;
	return catalogue_open(store, &attempt->catalogue, err);
}

/* How many entries a manifest has, and of how many bytes. */
static int measure(struct attempt *attempt, const struct digest *digest,
		   struct generation_repository *entry, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	int r = manifest_open(attempt->runner->run->store, digest, &manifest, err);

	if (r < 0)
		return r;
	entry->n_files = manifest_count(manifest);
	entry->bytes = manifest_bytes(manifest);
	return 0;
}

static int commit(struct attempt *attempt, const char *event, const char *text, struct error *err)
{
	int r = attempt->renews ? 0
				: synced_set(attempt->runner->run->store, attempt->repository->name,
					     attempt->now, err);

	if (!attempt->renews)
		unfinished_end(attempt->runner->run->store, attempt->repository->name);
	if (r == 0 && event)
		r = catalogue_audit(attempt->catalogue, event, text, err);
	return r < 0 ? r : catalogue_commit(attempt->catalogue, err);
}

static int publish(struct attempt *attempt, const struct generation_repository *entry,
		   struct error *err)
{
	struct store *store = attempt->runner->run->store;
	_cleanup_(generation_freep) struct generation *next = NULL;
	char text[192];
	int r;

	r = generation_copy(attempt->generation, &next, err);
	if (r < 0)
		return r;
	(void)snprintf(next->reason, sizeof(next->reason), "%s %s",
		       attempt->renews ? "renew" : "sync", entry->name);
	/* It is this store's own from here on, not what a bundle brought. */
	if (!attempt->renews) {
		next->origin_id[0] = '\0';
		next->origin_sequence = 0;
		next->origin_root = (struct digest) { 0 };
	}
	r = generation_set(next, entry, err);
	if (r == 0)
		r = generation_publish(store, next, err);
	if (r < 0)
		return r;
	attempt->report->generation = next->number;
	attempt->report->result = SYNC_RESULT_PUBLISHED;
	(void)snprintf(text, sizeof(text), "generation %" PRIu64 ": %s", next->number,
		       next->reason);
	r = commit(attempt, "publish", text, err);
	return r < 0 ? error_wrap(err, r, "it is published, but note that") : 0;
}

/* With what, as a digest: empty when the key cannot be read now. */
static void describe_signing(const struct repository *repository, char ret[DIGEST_TEXT_SIZE])
{
	struct {
		uint32_t valid_for_ms;
		char snapshots_url[CONFIG_URL_SIZE];
		char key[SIGNING_KEY_MAX];
	} *data = calloc(1, sizeof(*data));
	struct error ignored = { 0 };
	struct digest digest;
	ssize_t n;

	ret[0] = '\0';
	if (!data)
		return;
	data->valid_for_ms = repository->apt.valid_for_ms;
	memcpy(data->snapshots_url, repository->apt.snapshots_url, CONFIG_URL_SIZE);
	n = file_read(AT_FDCWD, repository->apt.signing_key.text, data->key, sizeof(data->key),
		      &ignored);
	digest = digest_of(data, sizeof(*data));
	if (n >= 0)
		(void)digest_format(&digest, ret);
	explicit_bzero(data, sizeof(*data));
	free(data);
}

/* Notes when and with what clients' files were made. */
static int put_finished(struct attempt *attempt, struct error *err)
{
	char text[DIGEST_TEXT_SIZE + 24], signing[DIGEST_TEXT_SIZE] = "";
	int n;

	if (is_signed_here(attempt->repository))
		describe_signing(attempt->repository, signing);
	n = snprintf(text, sizeof(text), "%" PRId64 " %s", attempt->now, signing);
	return catalogue_put(attempt->catalogue, "finished", attempt->repository->name, text,
			     (size_t)MAX(n, 0), err);
}

/* Whether what clients get has to be made anew, although upstream has nothing new: it
 * would expire before long, or was signed with another key. */
static bool is_stale(struct attempt *attempt)
{
	const struct repository *repository = attempt->repository;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(128);
	char then[DIGEST_TEXT_SIZE] = "", now[DIGEST_TEXT_SIZE];
	int64_t finished = 0;

	if (!attempt->ecosystem->finish || !is_signed_here(repository))
		return false;
	if (catalogue_get(attempt->catalogue, "finished", repository->name, &text, NULL) < 0 ||
	    sscanf(strbuf_str(&text), "%" SCNd64 " %64[0-9a-f]", &finished, then) < 1)
		return true;
	describe_signing(repository, now);
	if (now[0] && strcmp(then, now) != 0)
		return true;
	/* What a clock has signed that was ahead is not valid yet for clients. */
	return finished > attempt->now ||
	       (repository->apt.valid_for_ms > 0 &&
		attempt->now - finished > repository->apt.valid_for_ms / 1000 / 3);
}

/* Whether what this site has made itself was damaged. */
static bool is_damaged(struct attempt *attempt)
{
	_cleanup_(manifest_freep) struct manifest *served = NULL;
	struct store *store = attempt->runner->run->store;

	if (digest_equal(&attempt->before->served, &attempt->before->collected))
		return false;
	return manifest_open(store, &attempt->before->served, &served, NULL) < 0 ||
	       scrub_misses(store, served, attempt->current, &attempt->generation->revoked);
}

/* Of what this site signs, a note that clients are going to refuse it. */
static void warn(struct attempt *attempt, const struct digest *served)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ERROR_TEXT_MAX);
	struct store *store = attempt->runner->run->store;

	if (!attempt->ecosystem->warn || !is_signed_here(attempt->repository) ||
	    manifest_open(store, served, &manifest, NULL) < 0)
		return;
	attempt->ecosystem->warn(store, manifest, attempt->now, &text);
	if (text.len > 0)
		report_lines_add(&attempt->report->notes, "%s", strbuf_str(&text));
}

/* Publishes a repository of which everything was collected. */
static int conclude(struct attempt *attempt, const struct digest *collected, struct error *err)
{
	struct store *store = attempt->runner->run->store;
	struct generation_repository entry = {
		.collected = *collected,
		.served = *collected,
		.synced = attempt->renews ? attempt->before->synced : attempt->now,
	};
	int r = 0;

	(void)str_copy(entry.name, sizeof(entry.name), attempt->repository->name);
	(void)str_copy(entry.ecosystem, sizeof(entry.ecosystem), attempt->ecosystem->name);
	if (attempt->ecosystem->finish) {
		r = object_flush(store, err);
		if (r == 0)
			r = attempt->ecosystem->finish(store, attempt->repository, collected,
						       &entry.served, err);
		if (r == 0)
			r = put_finished(attempt, err);
	}
	if (r == 0)
		r = object_flush(store, err);
	if (r == 0)
		r = measure(attempt, &entry.served, &entry, err);
	if (r < 0)
		return r;
	warn(attempt, &entry.served);
	if (attempt->before && digest_equal(&attempt->before->collected, collected) &&
	    digest_equal(&attempt->before->served, &entry.served)) {
		attempt->report->result = SYNC_RESULT_UNCHANGED;
		return commit(attempt, NULL, NULL, err);
	}
	return publish(attempt, &entry, err);
}

static int conclude_unchanged(struct attempt *attempt, struct error *err)
{
	struct digest collected;

	if (!attempt->before)
		return error_set(err, EPROTO, "upstream has not changed, but nothing is here");
	collected = attempt->before->collected;
	if (is_stale(attempt) || is_damaged(attempt))
		return conclude(attempt, &collected, err);
	warn(attempt, &attempt->before->served);
	attempt->report->result = SYNC_RESULT_UNCHANGED;
	return commit(attempt, NULL, NULL, err);
}

static int conclude_built(struct attempt *attempt, struct error *err)
{
	struct digest collected;
	int r;

	if (report_holds_back(attempt->report)) {
		attempt->report->result = SYNC_RESULT_INCOMPLETE;
		return 0;
	}
	r = manifest_finish(attempt->builder, &collected, err);
	if (r == 0 && attempt->report->absent == 0)
		r = catalogue_put(attempt->catalogue, SYNC_ABSENT_SPACE, attempt->repository->name,
				  NULL, 0, err);
	return r < 0 ? r : conclude(attempt, &collected, err);
}

static int collect(struct attempt *attempt, struct error *err)
{
	const struct sync_run *run = attempt->runner->run;
	struct sync sync = {
		.store = run->store,
		.catalogue = attempt->catalogue,
		.fetcher = attempt->runner->fetcher,
		.config = run->config,
		.repository = attempt->repository,
		.current = attempt->current,
		.revoked = &attempt->generation->revoked,
		.builder = attempt->builder,
		.report = attempt->report,
		.now = attempt->now,
	};
	int r = attempt->ecosystem->sync(&sync, err);

	if (r < 0)
		return r;
	switch ((enum sync_outcome)r) {
	case SYNC_PLANNED:
		attempt->report->result = SYNC_RESULT_PLANNED;
		return 0;
	case SYNC_UNCHANGED:
		if (attempt->report->missing.all == 0)
			return run->plan_only ? 0 : conclude_unchanged(attempt, err);
		attempt->report->result = SYNC_RESULT_INCOMPLETE;
		return 0;
	case SYNC_BUILT:
		break;
	}
	return conclude_built(attempt, err);
}

static void say_why(struct attempt *attempt, int r, const struct error *err)
{
	struct sync_report *report = attempt->report;
	bool stopped = r == -EINTR || is_to_stop(attempt->runner);

	report->result = stopped ? SYNC_RESULT_STOPPED : SYNC_RESULT_FAILED;
	/* What was on its way is not missing upstream. */
	if (r == -EINTR || r == -ENOSPC || r == -EDQUOT || r == -ECANCELED)
		report_lines_done(&report->missing);
	(void)error_set(&report->error, -r, "%s",
			!stopped			 ? error_text(err, r)
			: attempt->runner->window_closed ? "the time window (sync.window) is over"
							 : "stopped");
}

/* What bundles bring is not fetched, but signed again before it expires. */
static int renew(struct attempt *attempt, struct error *err)
{
	attempt->renews = true;
	if (attempt->before)
		return conclude_unchanged(attempt, err);
	attempt->report->result = SYNC_RESULT_SKIPPED;
	return 0;
}

/* With the first catalogue that is open. What is left costs room, and goes another time. */
static void prune_once(struct attempt *attempt)
{
	const struct sync_run *run = attempt->runner->run;

	if (attempt->runner->pruned || run->n_names > 0 || run->plan_only)
		return;
	attempt->runner->pruned = true;
	(void)prune_catalogue(run->store, attempt->catalogue, run->config, attempt->generation,
			      NULL);
}

static void try_repository(struct attempt *attempt)
{
	struct error err = { 0 };
	int r;

	r = open_attempt(attempt, &err);
	if (r == 0)
		prune_once(attempt);
	if (r == 0)
		r = attempt->repository->upstream[0] ? collect(attempt, &err)
						     : renew(attempt, &err);
	if (r < 0)
		say_why(attempt, r, &err);
	else if (attempt->report->result == SYNC_RESULT_NONE)
		attempt->report->result = SYNC_RESULT_UNCHANGED;
}

/* The numbers of one repository, out of those of all. */
static void keep_progress(void *ctx, const struct fetch_progress *progress, size_t n)
{
	struct sync_report *report = ctx;

	for (size_t i = 0; i < n; i++)
		if (strcmp(progress[i].label, report->name) == 0) {
			report->fetched = progress[i];
			report->fetched.label = NULL;
		}
}

/* What was not published is in the log, too; a failure costs no more than that. */
static void note_incomplete(struct runner *runner, struct sync_report *report)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	struct error err = { 0 };
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text), "sync %s: %" PRIu64 " missing", report->name,
		       report->missing.all);
	r = catalogue_open(runner->run->store, &catalogue, &err);
	if (r == 0)
		r = catalogue_audit(catalogue, report_result_name(report->result), text, &err);
	if (r == 0)
		r = catalogue_commit(catalogue, &err);
	if (r < 0)
		report_lines_add(&report->notes, "this is not in the audit log: %s",
				 error_text(&err, r));
}

static void sync_one(struct runner *runner, const struct repository *repository,
		     struct sync_report *report)
{
	struct attempt attempt = {
		.runner = runner,
		.repository = repository,
		.report = report,
	};
	uint64_t begun_ms = clock_ms();

	attempt.ecosystem = runner->run->find(report->ecosystem);
	if (is_to_stop(runner)) {
		say_why(&attempt, -EINTR, NULL);
	} else if (repository->mode == REPOSITORY_CACHE ||
		   (!repository->upstream[0] &&
		    (runner->run->plan_only || !is_signed_here(repository)))) {
		report->result = SYNC_RESULT_SKIPPED;
	} else if (!attempt.ecosystem || !attempt.ecosystem->sync) {
		report->result = SYNC_RESULT_FAILED;
		(void)error_set(&report->error, ENOSYS, "%s cannot be synced", report->ecosystem);
	} else {
		try_repository(&attempt);
		attempt_done(&attempt);
		report->duration_ms = clock_ms() - begun_ms;
		fetcher_report(runner->fetcher, keep_progress, report);
		if (!runner->run->plan_only && !report_is_complete(report))
			note_incomplete(runner, report);
	}
	if (runner->run->finished)
		runner->run->finished(runner->run->ctx, report);
}

/* --- all --- */

int sync_fetcher_new(struct store *store, const struct config_sync *config, struct fetcher **ret,
		     struct error *err)
{
	const struct fetch_settings settings = {
		.per_host = config->per_host,
		.total = config->total,
		.attempts = config->attempts,
		.timeout_ms = config->timeout_ms,
		.bytes_per_second = config->bytes_per_second,
		.keep_free = config->keep_free,
		.ca_file = config->ca_file.text,
		.proxy = config->proxy,
		.netrc_file = config->netrc_file.text,
	};

	return fetcher_new(store, &settings, ret, err);
}

static int open_runner(struct runner *runner, struct error *err)
{
	const struct sync_run *run = runner->run;
	const struct config_sync *config = &run->config->sync;
	uint32_t wait_s;
	int r;

	r = window_parse(config->window, &runner->window, err);
	if (r < 0)
		return r;
	wait_s = opens_in(runner);
	if (wait_s > 0)
		return error_set(
			err, EAGAIN,
			"the time window %s (sync.window) opens in %u hours and %u minutes",
			config->window, wait_s / 3600, wait_s % 3600 / 60);
	r = sync_fetcher_new(run->store, config, &runner->fetcher, err);
	if (r < 0)
		return r;
	fetcher_watch(runner->fetcher, on_progress, runner);
	return 0;
}

static bool is_wanted(const struct sync_run *run, const struct repository *repository)
{
	for (size_t i = 0; i < run->n_names; i++)
		if (strcmp(run->names[i], repository->name) == 0)
			return true;
	return run->n_names == 0 && repository->mode == REPOSITORY_MIRROR &&
	       (repository->upstream[0] || is_signed_here(repository));
}

static int check_names(const struct sync_run *run, struct error *err)
{
	for (size_t i = 0; i < run->n_names; i++)
		if (!reservoir_config_repository(run->config, run->names[i]))
			return error_set(err, ENOENT,
					 "there is no repository '%s' in the configuration",
					 run->names[i]);
	return 0;
}

static void begin_report(const struct sync_run *run, const struct repository *repository,
			 struct sync_reports *reports)
{
	struct sync_report *report = &reports->reports[reports->n++];

	(void)str_copy(report->name, sizeof(report->name), repository->name);
	report->ecosystem = repository_ecosystem_name(repository->ecosystem);
	report->plan_only = run->plan_only;
	report->keep_free = run->config->sync.keep_free;
	report->planned = run->planned;
	report->ctx = run->ctx;
}

static int begin_reports(const struct sync_run *run, struct sync_reports *ret, struct error *err)
{
	ret->reports = calloc(MAX(run->config->n_repositories, 1u), sizeof(*ret->reports));
	if (!ret->reports)
		return error_set(err, ENOMEM, "no memory for reports");
	for (size_t i = 0; i < run->config->n_repositories; i++)
		if (is_wanted(run, &run->config->repositories[i]))
			begin_report(run, &run->config->repositories[i], ret);
	if (run->begun)
		run->begun(run->ctx, ret);
	return 0;
}

int sync_all(const struct sync_run *run, struct sync_reports *ret, struct error *err)
{
	_cleanup_(runner_done) struct runner runner = { .run = run };
	int status = 0;
	int r;

	*ret = (struct sync_reports) { 0 };
	r = check_names(run, err);
	if (r == 0)
		r = open_runner(&runner, err);
	if (r < 0)
		return r;
	r = begin_reports(run, ret, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->n; i++) {
		struct sync_report *report = &ret->reports[i];

		sync_one(&runner, reservoir_config_repository(run->config, report->name), report);
		if (!report_is_complete(report))
			status = 1;
	}
	return status;
}
