/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of digests.  It keeps 16 bytes of each, which no two objects share unless
 * SHA-256 is halfway broken, and is filled in passes so that it stays small.
 *
 * Source: open addressing, Knuth volume 3, 6.4
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/digest.h"

struct digest_set {
	unsigned char (*slots)[16]; /* all-zero when free */
	size_t n_slots;		    /* a power of two */
	size_t n;
};

/**
 * digest_set_done() - Release what a set owns.
 * @set: set
 */
void digest_set_done(struct digest_set *set);
#define _cleanup_digest_set_ _cleanup_(digest_set_done)

/**
 * digest_set_clear() - Empty a set, and keep its memory.
 * @set: set
 */
void digest_set_clear(struct digest_set *set);

/**
 * digest_set_add() - Put a digest in.
 * @set: set, zeroed or filled
 * @digest: digest
 * @err: set on failure
 *
 * Return: 1 when it is new, 0 when it was there, or -ENOMEM.
 */
int digest_set_add(struct digest_set *set, const struct digest *digest, struct error *err);
