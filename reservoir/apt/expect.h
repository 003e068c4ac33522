/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the paths and indexes of APT say, for the cache and for statistics.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include <stdbool.h>

#include "reservoir/ecosystem.h"

/**
 * apt_expect() - Tell which files an index vouches for.
 * @path: path of the index below the repository
 * @data: @len bytes: the index
 * @len: number of bytes
 * @fn: called for each file; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Signatures are not looked at.
 *
 * Return: 0, what @fn returned, or -EBADMSG when the index is damaged.
 */
int apt_expect(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
	       struct error *err);

/**
 * apt_keyring() - The keys that must have signed the suites of a repository that caches.
 * @repository: repository
 *
 * Return: file, or "" when it is configured to take them unverified; borrowed.
 */
const char *apt_keyring(const struct repository *repository);

/**
 * apt_check() - Whether what no index vouches for was signed.
 * @keyring: file of keys
 * @path: path below the repository
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Only InRelease carries its signature in itself; it vouches for everything else.
 *
 * Return: 0, or as openpgp_read_inline(); -EKEYREJECTED for any other file.
 */
int apt_check(const char *keyring, const char *path, const void *data, size_t len,
	      struct error *err);

/**
 * apt_package() - Which package a file belongs to.
 * @path: path below the repository
 * @ret: receives the name of the package
 * @size: bytes of @ret
 *
 * Return: false if it is no file of a package.
 */
bool apt_package(const char *path, char *ret, size_t size);
