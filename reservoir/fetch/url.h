/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of requests: which are accepted, which host they go to, and how they are
 * shown to people.  fetch_url_join() of fetch.h is defined here too.
 *
 * Source: RFC 3986; the parser is libcurl's, curl_url_set(3)
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define URL_HOST_MAX 288  /* bytes with the NUL of scheme, host name of 255 and port */
#define URL_SHOWN_MAX 240 /* bytes with the NUL: leaves room for two digests in an error */

enum url_scheme {
	URL_HTTP,
	URL_HTTPS,
	URL_FILE,
	_URL_SCHEME_MAX,
};

/**
 * url_check() - See whether a URL may be asked for, and where that leads.
 * @url: NUL-terminated text from outside
 * @ret_scheme: its scheme
 * @ret_host: receives "scheme://host:port", without credentials
 * @err: set on failure, without credentials
 *
 * Return: 0, or
 *   -EINVAL  too long, not printable, malformed, or another scheme
 *   -ENOMEM  no memory
 */
int url_check(const char *url, enum url_scheme *ret_scheme, char ret_host[URL_HOST_MAX],
	      struct error *err);

/**
 * url_show() - Write a URL as people may see it.
 * @url: URL
 * @ret: receives at most @size bytes with the NUL; what is longer ends in "..."
 * @size: size of @ret, at least 4
 *
 * What stands before an "@" is left out, and a query is "?...": both may be secrets.
 *
 * Return: @ret.
 */
const char *url_show(const char *url, char *ret, size_t size);
