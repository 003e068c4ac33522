/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen already, in few bytes each: a million paths take 64 MB at the most.
 *
 * Source: open addressing over the first bytes of SHA-256, which are evenly spread and
 * which nobody can make collide
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/digest.h"

struct seen_row {
	uint64_t key[2]; /* both 0: free */
	uint64_t value;
};

struct seen {
	struct seen_row *rows;
	size_t size; /* a power of two, or 0 */
	size_t n;
};

enum seen_outcome {
	SEEN_NEW,   /* it was not there, and is now */
	SEEN_SAME,  /* it was there with the same value */
	SEEN_OTHER, /* it was there with another value, which stays */
};

/**
 * seen_add() - Add a key, unless it is there.
 * @seen: set
 * @key: @len bytes
 * @len: number of bytes
 * @value: what it stands for
 * @err: set on failure
 *
 * Return: SEEN_*, or -ENOMEM.
 */
int seen_add(struct seen *seen, const void *key, size_t len, uint64_t value, struct error *err);

/**
 * seen_has() - Whether a key is there.
 * @seen: set
 * @key: @len bytes
 * @len: number of bytes
 *
 * Return: true if so.
 */
bool seen_has(const struct seen *seen, const void *key, size_t len);

/**
 * seen_get() - The value of a key.
 * @seen: set
 * @key: @len bytes
 * @len: number of bytes
 * @ret: its value
 *
 * Return: false if it is not there.
 */
bool seen_get(const struct seen *seen, const void *key, size_t len, uint64_t *ret);

/**
 * seen_done() - Release what a set owns; it may be used again.
 * @seen: set, or all-zero
 */
void seen_done(struct seen *seen);
#define _cleanup_seen_ _cleanup_(seen_done)

/**
 * seen_value() - The value that stands for a digest.
 * @digest: digest
 *
 * Return: its first bytes.
 */
uint64_t seen_value(const struct digest *digest);
