/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes objects of the records of a chunk.  A chunk is read twice: first all of it is
 * hashed, and only what the signed manifest says is then looked at; what was changed in
 * between is not.
 *
 * What a record needs may not be here yet, when chunks come in another order, or be damaged
 * and was put aside: it is left out and counted, and the chunk is to be read again.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/store/store.h"

struct applier_options {
	struct store *store; /* opened with STORE_WRITE; NULL with @check_only: no base is there */
	bool check_only;     /* nothing is written */
	/* Asked between records, or NULL: true ends with -EINTR. */
	bool (*stop)(void *ctx);
	void *ctx;
};

struct applier;

/**
 * applier_new() - Begin.
 * @options: how
 * @ret: the applier, to be released with applier_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int applier_new(const struct applier_options *options, struct applier **ret, struct error *err);

/**
 * applier_free() - Release an applier.
 * @applier: applier or NULL
 */
void applier_free(struct applier *applier);
DEFINE_CLEANUP(struct applier, applier_free);

/**
 * applier_begin() - Begin with a file, if it is the chunk that the manifest names.
 * @applier: applier
 * @fd: file, which must stay open until applier_chunk() returns
 * @chunk: what the manifest says
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENODATA  it is shorter: not all of it has arrived
 *   -EBADMSG  it is longer, or has other bytes
 *   -ESTALE   it cannot be read
 *   -EINTR    it was to stop
 *   -ENOMEM
 */
int applier_begin(struct applier *applier, int fd, const struct bundle_chunk *chunk,
		  struct error *err);

/**
 * applier_chunk() - Make objects of the chunk that was begun.
 * @applier: applier
 * @bundle: bundle that it is of
 * @index: which chunk it is
 * @ret_left_out: records that need what is not here
 * @err: set on failure
 *
 * The objects have their names after object_flush(); of one that goes on in another
 * chunk, what this one had is durable.
 *
 * Return: 0, or
 *   -EBADMSG  it is no chunk of this bundle, or what it says is not true
 *   -EAGAIN   the parts of an object, some of an earlier run, do not fit together; they
 *             were thrown away, and all chunks are to be read again
 *   -ESTALE   the file was changed, or cannot be read any more
 *   -EINTR    it was to stop
 *   -ENOSPC   the disk is full
 *   negative errno of the system
 */
int applier_chunk(struct applier *applier, const struct bundle *bundle, uint32_t index,
		  uint64_t *ret_left_out, struct error *err);
