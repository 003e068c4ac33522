/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP request: bytes in, what is asked for or a status out.
 *
 * Strict on purpose, since strictness is short: lines end with CR LF, nothing is
 * folded, and a request that announces a body is refused instead of read.
 *
 * Source: RFC 9112 (HTTP/1.1), RFC 9110 (HTTP semantics)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a head.  Kubernetes' probes and Prometheus send less than 1 KiB. */
#define HTTP_HEAD_MAX 8192
#define HTTP_FIELDS_MAX 64 /* of a head; Prometheus sends 6 */

/* Bytes of a path with the NUL; what is longer cannot be one of ours.  A longer
 * target is still read as long as the head fits. */
#define HTTP_PATH_MAX 64

/* What is left to be done about a request; every other value is a refusal. */
#define HTTP_MORE 0 /* the head is not complete */
#define HTTP_OK 200

struct http_request {
	bool head_only;		  /* HEAD: the answer has no body */
	bool keep_alive;	  /* the client wants to go on */
	bool is_1_0;		  /* HTTP/1.0 */
	char path[HTTP_PATH_MAX]; /* without the query; "" when it is longer */
	size_t len;		  /* bytes of the head, what is before it among them */
};

/**
 * http_request_parse() - Read the head of a request.
 * @data: @len bytes, the connection's from where a request begins
 * @len: number of bytes, at most HTTP_HEAD_MAX
 * @ret: the request.  On a refusal @head_only tells how to answer, if that much
 *	was understood; @keep_alive is then false.
 *
 * A refusal ends the connection: where the next request begins is not known.
 *
 * Return: HTTP_OK, HTTP_MORE (only below HTTP_HEAD_MAX bytes), or the status of
 *   the answer
 *   400  it is no request, or one that may be read in two ways
 *   405  the method is neither GET nor HEAD
 *   413  it has a body
 *   414  the request line does not fit
 *   431  the head does not fit, or has too many fields
 *   501  the method or the transfer coding is unknown
 *   505  the version is not HTTP/1
 */
int http_request_parse(const char *data, size_t len, struct http_request *ret);
