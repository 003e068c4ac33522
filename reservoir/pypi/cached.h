/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a repository that caches: where they are asked for, and what clients get,
 * with all URLs below this server.
 *
 * Source: reservoir/ecosystem.h; PEP 503, 691, 714
 */
#pragma once

#include "reservoir/ecosystem.h"

/**
 * pypi_origin() - Where a path is asked for.
 * @repository: repository
 * @path: path below it
 * @ret: how the path is spelt, and its URL; "" for a file, whose page tells it
 *
 * Return: false for what an index does not have. The list of all projects is not
 *   cached: no client of one needs it.
 */
bool pypi_origin(const struct repository *repository, const char *path, struct origin *ret);

/**
 * pypi_pages() - Write what clients get of a page.
 * @path: path of the page below the repository
 * @url: where it came from
 * @data: @len bytes: the page
 * @len: number of bytes
 * @fn: called for JSON and HTML, each plain, in gzip and in zstd
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Files without a SHA-256 are left out, as nothing can be held against them.
 *
 * Return: 0, what @fn returned, -EINVAL when the page is broken, or -ENOMEM.
 */
int pypi_pages(const char *path, const char *url, const void *data, size_t len, page_fn fn,
	       void *ctx, struct error *err);
