/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads compressed indexes, in pieces, with bounds on what may come out of them.
 *
 * Source: libarchive's archive_read(3), format "raw"
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/object.h"

/* Contents of all of Debian has 1 GB. */
#define UNPACK_MAX ((uint64_t)8 * 1024 * 1024 * 1024)
/* Indexes of packages come down to a tenth; more than this is made to fill memory. */
#define UNPACK_RATIO_MAX 1000u

/**
 * typedef unpack_fn - Takes the next bytes.
 * @ctx: as given to unpack_object()
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or negative errno to end the reading.
 */
typedef int (*unpack_fn)(void *ctx, const char *data, size_t len, struct error *err);

/**
 * unpack_object() - Read an object, decompressed by what its first bytes say.
 * @store: store
 * @digest: the object's name
 * @fn: called with the next bytes; a negative return ends the reading
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, what @fn returned, or
 *   -ENOENT   there is no such object
 *   -EBADMSG  it is damaged
 *   -EFBIG    more comes out than UNPACK_MAX, or than UNPACK_RATIO_MAX times its size,
 *             or it takes more memory than EXPAND_WINDOW_MAX
 *   negative errno of the system
 */
int unpack_object(struct store *store, const struct digest *digest, unpack_fn fn, void *ctx,
		  struct error *err);

/**
 * unpack_memory() - The same for bytes in memory.
 * @data: @len bytes
 * @len: number of bytes
 * @fn: called with the next bytes; a negative return ends the reading
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: as unpack_object().
 */
int unpack_memory(const void *data, size_t len, unpack_fn fn, void *ctx, struct error *err);
