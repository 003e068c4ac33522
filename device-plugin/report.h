/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read: log lines for changes of the node, and the list of --once.
 *
 * Source: none outside the project; the words are the kubelet's
 */
#pragma once

#include "base/strbuf.h"
#include "inventory/snapshot.h"
#include "inventory/unit.h"

/**
 * report_changes() - Log what differs between two snapshots, with the reasons.
 * @before: older snapshot, or NULL
 * @after: newer snapshot
 */
void report_changes(const struct snapshot *before, const struct snapshot *after);

/**
 * report_unoffered() - Log the devices that no resource offers, and why.
 * @snapshot: the node
 * @rules: array of @n_rules rules
 * @n_rules: number of rules
 */
void report_unoffered(const struct snapshot *snapshot, const struct unit_rule *rules,
		      size_t n_rules);

/**
 * report_units_header() - Write the heading of a table of units.
 * @out: appended to
 */
void report_units_header(struct strbuf *out);

/**
 * report_units() - Write the units of one resource, a line each.
 * @units: units
 * @out: appended to
 */
void report_units(const struct unit_set *units, struct strbuf *out);
