/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP response.
 *
 * Source: RFC 9112, 4 (status line); RFC 9110, 5.6.7 (dates), 15 (status codes)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/strbuf.h"

#define HTTP_RESPONSE_HEAD_MAX 512 /* bytes; everything in a head is ours */

struct http_response {
	int status;
	const char *type; /* Content-Type; at most 128 bytes */
	size_t len;	  /* of the body */
	bool close;	  /* the connection ends behind it */
	bool keeps_alive; /* said to an HTTP/1.0 client, which would not expect it */
	time_t date;	  /* now */
};

/**
 * http_status_text() - Name a status.
 * @status: status code
 *
 * Return: its reason phrase, static; "Unknown" for one that is never sent here.
 */
const char *http_status_text(int status);

/**
 * http_response_write_head() - Write a head, the empty line behind it included.
 * @out: appended to
 * @response: what it says
 */
void http_response_write_head(struct strbuf *out, const struct http_response *response);
