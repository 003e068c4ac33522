/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page is cut into its files, and each of them is read by the JSON library alone: a
 * page of 20,000 files then costs no more than what is kept of it.
 */
#include <jansson.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "reservoir/pypi/index.h"
#include "reservoir/pypi/json_slice.h"
#include "reservoir/pypi/sum.h"

static void json_freep(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_freep)

static json_t *load(struct json_slice slice, struct error *err)
{
	json_error_t problem;
	json_t *json = json_loadb(slice.text, slice.len, JSON_DECODE_ANY, &problem);

	if (!json)
		(void)error_set(err, EINVAL, "the JSON is broken: %s", problem.text);
	return json;
}

/* --- a project --- */

static const char *keep(struct pypi_index *index, const json_t *value)
{
	if (!json_is_string(value))
		return NULL;
	return pypi_index_text(index, json_string_value(value), json_string_length(value));
}

static const char *keep_like(struct pypi_index *index, const char *other, const json_t *value)
{
	if (!json_is_string(value))
		return NULL;
	return pypi_index_text_like(index, other, json_string_value(value),
				    json_string_length(value));
}

static bool read_sha256(const json_t *hashes, struct digest *ret)
{
	const char *text = json_string_value(json_object_get(hashes, "sha256"));

	return text && digest_parse(text, ret) == 0;
}

/* "core-metadata", or what it was called by mistake (PEP 714). */
static void read_metadata(const json_t *json, struct pypi_file *file)
{
	static const char *const keys[] = { "core-metadata", "data-dist-info-metadata",
					    "dist-info-metadata" };
	const json_t *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !value; i++)
		value = json_object_get(json, keys[i]);
	if (json_is_true(value))
		file->metadata = PYPI_OFFERED;
	if (json_is_object(value))
		file->metadata =
			read_sha256(value, &file->metadata_sha256) ? PYPI_HASHED : PYPI_OFFERED;
}

static void read_yank(struct pypi_index *index, const json_t *value, struct pypi_file *file)
{
	/* What counts as true in Python (PEP 691): an empty text does not. */
	file->yanked = json_is_true(value) || json_string_length(value) > 0;
	file->yank_reason = file->yanked ? keep(index, value) : NULL;
}

/* A hash that is not SHA-256: the strongest. */
static const char *keep_sum(struct pypi_index *index, const json_t *hashes)
{
	for (size_t i = 0; i < PYPI_SUM_KINDS; i++) {
		const char *hex =
			json_string_value(json_object_get(hashes, pypi_sum_kinds[i].name));
		char sum[PYPI_SUM_MAX];

		if (hex && pypi_sum_make(&pypi_sum_kinds[i], hex, sum) == 0)
			return pypi_index_text(index, sum, strlen(sum));
	}
	return NULL;
}

static int add_file(void *ctx, struct json_slice key _unused_, struct json_slice value,
		    struct error *err)
{
	struct pypi_index *index = ctx;
	_cleanup_json_ json_t *json = load(value, err);
	struct pypi_file file = { 0 };
	const json_t *size;

	if (!json)
		return -EINVAL;
	file.url = keep(index, json_object_get(json, "url"));
	file.name = keep_like(index, file.url, json_object_get(json, "filename"));
	file.has_sha256 = read_sha256(json_object_get(json, "hashes"), &file.sha256);
	if (!file.has_sha256)
		file.sum = keep_sum(index, json_object_get(json, "hashes"));
	size = json_object_get(json, "size");
	file.has_size = json_is_integer(size) && json_integer_value(size) >= 0;
	if (file.has_size)
		file.size = (uint64_t)json_integer_value(size);
	file.upload_time = keep(index, json_object_get(json, "upload-time"));
	if (file.upload_time && pypi_upload_time_parse(file.upload_time, &file.uploaded) < 0)
		file.upload_time = NULL;
	file.requires_python = keep_like(index, pypi_index_last(index)->requires_python,
					 json_object_get(json, "requires-python"));
	file.provenance = keep(index, json_object_get(json, "provenance"));
	read_yank(index, json_object_get(json, "yanked"), &file);
	read_metadata(json, &file);
	return pypi_index_add(index, &file, err);
}

static int read_meta(struct pypi_index *index, const json_t *meta, struct error *err)
{
	const char *version = json_string_value(json_object_get(meta, "api-version"));
	const json_t *serial = json_object_get(meta, "_last-serial");

	if (!version || !str_starts_with(version, "1."))
		return error_set(err, EINVAL, "the index has the version '%.20s' instead of 1.x",
				 version ? version : "");
	if (json_is_integer(serial) && json_integer_value(serial) > 0)
		index->serial = (uint64_t)json_integer_value(serial);
	return 0;
}

static int read_name(struct pypi_index *index, const json_t *json, struct error *err)
{
	const char *name = json_string_value(json);
	char normal[PYPI_NAME_MAX];

	if (!name || pypi_name_normalize(name, strlen(name), normal) < 0 ||
	    strcmp(normal, index->name) != 0)
		return error_set(err, EINVAL, "the index is that of '%.80s'", name ? name : "");
	return 0;
}

static void read_status(struct pypi_index *index, const json_t *json)
{
	const char *status = json_string_value(json_object_get(json, "status"));

	if (!status || strcmp(status, "active") == 0)
		return;
	index->status = keep(index, json_object_get(json, "status"));
	index->status_reason = keep(index, json_object_get(json, "reason"));
}

static int read_member(void *ctx, struct json_slice key, struct json_slice value, struct error *err)
{
	struct pypi_index *index = ctx;
	_cleanup_json_ json_t *json = NULL;

	if (json_slice_is(key, "files")) {
		index->has_files = true;
		return json_slice_each(value, add_file, index, err);
	}
	if (!json_slice_is(key, "meta") && !json_slice_is(key, "name") &&
	    !json_slice_is(key, "project-status"))
		return 0;
	json = load(value, err);
	if (!json)
		return -EINVAL;
	if (json_slice_is(key, "meta"))
		return read_meta(index, json, err);
	if (json_slice_is(key, "name"))
		return read_name(index, json, err);
	read_status(index, json);
	return 0;
}

int pypi_index_parse_json(const char *text, size_t len, struct pypi_index *index, struct error *err)
{
	int r;

	if (len > PYPI_INDEX_BYTES_MAX)
		return error_set(err, E2BIG, "the index of %s has more than %zu bytes", index->name,
				 PYPI_INDEX_BYTES_MAX);
	r = json_slice_each((struct json_slice) { text, len }, read_member, index, err);
	/* PEP 691 demands them: without, it is some other answer, as that of a proxy. */
	return r < 0 || index->has_files
		       ? r
		       : error_set(err, EINVAL, "it is no index of a project: it has no 'files'");
}

/* --- the list of all --- */

struct list {
	pypi_project_fn fn;
	void *ctx;
	bool has_projects;
};

/* What a project of the list has.  There are a million of them, and all that counts is a
 * name and a number: these are read as they stand. */
struct listed {
	char name[PYPI_NAME_MAX]; /* "" without one */
	uint64_t serial;
};

static int read_listed(void *ctx, struct json_slice key, struct json_slice value,
		       struct error *err _unused_)
{
	struct listed *listed = ctx;
	char digits[24];

	if (json_slice_is(key, "name") && value.len > 2 && value.text[0] == '"' &&
	    pypi_name_normalize(value.text + 1, value.len - 2, listed->name) < 0)
		listed->name[0] = '\0';
	if (json_slice_is(key, "_last-serial") && value.len < sizeof(digits)) {
		memcpy(digits, value.text, value.len);
		digits[value.len] = '\0';
		if (parse_u64(digits, 10, &listed->serial) < 0)
			listed->serial = 0;
	}
	return 0;
}

static int add_project(void *ctx, struct json_slice key _unused_, struct json_slice value,
		       struct error *err)
{
	struct list *list = ctx;
	struct listed listed;
	int r;

	listed.name[0] = '\0';
	listed.serial = 0;
	r = json_slice_each(value, read_listed, &listed, err);
	if (r < 0 || !listed.name[0])
		return r;
	return list->fn(list->ctx, listed.name, listed.serial);
}

static int list_member(void *ctx, struct json_slice key, struct json_slice value, struct error *err)
{
	struct list *list = ctx;

	if (!json_slice_is(key, "projects"))
		return 0;
	list->has_projects = true;
	return json_slice_each(value, add_project, list, err);
}

int pypi_list_parse_json(const char *text, size_t len, pypi_project_fn fn, void *ctx,
			 struct error *err)
{
	struct list list = { fn, ctx, false };
	int r = json_slice_each((struct json_slice) { text, len }, list_member, &list, err);

	return r < 0 || list.has_projects
		       ? r
		       : error_set(err, EINVAL, "it is no list of projects: it has no 'projects'");
}
