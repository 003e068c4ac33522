/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tiny HTTP/1.1 server of the test: what it answers is the test's to say.
 *
 * Source: RFC 9112
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORIGIN_URL_MAX 64
#define ORIGIN_HEAD_MAX 8192

struct origin_answer {
	const char *status;  /* "200 OK"; NULL: the connection is closed at once */
	const char *headers; /* each with its CRLF, or NULL */
	const void *body;
	size_t len;
	bool no_length;	 /* the body ends with the connection */
	size_t cut;	 /* bytes of the body, then the connection is closed; 0 for all */
	bool is_hanging; /* what is left never comes */
};

/**
 * typedef origin_fn - Says what to answer; called from several threads.
 * @ctx: as given to origin_start()
 * @path: path of the request
 * @head: request line and headers
 * @nth: how many requests of the path came before
 *
 * Return: answer; what it points to lives on.
 */
typedef struct origin_answer (*origin_fn)(void *ctx, const char *path, const char *head,
					  unsigned int nth);

struct origin;

/**
 * origin_start() - Start a server on a port of 127.0.0.1.
 * @fn: says what to answer
 * @ctx: given to @fn
 *
 * Return: the server, to be stopped with origin_stop(); fails the test otherwise.
 */
struct origin *origin_start(origin_fn fn, void *ctx);

/**
 * origin_stop() - Stop a server.
 * @origin: server
 */
void origin_stop(struct origin *origin);

/**
 * origin_url() - Where a server is.
 * @origin: server
 *
 * Return: as in "http://127.0.0.1:1234".
 */
const char *origin_url(const struct origin *origin);

/**
 * origin_count() - How many requests have come.
 * @origin: server
 *
 * Return: number.
 */
unsigned int origin_count(struct origin *origin);

/**
 * origin_peak() - How many were answered at once at most.
 * @origin: server
 *
 * Return: number.
 */
unsigned int origin_peak(struct origin *origin);

/**
 * origin_header() - Find a header of a request.
 * @head: request line and headers
 * @name: name with its colon, as in "Range:"
 * @value: receives at most @size bytes with the NUL
 * @size: size of @value
 *
 * Return: true if it is there.
 */
bool origin_header(const char *head, const char *name, char *value, size_t size);
