/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include <sys/random.h>
#include <time.h>

uint32_t backoff_next_ms(struct backoff *backoff, uint32_t random)
{
	uint64_t ceiling = backoff->min_ms;
	uint32_t floor;

	for (uint32_t i = 0; i < backoff->attempt && ceiling < backoff->max_ms; i++)
		ceiling *= 2;
	if (ceiling > backoff->max_ms)
		ceiling = backoff->max_ms;
	if (backoff->attempt < UINT32_MAX)
		backoff->attempt++;
	floor = (uint32_t)(ceiling / 2);
	return floor + (uint32_t)(random % (ceiling - floor + 1));
}

void backoff_reset(struct backoff *backoff)
{
	backoff->attempt = 0;
}

uint32_t random_u32(void)
{
	struct timespec now;
	uint32_t value;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) == (ssize_t)sizeof(value))
		return value;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_nsec;
}
