/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/origin.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/serve/path.h"

bool origin_find(const struct ecosystem *ecosystem, const struct repository *repository,
		 const char *path, struct origin *ret)
{
	const char *upstream = repository->upstream;
	const char *slash = upstream[strlen(upstream) - 1] == '/' ? "" : "/";
	char encoded[3 * STORE_PATH_MAX];

	memset(ret, 0, sizeof(*ret));
	if (ecosystem->origin)
		return ecosystem->origin(repository, path, ret);
	place_encode(path, encoded, sizeof(encoded));
	return str_copy(ret->path, sizeof(ret->path), path) == 0 &&
	       (size_t)snprintf(ret->url, sizeof(ret->url), "%s%s%s", upstream, slash, encoded) <
		       sizeof(ret->url);
}
