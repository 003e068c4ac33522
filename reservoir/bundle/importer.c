/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the steps is what makes an import safe:
 *
 *	1  the signature, then whether the bundle comes next	nothing is written
 *	2  chunks become objects, which nobody can ask for	goes on after a crash
 *	3  all that the hub's generation names is there
 *	4  the site's scanner
 *	5  the site's own signatures, and the generation is published
 *	6  the catalogue remembers; lost, it is found again from the generation
 */
#include "reservoir/bundle/importer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/bundle/admission.h"
#include "reservoir/bundle/chunks.h"
#include "reservoir/bundle/receipt.h"
#include "reservoir/bundle/scanner.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"

#define OWNERS "bundle/owner" /* which hub a repository came from */
#define TOLD_MAX 2	      /* objects that are named */
#define SPACE_SLACK ((uint64_t)64 * 1024 * 1024)

static const char *const verdicts[] = {
	[IMPORT_APPLIED] = "applied",
	[IMPORT_ALREADY] = "already",
	[IMPORT_WAITING] = "waiting",
	[IMPORT_REFUSED] = "refused",
};

const char *import_verdict_name(enum import_verdict verdict)
{
	return verdicts[verdict];
}

struct run {
	const struct import *import;
	struct import_report *report;
	struct bundle bundle;
	struct generation *current; /* of this site */
	struct generation *base;    /* of this site, that the bundle begins from; or NULL */
	struct generation *hub;	    /* of the hub, that it leads to */
	size_t n_remembered;	    /* chunks that earlier runs have applied */
	bool is_forgotten;	    /* the catalogue does not know what the hub brought */
	struct error *err;
};

static void run_done(struct run *run)
{
	bundle_done(&run->bundle);
	generation_free(run->current);
	generation_free(run->base);
	generation_free(run->hub);
}

/* Counts what is missing of a manifest that is about to be published. */
struct missing {
	struct store *store;
	const struct revoked *revoked; /* need not be there */
	uint64_t n;
	struct strbuf names;
};

static int look(void *ctx, enum manifest_change change,
		_unused_ const struct manifest_entry *before, const struct manifest_entry *after)
{
	struct missing *missing = ctx;

	if (change == MANIFEST_REMOVED || revoked_has(missing->revoked, &after->digest) ||
	    object_exists(missing->store, &after->digest))
		return 0;
	if (missing->n++ < TOLD_MAX)
		strbuf_printf(&missing->names, "%s%.100s", missing->n > 1 ? ", " : "", after->path);
	return 0;
}

/* Opens a manifest of an earlier generation; NULL when that is gone. */
static struct manifest *open_before(struct run *run, const char *name, bool served)
{
	const struct generation_repository *repository =
		run->base ? generation_repository(run->base, name) : NULL;
	struct manifest *manifest = NULL;
	struct error local = { 0 };

	if (!repository ||
	    manifest_open(run->import->store, served ? &repository->served : &repository->collected,
			  &manifest, &local) < 0)
		return NULL;
	return manifest;
}

static int check_manifest(struct run *run, const char *name, const struct digest *digest,
			  bool served)
{
	_cleanup_(manifest_freep) struct manifest *before = open_before(run, name, served);
	_cleanup_(manifest_freep) struct manifest *after = NULL;
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT(ERROR_TEXT_MAX);
	struct missing missing = { .store = run->import->store,
				   .revoked = &run->hub->revoked,
				   .names = names };
	int r = manifest_open(run->import->store, digest, &after, run->err);

	if (r == -ENOENT || r == -EBADMSG)
		return error_wrap(run->err, ADMISSION_REFUSED, "the manifest of repository '%s'",
				  name);
	if (r < 0)
		return r;
	(void)manifest_diff(before, after, look, &missing);
	names = missing.names;
	if (missing.n == 0)
		return 0;
	return error_set(run->err, EKEYREJECTED,
			 "%" PRIu64 " files of repository '%s' are neither here nor in the "
			 "bundle (%s): ask the hub for a full bundle",
			 missing.n, name, strbuf_str(&names));
}

/* What clients get of a repository of the hub's, where this site signs itself too. */
static int finish(struct run *run, const struct generation_repository *from,
		  struct generation_repository *to)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	const struct import *import = run->import;
	int r = 0;

	*to = *from;
	if (import->finish)
		r = import->finish(import->ctx, from, &to->served, run->err);
	if (r < 0)
		return error_wrap(run->err, r, "repository '%s'", from->name);
	if (digest_equal(&to->served, &from->collected) || !import->finish)
		to->served = from->served;
	if (digest_equal(&to->served, &from->served))
		return check_manifest(run, from->name, &from->served, true);
	r = object_flush(import->store, run->err);
	r = r < 0 ? r : manifest_open(import->store, &to->served, &manifest, run->err);
	if (r < 0)
		return r;
	to->n_files = manifest_count(manifest);
	to->bytes = manifest_bytes(manifest);
	return 0;
}

static int owner_of(struct run *run, const char *name, char ret[STORE_ID_MAX])
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(STORE_ID_MAX);
	struct error local = { 0 };
	int r = catalogue_get(run->import->catalogue, OWNERS, name, &value, &local);

	if (r == 0)
		return str_copy(ret, STORE_ID_MAX, strbuf_str(&value));
	if (r != -ENOENT)
		return error_set(run->err, -r, "%s", local.msg);
	ret[0] = '\0';
	return 0;
}

/* A hub may replace and remove only what it brought itself. */
static int check_owner(struct run *run, const char *name)
{
	char owner[STORE_ID_MAX];
	int r;

	if (run->import->dry_run || !generation_repository(run->current, name))
		return 0;
	r = owner_of(run, name, owner);
	if (r < 0 || strcmp(owner, run->bundle.hub) == 0)
		return r;
	/* Of a catalogue that was lost: the hub has brought something, perhaps this. */
	if (!owner[0] && run->is_forgotten)
		return 0;
	return error_set(run->err, EKEYREJECTED,
			 "repository '%s' of this site is %s%.8s: give one of the two another name",
			 name, owner[0] ? "of hub " : "its own, not a hub's", owner);
}

static int check_owners(struct run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->hub->n_repositories && r == 0; i++)
		r = check_owner(run, run->hub->repositories[i].name);
	return r;
}

static int set_owner(struct run *run, const char *name, bool is_ours)
{
	return catalogue_put(run->import->catalogue, OWNERS, name, is_ours ? run->bundle.hub : NULL,
			     is_ours ? strlen(run->bundle.hub) : 0, run->err);
}

/* Takes away what the hub brought earlier and has no more. */
static int remove_gone(struct run *run, struct generation *next)
{
	int r = 0;

	for (size_t i = run->current->n_repositories; i > 0 && r == 0; i--) {
		const char *name = run->current->repositories[i - 1].name;
		char owner[STORE_ID_MAX];

		if (generation_repository(run->hub, name))
			continue;
		r = owner_of(run, name, owner);
		if (r < 0 || strcmp(owner, run->bundle.hub) != 0)
			continue;
		generation_remove(next, name);
		r = set_owner(run, name, false);
	}
	return r;
}

static int put_repositories(struct run *run, struct generation *next)
{
	int r = 0;

	for (size_t i = 0; i < run->hub->n_repositories && r == 0; i++) {
		const struct generation_repository *from = &run->hub->repositories[i];
		struct generation_repository to;

		r = finish(run, from, &to);
		r = r < 0 ? r : generation_set(next, &to, run->err);
		r = r < 0 ? r : set_owner(run, from->name, true);
	}
	return r;
}

static int publish(struct run *run)
{
	_cleanup_(generation_freep) struct generation *next = NULL;
	const struct bundle *bundle = &run->bundle;
	int r = generation_copy(run->current, &next, run->err);

	r = r < 0 ? r : revoked_merge(&next->revoked, &run->hub->revoked, run->err);
	r = r < 0 ? r : put_repositories(run, next);
	r = r < 0 ? r : remove_gone(run, next);
	/* Whose they are must not be lost between the two. */
	r = r < 0 ? r : catalogue_commit(run->import->catalogue, run->err);
	if (r < 0)
		return r;
	(void)str_copy(next->origin_id, sizeof(next->origin_id), bundle->hub);
	next->origin_sequence = bundle->sequence;
	next->origin_root = bundle->root;
	(void)snprintf(next->reason, sizeof(next->reason), "import %.8s %" PRIu64, bundle->hub,
		       bundle->sequence);
	r = generation_publish(run->import->store, next, run->err);
	if (r < 0)
		return r;
	run->report->generation = next->number;
	return 0;
}

static int write_receipt(struct run *run)
{
	const struct import *import = run->import;
	struct receipt receipt = { .sequence = run->bundle.sequence,
				   .root = run->bundle.root,
				   .applied = import->now };

	if (!import->receipts)
		return 0;
	(void)str_copy(receipt.site, sizeof(receipt.site), store_id(import->store));
	(void)str_copy(receipt.hub, sizeof(receipt.hub), run->bundle.hub);
	return receipt_write(&receipt, import->config->receipt_key.text, import->receipts,
			     run->err);
}

/* What is published is true whether or not this is done: so it may be done twice. What is
 * remembered comes last, as nothing that failed before it would be tried again. */
static int remember(struct run *run)
{
	const struct import *import = run->import;
	char text[256];
	int r = write_receipt(run);

	r = r < 0 ? r : admission_remember(import->catalogue, &run->bundle, run->err);
	(void)snprintf(text, sizeof(text), "bundle %" PRIu64 " of hub %s as generation %" PRIu64,
		       run->bundle.sequence, run->bundle.hub, run->report->generation);
	r = r < 0 ? r : chunks_forget(import, &run->bundle, run->err);
	r = r < 0 ? r : catalogue_audit(import->catalogue, "import", text, run->err);
	return r < 0 ? r : catalogue_commit(import->catalogue, run->err);
}

static int scan(struct run *run)
{
	const struct import *import = run->import;
	char name[64];
	struct scan scan = { .store = import->store,
			     .config = import->config,
			     .before = run->base,
			     .after = run->hub,
			     .name = name,
			     .stop = import->stop,
			     .ctx = import->ctx };

	(void)snprintf(name, sizeof(name), "scan-%.8s-%" PRIu64, run->bundle.hub,
		       run->bundle.sequence);
	return scanner_run(&scan, &run->report->scanned, run->err);
}

/* What chunks that are done have taken of the disk is not needed once more. */
static int check_space(struct run *run)
{
	const struct bundle *bundle = &run->bundle;
	uint64_t free_bytes, needed = bundle->bytes;
	int r = store_free_bytes(run->import->store, &free_bytes, run->err);

	r = r < 0 ? r : chunks_remembered(run->import, bundle, &run->n_remembered, run->err);
	if (r < 0)
		return r;
	if (bundle->n_chunks > 0)
		needed = needed / bundle->n_chunks * (bundle->n_chunks - run->n_remembered);
	if (free_bytes >= needed + SPACE_SLACK)
		return 0;
	return error_set(run->err, ENOSPC,
			 "bundle %" PRIu64 " needs %" PRIu64 " MiB, and the disk of the store has "
			 "%" PRIu64 " MiB",
			 bundle->sequence, (needed + SPACE_SLACK) >> 20, free_bytes >> 20);
}

static int check_collected(struct run *run)
{
	int r = object_flush(run->import->store, run->err);

	for (size_t i = 0; i < run->hub->n_repositories && r == 0; i++)
		r = check_manifest(run, run->hub->repositories[i].name,
				   &run->hub->repositories[i].collected, false);
	return r;
}

/* A garbage collection may have taken what an import brought that took days. */
static int check_again(struct run *run, int r)
{
	const struct import *import = run->import;

	if (r != ADMISSION_REFUSED || run->n_remembered == 0)
		return r;
	run->n_remembered = 0;
	r = chunks_forget(import, &run->bundle, run->err);
	r = r < 0 ? r : catalogue_commit(import->catalogue, run->err);
	r = r < 0 ? r : chunks_apply(import, &run->bundle, &run->report->n_done, run->err);
	return r < 0 ? r : check_collected(run);
}

static int apply(struct run *run)
{
	const struct import *import = run->import;
	int r = check_owners(run);

	r = r < 0 ? r : check_space(run);
	r = r < 0 ? r : chunks_apply(import, &run->bundle, &run->report->n_done, run->err);
	if (r < 0 || import->dry_run)
		return r;
	r = check_again(run, check_collected(run));
	r = r < 0 ? r : scan(run);
	r = r < 0 ? r : publish(run);
	return r < 0 ? r : remember(run);
}

/* Content is what its name says, so an old bundle is as good as a new one for it. */
static int repair(struct run *run)
{
	const struct import *import = run->import;
	char text[128];
	int r = chunks_forget(import, &run->bundle, run->err);

	r = r < 0 ? r : chunks_apply(import, &run->bundle, &run->report->n_done, run->err);
	r = r < 0 ? r : chunks_forget(import, &run->bundle, run->err);
	(void)snprintf(text, sizeof(text), "objects of bundle %" PRIu64 " of hub %s",
		       run->bundle.sequence, run->bundle.hub);
	r = r < 0 ? r : catalogue_audit(import->catalogue, "repair", text, run->err);
	r = r < 0 ? r : object_flush(import->store, run->err);
	return r < 0 ? r : catalogue_commit(import->catalogue, run->err);
}

static void describe(struct run *run)
{
	struct import_report *report = run->report;
	const struct bundle *bundle = &run->bundle;

	(void)str_copy(report->hub, sizeof(report->hub), bundle->hub);
	report->sequence = bundle->sequence;
	report->kind = bundle->kind;
	report->objects = bundle->objects;
	report->bytes = bundle->bytes;
	report->removed = bundle->removed;
	report->n_chunks = bundle->n_chunks;
}

static int read_bundle(struct run *run)
{
	const struct import *import = run->import;
	_cleanup_close_ int dirfd = open(import->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dirfd < 0)
		return error_set(run->err, errno, "%s: %m", import->dir);
	r = admission_read(dirfd, import->name, import->config->hubs, import->config->n_hubs,
			   &run->bundle, run->err);
	if (r < 0)
		return r;
	describe(run);
	r = generation_parse(run->bundle.generation, run->bundle.generation_len, &run->hub,
			     run->err);
	if (r == -EBADMSG)
		return error_wrap(run->err, ADMISSION_REFUSED, "the generation of the manifest");
	r = r < 0 ? r : generation_current(import->store, &run->current, run->err);
	/* What either has recalled need not be here. */
	return r < 0 ? r : revoked_merge(&run->hub->revoked, &run->current->revoked, run->err);
}

static int admit(struct run *run)
{
	const struct import *import = run->import;
	struct admission_last last;
	int r = admission_last(import->store, import->catalogue, run->bundle.hub, &last, run->err);

	if (r < 0)
		return r;
	run->is_forgotten = last.is_unremembered;
	r = admission_check(import->store, &run->bundle, &last, import->now, &run->base, run->err);
	if (r != ADMISSION_ALREADY)
		return r;
	run->report->generation = run->current->number;
	if (last.is_unremembered && !import->dry_run) {
		/* An import that was killed after it had published. */
		struct error why = *run->err;

		r = remember(run);
		return r < 0 ? r : error_set(run->err, EALREADY, "%s", why.msg);
	}
	return r;
}

/* Turns an answer into a verdict; what is none stays a failure. */
static int judge(struct run *run, int r)
{
	static const struct {
		int r;
		enum import_verdict verdict;
	} rows[] = {
		{ 0, IMPORT_APPLIED },
		{ ADMISSION_ALREADY, IMPORT_ALREADY },
		{ ADMISSION_NOT_YET, IMPORT_WAITING },
		{ ADMISSION_REFUSED, IMPORT_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].r != r)
			continue;
		run->report->verdict = rows[i].verdict;
		if (r < 0)
			(void)str_copy(run->report->why, sizeof(run->report->why), run->err->msg);
		*run->err = (struct error) { 0 };
		return 0;
	}
	return r;
}

int import_bundle(const struct import *import, struct import_report *ret, struct error *err)
{
	struct import_report report = { 0 };
	struct error local = { 0 };
	struct run run = { .import = import, .report = &report, .err = err ? err : &local };
	int r = read_bundle(&run);

	if (r == 0 && import->repair) {
		report.generation = run.current->number;
		r = repair(&run);
	} else {
		r = r < 0 ? r : admit(&run);
		r = r < 0 ? r : apply(&run);
	}
	r = judge(&run, r);
	run_done(&run);
	if (r < 0)
		return r;
	*ret = report;
	return 0;
}

int import_report_format(const struct import_report *report, const char *name, struct strbuf *out,
			 struct error *err)
{
	json_t *json = json_pack(
		"{ss ss ss ss sI ss sI sI sI sI sI sI sI sb}", "manifest", name, "verdict",
		verdicts[report->verdict], "why", report->why, "hub", report->hub, "sequence",
		(json_int_t)report->sequence, "kind", bundle_kind_name(report->kind), "generation",
		(json_int_t)report->generation, "objects", (json_int_t)report->objects, "bytes",
		(json_int_t)report->bytes, "removed", (json_int_t)report->removed, "scanned",
		(json_int_t)report->scanned, "chunks", (json_int_t)report->n_chunks, "chunksDone",
		(json_int_t)report->n_done, "dryRun", (int)report->dry_run);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	int r;

	if (text)
		strbuf_printf(out, "%s\n", text);
	r = text ? strbuf_error(out) : -ENOMEM;
	free(text);
	json_decref(json);
	return r < 0 ? error_set(err, -r, "out of memory for a report") : 0;
}
