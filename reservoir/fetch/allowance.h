/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bandwidth limit: bytes that all transfers together may still take.  Time fills
 * it, what arrives empties it, below zero too, as libcurl gives what it has.
 *
 * Source: reservoir/config's sync.bandwidth; the token bucket of RFC 2697
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allowance {
	uint64_t per_second; /* 0 for no limit */
	int64_t left;
	uint64_t filled_ms;
};

/**
 * allowance_fill() - Add what time has brought.
 * @allowance: allowance
 * @now_ms: of a monotonic clock
 *
 * No more than a tenth of a second's bytes are kept, and a second's is the most that is
 * brought at once, so that a pause is not made up for.
 */
void allowance_fill(struct allowance *allowance, uint64_t now_ms);

/**
 * allowance_take() - Take bytes that have arrived.
 * @allowance: allowance
 * @len: number of bytes
 *
 * Return: true, or false when none may be taken now.
 */
bool allowance_take(struct allowance *allowance, size_t len);
