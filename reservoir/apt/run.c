/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/run.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/object.h"

void run_fail(struct apt_run *run, const char *what, const char *why)
{
	run->n_failures++;
	if (run->failures.len + strlen(what) + strlen(why) + 2 > run->failures.max)
		return;
	strbuf_add(&run->failures, what, strlen(what) + 1);
	strbuf_add(&run->failures, why, strlen(why) + 1);
}

/* Whether a byte stands in a URL as it is. '+' and '~' do not: some servers take '+' for
 * a space, and apt(8) escapes both. */
static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("-._/:,=@", c));
}

int run_url(const struct repository *repository, const char *path, char ret[FETCH_URL_MAX],
	    struct error *err)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT(FETCH_URL_MAX - 1);
	const char *upstream = repository->upstream;
	size_t len = strlen(upstream);

	while (len > 0 && upstream[len - 1] == '/')
		len--;
	strbuf_add(&url, upstream, len);
	strbuf_puts(&url, "/");
	for (const char *at = path; *at; at++) {
		if (is_plain(*at))
			strbuf_add(&url, at, 1);
		else
			strbuf_printf(&url, "%%%02X", (unsigned int)(unsigned char)*at);
	}
	if (strbuf_error(&url) < 0)
		return error_set(err, EINVAL, "the URL of '%s' is too long", path);
	memcpy(ret, strbuf_str(&url), url.len + 1);
	return 0;
}

int run_fetch(struct apt_run *run, fetch_more_fn more, struct error *err)
{
	int r = fetcher_run(run->sync->fetcher, more, run, err);

	if (run->result < 0) {
		if (err)
			*err = run->error;
		return run->result;
	}
	return r;
}

void run_abort(struct apt_run *run, int r, const struct error *err)
{
	if (run->result < 0)
		return;
	run->result = r;
	run->error = *err;
	fetcher_stop(run->sync->fetcher);
}

static void add_absent(struct apt_run *run, const char *path)
{
	struct error error = { 0 };
	int r = seen_add(&run->absent, path, strlen(path), 0, &error);

	if (r < 0)
		run_abort(run, r, &error);
	if (r != SEEN_NEW)
		return;
	strbuf_printf(&run->absent_lines, "%s\n", path);
	absent_files_add(&run->absent_files, path);
}

/* 1 if a path is new, 0 if it is there already with the same bytes.  Of two indexes that
 * contradict each other one is served with what it does not say: neither is. */
static int claim(struct apt_run *run, const struct manifest_entry *entry, struct error *err)
{
	int r = seen_add(&run->paths, entry->path, strlen(entry->path),
			 seen_value(&entry->digest) + entry->size, err);

	if (r < 0)
		return r;
	if (r == SEEN_OTHER)
		return error_set(err, EBADMSG, "'%s' is listed with two different hashes or sizes",
				 entry->path);
	if (r == SEEN_SAME)
		return 0;
	if (!str_starts_with(entry->path, MANIFEST_NOTES)) {
		run->plan.files++;
		run->plan.bytes += entry->size;
	}
	return 1;
}

int run_add(struct apt_run *run, const struct manifest_entry *entry, struct error *err)
{
	int r = claim(run, entry, err);

	if (r == 1 && spool_add(run->ready, entry, err) < 0)
		return -EIO;
	return r;
}

/* --- files --- */

int run_want(struct apt_run *run, const struct manifest_entry *entry, struct error *err)
{
	struct manifest_entry current;
	int r = manifest_path_check(entry->path, err);

	if (r < 0)
		return -EBADMSG;
	if (revoked_has(run->sync->revoked, &entry->digest))
		return 0;
	r = claim(run, entry, err);
	if (r <= 0)
		return r;
	if (run_current(run, entry->path, &current) && current.size == entry->size &&
	    digest_equal(&current.digest, &entry->digest)) {
		current.path = entry->path;
		r = spool_add(run->ready, &current, err);
		return r < 0 ? r : 1;
	}
	if (!object_exists(run->sync->store, &entry->digest)) {
		run->plan.fetch_files++;
		run->plan.fetch_bytes += entry->size;
	}
	r = spool_add(run->todo, entry, err);
	return r < 0 ? r : 1;
}

struct file_ask {
	struct apt_run *run;
	struct manifest_entry entry;
	char path[];
};

static void on_file(void *ctx, const struct fetch_request *request _unused_,
		    const struct fetch_result *result)
{
	_cleanup_free_ struct file_ask *ask = ctx;
	struct error error = { 0 };
	int r;

	if (result->status == FETCH_DONE) {
		if (result->mtime != 0)
			ask->entry.mtime = result->mtime;
		r = spool_add(ask->run->ready, &ask->entry, &error);
		if (r < 0)
			run_abort(ask->run, r, &error);
		return;
	}
	if (result->status == FETCH_ABSENT)
		add_absent(ask->run, ask->path);
	else
		run_fail(ask->run, ask->path, result->error.msg);
}

static int ask_file(struct apt_run *run, const struct manifest_entry *entry, struct error *err)
{
	size_t size = strlen(entry->path) + 1;
	_cleanup_free_ struct file_ask *ask = malloc(sizeof(*ask) + size);
	char url[FETCH_URL_MAX];
	struct fetch_request request = {
		.url = url,
		.sha256 = &entry->digest,
		.size = entry->size,
		.label = run->sync->repository->name,
		.done = on_file,
		.ctx = ask,
	};
	int r;

	if (!ask)
		return error_set(err, ENOMEM, "no memory for a request");
	ask->run = run;
	ask->entry = *entry;
	memcpy(ask->path, entry->path, size);
	ask->entry.path = ask->path;
	r = run_url(run->sync->repository, entry->path, url, err);
	if (r == 0)
		r = fetcher_add(run->sync->fetcher, &request, err);
	if (r == 0)
		(void)TAKE_PTR(ask);
	return r;
}

#define BATCH 64 /* requests added at once */

static bool more_files(void *ctx, struct fetcher *fetcher _unused_)
{
	struct apt_run *run = ctx;
	struct manifest_entry entry;
	struct error error = { 0 };
	int r = 1;
	int n;

	for (n = 0; n < BATCH && run->result == 0; n++) {
		r = spool_next(run->todo, &entry, &error);
		if (r == 1)
			r = ask_file(run, &entry, &error) < 0 ? -EIO : 1;
		if (r <= 0)
			break;
	}
	if (r < 0)
		run_abort(run, r, &error);
	return n > 0 && run->result == 0;
}

/* How many files of the current manifest the new one will not have. */
static uint64_t count_removed(const struct apt_run *run)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	uint64_t n = 0;

	if (!run->sync->current)
		return 0;
	manifest_seek(run->sync->current, "", &cursor);
	while (manifest_next(&cursor, &entry))
		if (!str_starts_with(entry.path, MANIFEST_NOTES) &&
		    !seen_has(&run->paths, entry.path, strlen(entry.path)))
			n++;
	return n;
}

int run_fetch_files(struct apt_run *run, struct error *err)
{
	int r;

	run->plan.removed = count_removed(run);
	/* The second time there is nothing new to decide. */
	r = run->again ? 0 : sync_plan(run->sync, &run->plan, err);
	if (r != 0)
		return r;
	fetcher_plan(run->sync->fetcher, run->sync->repository->name, spool_count(run->todo),
		     run->plan.fetch_bytes);
	r = spool_rewind(run->todo, err);
	return r < 0 || spool_count(run->todo) == 0 ? r : run_fetch(run, more_files, err);
}

int run_note(struct apt_run *run, const char *path, const void *data, size_t len, struct error *err)
{
	struct manifest_entry entry = { .path = path, .media = MEDIA_TEXT, .size = len };
	int r = object_put(run->sync->store, data, len, &entry.digest, err);

	return r < 0 ? r : run_add(run, &entry, err);
}

bool run_current(const struct apt_run *run, const char *path, struct manifest_entry *ret)
{
	return run->sync->current && manifest_find(run->sync->current, path, ret);
}
