/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a compressed object again of what was compressed, and sees that it is the same.
 *
 * Source: docs/bundle-format.md, records of kind 3 and 4
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "reservoir/bundle/pack.h"
#include "reservoir/bundle/record.h"
#include "reservoir/store/object.h"

struct rebuild {
	const struct record *record;
	struct bytes before; /* what stands before what is compressed, and behind it */
	struct bytes after;
	int fd; /* what is to be compressed; -1: @memory is */
	struct bytes memory;
	struct staging *staging; /* where the object grows; NULL: it is only compared */
	/* Asked between pieces, or NULL: true ends with -EINTR. */
	bool (*stop)(void *ctx);
	void *ctx;
};

/**
 * rebuild() - Make an object again.
 * @rebuild: of what, and where to
 * @err: set on failure
 *
 * On failure bytes of it may be staged.
 *
 * Return: 0, or
 *   -EBADMSG  something else comes out than the record names
 *   -EINTR    it was to stop
 *   -ENOMEM
 *   -ENOSPC   the disk is full
 *   negative errno of the system
 */
int rebuild(const struct rebuild *rebuild, struct error *err);
