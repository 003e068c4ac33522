/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary text to what reads URLs and headers of upstreams: references of an
 * index, redirects, Content-Range.  What it accepts must be within its bounds, and what
 * people are shown has no credentials in it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/fetch/answer.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/fetch/url.h"

#define TEXT_MAX ((size_t)2 * FETCH_URL_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void try_url(const char *text)
{
	char joined[FETCH_URL_MAX];
	char host[URL_HOST_MAX];
	char shown[URL_SHOWN_MAX];
	struct error err = { 0 };
	enum url_scheme scheme;

	require(strlen(url_show(text, shown, sizeof(shown))) < sizeof(shown));
	if (url_check(text, &scheme, host, &err) == 0)
		require(scheme < _URL_SCHEME_MAX && strlen(host) < URL_HOST_MAX && host[0]);
	else
		require(err.code != 0 && err.msg[0] != '\0');
	if (fetch_url_join("https://user:secret@a.example/simple/b/", text, joined, &err) == 0)
		require(strlen(joined) < FETCH_URL_MAX && !strchr(joined, '#'));
	else
		require(strstr(text, "secret") || !strstr(err.msg, "secret"));
}

static void try_header(const char *text)
{
	struct answer_range range;

	(void)answer_etag_is_strong(text);
	if (answer_range_parse(text, &range) < 0)
		return;
	require(!range.satisfied || range.first <= range.last);
	require(!range.satisfied || range.total == 0 || range.last < range.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_url(text);
	try_header(text);
	return 0;
}
