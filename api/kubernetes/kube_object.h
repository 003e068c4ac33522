/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of the API server: reading what all of them have.  No I/O.
 *
 * An object is a value of jansson's, which only api/ looks into.  What is missing
 * in an object, or has another type than it should, is NULL, 0 or -ENOENT.  Strings
 * that are read are borrowed from the object.
 *
 * Source: kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define KUBE_DEPTH_MAX 64 /* nested values: a Node with its managed fields has a dozen */

struct json_t; /* of jansson */

/* A label or an annotation. */
struct kube_pair {
	const char *key;
	const char *value; /* in a merge patch NULL removes it */
};

struct kube_pairs {
	const struct kube_pair *at;
	size_t n;
};

enum kube_map {
	KUBE_LABELS,
	KUBE_ANNOTATIONS,
	_KUBE_MAP_MAX,
};

/**
 * kube_object_parse() - Read an object.
 * @text: @len bytes of JSON
 * @len: number of bytes
 * @ret: the object, to be released with kube_object_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  no JSON object, or one that nests deeper than KUBE_DEPTH_MAX
 *   -ENOMEM   no memory
 */
int kube_object_parse(const char *text, size_t len, struct json_t **ret, struct error *err);

/**
 * kube_object_ref() - Keep an object that was borrowed.
 * @object: object, which nobody changes
 *
 * Return: @object, to be released with kube_object_free().
 */
struct json_t *kube_object_ref(const struct json_t *object);

/**
 * kube_object_free() - Release an object.
 * @object: object made by kube_object_parse(), or NULL
 */
void kube_object_free(struct json_t *object);
DEFINE_CLEANUP(struct json_t, kube_object_free);

/**
 * kube_object_name() - The name of an object.
 * @object: object
 *
 * Return: name, or NULL.
 */
const char *kube_object_name(const struct json_t *object);

/**
 * kube_object_resource_version() - The version of an object, or of a list.
 * @object: object
 *
 * Return: resource version, or NULL.
 */
const char *kube_object_resource_version(const struct json_t *object);

/**
 * kube_object_get() - Look up a label or an annotation.
 * @object: object
 * @map: which of both
 * @key: key
 *
 * Return: value, or NULL.
 */
const char *kube_object_get(const struct json_t *object, enum kube_map map, const char *key);

/**
 * typedef kube_key_fn - Called for every key that a manager owns.
 * @ctx: as given to kube_object_each_owned()
 * @key: the key; borrowed from the object
 */
typedef void (*kube_key_fn)(void *ctx, const char *key);

/**
 * kube_object_each_owned() - Go through the labels or annotations that a manager has applied.
 * @object: object with its managed fields
 * @manager: field manager; only what it has applied counts, not what it has updated
 * @map: which of both
 * @fn: called for each
 * @ctx: passed to @fn
 */
void kube_object_each_owned(const struct json_t *object, const char *manager, enum kube_map map,
			    kube_key_fn fn, void *ctx);

/**
 * kube_object_owns() - Whether a manager has applied a label or an annotation.
 * @object: object with its managed fields
 * @manager: field manager
 * @map: which of both
 * @key: key
 *
 * Return: true if it has.
 */
bool kube_object_owns(const struct json_t *object, const char *manager, enum kube_map map,
		      const char *key);

/**
 * kube_object_owns_condition() - Whether a manager has applied a condition.
 * @object: object with its managed fields
 * @manager: field manager
 * @type: type of the condition
 *
 * Return: true if it has.
 */
bool kube_object_owns_condition(const struct json_t *object, const char *manager, const char *type);
