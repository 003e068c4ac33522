/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share.
 *
 * Source: none outside the project
 */
#pragma once

#include "policy/policy.h"

/* Bytes: 256 resources of 1 KiB each, their names and problems, with room to spare. */
#define OFFER_MEMORY_MAX ((size_t)4 * 1024 * 1024)

/* A row of the configuration as a rule; names with placeholders are still in it. */
struct policy_rule {
	struct unit_rule rule;
	const struct config_resource *resource; /* NULL for devices that are withheld */
};

struct policy {
	struct config config;
	const struct driver **drivers;
	size_t n_drivers;
	struct policy_rule *rules; /* those of this node, in order of precedence */
	size_t n_rules;
	struct arena arena; /* the arrays of patterns */
};
