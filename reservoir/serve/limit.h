/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets, one per client: what a second gives, and what was saved up.
 *
 * The table has a fixed size.  When a client finds no place, the one that was not
 * seen for the longest time gives up its own, which is then full again.
 *
 * Source: token bucket as in tc-tbf(8); RFC 4862 for the /64 of a host
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define LIMIT_KEY_SIZE 16 /* bytes of an IPv6 address */

struct limit_key {
	unsigned char bytes[LIMIT_KEY_SIZE];
};

struct limit;

/**
 * limit_key_of() - Whom limits count as one.
 * @address: address; IPv4 is mapped into IPv6
 *
 * A host has all of a /64 to itself (RFC 4862), so that one of its 2^64 addresses says nothing.
 *
 * Return: an address of IPv4, or the /64 of one of IPv6.
 */
struct limit_key limit_key_of(const struct limit_key *address);

/**
 * limit_new() - Make buckets.
 * @per_second: tokens that a second gives, at least 1
 * @burst: tokens that a bucket holds, at least 1
 * @ret: the buckets, to be released with limit_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int limit_new(uint64_t per_second, uint64_t burst, struct limit **ret, struct error *err);

/**
 * limit_free() - Release buckets.
 * @limit: buckets or NULL
 */
void limit_free(struct limit *limit);
DEFINE_CLEANUP(struct limit, limit_free);

/**
 * limit_take() - Take tokens out of a bucket.
 * @limit: buckets, or NULL: there is no limit
 * @key: whose
 * @least: nothing is taken if there are fewer; at most the burst
 * @most: tokens wanted
 * @now_ns: clock_ns(); does not go back
 * @ret_wait_ms: set when 0 is returned: when @least will be there; or NULL
 *
 * Context: any thread.
 * Return: tokens taken, from @least to @most; or 0.
 */
uint64_t limit_take(struct limit *limit, const struct limit_key *key, uint64_t least, uint64_t most,
		    uint64_t now_ns, uint32_t *ret_wait_ms);

/**
 * limit_give() - Put tokens back that were not used.
 * @limit: buckets, or NULL
 * @key: whose
 * @tokens: how many
 * @now_ns: clock_ns()
 *
 * Context: any thread.
 */
void limit_give(struct limit *limit, const struct limit_key *key, uint64_t tokens, uint64_t now_ns);
