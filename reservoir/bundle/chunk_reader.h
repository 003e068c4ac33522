/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the file of a chunk twice: first all of it is hashed, then its bytes are given
 * out.  Whoever can write the medium may change it in between, so each block gets a tag
 * the first time, under a key that only this process has, and is given out only when it
 * still has that: what is given out is what was hashed, without a copy of the chunk.
 *
 * Source: RFC 8439 (Poly1305), as libsodium has it
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/bundle.h"

struct chunk_reader;

/**
 * chunk_reader_new() - Make a reader, for one chunk after the other.
 * @ret: the reader, to be released with chunk_reader_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM, or -EIO without random numbers.
 */
int chunk_reader_new(struct chunk_reader **ret, struct error *err);

/**
 * chunk_reader_free() - Release a reader.
 * @reader: reader or NULL
 */
void chunk_reader_free(struct chunk_reader *reader);
DEFINE_CLEANUP(struct chunk_reader, chunk_reader_free);

/**
 * chunk_reader_begin() - See that a file is a chunk, and begin with its bytes.
 * @reader: reader
 * @fd: file, which must stay open until the last chunk_reader_next()
 * @chunk: what the manifest says
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENODATA  it is shorter: not all of it has arrived
 *   -EBADMSG  it is longer, or has other bytes
 *   -ESTALE   it cannot be read, err says why
 *   -ENOMEM
 */
int chunk_reader_begin(struct chunk_reader *reader, int fd, const struct bundle_chunk *chunk,
		       struct error *err);

/**
 * chunk_reader_watch() - Let somebody end what takes long.
 * @reader: reader
 * @stop: asked for each block while a file is hashed: true ends with -EINTR
 * @ctx: for @stop
 */
void chunk_reader_watch(struct chunk_reader *reader, bool (*stop)(void *ctx), void *ctx);

/**
 * chunk_reader_next() - The next bytes of the chunk that was begun.
 * @reader: reader
 * @ret: bytes, borrowed until the next call
 * @err: set on failure
 *
 * Return: how many there are, 0 at the end, or
 *   -ESTALE  the file cannot be read any more, or was changed
 */
ssize_t chunk_reader_next(struct chunk_reader *reader, const unsigned char **ret,
			  struct error *err);
