/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server for a few paths that are asked for now and then: metrics and
 * probes.  It runs on the event loop, has no thread and never blocks it.
 *
 * It is our own because the libraries for this bring along what a node does not
 * need: libmicrohttpd pulls GnuTLS into a process of 7 MB.  What is left out makes
 * it small: no bodies of requests, no TLS, no compression, no ranges.
 *
 * A table says what is at a path.  An answer is either written at once, or put off:
 * its function then gets a token, to be given back with the answer when that is
 * known.  A token of a client that has gone, or has waited too long, is void and
 * does no harm.
 *
 *	static const struct http_route routes[] = {
 *		{ .path = "/metrics", .type = METRICS_CONTENT_TYPE, .answer = metrics },
 *		{ .path = "/healthz", .put_off = start_check },
 *		{ 0 },
 *	};
 *
 * Source: RFC 9112 (HTTP/1.1), RFC 9110 (HTTP semantics)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/metrics/http_listener.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/strbuf.h"

/* Clients at a time: a Prometheus or two, a kubelet that probes, a person.  More
 * of them wait in the queue of the socket. */
#define HTTP_CONNECTIONS_MAX 16

/* Bytes of a body: 20,000 samples of 200 bytes. */
#define HTTP_BODY_MAX ((size_t)4 * 1024 * 1024)

/* What errors, and answers whose route names no type, are. */
#define HTTP_TYPE_PLAIN "text/plain; charset=utf-8"

struct http_server;

/* A row of a table that ends with a NULL path. */
struct http_route {
	const char *path; /* as in "/metrics" */
	const char *type; /* Content-Type; NULL: HTTP_TYPE_PLAIN */
	/* Appends the body to @body, which is empty, and returns the status of the
	 * answer: 200, 500 or 503.  Context: the loop's thread. */
	int (*answer)(void *ctx, struct strbuf *body);
	/* Instead of @answer: begins to find out, and later gives @token to
	 * http_server_reply(), or at once.  Context: the loop's thread. */
	void (*put_off)(void *ctx, uint64_t token);
};

/* How long a client may take, in milliseconds, and how often it may ask. */
struct http_limits {
	uint32_t head_ms;    /* to send the head of a request */
	uint32_t idle_ms;    /* between two requests */
	uint32_t put_off_ms; /* until an answer that was put off becomes a 503 */
	uint32_t write_ms;   /* to read an answer */
	uint32_t linger_ms;  /* to close its end, once the last answer was sent */
	uint32_t accept_ms;  /* the server's, until it accepts again after it could not */
	uint32_t n_requests; /* on one connection */
};

/* head: 5 s end a client that sends a byte now and then.  idle: longer than
 * Prometheus' usual minute between scrapes.  put_off: a kubelet gives up on a probe
 * after 1 s by default.  write: as long as Prometheus waits for a scrape. */
#define HTTP_LIMITS_DEFAULT                         \
	((struct http_limits) { .head_ms = 5000,    \
				.idle_ms = 120000,  \
				.put_off_ms = 5000, \
				.write_ms = 10000,  \
				.linger_ms = 1000,  \
				.accept_ms = 1000,  \
				.n_requests = 1000 })

/**
 * http_server_new() - Listen and serve.
 * @loop: loop that serves
 * @address: where to listen
 * @routes: table of paths; borrowed for good
 * @limits: limits, or NULL for HTTP_LIMITS_DEFAULT
 * @ctx: passed to the functions of @routes
 * @ret: the server, to be released with http_server_free()
 * @err: set on failure; names the address
 *
 * Context: the loop's thread.
 * Return: 0, or -ENOMEM, or a negative errno as http_listener_open(),
 *   loop_add_fd() and loop_add_timer() have it.
 */
int http_server_new(struct loop *loop, const struct http_address *address,
		    const struct http_route *routes, const struct http_limits *limits, void *ctx,
		    struct http_server **ret, struct error *err);

/**
 * http_server_free() - Close the socket and all connections.
 * @server: server or NULL
 *
 * Not to be called by a function of a route.
 *
 * Context: the loop's thread.
 */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server, http_server_free);

/**
 * http_server_reply() - Give an answer that was put off.
 * @server: server that gave the token, or NULL: nothing happens
 * @token: token; nothing happens if it is void
 * @status: status of the answer: 200, 500 or 503
 * @text: the body; copied
 *
 * Context: the loop's thread.
 */
void http_server_reply(struct http_server *server, uint64_t token, int status, const char *text);

/**
 * http_server_address() - Write where a server listens.
 * @server: server
 * @ret: the address as http_address_parse() takes it, with the port chosen
 *
 * Return: 0, or -errno as getsockname(2) leaves it.
 */
int http_server_address(const struct http_server *server, char ret[HTTP_ADDRESS_TEXT_MAX]);
