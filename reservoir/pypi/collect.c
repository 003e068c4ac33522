/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/mman.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/run.h"
#include "reservoir/sync/report.h"

#define PAGES "simple/"

/* --- pages --- */

static bool is_zero(const struct digest *digest)
{
	static const struct digest zero;

	return digest_equal(digest, &zero);
}

/* What is published was made of the page that was fetched last, and stays as it is. */
static bool is_built(const struct run *run, const struct row *row)
{
	return !run->closes && run->known_state && !is_zero(&row->built) &&
	       digest_equal(&row->built, &row->page);
}

static void keep_etag(struct row *row, const char *etag)
{
	if (str_copy(row->etag, sizeof(row->etag), etag) < 0)
		row->etag[0] = '\0';
}

static int keep_row(struct run *run, uint32_t number, const struct fetch_result *result,
		    struct error *err)
{
	const char *name = run->names.names[number];
	struct row row = { 0 };
	int r;

	(void)pypi_run_row_get(run, name, &row);
	row.page = result->digest;
	row.serial = result->serial ? result->serial : run->projects[number].serial;
	keep_etag(&row, result->etag);
	r = pypi_run_row_put(run, name, &row, err);
	if (r == 0 && ++run->n_pages % PYPI_BATCH == 0) {
		r = object_flush(run->sync->store, err);
		if (r == 0)
			r = catalogue_commit(run->sync->catalogue, err);
	}
	return r;
}

/* A cache on the way may be behind the list. */
static bool is_stale(struct run *run, uint32_t number, const struct fetch_result *result)
{
	struct project *project = &run->projects[number];

	if (result->serial == 0 || result->serial >= project->serial)
		return false;
	project->flags |= PROJECT_FAILED;
	pypi_run_missing(
		run, run->names.names[number],
		"its page is older than the list of projects says; the next sync asks again");
	return true;
}

static void page_arrived(struct run *run, uint32_t number, const struct fetch_result *result)
{
	struct project *project = &run->projects[number];
	struct error err = { 0 };
	int r;

	if (is_stale(run, number, result))
		return;
	project->page = result->digest;
	project->flags |= PROJECT_PAGE;
	r = keep_row(run, number, result, &err);
	if (r == 0)
		r = pypi_run_set_gone(run, run->names.names[number], false, &err);
	if (r < 0)
		pypi_run_fail(run, r, &err);
}

static void page_unchanged(struct run *run, uint32_t number, const struct fetch_result *result)
{
	struct project *project = &run->projects[number];
	struct error err = { 0 };
	struct row row;
	int r = 0;

	if (is_stale(run, number, result) || !pypi_run_row_get(run, run->names.names[number], &row))
		return;
	project->page = row.page;
	project->flags |= is_built(run, &row) ? PROJECT_UNCHANGED : PROJECT_PAGE;
	if (project->serial > row.serial) {
		row.serial = project->serial;
		r = pypi_run_row_put(run, run->names.names[number], &row, &err);
	}
	if (r == 0)
		r = pypi_run_set_gone(run, run->names.names[number], false, &err);
	if (r < 0)
		pypi_run_fail(run, r, &err);
}

static bool is_published(const struct run *run, const char *name)
{
	char path[STORE_PATH_MAX];
	struct manifest_entry entry;

	(void)snprintf(path, sizeof(path), "simple/%s/", name);
	return run->sync->current && manifest_find(run->sync->current, path, &entry);
}

/* The page that was fetched last goes on being the project's. */
static void keep_gone(struct run *run, uint32_t number)
{
	struct project *project = &run->projects[number];
	const char *name = run->names.names[number];
	char text[PYPI_NAME_MAX + 128];
	struct row row;

	if (!pypi_run_row_get(run, name, &row) || is_zero(&row.page) ||
	    !object_exists(run->sync->store, &row.page)) {
		project->flags |= PROJECT_FAILED;
		pypi_run_missing(run, name,
				 "the upstream says for the first time that it is gone; the "
				 "next sync takes it away");
		return;
	}
	project->page = row.page;
	project->flags |= PROJECT_PAGE;
	pypi_run_get_moved(run, number);
	(void)snprintf(text, sizeof(text),
		       "the upstream says that %s is gone; it stays until the next sync is told "
		       "so, too",
		       name);
	sync_note(run->sync, text);
}

/* One answer may be a mistake of a server: what is published goes with the second. */
static void page_absent(struct run *run, uint32_t number)
{
	const char *name = run->names.names[number];
	const struct pypi_wanted *wanted = pypi_wanteds_find(&run->selection.wanted, name, NULL);
	bool published = is_published(run, name);
	bool was_gone = pypi_run_was_gone(run, name);
	char text[PYPI_NAME_MAX + 64];
	struct error err = { 0 };
	/* Who only asks for a plan shall not bring the second answer nearer. */
	int r = run->sync->report->plan_only ? 0 : pypi_run_set_gone(run, name, true, &err);

	if (r < 0)
		pypi_run_fail(run, r, &err);
	if (published && !was_gone) {
		keep_gone(run, number);
		return;
	}
	run->projects[number].flags |= PROJECT_ABSENT;
	/* A list may be ahead of the pages; what depends on it is told where that is known. */
	if (!wanted || wanted->glob)
		return;
	if (published) {
		(void)snprintf(text, sizeof(text), "%s is gone from the upstream, and from here",
			       name);
		sync_note(run->sync, text);
	} else {
		pypi_run_missing(run, name, "the upstream has no such project");
	}
}

static void note_moved(struct errand *errand, const struct fetch_request *request,
		       const struct fetch_result *result)
{
	struct error err = { 0 };
	int r = pypi_run_set_moved(errand->run, errand->project, request->url, result->url, &err);

	if (r < 0)
		pypi_run_fail(errand->run, r, &err);
}

static void page_done(void *ctx, const struct fetch_request *request,
		      const struct fetch_result *result)
{
	struct errand *errand = ctx;

	if (result->status == FETCH_DONE || result->status == FETCH_UNCHANGED)
		note_moved(errand, request, result);
	switch (result->status) {
	case FETCH_DONE:
		page_arrived(errand->run, errand->project, result);
		break;
	case FETCH_UNCHANGED:
		page_unchanged(errand->run, errand->project, result);
		break;
	case FETCH_ABSENT:
		page_absent(errand->run, errand->project);
		break;
	case FETCH_FAILED:
	case _FETCH_STATUS_MAX:
		errand->run->projects[errand->project].flags |= PROJECT_FAILED;
		pypi_run_missing(errand->run, errand->run->names.names[errand->project],
				 result->error.msg);
		break;
	}
	pypi_run_errand_done(errand);
}

static int send_page(struct run *run, uint32_t number, const char *etag, struct error *err)
{
	struct errand *errand = pypi_run_errand(run, number, "", err);
	char url[FETCH_URL_MAX];
	struct fetch_request request = {
		.url = url,
		.max = PYPI_INDEX_BYTES_MAX,
		.accept = PYPI_INDEX_ACCEPT,
		.etag = etag && etag[0] ? etag : NULL,
		.urgent = true,
		.compressed = true,
		.label = run->sync->repository->name,
		.done = page_done,
		.ctx = errand,
	};
	int r;

	if (!errand)
		return -ENOMEM;
	r = pypi_run_page_url(run, number, url, err);
	return r < 0 ? r : fetcher_add(run->sync->fetcher, &request, err);
}

/* 1 when a request was made, 0 when none was needed. */
static int ask_page(struct run *run, uint32_t number, struct error *err)
{
	struct project *project = &run->projects[number];
	struct row row = { 0 };
	bool there;
	int r;

	if (project->flags &
	    (PROJECT_PAGE | PROJECT_ABSENT | PROJECT_FAILED | PROJECT_UNCHANGED | PROJECT_EXCLUDED))
		return 0;
	if (!pypi_run_row_get(run, run->names.names[number], &row))
		memset(&row, 0, sizeof(row));
	there = !is_zero(&row.page) && object_exists(run->sync->store, &row.page);
	if (project->serial > 0 && row.serial == project->serial && there) {
		project->page = row.page;
		project->flags |= PROJECT_PAGE;
		pypi_run_get_moved(run, number);
		return 0;
	}
	r = send_page(run, number, there || is_built(run, &row) ? row.etag : NULL, err);
	return r < 0 ? r : 1;
}

static bool more_pages(void *ctx, struct fetcher *fetcher _unused_)
{
	struct run *run = ctx;
	struct error err = { 0 };

	while (run->failure == 0 && run->cursor < run->names.n) {
		int r = ask_page(run, (uint32_t)run->cursor++, &err);

		if (r < 0)
			pypi_run_fail(run, r, &err);
		if (r > 0)
			return true;
	}
	return false;
}

int pypi_run_ask_pages(struct run *run, struct error *err)
{
	int r;

	run->cursor = 0;
	r = pypi_run_fetch(run, more_pages, err);
	if (r == 0)
		r = object_flush(run->sync->store, err);
	return r < 0 ? r : catalogue_commit(run->sync->catalogue, err);
}

/* --- which projects --- */

static int add_direct(struct run *run, const char *name, uint64_t serial, struct error *err)
{
	uint32_t number;
	int r;

	if (pypi_selection_excludes(&run->selection, name))
		return 0;
	r = pypi_run_project(run, name, &number, err);
	if (r < 0)
		return r;
	run->projects[number].flags |= PROJECT_DIRECT | PROJECT_DIRTY;
	run->projects[number].serial = MAX(serial, run->projects[number].serial);
	return 0;
}

static int add_names(struct run *run, struct error *err)
{
	const struct pypi_wanteds *wanted = &run->selection.wanted;
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n_names; i++)
		r = add_direct(run, wanted->items[i].pattern, 0, err);
	return r;
}

struct listing {
	struct run *run;
	struct error *err;
};

static int listed(void *ctx, const char *name, uint64_t serial)
{
	struct listing *listing = ctx;

	if (!pypi_selection_has(&listing->run->selection, name))
		return 0;
	return add_direct(listing->run, name, serial, listing->err);
}

/* Marks what the list says has not changed; one walk instead of a look-up for each. */
static int compare_row(void *ctx, const char *key, const void *value, size_t len)
{
	struct run *run = ctx;
	int64_t number = pypi_table_find(&run->names, key);
	struct project *project;
	struct row row;

	if (number < 0 || !pypi_run_row_parse(value, len, &row))
		return 0;
	project = &run->projects[number];
	if (project->serial > 0 && row.serial == project->serial && is_built(run, &row)) {
		project->page = row.page;
		project->flags |= PROJECT_UNCHANGED;
	}
	return 0;
}

static int read_list(struct run *run, const struct digest *digest, struct error *err)
{
	struct listing listing = { run, err };
	_cleanup_close_ int fd = -1;
	uint64_t size;
	void *text;
	int r;

	fd = object_open(run->sync->store, digest, &size, err);
	if (fd < 0)
		return fd;
	if (size == 0 || size > PYPI_LIST_BYTES_MAX)
		return error_set(err, EINVAL, "the list of projects has %ju bytes",
				 (uintmax_t)size);
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return error_set(err, errno, "the list of projects cannot be mapped: %m");
	r = pypi_list_parse(text, size, listed, &listing, err);
	(void)munmap(text, size);
	return r < 0 ? error_wrap(err, r, "the list of projects") : r;
}

/* Whether only the list says that a project is selected. */
static bool is_by_list(const struct pypi_selection *selection, const char *name)
{
	const struct pypi_wanted *entry = pypi_wanteds_find(&selection->wanted, name, NULL);

	while (entry && !entry->glob)
		entry = pypi_wanteds_find(&selection->wanted, name, entry);
	return (entry || selection->options->all) && !pypi_selection_excludes(selection, name);
}

/* Of a page that does not call itself a list: whether it has nothing of what there was. */
static bool has_lost_all(const struct run *run)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	char name[PYPI_NAME_MAX];
	bool had = false;

	if (!run->sync->current)
		return false;
	manifest_seek(run->sync->current, PAGES, &cursor);
	while (manifest_next(&cursor, &entry) && str_starts_with(entry.path, PAGES)) {
		if (!pypi_run_name_of(entry.path, name) || !is_by_list(&run->selection, name))
			continue;
		if (pypi_table_find(&run->names, name) >= 0)
			return false;
		had = true;
	}
	return had;
}

struct list_answer {
	struct fetch_result result;
	bool done;
};

static void list_done(void *ctx, const struct fetch_request *request _unused_,
		      const struct fetch_result *result)
{
	struct list_answer *answer = ctx;

	answer->result = *result;
	answer->done = true;
}

static int fetch_list(struct run *run, const struct row *row, bool there,
		      struct list_answer *answer, struct error *err)
{
	char url[FETCH_URL_MAX];
	struct fetch_request request = {
		.url = url,
		.max = PYPI_LIST_BYTES_MAX,
		.accept = PYPI_INDEX_ACCEPT,
		.etag = there && row->etag[0] ? row->etag : NULL,
		.urgent = true,
		.compressed = true,
		.label = run->sync->repository->name,
		.done = list_done,
		.ctx = answer,
	};
	int r = pypi_run_page_url(run, UINT32_MAX, url, err);

	if (r == 0)
		r = fetcher_add(run->sync->fetcher, &request, err);
	if (r == 0)
		r = pypi_run_fetch(run, NULL, err);
	if (r == 0 && !answer->done)
		r = error_set(err, EIO, "the list of projects was not answered");
	return r;
}

static int keep_list(struct run *run, const struct fetch_result *result, struct row *row,
		     struct error *err)
{
	row->page = result->digest;
	row->serial = result->serial;
	keep_etag(row, result->etag);
	return pypi_run_row_put(run, PYPI_LIST_KEY, row, err);
}

/* The names that the list has; 1 when it is the one that what is published was made of. */
static int collect_list(struct run *run, struct error *err)
{
	struct list_answer answer = { .done = false };
	struct row row = { 0 };
	bool there = pypi_run_row_get(run, PYPI_LIST_KEY, &row) &&
		     object_exists(run->sync->store, &row.page);
	int r = fetch_list(run, &row, there, &answer, err);

	if (r < 0)
		return r;
	if (answer.result.status == FETCH_FAILED || answer.result.status == FETCH_ABSENT) {
		pypi_run_missing(run, "the list of projects",
				 answer.result.status == FETCH_FAILED ? answer.result.error.msg
								      : "the upstream has none");
		return 1;
	}
	/* A list without serials is the same while the pages of its projects change. */
	if (answer.result.status == FETCH_UNCHANGED && row.serial > 0 && is_built(run, &row))
		return 1;
	if (answer.result.status == FETCH_DONE)
		r = keep_list(run, &answer.result, &row, err);
	if (r == 0)
		r = object_flush(run->sync->store, err);
	if (r == 0)
		r = read_list(run, &row.page, err);
	if (r > 0 && has_lost_all(run)) {
		pypi_run_missing(run, "the list of projects",
				 "it has not one of those that are published: nothing is taken "
				 "away here");
		return 1;
	}
	if (r >= 0 && !run->closes)
		r = catalogue_each(run->sync->catalogue, run->space, compare_row, run, err);
	return MIN(r, 0);
}

int pypi_run_collect(struct run *run, struct error *err)
{
	int r = pypi_selection_needs_list(&run->selection) ? collect_list(run, err)
							   : add_names(run, err);

	if (r == 0 && pypi_selection_needs_list(&run->selection))
		r = add_names(run, err);
	return r != 0 ? r : pypi_run_ask_pages(run, err);
}
