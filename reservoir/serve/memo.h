/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a thread found out for the requests that it sees most: the file that a target,
 * an Accept and an Accept-Encoding lead to in a picture.  Who asks, and whether they
 * may, is not part of it.
 *
 * Source: a direct-mapped cache
 */
#pragma once

#include "reservoir/serve/plan.h"

#define MEMO_PATH_MAX 256 /* bytes with the NUL; longer paths are looked up each time */

struct memo;

struct memo_entry {
	const struct picture_repository *repository; /* of the picture */
	struct hot_key key;
	bool counts;
	char etag[ETAG_MAX];
	char path[MEMO_PATH_MAX];
};

/**
 * memo_new() - Make a memo.
 *
 * Return: the memo, to be released with free(); or NULL without memory.
 */
struct memo *memo_new(void);

/**
 * memo_find() - Find what was noted.
 * @memo: memo of the calling thread, or NULL
 * @picture: picture that is served
 * @request: request
 *
 * Return: the entry, borrowed until the next memo_note(); or NULL.
 */
const struct memo_entry *memo_find(const struct memo *memo, const struct picture *picture,
				   const struct request *request);

/**
 * memo_note() - Note what a request led to.
 * @memo: memo of the calling thread, or NULL
 * @picture: picture that is served
 * @request: request
 * @repository: repository of @picture
 * @plan: a file of it
 */
void memo_note(struct memo *memo, const struct picture *picture, const struct request *request,
	       const struct picture_repository *repository, const struct plan *plan);
