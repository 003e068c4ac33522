/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strindex.h"

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

static_assert(DEVICE_UUID_MAX <= DEVICE_ID_MAX, "a UUID fits into an ID");
static_assert(DEVICE_SERIAL_MAX <= DEVICE_ID_MAX, "a serial number fits into an ID");
static_assert(DEVICE_BDF_MAX <= DEVICE_ID_MAX, "a PCI address fits into an ID");

/* The chain, best first. */
enum level {
	LEVEL_UUID,
	LEVEL_SERIAL,
	LEVEL_BDF,
	_LEVEL_MAX,
};

static const size_t level_offsets[] = {
	[LEVEL_UUID] = offsetof(struct device, uuid),
	[LEVEL_SERIAL] = offsetof(struct device, serial),
	[LEVEL_BDF] = offsetof(struct device, bdf),
};
static_assert(ARRAY_SIZE(level_offsets) == _LEVEL_MAX, "a field for each level");

static bool is_usable(const char *value)
{
	if (value[strspn(value, "0-")] == '\0' || value[strspn(value, ID_CHARACTERS)] != '\0')
		return false;
	/* It would be taken for a part of another device. */
	return !strstr(value, "_cores_");
}

/* What a device says at a level of the chain, "" when that is of no use. */
static const char *value_at(const struct device *device, enum level level)
{
	const char *value = (const char *)device + level_offsets[level];

	return is_usable(value) ? value : "";
}

/* A value that a device says is its own. */
struct claim {
	const char *value;
	size_t device;
	bool disputed; /* by another device; kept in the first claim of a value */
};

struct claims {
	struct claim *rows;
	size_t n;
	struct strindex index; /* finds the first claim of a value */
};

static void claims_done(struct claims *claims)
{
	strindex_done(&claims->index);
	free(claims->rows);
}

static void claims_add(struct claims *claims, const char *value, size_t device)
{
	if (value[0] != '\0')
		claims->rows[claims->n++] = (struct claim) { .value = value, .device = device };
}

static const char *claim_key(const void *table, uint32_t row)
{
	const struct claim *rows = table;

	return rows[row].value;
}

static struct claim *claims_find(const struct claims *claims, const char *value)
{
	int64_t row = strindex_find(&claims->index, value);

	return row < 0 ? NULL : &claims->rows[row];
}

/*
 * Collects the claims of all devices: of IDs that they have (@ids may be NULL),
 * then of UUIDs and serial numbers, then of addresses, so that whoever has an
 * ID comes first.
 */
static int claims_init(struct claims *claims, const struct device *const *devices, size_t n,
		       char (*ids)[DEVICE_ID_MAX])
{
	int r;

	*claims = (struct claims) { 0 };
	claims->rows = calloc(n + 1, (1 + _LEVEL_MAX) * sizeof(*claims->rows));
	if (!claims->rows)
		return -ENOMEM;
	for (size_t i = 0; ids && i < n; i++)
		claims_add(claims, ids[i], i);
	for (enum level level = LEVEL_UUID; level < _LEVEL_MAX; level++) {
		for (size_t i = 0; i < n; i++)
			claims_add(claims, value_at(devices[i], level), i);
	}
	r = strindex_init(&claims->index, claims->rows, claims->n, claim_key);
	if (r < 0)
		return r;
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *first = claims_find(claims, claims->rows[i].value);

		if (first->device != claims->rows[i].device)
			first->disputed = true;
	}
	return 0;
}

/* An address belongs to the first device that has it, anything else must be undisputed. */
static bool may_have(const struct claims *claims, size_t device, const char *value,
		     enum level level)
{
	const struct claim *first = claims_find(claims, value);

	return first && first->device == device && (level == LEVEL_BDF || !first->disputed);
}

int identity_assign(const struct device *const *devices, size_t n, char (*ret_ids)[DEVICE_ID_MAX])
{
	_cleanup_(claims_done) struct claims claims = { 0 };
	int r;

	r = claims_init(&claims, devices, n, ret_ids);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		for (enum level level = LEVEL_UUID; level < _LEVEL_MAX; level++) {
			const char *value = value_at(devices[i], level);

			/* The claims point to IDs that were there, never to "". */
			if (ret_ids[i][0] == '\0' && may_have(&claims, i, value, level))
				(void)str_copy(ret_ids[i], DEVICE_ID_MAX, value);
		}
	}
	return 0;
}

/* What recognising works on. */
struct recognition {
	const struct snapshot *listed;
	const struct device *const *found;
	size_t n;
	const struct device_state **states; /* of each device found */
	bool *taken;			    /* of each device listed */
};

static bool contradict(const struct device *a, const struct device *b, enum level level)
{
	const char *left = value_at(a, level);
	const char *right = value_at(b, level);

	return left[0] != '\0' && right[0] != '\0' && strcmp(left, right) != 0;
}

/* Takes @state for the found device @i, unless something speaks against it. */
static void recognise(struct recognition *work, size_t i, const struct device_state *state)
{
	const struct device *device = work->found[i];
	size_t at;

	if (!state || state->device->driver != device->driver)
		return;
	at = (size_t)(state - work->listed->devices);
	if (work->taken[at] || contradict(state->device, device, LEVEL_UUID) ||
	    contradict(state->device, device, LEVEL_SERIAL))
		return;
	work->taken[at] = true;
	work->states[i] = state;
}

static void recognise_by_value(struct recognition *work, const struct claims *claims,
			       enum level level)
{
	for (size_t i = 0; i < work->n; i++) {
		const char *value = value_at(work->found[i], level);

		if (!work->states[i] && may_have(claims, i, value, level))
			recognise(work, i, snapshot_find(work->listed, value));
	}
}

/* Where a device is; "" for one that is gone, whose place may be another's now. */
static const char *place_key(const void *table, uint32_t row)
{
	const struct device_state *states = table;

	return states[row].present ? states[row].device->bdf : "";
}

static bool is_equal_at(const struct device *a, const struct device *b, enum level level)
{
	return strcmp(value_at(a, level), value_at(b, level)) == 0;
}

/* The device that is gone, had the place of @device as its ID, and told the same. */
static const struct device_state *find_gone(const struct snapshot *listed,
					    const struct device *device)
{
	const struct device_state *state = snapshot_find(listed, device->bdf);

	if (!state || state->present || !is_equal_at(state->device, device, LEVEL_UUID) ||
	    !is_equal_at(state->device, device, LEVEL_SERIAL))
		return NULL;
	return state;
}

static void recognise_by_place(struct recognition *work, const struct strindex *places)
{
	for (size_t i = 0; i < work->n; i++) {
		const char *bdf = work->found[i]->bdf;
		int64_t row;

		if (work->states[i] || bdf[0] == '\0')
			continue;
		row = strindex_find(places, bdf);
		recognise(work, i, row < 0 ? NULL : &work->listed->devices[row]);
		if (!work->states[i])
			recognise(work, i, find_gone(work->listed, work->found[i]));
	}
}

int identity_recognise(const struct snapshot *listed, const struct device *const *found, size_t n,
		       const struct device_state **ret_states)
{
	_cleanup_(claims_done) struct claims claims = { 0 };
	_cleanup_(strindex_done) struct strindex places = { 0 };
	_cleanup_free_ bool *taken = calloc(listed->n_devices + 1, sizeof(*taken));
	struct recognition work = { listed, found, n, ret_states, taken };
	int r;

	if (!taken)
		return -ENOMEM;
	r = claims_init(&claims, found, n, NULL);
	if (r < 0)
		return r;
	r = strindex_init(&places, listed->devices, listed->n_devices, place_key);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		ret_states[i] = NULL;
	recognise_by_value(&work, &claims, LEVEL_UUID);
	recognise_by_value(&work, &claims, LEVEL_SERIAL);
	recognise_by_place(&work, &places);
	return 0;
}
