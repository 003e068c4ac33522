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
 * @ret: array of as many rules as the configuration has resources, to be
 *	released with free()
 * @err: set on failure; names the resource
 *
 * Return: 0, or
 *   -EINVAL  a vendor is named that there is no driver for
 *   -ENOMEM  no memory
 */
int rules_new(const struct config *config, struct unit_rule **ret, struct error *err);
