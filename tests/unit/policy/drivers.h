/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three drivers in the place of the real ones, for test programs that are linked
 * with --wrap for driver_registry and driver_find; "west" has to be asked for.
 *
 * Source: ld(1), --wrap
 */
#pragma once

#include "drivers/driver.h"
#include "policy/policy.h"

extern const struct driver drivers_north;
extern const struct driver drivers_south;
extern const struct driver drivers_west;

/**
 * drivers_policy() - Make a policy of a configuration that is well formed.
 * @text: the configuration behind its version line
 * @node: node, or NULL for one without name and labels
 * @ret: the policy
 * @err: set on failure
 *
 * Return: as policy_new().
 */
int drivers_policy(const char *text, const struct policy_node *node, struct policy **ret,
		   struct error *err);
