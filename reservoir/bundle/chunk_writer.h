/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the chunks of a bundle.  A chunk never grows beyond its limit, and nothing is
 * kept for the next one: so a bundle that was interrupted goes on after the last whole
 * chunk, and becomes the same bytes.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/bundle/pack.h"
#include "reservoir/bundle/record.h"

/**
 * chunk_writer_fn() - Told of a chunk that is whole and has its name.
 * @ctx: as given in the options
 * @index: number of the chunk
 * @chunk: its hash and size
 * @err: set on failure
 *
 * Return: 0, or negative errno, which ends the writing.
 */
typedef int (*chunk_writer_fn)(void *ctx, uint32_t index, const struct bundle_chunk *chunk,
			       struct error *err);

struct chunk_writer_options {
	int dirfd; /* borrowed */
	const char *hub;
	uint64_t sequence;
	uint64_t chunk_bytes;
	uint32_t index; /* of the first chunk */
	struct packer *packer;
	chunk_writer_fn fn;
	void *ctx;
};

struct chunk_writer;

/**
 * chunk_writer_new() - Begin writing.
 * @options: how; the texts are borrowed
 * @ret: the writer, to be released with chunk_writer_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int chunk_writer_new(const struct chunk_writer_options *options, struct chunk_writer **ret,
		     struct error *err);

/**
 * chunk_writer_free() - Release a writer; a chunk that is not whole is removed.
 * @writer: writer or NULL
 */
void chunk_writer_free(struct chunk_writer *writer);
DEFINE_CLEANUP(struct chunk_writer, chunk_writer_free);

/**
 * chunk_writer_room() - How long a payload the chunk still takes.
 * @writer: writer
 *
 * Return: bytes; 0 when not even a header has room.
 */
uint64_t chunk_writer_room(const struct chunk_writer *writer);

/**
 * chunk_writer_room_max() - How long a payload an empty chunk takes.
 * @writer: writer
 *
 * Return: bytes.
 */
uint64_t chunk_writer_room_max(const struct chunk_writer *writer);

/**
 * chunk_writer_batch_max() - How long a payload may be to go with other small ones.
 * @writer: writer
 *
 * Return: bytes.
 */
size_t chunk_writer_batch_max(const struct chunk_writer *writer);

/**
 * chunk_writer_begin() - Write the header of a record.
 * @writer: writer
 * @record: record; its payload is no longer than chunk_writer_room()
 * @err: set on failure
 *
 * Return: 0, -ENOSPC or negative errno of the system.
 */
int chunk_writer_begin(struct chunk_writer *writer, const struct record *record, struct error *err);

/**
 * chunk_writer_write() - Write bytes of the payload.
 * @writer: writer
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, -ENOSPC or negative errno of the system.
 */
int chunk_writer_write(struct chunk_writer *writer, const void *data, size_t len,
		       struct error *err);

/**
 * chunk_writer_batch() - Write a small record together with others; may end the chunk
 * before.
 * @writer: writer
 * @record: record of a whole object, not longer than chunk_writer_batch_max()
 * @payload: its payload
 * @err: set on failure
 *
 * Return: 0, -ENOSPC or negative errno of the system.
 */
int chunk_writer_batch(struct chunk_writer *writer, const struct record *record,
		       const void *payload, struct error *err);

/**
 * chunk_writer_end() - End the chunk, if there is something in it.
 * @writer: writer
 * @err: set on failure
 *
 * Return: 0, -ENOSPC or negative errno of the system.
 */
int chunk_writer_end(struct chunk_writer *writer, struct error *err);
