/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional requests and ranges.
 *
 * Source: RFC 9110, sections 5.6.7 (dates), 13 (conditions) and 14 (ranges)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/store/digest.h"
#include "reservoir/store/media.h"

#define ETAG_MAX 48	 /* 32 hex digits, a coding, two quotes and the NUL */
#define HTTP_DATE_MAX 64 /* "Sun, 06 Nov 1994 08:49:37 GMT" and the NUL; any int that tm has */

/**
 * etag_format() - The entity tag of a file: strong, and the same on every replica.
 * @digest: what it hashes to, as it is sent
 * @encoding: its content coding
 * @ret: receives the tag with its quotes
 */
void etag_format(const struct digest *digest, enum encoding encoding, char ret[ETAG_MAX]);

/**
 * http_date_format() - Write a date as HTTP has it.
 * @seconds: since 1970
 * @ret: receives the date; "" for years that have not four digits
 */
void http_date_format(int64_t seconds, char ret[HTTP_DATE_MAX]);

/**
 * http_date_parse() - Read a date in any of HTTP's three forms.
 * @text: date
 * @ret: seconds since 1970
 *
 * Return: true if it is one.
 */
bool http_date_parse(const char *text, int64_t *ret);

/* What of a request decides which part of a file is sent, if any; each may be NULL. */
struct condition {
	const char *if_match;
	const char *if_unmodified_since;
	const char *if_none_match;
	const char *if_modified_since;
	const char *range;
	const char *if_range;
};

enum condition_outcome {
	CONDITION_WHOLE,	 /* 200 */
	CONDITION_UNCHANGED,	 /* 304 */
	CONDITION_PART,		 /* 206 */
	CONDITION_FAILED,	 /* 412 */
	CONDITION_UNSATISFIABLE, /* 416 */
	_CONDITION_OUTCOME_MAX,
};

struct byte_range {
	uint64_t first;
	uint64_t length; /* at least 1 */
};

/**
 * condition_decide() - What a request gets of a file.
 * @condition: headers of the request
 * @etag: entity tag of the file
 * @mtime: its Last-Modified
 * @size: its bytes
 * @ret: the part, of CONDITION_PART
 *
 * A request for several ranges gets the whole, as RFC 9110 section 14.2 allows: no
 * client of a package mirror asks for them, and each would cost a multipart body.
 *
 * Return: enum condition_outcome.
 */
enum condition_outcome condition_decide(const struct condition *condition, const char *etag,
					int64_t mtime, uint64_t size, struct byte_range *ret);
