/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which page or file answers a client of a Python package index.
 *
 * Source: PEP 503 for redirects, PEP 691 "Version + Format Selection"; RFC 9110, 12.5.1
 */
#pragma once

#include <stdbool.h>

#include "reservoir/ecosystem.h"

/**
 * pypi_route() - Find what answers a request.
 * @manifest: manifest
 * @request: request
 * @ret: the answer
 */
void pypi_route(const struct manifest *manifest, const struct route_request *request,
		struct route *ret);

/**
 * pypi_package() - The project that a file belongs to.
 * @path: path below the repository
 * @ret: receives the normalised name
 * @size: bytes of @ret
 *
 * Return: false if it is no file of a project.
 */
bool pypi_package(const char *path, char *ret, size_t size);

/**
 * pypi_spell() - The one spelling of a project, as pypi_package() gives it.
 * @name: name
 * @ret: receives the normalised name
 * @size: bytes of @ret
 *
 * Return: false if it is no name.
 */
bool pypi_spell(const char *name, char *ret, size_t size);

/**
 * pypi_index_of() - The page that says where a file is.
 * @path: path below the repository
 * @ret: receives the path of the page
 *
 * Return: false if it is no file of a project.
 */
bool pypi_index_of(const char *path, char ret[STORE_PATH_MAX]);

/**
 * pypi_expect() - Tell which files a page vouches for.
 * @path: path of the page below the repository
 * @data: @len bytes: the page
 * @len: number of bytes
 * @fn: called for each file with a digest; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, what @fn returned, or -EINVAL when the page is broken.
 */
int pypi_expect(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
		struct error *err);
