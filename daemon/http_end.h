/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP end of a daemon, for metrics and probes: it listens, or waits until the
 * address is free.
 *
 * Source: none outside the project
 */
#pragma once

#include "api/metrics/http.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

struct http_end;

/**
 * http_end_new() - Begin to serve, or to wait.
 * @loop: loop that serves
 * @address: as http_address_parse() takes it
 * @routes: table of paths; borrowed for good
 * @ctx: passed to the functions of @routes
 * @ret: the end, to be released with http_end_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -EINVAL if the address is none.
 */
int http_end_new(struct loop *loop, const char *address, const struct http_route *routes, void *ctx,
		 struct http_end **ret, struct error *err);

/**
 * http_end_check() - Try again to listen, if that has failed.
 * @end: end or NULL
 */
void http_end_check(struct http_end *end);

/**
 * http_end_server() - The server.
 * @end: end
 *
 * Return: the server; NULL while the address is not free.
 */
struct http_server *http_end_server(const struct http_end *end);

/**
 * http_end_metrics() - The answer to a question for metrics.
 * @r: what came of writing them, 0 or a negative errno
 * @err: set if that failed
 * @body: the metrics; replaced by the error if there is one
 *
 * Return: status of the answer.
 */
int http_end_metrics(int r, const struct error *err, struct strbuf *body);

/**
 * http_end_free() - Stop to serve.
 * @end: end or NULL
 */
void http_end_free(struct http_end *end);
DEFINE_CLEANUP(struct http_end, http_end_free);
