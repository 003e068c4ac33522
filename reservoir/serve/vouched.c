/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/vouched.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

#define SPACE_MAX (STORE_NAME_MAX + 8)

static void space_of(const char *repository, char ret[SPACE_MAX])
{
	(void)snprintf(ret, SPACE_MAX, "expect/%s", repository);
}

bool vouched_get(struct catalogue *catalogue, const char *repository, const char *path,
		 struct vouched *ret, char url[FETCH_URL_MAX])
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(sizeof(*ret) + FETCH_URL_MAX);
	char space[SPACE_MAX];
	struct error err;

	space_of(repository, space);
	if (catalogue_get(catalogue, space, path, &value, &err) < 0 || value.len < sizeof(*ret))
		return false;
	memcpy(ret, value.data, sizeof(*ret));
	return str_copy(url, FETCH_URL_MAX, value.data + sizeof(*ret)) == 0;
}

int vouched_put(struct catalogue *catalogue, const char *repository, const char *path,
		const struct vouched *vouched, const char *url)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(sizeof(*vouched) + FETCH_URL_MAX);
	char space[SPACE_MAX];

	space_of(repository, space);
	strbuf_add(&value, (const char *)vouched, sizeof(*vouched));
	strbuf_add(&value, url, strlen(url) + 1);
	return strbuf_error(&value) < 0
		       ? strbuf_error(&value)
		       : catalogue_put(catalogue, space, path, value.data, value.len, NULL);
}
