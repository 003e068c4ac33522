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
	struct driver **declared; /* those of them that were made of descriptions; owned */
	size_t n_declared;
	struct policy_rule *rules; /* those of this node, in order of precedence */
	size_t n_rules;
	struct arena arena; /* the arrays of patterns */
};

/**
 * policy_choose_drivers() - Fill in the drivers that a configuration asks for.
 * @policy: policy whose configuration is there, and that has no drivers yet
 * @err: set on failure
 *
 * Return: 0, or as policy_new(); policy_free() releases what was made by then.
 */
int policy_choose_drivers(struct policy *policy, struct error *err);

/**
 * policy_check_vendor() - Whether a word names a driver that is on.
 * @policy: policy whose drivers are chosen
 * @resource: who says the word, for messages
 * @vendor: the word; one with '*' or '?' is not looked at
 * @err: set if not; names the place of the word
 *
 * Return: 0, or -EINVAL.
 */
int policy_check_vendor(const struct policy *policy, const char *resource,
			const struct config_pattern *vendor, struct error *err);
