/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The design is told in the header.  Objects are a sorted array of digests, 32 MB for
 * a million, with a bit for each that is marked.
 */
#include "reservoir/store/gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/object.h"
#include "reservoir/store/reach.h"
#include "reservoir/store/store_private.h"
#include "reservoir/store/unfinished.h"

#define GROUP 64 /* objects removed while the gate is held: a publish waits so long */
#define DEAD ".dead"

struct collection {
	struct store *store;
	const struct gc_settings *settings;
	struct gc_report *report;
	struct error *err;
	struct digest *objects; /* ascending */
	unsigned char *marks;	/* a bit each */
	size_t n;
	size_t cap;
	struct generation_list kept;
	struct generation *marked; /* the last one that was, whole, or NULL */
	bool lost;		   /* something of the one that is being marked */
	struct revoked revoked;	   /* of the current generation: needed by none */
	uint64_t current;	   /* marked, as all up to it that are kept */
};

static void collection_done(struct collection *collection)
{
	free(collection->objects);
	free(collection->marks);
	generation_list_done(&collection->kept);
	generation_free(collection->marked);
	revoked_done(&collection->revoked);
}

/* -- Candidates and marks ----------------------------------------------- */

static int add_object(void *ctx, const struct digest *digest)
{
	struct collection *collection = ctx;

	if (collection->n == collection->cap) {
		size_t cap = collection->cap ? collection->cap * 2 : 4096;
		struct digest *objects = reallocarray(collection->objects, cap, sizeof(*objects));

		if (!objects)
			return error_set(collection->err, ENOMEM, "no memory for the objects");
		collection->objects = objects;
		collection->cap = cap;
	}
	collection->objects[collection->n++] = *digest;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

/* A manifest of an old generation that was found damaged reaches nothing any more. */
static bool is_lost(const struct collection *collection, const struct reach_item *item)
{
	char path[OBJECT_PATH_MAX];

	if (item->entry || item->generation >= collection->current)
		return false;
	if (faccessat(collection->store->fd, object_path(item->digest, path), F_OK, 0) == 0)
		return false;
	return quarantine_has(collection->store, item->digest);
}

static void mark_object(struct collection *collection, const struct digest *digest)
{
	const struct digest *found = collection->n ? bsearch(digest, collection->objects,
							     collection->n, sizeof(*found), compare)
						   : NULL;
	size_t i;

	if (!found)
		return;
	i = (size_t)(found - collection->objects);
	collection->marks[i / 8] |= (unsigned char)(1 << i % 8);
}

static int mark(void *ctx, const struct reach_item *item)
{
	struct collection *collection = ctx;

	if (is_lost(collection, item)) {
		collection->lost = true;
		return -ENOENT;
	}
	if (!item->entry || !revoked_has(&collection->revoked, item->digest))
		mark_object(collection, item->digest);
	return 0;
}

static bool is_marked(const struct collection *collection, size_t i)
{
	return collection->marks[i / 8] & 1 << i % 8;
}

/* Takes over what a generation that is current now has recalled.  What it gives out again
 * was left out before. */
static void take_revoked(struct collection *collection, struct generation *current)
{
	struct revoked before = collection->revoked;

	collection->revoked = current->revoked;
	current->revoked = (struct revoked) { 0 };
	for (size_t i = 0; collection->marks && i < before.n; i++)
		if (!revoked_has(&collection->revoked, &before.digests[i]))
			mark_object(collection, &before.digests[i]);
	revoked_done(&before);
}

/* What gets out of it is said with why. */
static int blocked(const struct collection *collection, uint64_t number, int r)
{
	struct error *err = collection->err;
	struct error why = err ? *err : (struct error) { 0 };

	if (r != -EBADMSG && r != -ENOENT)
		return r;
	if (number >= collection->current)
		return error_set(err, -r,
				 "%.300s; it is the current one: `verify --repair` may bring it "
				 "back, `rollback` publishes an earlier one",
				 why.msg);
	return error_set(err, -r,
			 "%.300s; `verify --repair` may bring it back, `gc --drop %" PRIu64
			 "` gives the generation up",
			 why.msg, number);
}

static int mark_generation(struct collection *collection, uint64_t number)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	int r = generation_read(collection->store, number, &generation, collection->err);

	if (r == 0 && number >= collection->current)
		take_revoked(collection, generation);
	collection->lost = false;
	if (r == 0)
		r = reach_each(collection->store, collection->marked, generation, mark, collection,
			       collection->err);
	if (r < 0)
		return blocked(collection, number, r);
	generation_free(collection->marked);
	/* What the next one shares with it counts as marked: that is not so of what is lost. */
	collection->marked = collection->lost ? NULL : TAKE_PTR(generation);
	return 0;
}

/* -- Generations -------------------------------------------------------- */

static bool is_dropped(const struct collection *collection, uint64_t number)
{
	return number > 0 && number == collection->settings->drop;
}

static int drop_snapshot(const struct collection *collection, const char *name)
{
	collection->report->snapshots_removed++;
	return collection->settings->dry_run
		       ? 0
		       : snapshot_remove(collection->store, name, collection->err);
}

static int keep_snapshot(void *ctx, const char *name, uint64_t number)
{
	struct collection *collection = ctx;
	char path[64];

	if (is_dropped(collection, number))
		return drop_snapshot(collection, name);
	(void)snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	if (faccessat(collection->store->fd, path, F_OK, 0) < 0)
		return error_set(collection->err, errno,
				 "snapshot '%s' keeps a generation whose file '%s' is not there "
				 "(%m); `snapshot --remove %s` gives it up",
				 name, path, name);
	return generation_list_has(&collection->kept, number)
		       ? 0
		       : generation_list_add(&collection->kept, number, collection->err);
}

/* Whether a generation stays for its age: until when it was current is when the one
 * behind it was made. */
static bool is_young(const struct collection *collection, uint64_t next)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;

	return generation_read(collection->store, next, &generation, NULL) < 0 ||
	       generation->created > collection->settings->now - collection->settings->keep_for_s;
}

/* Of all generations those that stay, by number and age. */
static int keep_recent(struct collection *collection, const struct generation_list *all)
{
	size_t least = MAX(collection->settings->keep_generations, 1U);
	size_t first = all->n > least ? all->n - least : 0;
	int r = 0;

	while (first > 0 && is_young(collection, all->numbers[first]))
		first--;
	for (size_t i = first; r == 0 && i < all->n; i++)
		if (!generation_list_has(&collection->kept, all->numbers[i]) &&
		    !is_dropped(collection, all->numbers[i]))
			r = generation_list_add(&collection->kept, all->numbers[i],
						collection->err);
	return r;
}

static int remove_generation(const struct collection *collection, uint64_t number)
{
	char path[64];

	collection->report->generations_removed++;
	if (collection->settings->dry_run)
		return 0;
	(void)snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	if (unlinkat(collection->store->fd, path, 0) < 0 && errno != ENOENT)
		return error_set(collection->err, errno, "remove '%s': %m", path);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Decides what stays.  What goes is gone before its objects are, also after a power
 * cut. */
static int choose(struct collection *collection)
{
	_cleanup_generation_list_ struct generation_list all = { 0 };
	struct store *store = collection->store;
	int r = generation_current_number(store, &collection->current, collection->err);

	if (r == 0 && is_dropped(collection, collection->current))
		r = error_set(collection->err, EINVAL,
			      "generation %" PRIu64 " is the current one: `rollback` publishes "
			      "another one first",
			      collection->current);
	if (r == 0)
		r = snapshot_each(store, keep_snapshot, collection, collection->err);
	if (r == 0)
		r = generation_list_all(store, &all, collection->err);
	if (r == 0 && !generation_list_has(&all, collection->current))
		r = error_set(collection->err, EBADMSG,
			      "the file 'generations/%" PRIu64 "' of the current generation is "
			      "missing; `rollback` publishes an earlier one",
			      collection->current);
	if (r == 0)
		r = keep_recent(collection, &all);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (!generation_list_has(&collection->kept, all.numbers[i]))
			r = remove_generation(collection, all.numbers[i]);
	if (r == 0 && !collection->settings->dry_run)
		r = durable_sync_dir(store->fd, "generations", collection->err);
	if (collection->kept.n)
		qsort(collection->kept.numbers, collection->kept.n, sizeof(uint64_t),
		      compare_numbers);
	collection->report->generations_kept = collection->kept.n;
	return r;
}

static int enter(const struct collection *collection)
{
	return collection->settings->dry_run ? 0
					     : store_gate_enter(collection->store, collection->err);
}

static void leave(const struct collection *collection)
{
	if (!collection->settings->dry_run)
		store_gate_leave(collection->store);
}

/* -- Sweep -------------------------------------------------------------- */

/* What protects the objects of a writer: times from here on.  All-zero without one. */
static int find_writer(const struct collection *collection, struct timespec *ret)
{
	struct store *store = collection->store;
	char writer[STORE_WRITER_MAX];
	struct stat st;
	int r;

	*ret = (struct timespec) { 0 };
	if (store->access == STORE_WRITE) {
		*ret = store->since;
	} else {
		r = store_writer(store, writer, NULL);
		if (r <= 0)
			return r < 0 ? error_set(collection->err, -r, "ask who writes: %s",
						 error_text(NULL, r))
				     : 0;
		if (fstatat(store->fd, "lock", &st, 0) < 0)
			return error_set(collection->err, errno, "look at 'lock': %m");
		*ret = st.st_mtim;
	}
	if (collection->settings->dry_run)
		return 0;
	if (futimens(store->gate_fd, NULL) < 0 || fstat(store->gate_fd, &st) < 0)
		return error_set(collection->err, errno, "touch 'gate': %m");
	if (ret->tv_sec < st.st_mtim.tv_sec - GC_CLAIM_S)
		ret->tv_sec = st.st_mtim.tv_sec - GC_CLAIM_S;
	return 0;
}

/* The same of those that were interrupted, too. */
static int find_claims(const struct collection *collection, struct timespec *ret)
{
	struct timespec since = unfinished_since(collection->store, collection->settings->now);
	int r = find_writer(collection, ret);

	if (r == 0 && since.tv_sec != 0 && (ret->tv_sec == 0 || since.tv_sec < ret->tv_sec))
		*ret = since;
	return r;
}

static bool is_claimed(const struct stat *st, const struct timespec *claims)
{
	if (claims->tv_sec == 0)
		return false;
	return st->st_ctim.tv_sec != claims->tv_sec ? st->st_ctim.tv_sec > claims->tv_sec
						    : st->st_ctim.tv_nsec >= claims->tv_nsec;
}

static const char *dead_path(const struct digest *digest, char ret[OBJECT_PATH_MAX])
{
	char text[DIGEST_TEXT_SIZE];

	(void)snprintf(ret, OBJECT_PATH_MAX, "staging/%s" DEAD, digest_format(digest, text));
	return ret;
}

/* Moves an object away, and puts it back if a writer has touched or replaced it since
 * @before was seen. */
static int bury(const struct collection *collection, const struct digest *digest,
		const struct stat *before, bool *ret_spared)
{
	int fd = collection->store->fd;
	char path[OBJECT_PATH_MAX];
	char dead[OBJECT_PATH_MAX];
	struct stat after;

	if (renameat(fd, object_path(digest, path), fd, dead_path(digest, dead)) < 0)
		return errno == ENOENT ? 0
				       : error_set(collection->err, errno, "rename '%s': %m", path);
	if (fstatat(fd, dead, &after, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(collection->err, errno, "look at '%s': %m", dead);
	*ret_spared = after.st_ino != before->st_ino ||
		      after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
		      after.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
	if (*ret_spared ? renameat(fd, dead, fd, path) < 0 : unlinkat(fd, dead, 0) < 0)
		return error_set(collection->err, errno, "move '%s': %m", dead);
	return 0;
}

static int sweep_one(const struct collection *collection, const struct digest *digest,
		     const struct timespec *claims)
{
	struct gc_report *report = collection->report;
	char path[OBJECT_PATH_MAX];
	bool spared = false;
	struct stat st;
	int r = 0;

	if (fstatat(collection->store->fd, object_path(digest, path), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : error_set(collection->err, errno, "look at '%s': %m", path);
	/* What was recalled is published by nobody. */
	if (is_claimed(&st, claims) && !revoked_has(&collection->revoked, digest))
		spared = true;
	else if (!collection->settings->dry_run && claims->tv_sec)
		r = bury(collection, digest, &st, &spared);
	else if (!collection->settings->dry_run)
		r = object_remove(collection->store, digest, collection->err);
	if (r < 0)
		return r;
	report->objects_spared += spared;
	report->objects_removed += !spared;
	report->bytes_removed += spared ? 0 : (uint64_t)st.st_size;
	return 0;
}

/* Whether all is marked that may be needed now; -EAGAIN if not.  The gate is held.  A
 * new snapshot needs no look: it keeps a generation that is kept anyway, as the others
 * have no file any more. */
static int is_fresh(const struct collection *collection)
{
	uint64_t current;
	int r = generation_current_number(collection->store, &current, collection->err);

	return r == 0 && current != collection->current ? -EAGAIN : r;
}

static int mark_new(struct collection *collection)
{
	uint64_t current;
	int r = generation_current_number(collection->store, &current, collection->err);

	for (uint64_t number = collection->current + 1; r == 0 && number <= current; number++) {
		r = mark_generation(collection, number);
		/* Another collection may have removed it. */
		if (r == -ENOENT && number < current)
			r = 0;
		if (r == 0)
			collection->current = number;
	}
	return r;
}

/* Removes up to GROUP objects that are not marked, from @at on. */
static int sweep_group(struct collection *collection, size_t *at)
{
	struct timespec claims;
	int r = is_fresh(collection);

	if (r == 0)
		r = find_claims(collection, &claims);
	for (size_t swept = 0; r == 0 && *at < collection->n && swept < GROUP; (*at)++) {
		if (is_marked(collection, *at)) {
			collection->report->objects_kept++;
			continue;
		}
		r = sweep_one(collection, &collection->objects[*at], &claims);
		swept++;
	}
	return r;
}

static int sweep(struct collection *collection)
{
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < collection->n) {
		r = enter(collection);
		if (r < 0)
			return r;
		r = sweep_group(collection, &at);
		leave(collection);
		if (r == -EAGAIN)
			r = mark_new(collection);
	}
	return r;
}

/* -- Staging ------------------------------------------------------------ */

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);

	return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* Puts back what a collection that died had moved away. */
static int revive(const struct store *store, const char *name)
{
	char text[DIGEST_TEXT_SIZE];
	char from[OBJECT_PATH_MAX];
	char to[OBJECT_PATH_MAX];
	struct digest digest;

	if (strlen(name) != DIGEST_TEXT_SIZE - 1 + strlen(DEAD) || !ends_with(name, DEAD))
		return -EINVAL;
	(void)snprintf(text, sizeof(text), "%.64s", name);
	if (digest_parse(text, &digest) < 0)
		return -EINVAL;
	(void)object_path(&digest, to);
	if (faccessat(store->fd, to, F_OK, 0) == 0)
		return unlinkat(store->fd, dead_path(&digest, from), 0) < 0 ? -errno : 0;
	return renameat(store->fd, dead_path(&digest, from), store->fd, to) < 0 ? -errno : 0;
}

/* The files of a writer are its own while there is one. */
static int clean_one(const struct collection *collection, int dirfd, const char *name)
{
	struct gc_report *report = collection->report;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!ends_with(name, ".tmp") && strncmp(name, "manifest.", 9) != 0 &&
	    st.st_mtim.tv_sec > collection->settings->now - GC_STAGING_S)
		return 0;
	report->staged_removed++;
	report->staged_bytes += (uint64_t)st.st_size;
	if (!collection->settings->dry_run && unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return error_set(collection->err, errno, "remove 'staging/%s': %m", name);
	return 0;
}

static int each_staged(const struct collection *collection, bool revival)
{
	struct store *store = collection->store;
	_cleanup_closedir_ DIR *dir = file_open_dir(store->fd, "staging");
	int r = 0;

	if (!dir)
		return error_set(collection->err, errno, "open 'staging': %m");
	while (r == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_set(collection->err, errno, "read 'staging': %m") : 0;
		if (entry->d_name[0] == '.')
			continue;
		if (revival)
			(void)revive(store, entry->d_name);
		else
			r = clean_one(collection, dirfd(dir), entry->d_name);
	}
	return r;
}

static int clean_staging(const struct collection *collection)
{
	char writer[STORE_WRITER_MAX];
	int r = enter(collection);

	if (r < 0)
		return r;
	r = collection->store->access == STORE_WRITE
		    ? 1
		    : store_writer(collection->store, writer, NULL);
	if (r == 0)
		r = each_staged(collection, false);
	leave(collection);
	return r < 0 ? r : 0;
}

/* -- Quarantine --------------------------------------------------------- */

/* Whether it is a manifest that a kept generation has lost: that it lies there says so. */
static bool is_lost_manifest(const struct collection *collection, const struct digest *digest)
{
	bool found = false;

	for (size_t i = 0; !found && i < collection->kept.n; i++) {
		_cleanup_(generation_freep) struct generation *generation = NULL;

		if (generation_read(collection->store, collection->kept.numbers[i], &generation,
				    NULL) < 0)
			continue;
		for (size_t j = 0; j < generation->n_repositories; j++)
			found = found ||
				digest_equal(&generation->repositories[j].collected, digest) ||
				digest_equal(&generation->repositories[j].served, digest);
	}
	return found;
}

/* What was had anew, or lies there for long, is of no use any more. */
static int clean_quarantined(void *ctx, const struct digest *digest)
{
	const struct collection *collection = ctx;
	char hex[DIGEST_TEXT_SIZE];
	char object[OBJECT_PATH_MAX];
	char path[OBJECT_PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "quarantine/%s", digest_format(digest, hex));
	if (fstatat(collection->store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (faccessat(collection->store->fd, object_path(digest, object), F_OK, 0) < 0 &&
	    (st.st_ctim.tv_sec > collection->settings->now - GC_QUARANTINE_S ||
	     is_lost_manifest(collection, digest)))
		return 0;
	collection->report->quarantined_removed++;
	if (!collection->settings->dry_run && unlinkat(collection->store->fd, path, 0) < 0)
		return error_set(collection->err, errno, "remove '%s': %m", path);
	return 0;
}

/* -- All ---------------------------------------------------------------- */

static int revive_all(const struct collection *collection)
{
	int r = enter(collection);

	if (r < 0 || collection->settings->dry_run)
		return r;
	r = each_staged(collection, true);
	leave(collection);
	return r;
}

/* Before older generations are marked: what was recalled is needed by none of them. */
static int begin_revoked(struct collection *collection)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	int r = generation_read(collection->store, collection->current, &current, collection->err);

	if (r < 0)
		return blocked(collection, collection->current, r);
	take_revoked(collection, current);
	return 0;
}

static int begin(struct collection *collection)
{
	int r = revive_all(collection);

	/* Before the generations: what is published later is new, or looked for. */
	if (r == 0)
		r = object_each(collection->store, add_object, collection, collection->err);
	if (r == 0)
		r = enter(collection);
	if (r < 0)
		return r;
	r = choose(collection);
	leave(collection);
	if (r < 0)
		return r;
	collection->marks = calloc(collection->n / 8 + 1, 1);
	if (!collection->marks)
		return error_set(collection->err, ENOMEM, "no memory for the objects");
	return begin_revoked(collection);
}

int gc_collect(struct store *store, const struct gc_settings *settings, struct gc_report *ret,
	       struct error *err)
{
	_cleanup_(collection_done) struct collection collection = {
		.store = store, .settings = settings, .report = ret, .err = err
	};
	int r;

	*ret = (struct gc_report) { 0 };
	r = begin(&collection);
	for (size_t i = 0; r == 0 && i < collection.kept.n; i++)
		r = mark_generation(&collection, collection.kept.numbers[i]);
	if (r == 0)
		r = sweep(&collection);
	if (r == 0)
		r = clean_staging(&collection);
	if (r == 0)
		r = quarantine_each(store, clean_quarantined, &collection, err);
	return r < 0 ? error_wrap(err, r, "collect garbage") : 0;
}
