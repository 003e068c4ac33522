/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/terms.h"

#include "base/macro.h"
#include "drivers/driver.h"

static enum terms_tier partition_tier(const struct device *device)
{
	static const enum terms_tier tiers[_DRIVER_ISOLATION_MAX] = {
		[DRIVER_ISOLATION_NONE] = TERMS_TIER_NONE,
		[DRIVER_ISOLATION_COOPERATIVE] = TERMS_TIER_COOPERATIVE,
		[DRIVER_ISOLATION_DRIVER] = TERMS_TIER_DRIVER,
		[DRIVER_ISOLATION_HARDWARE] = TERMS_TIER_HARDWARE,
	};

	return tiers[device->driver->partition_isolation];
}

enum terms_tier terms_tier(const struct terms *terms, const struct unit_rule *rule,
			   const struct device *device)
{
	if (rule->shares > 0)
		return terms->mps_pipe_dir[0] != '\0' ? TERMS_TIER_COOPERATIVE : TERMS_TIER_NONE;
	return rule->kind == UNIT_PARTITION ? partition_tier(device) : TERMS_TIER_HARDWARE;
}

const char *terms_tier_name(enum terms_tier tier)
{
	static const char *const names[_TERMS_TIER_MAX] = {
		[TERMS_TIER_NONE] = "none",
		[TERMS_TIER_COOPERATIVE] = "cooperative",
		[TERMS_TIER_DRIVER] = "driver",
		[TERMS_TIER_HARDWARE] = "hardware",
	};

	return names[tier];
}
