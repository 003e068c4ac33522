/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file of which repository the target of a request names.
 *
 * A target is decoded once.  What could be read in two ways is refused: an encoded
 * slash or NUL, control characters, ".." between slashes.  "." between slashes is left
 * out, as apt asks for it in flat repositories.
 *
 * Source: RFC 3986, sections 2.1 and 3.3; RFC 9112, section 3.2
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reservoir/store/store.h"

#define PLACE_TARGET_MAX 4096 /* bytes of a target; a longer one is answered 414 */

enum place_kind {
	PLACE_OWN,	  /* a page of the server itself: @path, as in "metrics" or "" */
	PLACE_REPOSITORY, /* @path in @repository, in @snapshot if that is not "" */
	_PLACE_KIND_MAX,
};

struct place {
	enum place_kind kind;
	bool bare; /* the name of the repository ended the path: no slash came after it */
	char snapshot[STORE_NAME_MAX];
	char repository[STORE_NAME_MAX];
	char path[STORE_PATH_MAX]; /* "" for the root of the repository */
};

/**
 * place_parse() - Read the target of a request.
 * @target: target without its query, as the client sent it; any bytes but NUL
 * @ret: the place; untouched on failure
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL        the target is refused
 *   -ENAMETOOLONG  it is longer than any that exists
 *   -ENOENT        no snapshot or repository can have that name
 */
int place_parse(const char *target, struct place *ret, struct error *err);

/**
 * place_encode() - Write a path as it stands in a URL.
 * @path: path
 * @ret: receives it; three times its length and 5 bytes are always enough
 * @size: bytes of @ret
 */
void place_encode(const char *path, char *ret, size_t size);

/**
 * place_decode_value() - Decode a value of a query.
 * @value: value as the client sent it
 * @ret: receives it
 * @size: bytes of @ret
 *
 * Return: false for one that is too long, or has characters that no value has here.
 */
bool place_decode_value(const char *value, char *ret, size_t size);
