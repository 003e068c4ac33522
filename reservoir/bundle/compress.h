/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses an index, or a page, as its maker does, whatever its length: what is read
 * and written goes through in pieces.
 *
 * Source: zlib, zstd and liblzma give the same bytes for the same input and level;
 * RFC 1952 for gzip, the .xz file format for blocks
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "reservoir/bundle/record.h"

/* Where bytes come from, and where they go. */
struct compress_io {
	/* Gives the next bytes, borrowed until the next call; 0 at the end. */
	ssize_t (*read)(void *ctx, const unsigned char **ret, struct error *err);
	/* Takes bytes; a negative return ends it all. */
	int (*write)(void *ctx, const unsigned char *data, size_t len, struct error *err);
	void *ctx;
};

#define COMPRESS_PIECE ((size_t)64 * 1024)

/* A file that is read from its beginning; all-zero but for the descriptor. */
struct compress_file {
	int fd;
	uint64_t at;
	unsigned char piece[COMPRESS_PIECE];
};

/**
 * compress_file_next() - Read the next bytes of a file.
 * @file: file
 * @ret: they; borrowed until the next call
 * @err: set on failure
 *
 * Return: their number, 0 at the end, or negative errno of the system.
 */
ssize_t compress_file_next(struct compress_file *file, const unsigned char **ret,
			   struct error *err);

/**
 * compress_as() - Compress a stream.
 * @algorithm: algorithm
 * @level: level, as in a record
 * @io: what to read, and who takes the bytes
 * @err: set on failure
 *
 * Return: 0, what @io returned, or
 *   -EBADMSG  that cannot be done: no such level, too much memory, or too long for zstd
 *   -ENOMEM
 */
int compress_as(enum record_algorithm algorithm, unsigned int level, const struct compress_io *io,
		struct error *err);
