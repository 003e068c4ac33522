/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compressed index has in it, in a file without a name.
 *
 * Source: reservoir/store/unpack.h
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

struct plain {
	int fd; /* -1: none */
	uint64_t size;
	struct digest digest;
};

/**
 * plain_open() - Expand an index.
 * @store: store opened with STORE_WRITE
 * @packed: name of the compressed object
 * @max: bytes that are accepted
 * @ret: what it expands to, to be released with plain_done()
 * @err: set on failure
 *
 * Return: 1, 0 when it cannot be expanded, is empty, or has more, or
 *   -ENOMEM
 *   negative errno of the system
 */
int plain_open(struct store *store, const struct digest *packed, uint64_t max, struct plain *ret,
	       struct error *err);

/**
 * plain_done() - Release it.
 * @plain: all-zero but for a descriptor of -1, or of plain_open()
 */
void plain_done(struct plain *plain);

#define _cleanup_plain_ _cleanup_(plain_done)
