/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/hash_pool.h"
#include "reservoir/store/object.h"
#include "reservoir/store/reach.h"
#include "reservoir/store/store_private.h"

#define PROGRESS_OBJECTS 256
#define VERIFIED "verified"

struct scrubbing {
	struct store *store;
	const struct scrub_settings *settings;
	struct scrub_report *report;
	struct hash_pool *pool;
	const struct revoked *revoked; /* of the current generation: need not be there */
	struct error *err;
};

static int tell(const struct scrubbing *scrubbing, const struct scrub_finding *finding)
{
	scrubbing->report->faults++;
	return scrubbing->settings->found(scrubbing->settings->ctx, finding);
}

/* -- Objects ------------------------------------------------------------ */

/* Whether the object is aside now: it may have been replaced by a good one since it
 * was read, or put aside under another of its paths. */
static int move_gated(const struct scrubbing *scrubbing, const struct hashed *hashed)
{
	int fd = scrubbing->store->fd;
	char hex[DIGEST_TEXT_SIZE];
	char from[OBJECT_PATH_MAX];
	char to[OBJECT_PATH_MAX];
	char dir[OBJECT_PATH_MAX];
	struct stat now;
	int r;

	(void)object_path(&hashed->digest, from);
	(void)snprintf(to, sizeof(to), "quarantine/%s", digest_format(&hashed->digest, hex));
	(void)snprintf(dir, sizeof(dir), "objects/%.2s", hex);
	if (fstatat(fd, from, &now, AT_SYMLINK_NOFOLLOW) < 0 || now.st_ino != hashed->inode)
		return 0;
	if (renameat(fd, from, fd, to) < 0)
		return error_set(scrubbing->err, errno, "rename '%s' to '%s': %m", from, to);
	scrubbing->report->quarantined++;
	r = durable_sync_dir(fd, "quarantine", scrubbing->err);
	r = r < 0 ? r : durable_sync_dir(fd, dir, scrubbing->err);
	return r < 0 ? r : 1;
}

/* Returns whether the damage is to be told: in a store that cannot be written, too. */
static int put_aside(const struct scrubbing *scrubbing, const struct hashed *hashed)
{
	int r = store_gate_enter(scrubbing->store, scrubbing->err);

	if (r == -EROFS)
		return 1;
	if (r < 0)
		return r;
	r = move_gated(scrubbing, hashed);
	store_gate_leave(scrubbing->store);
	return r;
}

static int judge(const struct scrubbing *scrubbing, const struct hashed *hashed)
{
	bool unreadable = hashed->verdict == HASHED_UNREADABLE;
	struct scrub_finding finding = {
		.fault = unreadable ? SCRUB_UNREADABLE : SCRUB_DAMAGED,
		.digest = hashed->digest,
		.text = unreadable ? hashed->err.msg : "it does not hash to its name",
	};
	int r = put_aside(scrubbing, hashed);

	return r <= 0 ? r : tell(scrubbing, &finding);
}

/* One that cannot be opened is told, and the others are read; unless nothing can be. */
static int tell_unopened(const struct scrubbing *scrubbing, const struct hashed *hashed)
{
	struct scrub_finding finding = {
		.fault = SCRUB_UNREADABLE,
		.digest = hashed->digest,
		.text = hashed->err.msg,
	};
	int code = hashed->err.code;

	if (code == EMFILE || code == ENFILE || code == ENOMEM)
		return error_set(scrubbing->err, code, "%s", finding.text);
	return tell(scrubbing, &finding);
}

static int check_stop(const struct scrubbing *scrubbing)
{
	const volatile sig_atomic_t *stop = scrubbing->settings->stop;

	return stop && *stop ? error_set(scrubbing->err, EINTR, "stopped") : 0;
}

static int take_hashed(void *ctx, const struct hashed *hashed)
{
	const struct scrubbing *scrubbing = ctx;
	struct scrub_report *report = scrubbing->report;

	int r = check_stop(scrubbing);

	/* It was collected as garbage a moment ago; who needs it is asked later. */
	if (r < 0 || hashed->verdict == HASHED_GONE)
		return r;
	report->objects++;
	report->bytes += hashed->bytes;
	if (scrubbing->settings->progress && report->objects % PROGRESS_OBJECTS == 0)
		scrubbing->settings->progress(scrubbing->settings->ctx, report);
	if (hashed->verdict == HASHED_UNOPENED)
		return tell_unopened(scrubbing, hashed);
	return hashed->verdict == HASHED_GOOD ? 0 : judge(scrubbing, hashed);
}

static int ask_for(void *ctx, const struct digest *digest)
{
	const struct scrubbing *scrubbing = ctx;
	int r = check_stop(scrubbing);

	return r < 0 ? r : hash_pool_add(scrubbing->pool, digest);
}

/* -- References --------------------------------------------------------- */

static bool is_wanted(const struct scrub_settings *settings, const char *repository)
{
	for (size_t i = 0; i < settings->n_repositories; i++)
		if (strcmp(settings->repositories[i], repository) == 0)
			return true;
	return !settings->repositories;
}

/* A manifest that cannot be opened is told, and what it names is left out. */
static int check_manifest(const struct scrubbing *scrubbing, const struct reach_item *item)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct error err = { 0 };
	struct scrub_finding finding = {
		.fault = SCRUB_MANIFEST,
		.digest = *item->digest,
		.generation = item->generation,
		.repository = item->repository,
	};
	int r = manifest_open(scrubbing->store, item->digest, &manifest, &err);

	if (r == 0)
		return 0;
	finding.text = error_text(&err, r);
	r = tell(scrubbing, &finding);
	return r < 0 ? r : -ENOENT;
}

static int check_entry(const struct scrubbing *scrubbing, const struct reach_item *item)
{
	char path[OBJECT_PATH_MAX];
	struct scrub_finding finding = {
		.fault = SCRUB_MISSING,
		.digest = *item->digest,
		.size = item->entry->size,
		.generation = item->generation,
		.repository = item->repository,
		.path = item->entry->path,
	};
	struct stat st;

	scrubbing->report->references++;
	if (revoked_has(scrubbing->revoked, item->digest))
		return 0;
	if (fstatat(scrubbing->store->fd, object_path(item->digest, path), &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? tell(scrubbing, &finding)
				       : error_set(scrubbing->err, errno, "look at '%s': %m", path);
	finding.fault = SCRUB_SIZE;
	return (uint64_t)st.st_size != item->entry->size ? tell(scrubbing, &finding) : 0;
}

static int check_item(void *ctx, const struct reach_item *item)
{
	const struct scrubbing *scrubbing = ctx;
	int r = check_stop(scrubbing);

	if (r < 0)
		return r;
	if (!is_wanted(scrubbing->settings, item->repository))
		return item->entry ? 0 : -ENOENT;
	return item->entry ? check_entry(scrubbing, item) : check_manifest(scrubbing, item);
}

static int check_generation(struct scrubbing *scrubbing, uint64_t number, bool needed,
			    struct generation **before)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };
	struct scrub_finding finding = { .fault = SCRUB_GENERATION, .generation = number };
	int r = generation_read(scrubbing->store, number, &generation, &err);

	if (r == 0) {
		r = reach_each(scrubbing->store, *before, generation, check_item, scrubbing,
			       scrubbing->err);
		generation_free(*before);
		*before = TAKE_PTR(generation);
		return r;
	}
	/* An old one may have been collected as garbage a moment ago. */
	if (r == -ENOENT && !needed)
		return 0;
	finding.text = error_text(&err, r);
	return tell(scrubbing, &finding);
}

static int check_generations(struct scrubbing *scrubbing)
{
	_cleanup_generation_list_ struct generation_list list = { 0 };
	_cleanup_(generation_freep) struct generation *before = NULL;
	_cleanup_(generation_freep) struct generation *published = NULL;
	bool all = !scrubbing->settings->repositories;
	uint64_t current;
	int r = generation_current_number(scrubbing->store, &current, scrubbing->err);

	/* One that cannot be read is told below. */
	if (r == 0 && generation_read(scrubbing->store, current, &published, NULL) == 0)
		scrubbing->revoked = &published->revoked;
	if (r == 0 && all)
		r = generation_list_all(scrubbing->store, &list, scrubbing->err);
	if (r == 0 && !generation_list_has(&list, current))
		r = generation_list_add(&list, current, scrubbing->err);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = check_generation(scrubbing, list.numbers[i], list.numbers[i] == current,
				     &before);
	scrubbing->revoked = NULL;
	return r;
}

static int check_names(const struct scrubbing *scrubbing, const struct generation *current)
{
	const struct scrub_settings *settings = scrubbing->settings;

	for (size_t i = 0; i < settings->n_repositories; i++)
		if (!generation_repository(current, settings->repositories[i]))
			return error_set(scrubbing->err, ENOENT, "there is no repository '%.64s'",
					 settings->repositories[i]);
	return 0;
}

/* Of some repositories what is named is read.  A manifest that cannot be opened is told
 * later, with what names it. */
static int ask_for_item(void *ctx, const struct reach_item *item)
{
	const struct scrubbing *scrubbing = ctx;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	int r;

	if (!is_wanted(scrubbing->settings, item->repository))
		return item->entry ? 0 : -ENOENT;
	r = ask_for(ctx, item->digest);
	if (r < 0 || item->entry)
		return r;
	return manifest_open(scrubbing->store, item->digest, &manifest, NULL) < 0 ? -ENOENT : 0;
}

static int read_named(struct scrubbing *scrubbing)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	int r = generation_current(scrubbing->store, &current, scrubbing->err);

	if (r == 0)
		r = check_names(scrubbing, current);
	return r < 0 ? r
		     : reach_each(scrubbing->store, NULL, current, ask_for_item, scrubbing,
				  scrubbing->err);
}

static int read_objects(struct scrubbing *scrubbing)
{
	const struct scrub_settings *settings = scrubbing->settings;
	_cleanup_(hash_pool_freep) struct hash_pool *pool = NULL;
	int r = hash_pool_new(scrubbing->store, settings->jobs, take_hashed, scrubbing, &pool,
			      scrubbing->err);

	if (r < 0)
		return r;
	scrubbing->pool = pool;
	r = settings->repositories
		    ? read_named(scrubbing)
		    : object_each(scrubbing->store, ask_for, scrubbing, scrubbing->err);
	return r < 0 ? r : hash_pool_finish(pool);
}

/* Where nothing can be written nobody asks. */
static void note_end(const struct store *store)
{
	_cleanup_close_ int fd =
		openat(store->fd, VERIFIED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)futimens(fd, NULL);
}

int scrub(struct store *store, const struct scrub_settings *settings, struct scrub_report *ret,
	  struct error *err)
{
	struct scrubbing scrubbing = {
		.store = store, .settings = settings, .report = ret, .err = err
	};
	int r;

	*ret = (struct scrub_report) { 0 };
	r = read_objects(&scrubbing);
	r = r < 0 ? r : check_generations(&scrubbing);
	if (r == 0 && !settings->repositories)
		note_end(store);
	return r;
}

int64_t scrub_last(const struct store *store)
{
	struct stat st;

	return fstatat(store->fd, VERIFIED, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mtim.tv_sec;
}

/* The finding, as an answer; put aside it is already. */
static int answer_finding(void *ctx, const struct scrub_finding *finding)
{
	return error_set(ctx, EBADMSG, "%s", finding->text);
}

int scrub_object(struct store *store, const struct digest *digest, struct error *err)
{
	const struct scrub_settings settings = { .found = answer_finding, .ctx = err };
	struct scrub_report report = { 0 };
	struct scrubbing scrubbing = {
		.store = store, .settings = &settings, .report = &report, .err = err
	};
	struct hashed hashed = { .digest = *digest };
	int r = hash_object(store, &hashed, err);

	return r < 0 ? r : take_hashed(&scrubbing, &hashed);
}

struct looking {
	const struct store *store;
	const struct revoked *revoked;
};

static int look_for(void *ctx, enum manifest_change change _unused_,
		    const struct manifest_entry *before _unused_,
		    const struct manifest_entry *entry)
{
	const struct looking *looking = ctx;
	char path[OBJECT_PATH_MAX];

	if (!entry)
		return 0;
	return revoked_has(looking->revoked, &entry->digest) ||
			       faccessat(looking->store->fd, object_path(&entry->digest, path),
					 F_OK, AT_SYMLINK_NOFOLLOW) < 0
		       ? -ENOENT
		       : 0;
}

bool scrub_misses(struct store *store, const struct manifest *manifest,
		  const struct manifest *whole, const struct revoked *revoked)
{
	struct looking looking = { store, revoked };

	return manifest_diff(whole, manifest, look_for, &looking) < 0;
}
