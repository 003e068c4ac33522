/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer means: pure functions over status codes and header values.
 *
 * Source: RFC 9110, sections 14.4 (Content-Range), 15 (status codes), 8.8.3 (ETag) and
 * 5.6.7 (dates)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ANSWER_DATE_SIZE 48 /* bytes of "Sun, 06 Nov 1994 08:49:37 GMT" and the NUL, and more */

enum answer {
	ANSWER_WHOLE,	/* 200 */
	ANSWER_PART,	/* 206 */
	ANSWER_SAME,	/* 304 */
	ANSWER_ABSENT,	/* 404, 410 */
	ANSWER_BEYOND,	/* 416 */
	ANSWER_BUSY,	/* 429, 503 and others that may pass: to be asked again */
	ANSWER_REFUSED, /* all else: asking again would not help */
	_ANSWER_MAX,
};

/* A Content-Range; @total is 0 where it is "*". */
struct answer_range {
	bool satisfied; /* false: of a 416, which names the total only */
	uint64_t first;
	uint64_t last;
	uint64_t total;
};

/**
 * answer_of_status() - What a status code means.
 * @status: three digits
 *
 * Return: answer.
 */
enum answer answer_of_status(long status);

/**
 * answer_range_parse() - Read a Content-Range.
 * @text: value of the header
 * @ret: the range
 *
 * Return: 0, or -EINVAL.
 */
int answer_range_parse(const char *text, struct answer_range *ret);

/**
 * answer_etag_is_strong() - Whether an entity tag vouches for every byte.
 * @etag: value of the header
 *
 * Return: true for a quoted one without "W/".
 */
bool answer_etag_is_strong(const char *etag);

/**
 * answer_date_format() - Write a time as HTTP does.
 * @seconds: since 1970
 * @ret: receives ANSWER_DATE_SIZE bytes
 *
 * Return: @ret, "" for a time that has no four-digit year.
 */
const char *answer_date_format(int64_t seconds, char ret[ANSWER_DATE_SIZE]);
