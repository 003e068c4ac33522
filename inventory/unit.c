/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "drivers/driver.h"
#include "inventory/topology.h"

#define UNIT_SUFFIX_MAX sizeof("_cores_63-63") /* with the NUL, which ends the whole ID */
#define UNIT_SIZES_MAX 128		       /* bytes of "1, 2, 4" in a message */

static_assert(DEVICE_ID_MAX - 1 + UNIT_SUFFIX_MAX <= UNIT_ID_MAX, "an ID fits with its suffix");
static_assert(DEVICE_CORES_MAX <= 64, "a core has at most two digits in an ID");

bool unit_rule_matches(const struct unit_rule *rule, const struct device *device)
{
	if (rule->vendor && strcmp(rule->vendor, device->driver->name) != 0)
		return false;
	return !rule->product || strcmp(rule->product, device->product) == 0;
}

/* Whether @device can be cut into parts of @cores without a rest. */
static bool divides(unsigned int cores, const struct device *device)
{
	return cores > 0 && device->cores >= cores && device->cores <= DEVICE_CORES_MAX &&
	       device->cores % cores == 0;
}

int unit_rule_fits(const struct unit_rule *rule, const struct device *device, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sizes = STRBUF_INIT(UNIT_SIZES_MAX);

	if (rule->kind == UNIT_WHOLE)
		return 0;
	for (const unsigned int *size = device->partition_cores; *size > 0; size++) {
		if (!divides(*size, device))
			continue;
		if (*size == rule->cores)
			return 0;
		strbuf_printf(&sizes, "%s%u", sizes.len > 0 ? ", " : "", *size);
	}
	if (sizes.len == 0)
		return error_set(err, EINVAL, "device '%s' cannot be cut into partitions",
				 device->name);
	return error_set(err, EINVAL,
			 "device '%s' cannot be cut into partitions of %u cores; sizes are %s",
			 device->name, rule->cores, strbuf_str(&sizes));
}

/* Whether @rule is the first of the rules that matches @device, and can be done. */
static bool is_cut_by(const struct device *device, const struct unit_rule *rules, size_t rule)
{
	for (size_t i = 0; i < rule; i++) {
		if (unit_rule_matches(&rules[i], device))
			return false;
	}
	return unit_rule_matches(&rules[rule], device) &&
	       unit_rule_fits(&rules[rule], device, NULL) >= 0;
}

static size_t count_units(const struct unit_rule *rule, const struct device *device)
{
	return rule->kind == UNIT_WHOLE ? 1 : device->cores / rule->cores;
}

/* By topology, then by ID: the states of a snapshot lie in order of ID. */
static int compare_states(const void *a, const void *b)
{
	const struct device_state *left = *(const struct device_state *const *)a;
	const struct device_state *right = *(const struct device_state *const *)b;
	int order = topology_compare(left->device, right->device);

	return order != 0 ? order : (left > right) - (left < right);
}

/* What a set is built from: the devices that are cut, in the order of the units. */
struct parts {
	const struct device_state **states;
	size_t n_states;
	size_t n_units;
	size_t id_bytes; /* enough for all IDs */
};

static void parts_done(struct parts *parts)
{
	free(parts->states);
}

static int parts_init(struct parts *parts, const struct snapshot *snapshot,
		      const struct unit_rule *rules, size_t rule)
{
	parts->states = calloc(snapshot->n_devices + 1, sizeof(struct device_state *));
	if (!parts->states)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];
		size_t n;

		if (!is_cut_by(state->device, rules, rule))
			continue;
		n = count_units(&rules[rule], state->device);
		parts->states[parts->n_states++] = state;
		parts->n_units += n;
		parts->id_bytes += n * (strlen(state->id) + UNIT_SUFFIX_MAX);
	}
	qsort(parts->states, parts->n_states, sizeof(struct device_state *), compare_states);
	return 0;
}

/* Writes an ID at @dst, where there is room, and returns its length with the NUL. */
static size_t write_id(char *dst, const char *device_id, enum unit_kind kind,
		       struct core_range cores)
{
	size_t len = strlen(device_id);
	int suffix = 0;

	memcpy(dst, device_id, len + 1);
	if (kind == UNIT_PARTITION && cores.first == cores.last)
		suffix = snprintf(dst + len, UNIT_SUFFIX_MAX, "_cores_%d", cores.first);
	else if (kind == UNIT_PARTITION)
		suffix = snprintf(dst + len, UNIT_SUFFIX_MAX, "_cores_%d-%d", cores.first,
				  cores.last);
	return len + (size_t)suffix + 1;
}

/* Cuts one device, appends its units to the set, and returns where the next ID goes. */
static char *cut(struct unit_set *set, const struct device_state *state, char *id)
{
	const struct unit_rule *rule = set->rule;
	const struct device *device = state->device;
	size_t n = count_units(rule, device);
	size_t size = rule->kind == UNIT_WHOLE ? MAX(device->cores, 1U) : rule->cores;

	for (size_t i = 0; i < n; i++) {
		struct unit *unit = &set->units[set->n_units++];

		unit->id = id;
		unit->device = (uint32_t)(state - set->snapshot->devices);
		unit->cores.first = (uint8_t)(i * size);
		unit->cores.last = (uint8_t)((i + 1) * size - 1);
		unit->healthy = state->healthy && (rule->kind == UNIT_WHOLE ||
						   device_has_core_range(device, unit->cores));
		id += write_id(id, state->id, rule->kind, unit->cores);
	}
	return id;
}

static const char *unit_key(const void *table, uint32_t row)
{
	const struct unit *units = table;

	return units[row].id;
}

static int fill(struct unit_set *set, const struct parts *parts)
{
	char *id;

	set->units = calloc(parts->n_units + 1, sizeof(*set->units));
	set->ids = malloc(parts->id_bytes + 1);
	if (!set->units || !set->ids)
		return -ENOMEM;
	id = set->ids;
	for (size_t i = 0; i < parts->n_states; i++)
		id = cut(set, parts->states[i], id);
	return strindex_init(&set->index, set->units, set->n_units, unit_key);
}

int unit_set_build(struct snapshot *snapshot, const struct unit_rule *rules, size_t n_rules,
		   size_t rule, struct unit_set **ret, struct error *err)
{
	_cleanup_(unit_set_unrefp) struct unit_set *set = calloc(1, sizeof(*set));
	_cleanup_(parts_done) struct parts parts = { 0 };
	int r;

	if (rule >= n_rules)
		return error_set(err, EINVAL, "there are %zu rules, and no number %zu", n_rules,
				 rule);
	if (!set)
		return error_set(err, ENOMEM, "no memory for the units of '%s'",
				 rules[rule].resource);
	set->refs = 1;
	r = parts_init(&parts, snapshot, rules, rule);
	if (r < 0)
		return error_set(err, -r, "no memory for the devices of '%s'",
				 rules[rule].resource);
	set->rule = &rules[rule];
	set->snapshot = snapshot_ref(snapshot);
	if (parts.n_units > UNITS_MAX)
		return error_set(err, E2BIG, "'%s' has %zu units, more than %d",
				 rules[rule].resource, parts.n_units, UNITS_MAX);
	r = fill(set, &parts);
	if (r < 0)
		return error_set(err, -r, "no memory for the %zu units of '%s'", parts.n_units,
				 rules[rule].resource);
	*ret = TAKE_PTR(set);
	return 0;
}

struct unit_set *unit_set_ref(struct unit_set *set)
{
	__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	return set;
}

void unit_set_unref(struct unit_set *set)
{
	int saved_errno = errno;

	if (!set || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	strindex_done(&set->index);
	snapshot_unref(set->snapshot);
	free(set->units);
	free(set->ids);
	free(set);
	errno = saved_errno;
}

const struct unit *unit_set_find(const struct unit_set *set, const char *id)
{
	int64_t row = strindex_find(&set->index, id);

	return row < 0 ? NULL : &set->units[row];
}

static bool is_equal_unit(const struct unit_set *a, const struct unit *left,
			  const struct unit_set *b, const struct unit *right)
{
	return left->healthy == right->healthy && strcmp(left->id, right->id) == 0 &&
	       unit_state(a, left)->device->numa_node == unit_state(b, right)->device->numa_node;
}

bool unit_set_equal(const struct unit_set *a, const struct unit_set *b)
{
	if (a->n_units != b->n_units)
		return false;
	for (size_t i = 0; i < a->n_units; i++) {
		const struct unit *left = &a->units[i];
		const struct unit *right = &b->units[i];

		/* Cards may have changed places; a kubelet knows no order. */
		if (strcmp(left->id, right->id) != 0)
			right = unit_set_find(b, left->id);
		if (!right || !is_equal_unit(a, left, b, right))
			return false;
	}
	return true;
}

const struct device_state *unit_state(const struct unit_set *set, const struct unit *unit)
{
	return &set->snapshot->devices[unit->device];
}

const char *unit_reason(const struct unit_set *set, const struct unit *unit, char *buf, size_t size)
{
	const struct device_state *state = unit_state(set, unit);

	if (unit->healthy)
		(void)snprintf(buf, size, "%s", "");
	else if (!state->healthy)
		(void)snprintf(buf, size, "%s", state->reason);
	else
		(void)snprintf(buf, size, "cores %d-%d cannot be opened as one", unit->cores.first,
			       unit->cores.last);
	return buf;
}
