/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jittered exponential backoff, free of clocks: the caller brings the random
 * number and waits by itself.
 *
 * Source: "full jitter" of the AWS Architecture Blog, "Exponential Backoff And
 * Jitter", with half of the ceiling as the floor so that no retry is immediate
 */
#pragma once

#include <stdint.h>

struct backoff {
	uint32_t min_ms; /* ceiling of the first delay; at least 1 */
	uint32_t max_ms; /* ceiling of every later delay */
	uint32_t attempt;
};

/**
 * backoff_next_ms() - How long to wait before the next try.
 * @backoff: state, counted up by one attempt
 * @random: any 32 random bits
 *
 * Return: milliseconds in [ceiling / 2, ceiling], where the ceiling doubles with
 *   each attempt from min_ms to max_ms.
 */
uint32_t backoff_next_ms(struct backoff *backoff, uint32_t random);

/**
 * backoff_reset() - Begin again with short delays, after a success.
 * @backoff: state
 */
void backoff_reset(struct backoff *backoff);

/**
 * random_u32() - 32 random bits from the kernel.
 *
 * Not for secrets: while the kernel has none to give, the clock is used.
 *
 * Return: any value.
 */
uint32_t random_u32(void);
