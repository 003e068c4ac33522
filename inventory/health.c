/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/health.h"

struct health health_init(bool good)
{
	return (struct health) { .healthy = good };
}

bool health_step(struct health *health, const struct health_policy *policy, bool good)
{
	uint32_t enough = health->healthy ? policy->unhealthy_after : policy->healthy_after;

	if (good == health->healthy) {
		health->streak = 0;
		return false;
	}
	health->streak++;
	if (health->streak < enough)
		return false;
	*health = health_init(good);
	return true;
}
