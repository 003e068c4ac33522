/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access log: a line per request, gathered per thread and written by one.  Lines that
 * nobody reads, from a pipe that is full, are lost: the server goes on.
 *
 * Source: the combined format of the Apache HTTP server, with the repository and the
 * milliseconds after it
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/serve/trouble.h"

#define ACCESS_LOG_THREADS 130u /* as WORKERS_MAX */

struct access_log;

struct access_line {
	const char *address;
	const char *user; /* "-" for none */
	const char *method;
	const char *target;  /* as it was sent */
	const char *version; /* as in "HTTP/1.1" */
	unsigned int status;
	uint64_t bytes;		/* of the body */
	const char *referer;	/* or NULL */
	const char *user_agent; /* or NULL */
	const char *repository; /* "-" for none */
	uint64_t duration_ns;
	int64_t time; /* seconds since 1970 */
};

/**
 * access_log_new() - Open the access log, and start the thread that writes it.
 * @path: file, made if it is not there and appended to; "-" for standard output
 * @ret: the log, to be released with access_log_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM, or negative errno of the system.
 */
int access_log_new(const char *path, struct access_log **ret, struct error *err);

/**
 * access_log_trouble() - Say how writing it goes.
 * @log: log
 *
 * Return: borrowed from @log.
 */
const struct trouble *access_log_trouble(const struct access_log *log);

/**
 * access_log_free() - Write what is left, and release the log.
 * @log: log or NULL
 */
void access_log_free(struct access_log *log);
DEFINE_CLEANUP(struct access_log, access_log_free);

/**
 * access_log_reopen() - Open the file again, as after a rotation.
 * @log: log or NULL
 * @err: set on failure; then the old one is gone on with
 *
 * Return: 0, or negative errno of the system.
 */
int access_log_reopen(struct access_log *log, struct error *err);

/**
 * access_log_add() - Log a request.
 * @log: log or NULL
 * @thread: number of the calling thread, below ACCESS_LOG_THREADS; no two share one
 * @line: request; what is in quotes is escaped
 */
void access_log_add(struct access_log *log, unsigned int thread, const struct access_line *line);
