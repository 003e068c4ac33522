/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that are sent no faster than a limit allows: a connection whose bucket is
 * empty sleeps, and one thread wakes all that may go on.
 *
 * Source: MHD_suspend_connection() of microhttpd.h
 */
#pragma once

#include <stdint.h>

#include "reservoir/serve/limit.h"
#include "reservoir/serve/picture.h"

struct MHD_Connection;
struct MHD_Response;

struct pacer;

/* A body, and what limits it. */
struct paced_body {
	struct MHD_Connection *connection;
	int fd;			 /* taken over on success */
	uint64_t first;		 /* offset in the file */
	uint64_t length;	 /* bytes */
	struct picture *picture; /* referenced: the limits are its setup's */
	struct limit *client;	 /* or NULL */
	struct limit_key key;	 /* of the client */
	struct limit *shared;	 /* of the repository, or NULL */
	uint64_t *sent;		 /* counts the bytes; of the connection */
};

/**
 * pacer_new() - Start the thread.
 * @ret: the pacer, to be released with pacer_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM or -EAGAIN.
 */
int pacer_new(struct pacer **ret, struct error *err);

/**
 * pacer_end() - Let all bodies go on without a limit, so that they can end.
 * @pacer: pacer or NULL
 */
void pacer_end(struct pacer *pacer);

/**
 * pacer_free() - Release a pacer; no body may be left.
 * @pacer: pacer or NULL
 */
void pacer_free(struct pacer *pacer);
DEFINE_CLEANUP(struct pacer, pacer_free);

/**
 * pacer_response() - Make a response of a body.
 * @pacer: pacer
 * @paced: body; copied
 * @ret: the response, owned
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int pacer_response(struct pacer *pacer, const struct paced_body *paced, struct MHD_Response **ret,
		   struct error *err);
