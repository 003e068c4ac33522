/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request is answered with, without sending it: which file in which coding,
 * which part, or which status.
 *
 * Source: RFC 9110, sections 12 (negotiation), 13 (conditions), 14 (ranges), 15 (status)
 */
#pragma once

#include <stdbool.h>

#include "reservoir/serve/condition.h"
#include "reservoir/serve/hot.h"
#include "reservoir/serve/path.h"
#include "reservoir/serve/picture.h"

#define PLAN_LOCATION_MAX (3 * STORE_PATH_MAX) /* every byte encoded */

/* What of a request matters. */
struct request {
	const char *target; /* without the query */
	const char *format; /* of the query, or NULL */
	const char *accept; /* this and what follows: headers, or NULL */
	const char *accept_encoding;
	const char *authorization;
	const char *forwarded_for;
	const char *referer;
	const char *user_agent;
	struct condition condition;
	bool head;
	bool has_body;
	unsigned int hosts; /* lines with one */
};

struct plan {
	unsigned int status; /* 200, 206 and 304: of a file; others: of @text */
	struct hot_key key;
	struct byte_range range;	  /* of 206 */
	bool varies;			  /* of 406: by Accept */
	const char *text;		  /* static; what a person reads */
	char location[PLAN_LOCATION_MAX]; /* of 301 */
	char path[STORE_PATH_MAX];	  /* of a file: below its repository */
	bool counts;			  /* a package: one download of the statistics */
};

/**
 * plan_file() - Decide which file of a repository answers a request, if it is sent.
 * @repository: repository
 * @place: what the target names
 * @request: request
 * @ret: the plan; of a file its status is 200
 */
void plan_file(const struct picture_repository *repository, const struct place *place,
	       const struct request *request, struct plan *ret);

/**
 * plan_decide() - Decide which part of a file is sent, if any.
 * @request: request
 * @etag: entity tag of the file
 * @plan: plan of a file; its status is changed
 */
void plan_decide(const struct request *request, const char *etag, struct plan *plan);

/**
 * plan_text() - Answer with a status and a text.
 * @status: HTTP status
 * @text: static text
 * @ret: the plan
 */
void plan_text(unsigned int status, const char *text, struct plan *ret);

/**
 * plan_redirect() - Send a client to another path of the same repository.
 * @place: what the target names
 * @path: path below the repository
 * @request: request
 * @ret: the plan
 */
void plan_redirect(const struct place *place, const char *path, const struct request *request,
		   struct plan *ret);
