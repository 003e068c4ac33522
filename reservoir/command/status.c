/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/macro.h"
#include "base/output.h"
#include "base/size.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/arrivals.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "reservoir/store/scrub.h"
#include "reservoir/store/synced.h"

#define TROUBLE_MAX ((size_t)2 * ERROR_TEXT_MAX) /* a line */

struct status {
	struct store *store;
	struct generation *generation;
	uint64_t objects;
	uint64_t quarantined;
	uint64_t used; /* bytes of the file system */
	uint64_t free;
	int64_t now;
	char writer[STORE_WRITER_MAX]; /* "" for nobody */
};

static void status_done(struct status *status)
{
	generation_free(status->generation);
	store_close(status->store);
}

static int count(void *ctx, _unused_ const struct digest *digest)
{
	uint64_t *n = ctx;

	(*n)++;
	return 0;
}

static int ask_disk(struct status *status, struct error *err)
{
	struct statvfs fs;

	if (fstatvfs(store_dirfd(status->store), &fs) < 0)
		return error_set(err, errno, "ask the file system what is free: %m");
	status->used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	return store_free_bytes(status->store, &status->free, err);
}

static int read_current(struct status *status, struct error *err)
{
	struct error why = { 0 };
	int r = generation_current(status->store, &status->generation, &why);

	if (r == -EBADMSG || r == -ENOENT)
		return error_set(err, -r, "%.300s; `rollback` publishes an earlier one", why.msg);
	return r < 0 ? error_set(err, -r, "%s", error_text(&why, r)) : 0;
}

static int gather(const struct settings *settings, struct status *status, struct error *err)
{
	int r = store_open(settings->store, STORE_READ, &status->store, err);

	if (r == 0)
		r = read_current(status, err);
	if (r == 0)
		r = object_each(status->store, count, &status->objects, err);
	if (r == 0)
		r = quarantine_each(status->store, count, &status->quarantined, err);
	if (r == 0)
		r = ask_disk(status, err);
	if (r < 0)
		return r;
	/* Who writes is told when it can be known; of a read-only mount it cannot. */
	(void)store_writer(status->store, status->writer, NULL);
	status->now = (int64_t)time(NULL);
	return 0;
}

/* What has clients of a repository go without, now or before long: one line, or none. */
static void describe_trouble(const struct status *status,
			     const struct generation_repository *repository, struct strbuf *out)
{
	const struct ecosystem *ecosystem = ecosystem_find(repository->ecosystem);
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct error err = { 0 };
	int r = manifest_open(status->store, &repository->served, &manifest, &err);

	if (r < 0)
		strbuf_printf(out, "cannot be read: %s; `verify --repair` may bring it back",
			      error_text(&err, r));
	else if (ecosystem && ecosystem->warn)
		ecosystem->warn(status->store, manifest, status->now, out);
}

/* --- For people --- */

static void write_repositories(const struct status *status, struct strbuf *out)
{
	static const char *const heads[] = { "REPOSITORY", "TYPE", ">FILES", ">SIZE",
					     "SYNCED",	   ">AGE", NULL };
	_cleanup_report_table_ struct report_table table = report_table_init(heads);
	char word[REPORT_WORD_MAX], size[SIZE_TEXT_MAX];

	for (size_t i = 0; i < status->generation->n_repositories; i++) {
		const struct generation_repository *repository =
			&status->generation->repositories[i];
		int64_t synced = synced_at(status->store, repository);

		report_table_add(&table, repository->name);
		report_table_add(&table, repository->ecosystem);
		(void)snprintf(word, sizeof(word), "%" PRIu64, repository->n_files);
		report_table_add(&table, word);
		report_table_add(&table, size_format(repository->bytes, size));
		report_table_add(&table, report_time(synced, word));
		report_table_add(&table, report_age(synced, status->now, word));
	}
	strbuf_puts(out, "\n");
	report_table_write(&table, "", out);
}

static void write_troubles(const struct status *status, struct strbuf *out)
{
	for (size_t i = 0; i < status->generation->n_repositories; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TROUBLE_MAX);
		const struct generation_repository *repository =
			&status->generation->repositories[i];

		describe_trouble(status, repository, &text);
		if (text.len > 0)
			strbuf_printf(out, "\n%s: %s\n", repository->name, strbuf_str(&text));
	}
}

static int add_snapshot(void *ctx, const char *name, uint64_t number)
{
	strbuf_printf(ctx, " %s (%" PRIu64 ")", name, number);
	return 0;
}

static void write_generation(const struct status *status, struct strbuf *out)
{
	const struct generation *generation = status->generation;
	char word[REPORT_WORD_MAX];

	strbuf_printf(out, "Store:       %s\n", store_id(status->store));
	strbuf_printf(out, "Generation:  %" PRIu64 ", %s (%s)\n", generation->number,
		      report_time(generation->created, word), generation->reason);
	if (generation->origin_id[0])
		strbuf_printf(out, "Origin:      hub %s, bundle %" PRIu64 "\n",
			      generation->origin_id, generation->origin_sequence);
}

static void write_arrivals(const struct status *status, struct strbuf *out)
{
	struct arrivals arrivals;
	char word[REPORT_WORD_MAX];

	if (arrivals_get(status->store, &arrivals))
		strbuf_printf(out,
			      "Arrivals:    %" PRIu64 " files wait, %" PRIu64
			      " are of no bundle, %" PRIu64 " are rejected; seen %s\n",
			      arrivals.waiting, arrivals.foreign, arrivals.rejected,
			      report_time(arrivals.looked, word));
}

static int print_text(const struct status *status, struct error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(REPORT_MAX);
	_cleanup_strbuf_ struct strbuf snapshots = STRBUF_INIT(REPORT_MAX);
	char used[SIZE_TEXT_MAX], free[SIZE_TEXT_MAX], word[REPORT_WORD_MAX];
	int r;

	write_generation(status, &out);
	strbuf_printf(&out, "Objects:     %" PRIu64 "\n", status->objects);
	strbuf_printf(&out, "Disk:        %s used, %s free\n", size_format(status->used, used),
		      size_format(status->free, free));
	strbuf_printf(&out, "Writer:      %s\n", status->writer[0] ? status->writer : "none");
	r = snapshot_each(status->store, add_snapshot, &snapshots, err);
	if (r < 0)
		return r;
	strbuf_printf(&out, "Snapshots:  %s\n", snapshots.len ? strbuf_str(&snapshots) : " none");
	strbuf_printf(&out, "Verified:    %s\n", report_time(scrub_last(status->store), word));
	if (status->generation->revoked.n)
		strbuf_printf(&out, "Recalled:    %zu files; `recall` lists them\n",
			      status->generation->revoked.n);
	if (status->quarantined)
		strbuf_printf(&out,
			      "Quarantine:  %" PRIu64
			      " damaged objects put aside; `verify` tells what needs them\n",
			      status->quarantined);
	write_arrivals(status, &out);
	if (status->generation->n_repositories)
		write_repositories(status, &out);
	write_troubles(status, &out);
	return output_write(&out, stdout, err);
}

/* --- JSON --- */

static json_t *repository_json(const struct status *status,
			       const struct generation_repository *repository)
{
	_cleanup_strbuf_ struct strbuf trouble = STRBUF_INIT(TROUBLE_MAX);

	describe_trouble(status, repository, &trouble);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s*}", "name", repository->name, "ecosystem",
			 repository->ecosystem, "files", (json_int_t)repository->n_files, "bytes",
			 (json_int_t)repository->bytes, "synced",
			 (json_int_t)synced_at(status->store, repository), "trouble",
			 trouble.len ? strbuf_str(&trouble) : NULL);
}

static json_t *repositories_json(const struct status *status)
{
	const struct generation *generation = status->generation;
	json_t *list = json_array();

	for (size_t i = 0; list && i < generation->n_repositories; i++)
		(void)json_array_append_new(list,
					    repository_json(status, &generation->repositories[i]));
	return list;
}

/* Null where nobody watches. */
static json_t *arrivals_json(const struct status *status)
{
	struct arrivals arrivals;

	if (!arrivals_get(status->store, &arrivals))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I}", "looked", (json_int_t)arrivals.looked, "waiting",
			 (json_int_t)arrivals.waiting, "foreign", (json_int_t)arrivals.foreign,
			 "rejected", (json_int_t)arrivals.rejected);
}

static int add_snapshot_json(void *ctx, const char *name, uint64_t number)
{
	return json_object_set_new(ctx, name, json_integer((json_int_t)number)) < 0 ? -ENOMEM : 0;
}

static int print_json(const struct status *status, struct error *err)
{
	const struct generation *generation = status->generation;
	char root[DIGEST_TEXT_SIZE];
	json_t *snapshots = json_object();
	int r = snapshots ? snapshot_each(status->store, add_snapshot_json, snapshots, err)
			  : -ENOMEM;

	if (r < 0) {
		json_decref(snapshots);
		return r;
	}
	return report_print_json(
		json_pack("{s:s, s:{s:I, s:I, s:s, s:s}, s:{s:s, s:I}, s:I, s:I, s:{s:I, s:I}, "
			  "s:s, s:I, s:I, s:o, s:o, s:o}",
			  "store", store_id(status->store), "generation", "number",
			  (json_int_t)generation->number, "created",
			  (json_int_t)generation->created, "reason", generation->reason, "root",
			  digest_format(&generation->root, root), "origin", "id",
			  generation->origin_id, "sequence",
			  (json_int_t)generation->origin_sequence, "objects",
			  (json_int_t)status->objects, "quarantined",
			  (json_int_t)status->quarantined, "disk", "used", (json_int_t)status->used,
			  "free", (json_int_t)status->free, "writer", status->writer, "verified",
			  (json_int_t)scrub_last(status->store), "recalled",
			  (json_int_t)generation->revoked.n, "snapshots", snapshots, "repositories",
			  repositories_json(status), "arrivals", arrivals_json(status)),
		false, err);
}

int status_run(const struct settings *settings, struct error *err)
{
	_cleanup_(status_done) struct status status = { 0 };
	int r = gather(settings, &status, err);

	if (r < 0)
		return r;
	return settings->json ? print_json(&status, err) : print_text(&status, err);
}
