/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/page.h"
#include "reservoir/pypi/run.h"

/* --- pages --- */

/* A page that did not change keeps its time, and one that did has a later one. */
static int64_t page_time(const struct run *run, const char *path, enum media media,
			 const struct digest *digest, int64_t newest)
{
	struct manifest_entry entry;

	if (!run->sync->current ||
	    !manifest_variant(run->sync->current, path, media, ENCODING_IDENTITY, &entry))
		return newest > 0 && newest < run->sync->now ? newest : run->sync->now;
	if (digest_equal(&entry.digest, digest))
		return entry.mtime;
	return MAX(run->sync->now, entry.mtime + 1);
}

static int add_variant(struct run *run, struct manifest_entry *entry, const struct strbuf *data,
		       struct error *err)
{
	int r = object_put(run->sync->store, strbuf_str(data), data->len, &entry->digest, err);

	if (r == 0 && entry->encoding == ENCODING_IDENTITY)
		entry->mtime =
			page_time(run, entry->path, entry->media, &entry->digest, entry->mtime);
	entry->size = data->len;
	return r < 0 ? r : manifest_add(run->sync->builder, entry, err);
}

static int add_page(struct run *run, const char *path, enum media media, const struct strbuf *page,
		    int64_t newest, struct error *err)
{
	struct manifest_entry entry = { .path = path, .media = media, .mtime = newest };
	int r = add_variant(run, &entry, page, err);

	for (int encoding = ENCODING_GZIP; r == 0 && encoding <= ENCODING_ZSTD; encoding++) {
		_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(PYPI_PAGE_MAX);

		entry.encoding = (enum encoding)encoding;
		r = pypi_page_compress(strbuf_str(page), page->len, entry.encoding, &packed, err);
		if (r == 0)
			r = add_variant(run, &entry, &packed, err);
	}
	return r;
}

/* --- projects --- */

static int add_file(struct run *run, const char *path, enum media media,
		    const struct digest *digest, int64_t mtime, uint64_t *ret_size,
		    struct error *err)
{
	struct manifest_entry entry = {
		.path = path,
		.media = media,
		.digest = *digest,
		.mtime = mtime,
	};
	_cleanup_close_ int fd = object_open(run->sync->store, digest, &entry.size, err);

	if (fd == -ENOENT) {
		pypi_run_missing(run, path, "it is not in the store");
		return 0;
	}
	*ret_size = entry.size;
	return fd < 0 ? fd : manifest_add(run->sync->builder, &entry, err);
}

/* A file whose time the index does not tell keeps that of its arrival. */
static int64_t file_time(const struct run *run, const char *path, const struct pypi_file *file)
{
	struct manifest_entry entry;

	if (file->uploaded > 0)
		return file->uploaded;
	if (run->sync->current && manifest_find(run->sync->current, path, &entry) &&
	    (!file->has_sha256 || digest_equal(&entry.digest, &file->sha256)))
		return entry.mtime;
	return run->sync->now;
}

static int add_beside(struct run *run, uint32_t number, const struct pypi_file *file,
		      struct pypi_page_file *row, int64_t mtime, struct error *err)
{
	const struct digest *said = file->metadata == PYPI_HASHED ? &file->metadata_sha256 : NULL;
	const struct resolved *resolved;
	char path[STORE_PATH_MAX];
	struct digest digest;
	uint64_t size;
	int r = 0;

	pypi_run_path(run, number, file->name, ".metadata", path);
	resolved = pypi_run_resolved(run, path);
	if (resolved && (resolved->absent || resolved->own))
		said = NULL;
	row->has_metadata = pypi_run_digest_beside(run, path, file, said, &row->metadata_sha256) &&
			    object_exists(run->sync->store, &row->metadata_sha256);
	if (row->has_metadata)
		r = add_file(run, path, MEDIA_TEXT, &row->metadata_sha256, mtime, &size, err);
	if (r < 0 || !file->provenance || !run->selection.options->provenance)
		return r;
	pypi_run_path(run, number, file->name, ".provenance", path);
	row->has_provenance = pypi_run_digest_beside(run, path, file, NULL, &digest) &&
			      object_exists(run->sync->store, &digest);
	return row->has_provenance
		       ? add_file(run, path, MEDIA_INTEGRITY, &digest, mtime, &size, err)
		       : 0;
}

/* 1 for a file that is there, 0 for none. */
static int add_row(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
		   struct pypi_page_file *row, int64_t *newest, struct error *err)
{
	const struct pypi_file *file = chosen->file;
	const struct resolved *resolved;
	char path[STORE_PATH_MAX];
	int64_t mtime;
	int r;

	pypi_run_path(run, number, file->name, "", path);
	resolved = pypi_run_resolved(run, path);
	if (resolved && resolved->absent)
		return 0;
	*row = (struct pypi_page_file) { .file = file };
	row->version = chosen->version;
	if (!pypi_run_digest(run, path, file->has_sha256 ? &file->sha256 : NULL, &row->sha256)) {
		pypi_run_missing(run, path, "it was not fetched");
		return 0;
	}
	mtime = file_time(run, path, file);
	*newest = MAX(*newest, file->uploaded);
	r = add_file(run, path, MEDIA_OCTETS, &row->sha256, mtime, &row->size, err);
	if (r == 0)
		r = add_beside(run, number, file, row, mtime, err);
	return r < 0 ? r : 1;
}

static int write_pages(struct run *run, const struct pypi_page *page, int64_t newest,
		       struct error *err)
{
	char path[STORE_PATH_MAX];
	int r = 0;

	(void)snprintf(path, sizeof(path), "simple/%s/", page->name);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pypi_page_forms); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_PAGE_MAX);

		r = pypi_page_forms[i].write(page, &text, err);
		if (r == 0)
			r = add_page(run, path, pypi_page_forms[i].media, &text, newest, err);
	}
	return r;
}

static int publish_project(struct run *run, uint32_t number, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	_cleanup_free_ struct pypi_page_file *rows = NULL;
	struct pypi_page page = { .name = run->names.names[number] };
	int64_t newest = 0;
	int r = pypi_run_load(run, number, &loaded, err);

	if (r < 0)
		return r;
	rows = calloc(loaded.choice.n + 1, sizeof(*rows));
	if (!rows)
		return error_set(err, ENOMEM, "no memory for the page of %s", page.name);
	page.status = loaded.index.status;
	page.status_reason = loaded.index.status_reason;
	page.files = rows;
	for (size_t i = 0; r >= 0 && i < loaded.choice.n; i++) {
		r = add_row(run, number, &loaded.choice.files[i], &rows[page.n_files], &newest,
			    err);
		page.n_files += r > 0;
	}
	return r < 0 ? r : write_pages(run, &page, newest, err);
}

static int copy_unchanged(struct run *run, struct error *err)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	int r = 0;

	if (!run->sync->current)
		return 0;
	manifest_seek(run->sync->current, "", &cursor);
	while (r == 0 && manifest_next(&cursor, &entry)) {
		int64_t number = pypi_run_project_of(run, entry.path);

		if (number >= 0 && (run->projects[number].flags & PROJECT_UNCHANGED))
			r = manifest_add(run->sync->builder, &entry, err);
	}
	return r;
}

/* --- the list of all --- */

static int order(const void *a, const void *b, void *names)
{
	const char *const *texts = names;

	return strcmp(texts[*(const uint32_t *)a], texts[*(const uint32_t *)b]);
}

/* One form after the other: that of a whole index is 40 MB long. */
static int add_list(struct run *run, const uint32_t *numbers, size_t n, enum media media,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(PYPI_PAGE_MAX);
	int r;

	pypi_page_list_begin(&page, media);
	for (size_t i = 0; i < n; i++)
		pypi_page_list_add(&page, media, run->names.names[numbers[i]],
				   run->projects[numbers[i]].serial);
	r = pypi_page_list_end(&page, media, err);
	return r < 0 ? r : add_page(run, "simple/", media, &page, 0, err);
}

static int publish_list(struct run *run, struct error *err)
{
	_cleanup_free_ uint32_t *numbers = calloc(run->names.n + 1, sizeof(*numbers));
	size_t n = 0;
	int r;

	if (!numbers)
		return error_set(err, ENOMEM, "no memory for the list of projects");
	for (size_t i = 0; i < run->names.n; i++)
		if (run->projects[i].flags & (PROJECT_PAGE | PROJECT_UNCHANGED))
			numbers[n++] = (uint32_t)i;
	qsort_r(numbers, n, sizeof(*numbers), order, run->names.names);
	r = add_list(run, numbers, n, MEDIA_PYPI_JSON, err);
	return r < 0 ? r : add_list(run, numbers, n, MEDIA_PYPI_HTML, err);
}

/* --- notes --- */

static json_t *why_row(const struct run *run, const struct requirement_row *row)
{
	json_t *by = json_array();

	for (size_t i = 0; i < MIN(row->n_askers, (size_t)PYPI_ASKERS_MAX); i++)
		(void)json_array_append_new(by, json_string(run->names.names[row->askers[i]]));
	return json_pack("{ss, so, sI}", "requirement", row->text, "by", by, "askers",
			 (json_int_t)row->n_askers);
}

static json_t *why_project(const struct run *run, const struct project *project)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < project->n_rows; i++)
		(void)json_array_append_new(rows, why_row(run, &project->rows[i]));
	return json_pack("{sb, so}", "configured", (project->flags & PROJECT_DIRECT) != 0,
			 "required", rows);
}

static int add_note(struct run *run, const char *path, const void *data, size_t len,
		    struct error *err)
{
	struct manifest_entry entry = { .path = path, .media = MEDIA_TEXT, .size = len };
	int r = object_put(run->sync->store, data, len, &entry.digest, err);

	return r < 0 ? r : manifest_add(run->sync->builder, &entry, err);
}

static int publish_why(struct run *run, struct error *err)
{
	json_t *json = json_object();
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < run->names.n; i++)
		(void)json_object_set_new(json, run->names.names[i],
					  why_project(run, &run->projects[i]));
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(json);
	if (!text)
		return error_set(err, ENOMEM, "no memory for the reasons");
	return add_note(run, PYPI_NOTE_WHY, text, strlen(text), err);
}

static int publish_state(struct run *run, struct error *err)
{
	struct manifest_entry entry = { .path = PYPI_NOTE_STATE, .media = MEDIA_TEXT };
	_cleanup_close_ int fd = -1;

	entry.digest = run->state;
	fd = object_open(run->sync->store, &run->state, &entry.size, err);
	return fd < 0 ? fd : manifest_add(run->sync->builder, &entry, err);
}

int pypi_run_publish(struct run *run, struct error *err)
{
	int r = object_flush(run->sync->store, err);

	for (size_t i = 0; r == 0 && i < run->names.n; i++)
		if (run->projects[i].flags & PROJECT_PAGE)
			r = publish_project(run, (uint32_t)i, err);
	if (r == 0)
		r = copy_unchanged(run, err);
	if (r == 0)
		r = publish_list(run, err);
	if (r == 0 && run->closes)
		r = publish_why(run, err);
	return r < 0 ? r : publish_state(run, err);
}
