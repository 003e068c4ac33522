/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_object.h"

#include <stdio.h>
#include <string.h>

#include "api/kubernetes/json.h"
#include "base/parse.h"

#define CONDITION_KEY_MAX 384 /* bytes: a type has 316 at most */

static const char *const map_names[_KUBE_MAP_MAX] = {
	[KUBE_LABELS] = "labels",
	[KUBE_ANNOTATIONS] = "annotations",
};

/* The same in the set of fields that a manager owns. */
static const char *const owned_names[_KUBE_MAP_MAX] = {
	[KUBE_LABELS] = "f:labels",
	[KUBE_ANNOTATIONS] = "f:annotations",
};

/* How deep values nest, strings left out; a text that is no JSON has some depth too. */
static size_t depth_of(const char *text, size_t len)
{
	size_t depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && depth > 0 && (text[i] == '}' || text[i] == ']'))
			depth--;
		deepest = MAX(deepest, depth);
	}
	return deepest;
}

int kube_object_parse(const char *text, size_t len, struct json_t **ret, struct error *err)
{
	json_error_t error;
	json_t *json;

	if (depth_of(text, len) > KUBE_DEPTH_MAX)
		return error_set(err, EBADMSG, "JSON that nests deeper than %d", KUBE_DEPTH_MAX);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!json && json_error_code(&error) == json_error_out_of_memory)
		return error_set(err, ENOMEM, "no memory for an object");
	if (!json)
		return error_set(err, EBADMSG, "no JSON at byte %d", error.position);
	if (!json_is_object(json)) {
		json_decref(json);
		return error_set(err, EBADMSG, "JSON that is no object");
	}
	*ret = json;
	return 0;
}

struct json_t *kube_object_ref(const struct json_t *object)
{
	return json_incref((json_t *)(uintptr_t)object);
}

void kube_object_free(struct json_t *object)
{
	json_decref(object);
}

const char *kube_object_name(const struct json_t *object)
{
	return json_text(JSON_FIND(object, "metadata", "name"));
}

const char *kube_object_resource_version(const struct json_t *object)
{
	return json_text(JSON_FIND(object, "metadata", "resourceVersion"));
}

const char *kube_object_get(const struct json_t *object, enum kube_map map, const char *key)
{
	return json_text(JSON_FIND(object, "metadata", map_names[map], key));
}

static bool is_text(const json_t *json, const char *wanted)
{
	const char *text = json_text(json);

	return text && strcmp(text, wanted) == 0;
}

/* The fields that a manager has applied to the object itself, not to a subresource. */
/* What a manager has applied to an object, or to a subresource of it. */
static json_t *applied_fields(const json_t *object, const char *manager, const char *wanted)
{
	const json_t *entries = JSON_FIND(object, "metadata", "managedFields");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *subresource = json_text(json_object_get(entry, "subresource"));

		if (is_text(json_object_get(entry, "manager"), manager) &&
		    is_text(json_object_get(entry, "operation"), "Apply") &&
		    strcmp(subresource ? subresource : "", wanted) == 0)
			return json_object_get(entry, "fieldsV1");
	}
	return NULL;
}

static json_t *owned_fields(const json_t *object, const char *manager, enum kube_map map)
{
	return JSON_FIND(applied_fields(object, manager, ""), "f:metadata", owned_names[map]);
}

bool kube_object_owns_condition(const struct json_t *object, const char *manager, const char *type)
{
	const json_t *conditions =
		JSON_FIND(applied_fields(object, manager, "status"), "f:status", "f:conditions");
	char key[CONDITION_KEY_MAX];
	int len = snprintf(key, sizeof(key), "k:{\"type\":\"%s\"}", type);

	return len > 0 && (size_t)len < sizeof(key) && json_object_get(conditions, key);
}

void kube_object_each_owned(const struct json_t *object, const char *manager, enum kube_map map,
			    kube_key_fn fn, void *ctx)
{
	json_t *fields = owned_fields(object, manager, map);

	for (void *at = json_object_iter(fields); at; at = json_object_iter_next(fields, at)) {
		const char *key = str_starts_with(json_object_iter_key(at), "f:");

		if (key)
			fn(ctx, key);
	}
}

struct search {
	const char *key;
	bool found;
};

static void compare_key(void *ctx, const char *key)
{
	struct search *search = ctx;

	search->found |= strcmp(key, search->key) == 0;
}

bool kube_object_owns(const struct json_t *object, const char *manager, enum kube_map map,
		      const char *key)
{
	struct search search = { .key = key };

	kube_object_each_owned(object, manager, map, compare_key, &search);
	return search.found;
}
