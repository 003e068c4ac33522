/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/parse.h"
#include "reservoir/fetch/fetch.h"

DEFINE_CLEANUP(CURLU, curl_url_cleanup);
DEFINE_CLEANUP(char, curl_free);

static const char *const schemes[] = {
	[URL_HTTP] = "http",
	[URL_HTTPS] = "https",
	[URL_FILE] = "file",
};

static int refuse(const char *url, const char *why, struct error *err)
{
	char shown[URL_SHOWN_MAX];

	if (!str_is_printable(url))
		return error_set(err, EINVAL, "a URL is not printable ASCII");
	return error_set(err, EINVAL, "URL '%s' %s", url_show(url, shown, sizeof(shown)), why);
}

static int find_scheme(CURLU *parsed, enum url_scheme *ret)
{
	_cleanup_(curl_freep) char *scheme = NULL;

	if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return -EINVAL;
	for (int i = 0; i < _URL_SCHEME_MAX; i++)
		if (strcmp(scheme, schemes[i]) == 0) {
			*ret = (enum url_scheme)i;
			return 0;
		}
	return -EINVAL;
}

static int find_host(CURLU *parsed, enum url_scheme scheme, char ret[URL_HOST_MAX])
{
	_cleanup_(curl_freep) char *host = NULL;
	_cleanup_(curl_freep) char *port = NULL;
	int n;

	if (scheme == URL_FILE)
		return str_copy(ret, URL_HOST_MAX, "file://");
	if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host[0] ||
	    curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return -EINVAL;
	n = snprintf(ret, URL_HOST_MAX, "%s://%s:%s", schemes[scheme], host, port);
	return n < 0 || n >= URL_HOST_MAX ? -EINVAL : 0;
}

int url_check(const char *url, enum url_scheme *ret_scheme, char ret_host[URL_HOST_MAX],
	      struct error *err)
{
	_cleanup_(curl_url_cleanupp) CURLU *parsed = curl_url();
	enum url_scheme scheme;

	if (!parsed)
		return error_set(err, ENOMEM, "no memory for a URL");
	if (strlen(url) >= FETCH_URL_MAX)
		return refuse(url, "is too long", err);
	if (!str_is_printable(url) || strchr(url, ' '))
		return refuse(url, "has a space in it", err);
	if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return refuse(url, "is malformed", err);
	if (find_scheme(parsed, &scheme) < 0)
		return refuse(url, "is neither of http, https nor file", err);
	if (find_host(parsed, scheme, ret_host) < 0)
		return refuse(url, "has no host", err);
	*ret_scheme = scheme;
	return 0;
}

/* Where the credentials of an authority end and its host begins. */
static const char *skip_credentials(const char *authority)
{
	size_t len = strcspn(authority, "/?#");
	const char *at = memrchr(authority, '@', len);

	return at ? at + 1 : authority;
}

const char *url_show(const char *url, char *ret, size_t size)
{
	const char *colon = strstr(url, "://");
	const char *rest = colon ? skip_credentials(colon + 3) : url;
	size_t len = strcspn(rest, "?");
	int n;

	n = snprintf(ret, size, "%.*s%.*s%s", colon ? (int)(colon + 3 - url) : 0, url,
		     (int)MIN(len, (size_t)FETCH_URL_MAX), rest, rest[len] ? "?..." : "");
	if (n < 0 || (size_t)n >= size)
		memcpy(ret + size - 4, "...", 4);
	return ret;
}

static int join(CURLU *parsed, const char *base, const char *reference)
{
	if (curl_url_set(parsed, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return -EINVAL;
	if (reference[0] && curl_url_set(parsed, CURLUPART_URL, reference,
					 CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK)
		return -EINVAL;
	return curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK ? 0 : -EINVAL;
}

static bool is_of_file(const char *url)
{
	return strncasecmp(url, "file:", strlen("file:")) == 0;
}

int fetch_url_join(const char *base, const char *reference, char ret[FETCH_URL_MAX],
		   struct error *err)
{
	_cleanup_(curl_url_cleanupp) CURLU *parsed = curl_url();
	_cleanup_(curl_freep) char *joined = NULL;
	char bare[FETCH_URL_MAX];
	size_t len = strcspn(reference, "#");

	if (!parsed)
		return error_set(err, ENOMEM, "no memory for a URL");
	if (len >= sizeof(bare))
		return error_set(err, EINVAL, "a URL is too long");
	memcpy(bare, reference, len);
	bare[len] = '\0';
	if (join(parsed, base, bare) < 0 ||
	    curl_url_get(parsed, CURLUPART_URL, &joined, 0) != CURLUE_OK)
		return refuse(bare, "is malformed", err);
	/* Else an index could have the files of this machine published. */
	if (is_of_file(joined) && !is_of_file(base))
		return refuse(joined, "leads from the network to this machine", err);
	if (str_copy(ret, FETCH_URL_MAX, joined) < 0)
		return refuse(joined, "is too long", err);
	return 0;
}
