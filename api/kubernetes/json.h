/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share about JSON.
 *
 * Source: jansson.readthedocs.io, "API Reference"; RFC 8259; RFC 3339
 */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

#define JSON_TIME_SIZE sizeof("9999-12-31T23:59:59Z")
#define JSON_TIME_MAX_S INT64_C(253402300799) /* the last second of the year 9999 */

/**
 * json_find() - Go down from object to object.
 * @json: where to begin, or NULL
 * @keys: keys, ending with NULL
 *
 * Return: the value, borrowed, or NULL when one of them is not there.
 */
json_t *json_find(const json_t *json, const char *const *keys);
#define JSON_FIND(json, ...) json_find(json, (const char *const[]) { __VA_ARGS__, NULL })

/**
 * json_text() - The text of a string.
 * @json: value, or NULL
 *
 * Return: NUL-terminated text, borrowed, or NULL when it is no string or has a NUL inside.
 */
const char *json_text(const json_t *json);

/**
 * json_take() - Hand a body over as text.
 * @json: value, whose reference is taken; NULL when it could not be made
 * @what: what it is, for the error
 * @ret: the text, to be released with free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  @json is NULL
 *   -ENOMEM  no memory
 */
int json_take(json_t *json, const char *what, char **ret, struct error *err);

/**
 * json_time() - Write a time.
 * @seconds: since 1970
 * @buf: JSON_TIME_SIZE bytes
 *
 * Return: 0, or -EINVAL when it is before 1970 or behind the year 9999.
 */
int json_time(int64_t seconds, char *buf);

/**
 * json_parse_time() - Read a time as the API server writes it.
 * @text: as in 2026-01-31T12:00:00Z, with or without a fraction; may be NULL
 *
 * Return: seconds since 1970, 0 when it is no such time.
 */
int64_t json_parse_time(const char *text);
