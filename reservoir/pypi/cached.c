/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/cached.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/index.h"
#include "reservoir/pypi/name.h"
#include "reservoir/pypi/page.h"
#include "reservoir/pypi/versions.h"
#include "reservoir/pypi/wheel.h"

/* --- paths --- */

/* The name of a project with at most one slash behind it. */
static bool read_name(const char *text, char ret[PYPI_NAME_MAX])
{
	size_t len = strcspn(text, "/");

	return (text[len] == '\0' || text[len + 1] == '\0') &&
	       pypi_name_normalize(text, len, ret) == 0;
}

bool pypi_origin(const struct repository *repository, const char *path, struct origin *ret)
{
	const char *upstream = repository->upstream;
	const char *project = str_starts_with(path, "simple/");
	const char *slash = upstream[0] && upstream[strlen(upstream) - 1] == '/' ? "" : "/";
	char name[PYPI_NAME_MAX];

	ret->accept = PYPI_INDEX_ACCEPT;
	ret->url[0] = '\0';
	if (str_starts_with(path, "packages/"))
		return str_copy(ret->path, sizeof(ret->path), path) == 0;
	if (!read_name(project ? project : path, name) || strcmp(path, "simple") == 0)
		return false;
	(void)snprintf(ret->path, sizeof(ret->path), "simple/%s/", name);
	return (size_t)snprintf(ret->url, sizeof(ret->url), "%s%s%s/", upstream, slash, name) <
	       sizeof(ret->url);
}

/* --- pages --- */

struct row {
	const struct pypi_file *file;
	const struct pypi_known_version *version; /* or NULL */
};

static int by_version(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	int order = (one->version != NULL) - (other->version != NULL);

	if (order == 0 && one->version != other->version)
		order = pypi_version_compare(&one->version->version, &other->version->version);
	return order ? order : strcmp(one->file->name, other->file->name);
}

/* Sorts the files that can be vouched for; returns how many, or -ENOMEM. */
static ssize_t make_rows(const struct pypi_index *index, struct pypi_versions *versions,
			 struct row *rows)
{
	struct pypi_file_name name;
	size_t n = 0;

	for (size_t i = 0; i < index->n_files; i++) {
		const struct pypi_file *file = &index->files[i];

		if (!file->has_sha256 || !pypi_index_offers(index))
			continue;
		rows[n].file = file;
		if (pypi_file_name_parse(file->name, index->name, &name) == 0 && name.has_version) {
			rows[n].version = pypi_versions_keep(versions, &name.version);
			if (!rows[n].version)
				return -ENOMEM;
		}
		n++;
	}
	qsort(rows, n, sizeof(*rows), by_version);
	return (ssize_t)n;
}

static void fill_file(const struct row *row, struct pypi_page_file *ret)
{
	const struct pypi_file *file = row->file;

	*ret = (struct pypi_page_file) {
		.file = file,
		.version = row->version ? row->version->text : NULL,
		.sha256 = file->sha256,
		.size = file->size,
		.has_metadata = file->metadata == PYPI_HASHED,
		.metadata_sha256 = file->metadata_sha256,
	};
}

static int tell_page(const struct strbuf *page, enum media media, page_fn fn, void *ctx,
		     struct error *err)
{
	int r = fn(ctx, media, ENCODING_IDENTITY, page->data, page->len);

	for (int encoding = ENCODING_GZIP; r >= 0 && encoding <= ENCODING_ZSTD; encoding++) {
		_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(PYPI_PAGE_MAX);

		r = pypi_page_compress(page->data, page->len, (enum encoding)encoding, &packed,
				       err);
		if (r >= 0)
			r = fn(ctx, media, (enum encoding)encoding, packed.data, packed.len);
	}
	return r;
}

static int write_pages(const struct pypi_page *page, page_fn fn, void *ctx, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(pypi_page_forms); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_PAGE_MAX);

		r = pypi_page_forms[i].write(page, &text, err);
		if (r >= 0)
			r = tell_page(&text, pypi_page_forms[i].media, fn, ctx, err);
	}
	return r;
}

int pypi_pages(const char *path, _unused_ const char *url, const void *data, size_t len, page_fn fn,
	       void *ctx, struct error *err)
{
	const char *project = str_starts_with(path, "simple/");
	_cleanup_pypi_index_ struct pypi_index index = { 0 };
	_cleanup_pypi_versions_ struct pypi_versions versions = pypi_versions_init();
	_cleanup_free_ struct pypi_page_file *files = NULL;
	_cleanup_free_ struct row *rows = NULL;
	struct pypi_page page = { 0 };
	char name[PYPI_NAME_MAX];
	ssize_t n;
	int r;

	if (!project || !read_name(project, name))
		return error_set(err, EINVAL, "'%s' is no page of a project", path);
	pypi_index_init(name, &index);
	r = pypi_index_parse(data, len, &index, err);
	if (r == 0)
		r = pypi_index_check(&index, err);
	if (r < 0)
		return r;
	rows = calloc(index.n_files + 1, sizeof(*rows));
	files = calloc(index.n_files + 1, sizeof(*files));
	n = rows && files ? make_rows(&index, &versions, rows) : -ENOMEM;
	if (n < 0)
		return error_set(err, ENOMEM, "no memory for a page");
	page = (struct pypi_page) { .name = name,
				    .status = index.status,
				    .status_reason = index.status_reason,
				    .files = files,
				    .n_files = (size_t)n };
	for (size_t i = 0; i < page.n_files; i++)
		fill_file(&rows[i], &files[i]);
	return write_pages(&page, fn, ctx, err);
}
