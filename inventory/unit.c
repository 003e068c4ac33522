/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/unit.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "inventory/parts.h"
#include "inventory/topology.h"

#define UNIT_SUFFIX_MAX sizeof("_cores_63-63::9999") /* with the NUL, which ends the whole ID */

static_assert(DEVICE_ID_MAX - 1 + UNIT_SUFFIX_MAX <= UNIT_ID_MAX, "an ID fits with its suffix");
static_assert(DEVICE_UUID_MAX <= DEVICE_ID_MAX, "a partition's ID is no longer than a device's");
static_assert(DEVICE_CORES_MAX <= 64, "a core has at most two digits in an ID, and a bit");
static_assert(UNIT_SHARES_MAX <= 10000, "a share has at most four digits in an ID");

/* By topology, then by ID: the states of a snapshot lie in order of ID. */
static int compare_states(const void *a, const void *b)
{
	const struct device_state *left = *(const struct device_state *const *)a;
	const struct device_state *right = *(const struct device_state *const *)b;
	int order = topology_compare(left->device, right->device);

	return order != 0 ? order : (left > right) - (left < right);
}

/* What a set is built from: the devices that are cut, in the order of the units. */
struct stock {
	const struct device_state **states;
	size_t n_states;
	size_t n_units;
	size_t id_bytes; /* enough for all IDs */
};

static void stock_done(struct stock *stock)
{
	free(stock->states);
}

static size_t shares_of(const struct unit_rule *rule)
{
	return rule->shares > 0 ? rule->shares : 1;
}

/* Writes the ID of a part of a device; returns its length, also where @size is 0. */
static size_t write_part_id(char *dst, size_t size, const struct device_state *state,
			    const struct unit_rule *rule, const struct part *part)
{
	const struct device_partition *partition = &state->device->partitions[part->partition];
	struct core_range cores = part->cores;
	int len;

	if (rule->kind == UNIT_WHOLE)
		len = snprintf(dst, size, "%s", state->id);
	else if (partition->id[0] != '\0')
		len = snprintf(dst, size, "%s", partition->id);
	else if (cores.first == cores.last)
		len = snprintf(dst, size, "%s_cores_%d", state->id, cores.first);
	else
		len = snprintf(dst, size, "%s_cores_%d-%d", state->id, cores.first, cores.last);
	return (size_t)len;
}

/* Bytes of the IDs of a part with all its shares. */
static size_t id_bytes(const struct device_state *state, const struct unit_rule *rule,
		       const struct part *part)
{
	size_t len = write_part_id(NULL, 0, state, rule, part) + 1;

	if (rule->shares > 0)
		len += (size_t)snprintf(NULL, 0, "::%u", rule->shares - 1);
	return len * shares_of(rule);
}

static int stock_init(struct stock *stock, const struct unit_plan *plan, size_t rule)
{
	const struct snapshot *snapshot = plan->snapshot;
	struct parts parts;

	stock->states = calloc(snapshot->n_devices + 1, sizeof(struct device_state *));
	if (!stock->states)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];

		parts_of(state->device, plan->rules, rule, &parts);
		if (parts.n == 0)
			continue;
		stock->states[stock->n_states++] = state;
		stock->n_units += parts.n * shares_of(&plan->rules[rule]);
		for (size_t j = 0; j < parts.n; j++)
			stock->id_bytes += id_bytes(state, &plan->rules[rule], &parts.list[j]);
	}
	qsort(stock->states, stock->n_states, sizeof(struct device_state *), compare_states);
	return 0;
}

/* Where the next ID goes, and how many bytes are left there. */
struct id_block {
	char *next;
	size_t left;
};

static const char *write_id(struct id_block *block, const struct device_state *state,
			    const struct unit_rule *rule, const struct part *part, size_t share)
{
	char *id = block->next;
	size_t len = write_part_id(id, block->left, state, rule, part);

	if (rule->shares > 0)
		len += (size_t)snprintf(id + len, block->left - len, "::%zu", share);
	block->next += len + 1;
	block->left -= len + 1;
	return id;
}

static bool can_be_opened(const struct device *device, const struct unit_rule *rule,
			  struct core_range cores)
{
	return rule->kind == UNIT_WHOLE || device->n_core_ranges == 0 ||
	       device_has_core_range(device, cores);
}

/* Cuts one device and appends its units to the set. */
static void cut(struct unit_set *set, const struct unit_plan *plan, size_t rule_number,
		const struct device_state *state, struct id_block *block)
{
	const struct unit_rule *rule = &set->rule;
	struct parts parts;

	parts_of(state->device, plan->rules, rule_number, &parts);
	for (size_t i = 0; i < parts.n; i++) {
		const struct part *part = &parts.list[i];
		bool healthy = state->healthy && can_be_opened(state->device, rule, part->cores);

		for (size_t share = 0; share < shares_of(rule); share++)
			set->units[set->n_units++] = (struct unit) {
				.id = write_id(block, state, rule, part, share),
				.device = (uint32_t)(state - set->snapshot->devices),
				.cores = part->cores,
				.partition = part->partition,
				.share = (uint16_t)share,
				.healthy = healthy,
			};
	}
}

static const char *unit_key(const void *table, uint32_t row)
{
	const struct unit *units = table;

	return units[row].id;
}

/* Keeps what is of use later; the patterns belong to the caller. */
static void keep_rule(struct unit_set *set, const struct unit_rule *rule, struct id_block *block)
{
	set->rule = (struct unit_rule) {
		.resource = block->next,
		.kind = rule->kind,
		.cores = rule->cores,
		.shares = rule->shares,
		.overlap = rule->overlap,
	};
	block->next += snprintf(block->next, block->left, "%s", rule->resource) + 1;
	block->left -= strlen(rule->resource) + 1;
}

static int fill(struct unit_set *set, const struct unit_plan *plan, size_t rule,
		const struct stock *stock)
{
	const char *resource = plan->rules[rule].resource;
	struct id_block block = { .left = strlen(resource) + 1 + stock->id_bytes };

	set->units = calloc(stock->n_units + 1, sizeof(*set->units));
	set->ids = malloc(block.left);
	if (!set->units || !set->ids)
		return -ENOMEM;
	block.next = set->ids;
	keep_rule(set, &plan->rules[rule], &block);
	for (size_t i = 0; i < stock->n_states; i++)
		cut(set, plan, rule, stock->states[i], &block);
	return strindex_init(&set->index, set->units, set->n_units, unit_key);
}

/* --- claims --- */

/* The number of a share behind "::"; the length of the ID without it. */
static size_t length_without_share(const char *id)
{
	const char *colons = strstr(id, "::");

	while (colons && strstr(colons + 2, "::"))
		colons = strstr(colons + 2, "::");
	return colons ? (size_t)(colons - id) : strlen(id);
}

/* The partition whose vendor has given it this ID. */
static const struct device_partition *find_partition(const struct device *device, const char *id)
{
	for (size_t i = 0; i < device->n_partitions; i++)
		if (device->partitions[i].id[0] != '\0' &&
		    strcmp(device->partitions[i].id, id) == 0)
			return &device->partitions[i];
	return NULL;
}

static const struct device_state *locate_partition(const struct snapshot *snapshot, const char *id,
						   struct core_range *ret_cores)
{
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_partition *partition =
			find_partition(snapshot->devices[i].device, id);

		if (!partition)
			continue;
		*ret_cores = partition->cores;
		return &snapshot->devices[i];
	}
	return NULL;
}

/* "2-3" or "2". */
static int parse_cores(char *text, struct core_range *ret)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;

	if (dash)
		*dash = '\0';
	if (parse_u32(text, DEVICE_CORES_MAX - 1, &first) < 0 ||
	    parse_u32(dash ? dash + 1 : text, DEVICE_CORES_MAX - 1, &last) < 0 || first > last)
		return -EINVAL;
	*ret = (struct core_range) { (uint8_t)first, (uint8_t)last };
	return 0;
}

const struct device_state *unit_locate(const struct snapshot *snapshot, const char *id,
				       struct core_range *ret_cores)
{
	size_t len = length_without_share(id);
	const struct device_state *state = snapshot_find(snapshot, id);
	char text[UNIT_ID_MAX];
	char *cores;

	if (len >= sizeof(text))
		return NULL;
	memcpy(text, id, len);
	text[len] = '\0';
	if (!state)
		state = snapshot_find(snapshot, text);
	if (state) {
		*ret_cores = (struct core_range) { 0, DEVICE_CORES_MAX - 1 };
		return state;
	}
	cores = strstr(text, "_cores_");
	if (!cores)
		return locate_partition(snapshot, text, ret_cores);
	*cores = '\0';
	if (parse_cores(cores + strlen("_cores_"), ret_cores) < 0)
		return NULL;
	return snapshot_find(snapshot, text);
}

/* Whether a claim at some place of the device of @unit forbids to hand @unit out. */
static bool is_conflict(const struct unit_set *set, const struct unit *unit,
			const struct unit_claim *claim, struct core_range cores)
{
	bool shared = set->rule.shares > 0;
	size_t len = shared ? length_without_share(unit->id) : strlen(unit->id);

	if (!core_ranges_overlap(unit->cores, cores))
		return false;
	return strcmp(claim->resource, set->rule.resource) != 0 ||
	       len != (shared ? length_without_share(claim->unit) : strlen(claim->unit)) ||
	       strncmp(claim->unit, unit->id, len) != 0;
}

const struct unit_claim *unit_conflict(const struct unit_set *set, const struct unit *unit,
				       const struct unit_claim *claims, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct core_range cores;
		const struct device_state *state =
			unit_locate(set->snapshot, claims[i].unit, &cores);

		if (state == unit_state(set, unit) && is_conflict(set, unit, &claims[i], cores))
			return &claims[i];
	}
	return NULL;
}

/* Hides the units of a device that claim number @number overlaps; returns how many. */
static size_t hide(struct unit_set *set, size_t first, uint32_t device,
		   const struct unit_claim *claim, struct core_range cores, size_t number)
{
	size_t n = 0;

	for (size_t i = first; i < set->n_units && set->units[i].device == device; i++) {
		struct unit *unit = &set->units[i];

		if (unit->hidden > 0 || !is_conflict(set, unit, claim, cores))
			continue;
		unit->hidden = (uint32_t)number + 1;
		unit->healthy = false;
		n++;
	}
	return n;
}

/* The first unit of each device, plus one; 0 for a device without units. */
static uint32_t *index_devices(const struct unit_set *set)
{
	uint32_t *first = calloc(set->snapshot->n_devices + 1, sizeof(*first));

	for (size_t i = set->n_units; first && i > 0; i--)
		first[set->units[i - 1].device] = (uint32_t)i;
	return first;
}

static char *put_text(char *dst, const char **text)
{
	size_t len = strlen(*text) + 1;

	memcpy(dst, *text, len);
	*text = dst;
	return dst + len;
}

struct unit_claim *unit_claims_copy(const struct unit_claim *claims, size_t n)
{
	size_t size = (n + 1) * sizeof(*claims);
	struct unit_claim *copy;
	char *text;

	for (size_t i = 0; i < n; i++)
		size += strlen(claims[i].resource) + strlen(claims[i].unit) +
			strlen(claims[i].holder) + 3;
	copy = malloc(size);
	if (!copy)
		return NULL;
	text = (char *)(copy + n + 1);
	for (size_t i = 0; i < n; i++) {
		copy[i] = claims[i];
		text = put_text(text, &copy[i].resource);
		text = put_text(text, &copy[i].unit);
		text = put_text(text, &copy[i].holder);
	}
	return copy;
}

/* Hides what could overlap a unit that somebody may have. */
static void hide_contested(struct unit_set *set, const struct unit_plan *plan)
{
	uint32_t device = UINT32_MAX;
	uint64_t contested = 0;

	for (size_t i = 0; i < set->n_units; i++) {
		struct unit *unit = &set->units[i];

		if (unit->device != device)
			contested = parts_contested(unit_state(set, unit)->device, plan->rules,
						    plan->n_rules);
		device = unit->device;
		if ((parts_mask(unit->cores) & contested) == 0)
			continue;
		unit->hidden = UNIT_HIDDEN_BLIND;
		unit->healthy = false;
	}
}

static int apply_claims(struct unit_set *set, const struct unit_claim *claims, size_t n)
{
	_cleanup_free_ struct unit_claim *hiding = NULL;
	_cleanup_free_ uint32_t *first = NULL;
	size_t n_hiding = 0;

	if (n == 0)
		return 0;
	first = index_devices(set);
	hiding = calloc(n, sizeof(*hiding));
	if (!first || !hiding)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct core_range cores;
		const struct device_state *state =
			unit_locate(set->snapshot, claims[i].unit, &cores);
		size_t device = state ? (size_t)(state - set->snapshot->devices) : 0;

		if (!state || first[device] == 0)
			continue;
		if (hide(set, first[device] - 1, (uint32_t)device, &claims[i], cores, n_hiding) > 0)
			hiding[n_hiding++] = claims[i];
	}
	set->claims = unit_claims_copy(hiding, n_hiding);
	set->n_claims = set->claims ? n_hiding : 0;
	return set->claims ? 0 : -ENOMEM;
}

/* --- the set --- */

int unit_set_build(const struct unit_plan *plan, size_t rule, struct unit_set **ret,
		   struct error *err)
{
	_cleanup_(unit_set_unrefp) struct unit_set *set = calloc(1, sizeof(*set));
	_cleanup_(stock_done) struct stock stock = { 0 };
	const char *resource;
	int r;

	if (rule >= plan->n_rules)
		return error_set(err, EINVAL, "there are %zu rules, and no number %zu",
				 plan->n_rules, rule);
	resource = plan->rules[rule].resource;
	if (!set)
		return error_set(err, ENOMEM, "no memory for the units of '%s'", resource);
	set->refs = 1;
	r = stock_init(&stock, plan, rule);
	if (r < 0)
		return error_set(err, -r, "no memory for the devices of '%s'", resource);
	set->snapshot = snapshot_ref(plan->snapshot);
	if (stock.n_units > UNITS_MAX)
		return error_set(err, E2BIG, "'%s' has %zu units, more than %d", resource,
				 stock.n_units, UNITS_MAX);
	r = fill(set, plan, rule, &stock);
	if (r == 0 && plan->blind)
		hide_contested(set, plan);
	if (r == 0)
		r = apply_claims(set, plan->claims, plan->n_claims);
	if (r < 0)
		return error_set(err, -r, "no memory for the %zu units of '%s'", stock.n_units,
				 resource);
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
	free(set->claims);
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

static const struct device_partition *partition_of(const struct unit_set *set,
						   const struct unit *unit)
{
	if (set->rule.kind != UNIT_PARTITION)
		return NULL;
	return &unit_state(set, unit)->device->partitions[unit->partition];
}

uint64_t unit_memory_bytes(const struct unit_set *set, const struct unit *unit)
{
	const struct device_partition *partition = partition_of(set, unit);
	uint64_t memory_bytes =
		partition ? partition->memory_bytes : unit_state(set, unit)->device->memory_bytes;

	return memory_bytes / shares_of(&set->rule);
}

const char *unit_reason(const struct unit_set *set, const struct unit *unit, char *buf, size_t size)
{
	const struct device_state *state = unit_state(set, unit);
	bool blind = unit->hidden == UNIT_HIDDEN_BLIND;
	const struct unit_claim *claim =
		unit->hidden > 0 && !blind ? &set->claims[unit->hidden - 1] : NULL;

	if (unit->healthy)
		(void)snprintf(buf, size, "%s", "");
	else if (!state->healthy)
		(void)snprintf(buf, size, "%s", state->reason);
	else if (blind)
		(void)snprintf(buf, size,
			       "the kubelet has not told yet who holds what overlaps it");
	else if (claim)
		(void)snprintf(buf, size, "overlaps '%s' (%s), held by %s", claim->unit,
			       claim->resource, claim->holder);
	else
		(void)snprintf(buf, size, "cores %d-%d cannot be opened as one", unit->cores.first,
			       unit->cores.last);
	return buf;
}
