/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a large JSON document into members, so that each can be given to the JSON
 * library alone and the memory does not grow with the document.
 *
 * Only where values begin and end is looked at here; whether they are JSON is said by
 * whoever reads them.
 *
 * Source: RFC 8259
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define JSON_SLICE_DEPTH_MAX 32 /* brackets within each other in one value */

struct json_slice {
	const char *text;
	size_t len;
};

/**
 * typedef json_slice_fn - Is told a member.
 * @ctx: as given
 * @key: what is between the quotes, with its escapes; empty for an array
 * @value: the value, not looked at
 * @err: set on failure
 *
 * Return: 0; a negative value ends the walk.
 */
typedef int (*json_slice_fn)(void *ctx, struct json_slice key, struct json_slice value,
			     struct error *err);

/**
 * json_slice_each() - Tell the members of an object, or the elements of an array.
 * @whole: object or array
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, what @fn returned, or -EINVAL.
 */
int json_slice_each(struct json_slice whole, json_slice_fn fn, void *ctx, struct error *err);

/**
 * json_slice_is() - Whether a key is a word.
 * @slice: key
 * @word: NUL-terminated word
 *
 * Return: 1 or 0.
 */
int json_slice_is(struct json_slice slice, const char *word);
