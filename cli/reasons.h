/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why units were chosen, and why a rule is about a device or not: facts in words.
 * Pure: no I/O, no clock.
 *
 * Source: the order in which parts of a node are tried is that of
 * inventory/preferred.h
 */
#pragma once

#include <stddef.h>

#include "base/strbuf.h"
#include "inventory/preferred.h"
#include "inventory/unit.h"

/* A choice that preferred_choose() has made. */
struct reasons_choice {
	const struct unit_set *set;
	enum preferred_policy policy;
	const struct candidate *candidates; /* all that are free and healthy */
	size_t n;
	const size_t *chosen; /* indices of candidates */
	size_t n_chosen;
};

/**
 * reasons_choice() - Say why these units were chosen.
 * @choice: the choice; at least one unit
 * @paint: use colours
 * @out: appended to: a table of the parts of the node, a sentence or two, a table
 *	of the units
 *
 * Return: 0, or -ENOMEM.
 */
int reasons_choice(const struct reasons_choice *choice, bool paint, struct strbuf *out);

/**
 * reasons_policy() - What a policy looks for.
 * @policy: policy
 *
 * Return: its name and a few words; static.
 */
const char *reasons_policy(enum preferred_policy policy);

/**
 * reasons_rule() - Say whether a rule is about a device.
 * @rule: rule
 * @device: device
 * @out: appended to: "matches", or what differs first, as in "product is 'rngd',
 *	the rule wants 'warboy'"
 */
void reasons_rule(const struct unit_rule *rule, const struct device *device, struct strbuf *out);
