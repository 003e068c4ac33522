/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/object.h"
#include "reservoir/store/reach.h"
#include "reservoir/store/store_private.h"

#define READ_BYTES ((size_t)256 * 1024) /* stays in a core's cache until it is hashed */
#define PROGRESS_OBJECTS 256

struct scrubbing {
	struct store *store;
	const struct scrub_settings *settings;
	struct scrub_report *report;
	struct error *err;
	struct hasher *hasher;
	unsigned char *buffer;
};

static int tell(const struct scrubbing *scrubbing, const struct scrub_finding *finding)
{
	scrubbing->report->faults++;
	return scrubbing->settings->found(scrubbing->settings->ctx, finding);
}

/* -- Objects ------------------------------------------------------------ */

/* Reads and hashes a file; negative errno when it cannot be read. */
static int hash_object(const struct scrubbing *scrubbing, int fd, uint64_t size, struct digest *ret)
{
	uint64_t done = 0;

	if (size > READ_BYTES)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (done < size) {
		ssize_t n = read(fd, scrubbing->buffer, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = -errno;

			(void)hasher_end(scrubbing->hasher);
			return r;
		}
		if (n == 0)
			break;
		hasher_add(scrubbing->hasher, scrubbing->buffer, (size_t)n);
		done += (uint64_t)n;
	}
	*ret = hasher_end(scrubbing->hasher);
	scrubbing->report->bytes += done;
	return 0;
}

/* The object may have been replaced by a good one since @st was seen. */
static int move_gated(const struct scrubbing *scrubbing, const struct digest *digest,
		      const struct stat *st)
{
	int fd = scrubbing->store->fd;
	char hex[DIGEST_TEXT_SIZE];
	char from[OBJECT_PATH_MAX];
	char to[OBJECT_PATH_MAX];
	char dir[OBJECT_PATH_MAX];
	struct stat now;
	int r;

	(void)object_path(digest, from);
	(void)snprintf(to, sizeof(to), "quarantine/%s", digest_format(digest, hex));
	(void)snprintf(dir, sizeof(dir), "objects/%.2s", hex);
	if (fstatat(fd, from, &now, AT_SYMLINK_NOFOLLOW) < 0 || now.st_ino != st->st_ino)
		return 0;
	if (renameat(fd, from, fd, to) < 0)
		return error_set(scrubbing->err, errno, "rename '%s' to '%s': %m", from, to);
	scrubbing->report->quarantined++;
	r = durable_sync_dir(fd, "quarantine", scrubbing->err);
	return r < 0 ? r : durable_sync_dir(fd, dir, scrubbing->err);
}

static int put_aside(const struct scrubbing *scrubbing, const struct digest *digest,
		     const struct stat *st)
{
	int r = store_gate_enter(scrubbing->store, scrubbing->err);

	if (r == -EROFS)
		return 0;
	if (r < 0)
		return r;
	r = move_gated(scrubbing, digest, st);
	store_gate_leave(scrubbing->store);
	return r;
}

static int judge(const struct scrubbing *scrubbing, const struct digest *digest,
		 const struct stat *st, int failure)
{
	struct scrub_finding finding = {
		.fault = failure < 0 ? SCRUB_UNREADABLE : SCRUB_DAMAGED,
		.digest = *digest,
		.text = failure < 0 ? error_text(NULL, failure) : "it does not hash to its name",
	};
	int r = put_aside(scrubbing, digest, st);

	return r < 0 ? r : tell(scrubbing, &finding);
}

/* One that cannot be opened is told, and the others are read; unless nothing can be. */
static int tell_unopened(const struct scrubbing *scrubbing, const struct digest *digest,
			 int failure, const struct error *why)
{
	struct scrub_finding finding = {
		.fault = SCRUB_UNREADABLE,
		.digest = *digest,
		.text = error_text(why, failure),
	};

	if (failure == -EMFILE || failure == -ENFILE || failure == -ENOMEM)
		return error_set(scrubbing->err, -failure, "%s", finding.text);
	scrubbing->report->objects++;
	return tell(scrubbing, &finding);
}

static int check_object(void *ctx, const struct digest *digest)
{
	const struct scrubbing *scrubbing = ctx;
	struct scrub_report *report = scrubbing->report;
	struct digest found = { 0 };
	struct error err = { 0 };
	_cleanup_close_ int fd = object_open(scrubbing->store, digest, NULL, &err);
	struct stat st;
	int r;

	/* It was collected as garbage a moment ago; who needs it is asked later. */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return tell_unopened(scrubbing, digest, fd, &err);
	if (fstat(fd, &st) < 0)
		return error_set(scrubbing->err, errno, "look at an object: %m");
	r = hash_object(scrubbing, fd, (uint64_t)st.st_size, &found);
	report->objects++;
	if (scrubbing->settings->progress && report->objects % PROGRESS_OBJECTS == 0)
		scrubbing->settings->progress(scrubbing->settings->ctx, report);
	if (r == 0 && digest_equal(&found, digest))
		return 0;
	return judge(scrubbing, digest, &st, r);
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
	if (fstatat(scrubbing->store->fd, object_path(item->digest, path), &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? tell(scrubbing, &finding)
				       : error_set(scrubbing->err, errno, "look at '%s': %m", path);
	finding.fault = SCRUB_SIZE;
	return (uint64_t)st.st_size != item->entry->size ? tell(scrubbing, &finding) : 0;
}

static int check_item(void *ctx, const struct reach_item *item)
{
	struct scrubbing *scrubbing = ctx;
	int r;

	if (!is_wanted(scrubbing->settings, item->repository))
		return item->entry ? 0 : -ENOENT;
	/* Of some repositories each object is read where it is named. */
	r = scrubbing->settings->repositories ? check_object(scrubbing, item->digest) : 0;
	if (r < 0)
		return r;
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
	bool all = !scrubbing->settings->repositories;
	uint64_t current;
	int r = generation_current_number(scrubbing->store, &current, scrubbing->err);

	if (r == 0 && all)
		r = generation_list_all(scrubbing->store, &list, scrubbing->err);
	if (r == 0 && !generation_list_has(&list, current))
		r = generation_list_add(&list, current, scrubbing->err);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = check_generation(scrubbing, list.numbers[i], list.numbers[i] == current,
				     &before);
	return r;
}

static int check_names(const struct scrubbing *scrubbing)
{
	const struct scrub_settings *settings = scrubbing->settings;
	_cleanup_(generation_freep) struct generation *current = NULL;
	int r = settings->n_repositories
			? generation_current(scrubbing->store, &current, scrubbing->err)
			: 0;

	for (size_t i = 0; r == 0 && i < settings->n_repositories; i++)
		if (!generation_repository(current, settings->repositories[i]))
			r = error_set(scrubbing->err, ENOENT, "there is no repository '%.64s'",
				      settings->repositories[i]);
	return r;
}

int scrub(struct store *store, const struct scrub_settings *settings, struct scrub_report *ret,
	  struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	_cleanup_free_ unsigned char *buffer = malloc(READ_BYTES);
	struct scrubbing scrubbing = {
		.store = store, .settings = settings, .report = ret, .err = err, .buffer = buffer
	};
	int r = buffer ? hasher_new(&hasher, err) : error_set(err, ENOMEM, "no memory to read");

	*ret = (struct scrub_report) { 0 };
	scrubbing.hasher = hasher;
	if (r == 0)
		r = check_names(&scrubbing);
	if (r == 0 && !settings->repositories)
		r = object_each(store, check_object, &scrubbing, err);
	return r < 0 ? r : check_generations(&scrubbing);
}

/* The finding, as an answer; put aside it is already. */
static int answer_finding(void *ctx, const struct scrub_finding *finding)
{
	return error_set(ctx, EBADMSG, "%s", finding->text);
}

int scrub_object(struct store *store, const struct digest *digest, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	_cleanup_free_ unsigned char *buffer = malloc(READ_BYTES);
	struct scrub_settings settings = { .found = answer_finding, .ctx = err };
	struct scrub_report report = { 0 };
	struct scrubbing scrubbing = { .store = store,
				       .settings = &settings,
				       .report = &report,
				       .err = err,
				       .buffer = buffer };
	int r = buffer ? hasher_new(&hasher, err) : error_set(err, ENOMEM, "no memory to read");

	scrubbing.hasher = hasher;
	return r < 0 ? r : check_object(&scrubbing, digest);
}

static int is_some(_unused_ void *ctx, _unused_ const struct digest *digest)
{
	return -EEXIST;
}

bool scrub_misses(struct store *store, const struct manifest *manifest)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	if (quarantine_each(store, is_some, NULL, NULL) != -EEXIST)
		return false;
	manifest_seek(manifest, "", &cursor);
	while (manifest_next(&cursor, &entry))
		if (!object_exists(store, &entry.digest))
			return true;
	return false;
}
