/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the configuration to the rules of the inventory.
 *
 * Source: docs/configuration.md for what is configured
 */
#pragma once

#include <stddef.h>

#include "api/config/config.h"
#include "base/error.h"
#include "inventory/unit.h"

/**
 * rules_new() - Make the rules that a configuration asks for.
 * @config: configuration; the rules borrow its strings
 * @ret: array of @ret_n rules, in the order of the resources, to be released with free()
 * @ret_n: number of rules; a default resource of a vendor without driver, or that needs
 *	more than a rule can say, has none
 * @err: set on failure; names the resource
 *
 * Return: 0, or
 *   -EINVAL  a vendor is named that there is no driver for, or a resource needs more
 *	than a rule can say
 *   -ENOMEM  no memory
 */
int rules_new(const struct config *config, struct unit_rule **ret, size_t *ret_n,
	      struct error *err);
