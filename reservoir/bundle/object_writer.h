/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns an object of the store into records of a bundle, the shortest way: small ones
 * together, indexes as what changed in them, variants of a page as how to make them,
 * and what is compressed already as it is.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/bundle/chunk_writer.h"
#include "reservoir/bundle/plan.h"

struct object_writer;

/**
 * object_writer_fn() - Told before bytes are written that may end the chunk.
 * @ctx: as given to object_writer_put()
 * @offset: where they begin in the object
 */
typedef void (*object_writer_fn)(void *ctx, uint64_t offset);

/**
 * object_writer_new() - Begin.
 * @store: where the objects are; borrowed
 * @packer: packer; borrowed
 * @writer: where records go; borrowed
 * @kind: a full bundle has nothing that the site must compress again to the same bytes, and
 *   a recall nothing that takes it seconds
 * @ret: the writer, to be released with object_writer_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int object_writer_new(struct store *store, struct packer *packer, struct chunk_writer *writer,
		      enum bundle_kind kind, struct object_writer **ret, struct error *err);

/**
 * object_writer_free() - Release a writer.
 * @writer: writer or NULL
 */
void object_writer_free(struct object_writer *writer);
DEFINE_CLEANUP(struct object_writer, object_writer_free);

/**
 * object_writer_put() - Write an object.
 * @writer: writer
 * @object: object
 * @offset: where to begin: what is before it was written by an earlier run
 * @fn: called before each piece that may end the chunk, with its offset
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  the object does not hash to its name
 *   -ENOSPC   the disk is full
 *   negative errno of the system
 */
int object_writer_put(struct object_writer *writer, const struct plan_object *object,
		      uint64_t offset, object_writer_fn fn, void *ctx, struct error *err);
