/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the indexes that a cache has read say of files: hashes, sizes and where they are.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/fetch/fetch.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/digest.h"

/* What an index says of a path. */
struct vouched {
	struct digest sha256;
	uint64_t size;
};

/**
 * vouched_get() - Look for what an index says of a path.
 * @catalogue: catalogue of the cache
 * @repository: repository
 * @path: path
 * @ret: receives it
 * @url: receives where the file is; "" when its path says so
 *
 * Return: whether an index says something.
 */
bool vouched_get(struct catalogue *catalogue, const char *repository, const char *path,
		 struct vouched *ret, char url[FETCH_URL_MAX]);

/**
 * vouched_put() - Note what an index says of a path, in the open transaction.
 * @catalogue: catalogue of the cache
 * @repository: repository
 * @path: path, shorter than STORE_PATH_MAX
 * @vouched: what it says
 * @url: where the file is, or "" when its path says so
 *
 * Return: 0, or as of catalogue_put().
 */
int vouched_put(struct catalogue *catalogue, const char *repository, const char *path,
		const struct vouched *vouched, const char *url);
