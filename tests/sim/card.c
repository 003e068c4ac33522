/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/card.h"

#include <inttypes.h>
#include <stdio.h>

#define FNV_OFFSET 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

/* FNV-1a leaves the high bits of short keys much alike; this spreads them. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

uint64_t card_hash(const struct card *card, uint64_t salt)
{
	uint64_t hash = FNV_OFFSET ^ mix(salt);

	for (const char *p = card->handle; *p; p++)
		hash = (hash ^ (unsigned char)*p) * FNV_PRIME;
	return mix(hash);
}

void card_uuid(const struct sim *sim, const struct card *card, char *ret)
{
	uint64_t high = 0;
	uint64_t low = 0;

	if (sim->description.uuid != UUID_RULE_ZERO) {
		high = (card_hash(card, 1) & ~0xf000ULL) | 0x4000;
		low = (card_hash(card, 2) & ~(3ULL << 62)) | (1ULL << 63);
	}
	(void)snprintf(ret, SIM_UUID_MAX,
		       "%08" PRIX64 "-%04" PRIX64 "-%04" PRIX64 "-%04" PRIX64 "-%012" PRIX64,
		       high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
		       low & 0xffffffffffff);
}

int32_t card_numa(const struct sim *sim, const struct card *card)
{
	return sim->description.numa[card->ordinal % sim->description.n_numa];
}
