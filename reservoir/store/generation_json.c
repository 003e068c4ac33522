/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations as canonical JSON.  Format 2 has what was recalled; without any it is
 * written as format 1, which knows of none.
 *
 * What is read is written again and compared, so that one generation has one text,
 * whoever made it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/generation.h"

#define FORMAT 1
#define FORMAT_REVOKED 2

static void json_release(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_release)

static json_t *digest_json(const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	return json_string(digest_format(digest, text));
}

static json_t *repository_json(const struct generation_repository *repository)
{
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:I, s:I, s:I}", "name", repository->name, "ecosystem",
		repository->ecosystem, "collected", digest_json(&repository->collected), "served",
		digest_json(&repository->served), "files", (json_int_t)repository->n_files, "bytes",
		(json_int_t)repository->bytes, "synced", (json_int_t)repository->synced);
}

static json_t *repositories_json(const struct generation *generation)
{
	json_t *list = json_array();

	for (size_t i = 0; list && generation->repositories && i < generation->n_repositories; i++)
		if (json_array_append_new(list, repository_json(&generation->repositories[i])) <
		    0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* NULL without any, and then the member is left out. */
static json_t *revoked_json(const struct revoked *revoked)
{
	json_t *list = revoked->n ? json_array() : NULL;

	for (size_t i = 0; list && i < revoked->n; i++)
		if (json_array_append_new(list, digest_json(&revoked->digests[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *generation_json(const struct generation *generation)
{
	json_t *revoked = revoked_json(&generation->revoked);

	if (generation->revoked.n && !revoked)
		return NULL;
	return json_pack("{s:i, s:I, s:I, s:s, s:o, s:{s:s, s:I, s:o}, s:o, s:o*}", "format",
			 revoked ? FORMAT_REVOKED : FORMAT, "number",
			 (json_int_t)generation->number, "created", (json_int_t)generation->created,
			 "reason", generation->reason, "parent", digest_json(&generation->parent),
			 "origin", "id", generation->origin_id, "sequence",
			 (json_int_t)generation->origin_sequence, "root",
			 digest_json(&generation->origin_root), "repositories",
			 repositories_json(generation), "revoked", revoked);
}

int generation_format(const struct generation *generation, struct strbuf *out, struct error *err)
{
	_cleanup_json_ json_t *json = generation_json(generation);
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (!text)
		return error_set(err, EINVAL, "the generation cannot be written as JSON");
	strbuf_puts(out, text);
	if (strbuf_error(out) < 0)
		return error_set(err, -strbuf_error(out), "the generation is too long");
	return 0;
}

/* -- Reading ------------------------------------------------------------ */

static bool get_text(const json_t *object, const char *key, char *ret, size_t size)
{
	const json_t *value = json_object_get(object, key);

	/* A NUL inside would cut it. */
	return json_is_string(value) &&
	       json_string_length(value) == strlen(json_string_value(value)) &&
	       str_copy(ret, size, json_string_value(value)) == 0;
}

static bool get_number(const json_t *object, const char *key, int64_t least, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < least)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool get_count(const json_t *object, const char *key, uint64_t *ret)
{
	int64_t value;

	if (!get_number(object, key, 0, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

static bool get_digest(const json_t *object, const char *key, struct digest *ret)
{
	char text[DIGEST_TEXT_SIZE];

	return get_text(object, key, text, sizeof(text)) && digest_parse(text, ret) == 0;
}

static bool read_repository(const json_t *json, struct generation_repository *ret)
{
	return json_is_object(json) && get_text(json, "name", ret->name, sizeof(ret->name)) &&
	       generation_name_check(ret->name) == 0 &&
	       get_text(json, "ecosystem", ret->ecosystem, sizeof(ret->ecosystem)) &&
	       get_digest(json, "collected", &ret->collected) &&
	       get_digest(json, "served", &ret->served) &&
	       get_count(json, "files", &ret->n_files) && get_count(json, "bytes", &ret->bytes) &&
	       get_number(json, "synced", INT64_MIN, &ret->synced);
}

static bool read_repositories(const json_t *list, struct generation *ret)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > GENERATION_REPOSITORIES_MAX)
		return false;
	ret->repositories = n ? calloc(n, sizeof(ret->repositories[0])) : NULL;
	if (n && !ret->repositories)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!read_repository(json_array_get(list, i), &ret->repositories[i]))
			return false;
		if (i > 0 && strcmp(ret->repositories[i - 1].name, ret->repositories[i].name) >= 0)
			return false;
		ret->n_repositories = i + 1;
	}
	return true;
}

static bool read_revoked(const json_t *list, struct revoked *ret)
{
	char text[DIGEST_TEXT_SIZE];
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(list, i);
		struct digest digest;

		if (!json_is_string(value) || json_string_length(value) != DIGEST_TEXT_SIZE - 1 ||
		    str_copy(text, sizeof(text), json_string_value(value)) < 0 ||
		    digest_parse(text, &digest) < 0 || revoked_add(ret, &digest, NULL) <= 0)
			return false;
	}
	/* Another order is seen when it is written again. */
	return !list || json_is_array(list);
}

static bool read_generation(const json_t *json, struct generation *ret)
{
	const json_t *origin = json_object_get(json, "origin");

	return json_is_object(json) && get_count(json, "number", &ret->number) &&
	       get_number(json, "created", INT64_MIN, &ret->created) &&
	       get_text(json, "reason", ret->reason, sizeof(ret->reason)) &&
	       str_is_printable(ret->reason) && get_digest(json, "parent", &ret->parent) &&
	       json_is_object(origin) &&
	       get_text(origin, "id", ret->origin_id, sizeof(ret->origin_id)) &&
	       str_is_printable(ret->origin_id) &&
	       get_count(origin, "sequence", &ret->origin_sequence) &&
	       get_digest(origin, "root", &ret->origin_root) &&
	       read_repositories(json_object_get(json, "repositories"), ret) &&
	       read_revoked(json_object_get(json, "revoked"), &ret->revoked);
}

static int check_canonical(const struct generation *generation, const char *text, size_t len,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(GENERATION_TEXT_MAX);
	int r = generation_format(generation, &again, err);

	if (r < 0)
		return r;
	if (again.len != len || memcmp(again.data, text, len) != 0)
		return error_set(err, EBADMSG, "no generation: it is not canonical JSON");
	return 0;
}

int generation_parse(const char *text, size_t len, struct generation **ret, struct error *err)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	_cleanup_json_ json_t *json = NULL;
	json_error_t fault;
	int r;

	if (len > GENERATION_TEXT_MAX)
		return error_set(err, EBADMSG, "no generation: it has more than %zu bytes",
				 GENERATION_TEXT_MAX);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
	if (!json)
		return error_set(err, EBADMSG, "no generation: %s", fault.text);
	generation = calloc(1, sizeof(*generation));
	if (!generation)
		return error_set(err, ENOMEM, "no memory for a generation");
	if (!read_generation(json, generation))
		return error_set(err, EBADMSG, "no generation: a member is missing or wrong");
	r = check_canonical(generation, text, len, err);
	if (r < 0)
		return r;
	generation->root = digest_of(text, len);
	*ret = TAKE_PTR(generation);
	return 0;
}
