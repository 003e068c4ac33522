/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rescan drafts the next listing and compares it with the current one:
 *
 *	found devices ---- recognised ----> listed before: keeps ID and hysteresis
 *	              \--- or new ---------> gets an ID, the first probe decides
 *	listed before, not found ---------> gone: unhealthy at once, later dropped
 *	listed before, scan has failed ---> as it was
 *
 * Only the snapshot pointer is shared between threads, so only it is locked.
 */
#include "inventory/inventory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/sysfs.h"
#include "inventory/identity.h"

/* Devices that are gone and still listed; bounds what a flapping bus can pile up. */
#define INVENTORY_GONE_MAX DEVICES_MAX

/* What is known of a listed device beside its state. */
struct track {
	struct health health;
	uint64_t gone_since_ms; /* only when not present */
};

struct inventory {
	const struct host *host;
	const struct driver **drivers; /* an array of its own, with references */
	size_t n_drivers;
	struct inventory_policy policy;
	pthread_mutex_t lock;
	struct snapshot *snapshot;
	struct track *tracks; /* of the snapshot's devices, in their order */
};

int inventory_new(const struct host *host, const struct driver *const *drivers, size_t n,
		  const struct inventory_policy *policy, struct inventory **ret, struct error *err)
{
	_cleanup_(inventory_freep) struct inventory *inventory = calloc(1, sizeof(*inventory));

	if (!inventory)
		return error_set(err, ENOMEM, "no memory for an inventory");
	(void)pthread_mutex_init(&inventory->lock, NULL); /* never fails on Linux */
	inventory->host = host;
	inventory->policy = *policy;
	inventory->drivers = calloc(n + 1, sizeof(struct driver *));
	inventory->snapshot = snapshot_new(0, NULL, 0);
	if (!inventory->drivers || !inventory->snapshot)
		return error_set(err, ENOMEM, "no memory for a snapshot");
	for (size_t i = 0; i < n; i++)
		inventory->drivers[i] = driver_ref(drivers[i]);
	inventory->n_drivers = n;
	*ret = TAKE_PTR(inventory);
	return 0;
}

void inventory_free(struct inventory *inventory)
{
	int saved_errno = errno;

	if (!inventory)
		return;
	(void)pthread_mutex_destroy(&inventory->lock);
	snapshot_unref(inventory->snapshot);
	free(inventory->tracks);
	for (size_t i = 0; i < inventory->n_drivers; i++)
		driver_unref(inventory->drivers[i]);
	free(inventory->drivers);
	free(inventory);
	errno = saved_errno;
}

struct snapshot *inventory_snapshot(struct inventory *inventory)
{
	struct snapshot *snapshot;

	(void)pthread_mutex_lock(&inventory->lock);
	snapshot = snapshot_ref(inventory->snapshot);
	(void)pthread_mutex_unlock(&inventory->lock);
	return snapshot;
}

/* Makes @next current; its reference becomes the inventory's. */
static void publish(struct inventory *inventory, struct snapshot *next)
{
	struct snapshot *before = inventory->snapshot;

	(void)pthread_mutex_lock(&inventory->lock);
	inventory->snapshot = next;
	(void)pthread_mutex_unlock(&inventory->lock);
	snapshot_unref(before);
}

/* Puts text into @state's reason; what does not fit is cut. */
static void set_reason(struct device_state *state, const char *text)
{
	(void)snprintf(state->reason, sizeof(state->reason), "%.*s", HEALTH_REASON_MAX - 1, text);
}

/* Returns 0 if the device works; else a negative errno, and the text is set. */
static int ask(const struct inventory *inventory, const struct device *device,
	       struct error *ret_why)
{
	int r;

	*ret_why = (struct error) { 0 };
	if (device->fault[0] != '\0')
		r = error_set(ret_why, EIO, "%s", device->fault);
	else
		r = device->driver->probe(inventory->host, device, ret_why);
	if (r < 0 && ret_why->code == 0)
		(void)error_set(ret_why, -r, "%s", error_text(NULL, r));
	return MIN(r, 0);
}

/* Probes the present device of @state, and moves on its health.  That we lack a
 * descriptor or memory says nothing about the device. */
static void judge(const struct inventory *inventory, struct device_state *state,
		  struct track *track)
{
	uint32_t healthy_after = inventory->policy.health.healthy_after;
	struct error why;
	int r = ask(inventory, state->device, &why);
	bool good = r == 0;

	if (sysfs_is_shortage(r))
		return;
	(void)health_step(&track->health, &inventory->policy.health, good);
	if (!good && !track->health.healthy)
		set_reason(state, why.msg);
	if (track->health.healthy && !state->healthy)
		(void)snprintf(state->reason, sizeof(state->reason),
			       "healthy again after %u good probe%s", healthy_after,
			       healthy_after == 1 ? "" : "s");
	state->healthy = track->health.healthy;
}

/* The first verdict on a device. */
static void judge_new(const struct inventory *inventory, struct device_state *state,
		      struct track *track)
{
	struct error why;

	state->healthy = ask(inventory, state->device, &why) == 0;
	set_reason(state, why.msg);
	track->health = health_init(state->healthy);
}

/* What a rescan works on. */
struct draft {
	struct device_list found;
	bool *failed; /* of each driver: its scan has failed */

	/* The devices to be listed: those found, then those not found. */
	size_t n;
	const struct device **devices;
	const struct device_state **before; /* NULL for a new device */
	char (*ids)[DEVICE_ID_MAX];

	/* The same with their new state, less those without identity. */
	size_t n_states;
	struct device_state *states;
	struct track *tracks;
};

static void draft_done(struct draft *draft)
{
	device_list_done(&draft->found);
	free(draft->failed);
	free(draft->devices);
	free(draft->before);
	free(draft->ids);
	free(draft->states);
	free(draft->tracks);
}

/* Adds what a driver has found to what the others have.  Not with device_list_add(),
 * whose maximum is for one driver. */
static int take_devices(struct device_list *found, struct device_list *own)
{
	size_t n = found->n + own->n;
	struct device **devices;

	if (own->n == 0)
		return 0;
	devices = reallocarray(found->devices, n, sizeof(struct device *));
	if (!devices)
		return -ENOMEM;
	memcpy(devices + found->n, own->devices, own->n * sizeof(struct device *));
	*found = (struct device_list) { .devices = devices, .n = n, .cap = n };
	own->n = 0;
	return 0;
}

/* Each driver gets a list of its own: what one finds leaves the others their room. */
static int scan_driver(const struct inventory *inventory, const struct driver *driver,
		       struct device_list *found, struct error *err)
{
	_cleanup_device_list_ struct device_list own = { 0 };
	int r = driver->scan(driver, inventory->host, &own, err);

	if (r >= 0) {
		r = take_devices(found, &own);
		if (r < 0)
			(void)error_set(err, -r, "no memory for the devices found");
	}
	return r < 0 ? error_wrap(err, r, "scan by driver '%s'", driver->name) : 0;
}

/* Returns 0, or the error of the first driver that failed; the draft is good in any case. */
static int scan_drivers(const struct inventory *inventory, struct draft *draft, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < inventory->n_drivers; i++) {
		struct error *first_err = result < 0 ? NULL : err;
		int r = scan_driver(inventory, inventory->drivers[i], &draft->found, first_err);

		draft->failed[i] = r < 0;
		result = result < 0 ? result : r;
	}
	return result;
}

static bool has_failed(const struct inventory *inventory, const struct draft *draft,
		       const struct driver *driver)
{
	for (size_t i = 0; i < inventory->n_drivers; i++) {
		if (inventory->drivers[i] == driver)
			return draft->failed[i];
	}
	return false;
}

static const struct track *track_of(const struct inventory *inventory,
				    const struct device_state *state)
{
	return &inventory->tracks[state - inventory->snapshot->devices];
}

static uint64_t gone_since_ms(const struct inventory *inventory, const struct device_state *state,
			      uint64_t now_ms)
{
	return state->present ? now_ms : track_of(inventory, state)->gone_since_ms;
}

/* Whether a device that is gone has been so for long enough. */
static bool is_forgotten(const struct inventory *inventory, const struct device_state *state,
			 uint64_t now_ms)
{
	return now_ms - gone_since_ms(inventory, state, now_ms) >=
	       inventory->policy.forget_after_ms;
}

static void draft_add(struct draft *draft, const struct device *device,
		      const struct device_state *before)
{
	draft->devices[draft->n] = device;
	draft->before[draft->n] = before;
	if (before)
		(void)str_copy(draft->ids[draft->n], DEVICE_ID_MAX, before->id);
	draft->n++;
}

static int draft_reserve(struct draft *draft, size_t n)
{
	draft->devices = calloc(n + 1, sizeof(struct device *));
	draft->before = calloc(n + 1, sizeof(struct device_state *));
	draft->ids = calloc(n + 1, sizeof(*draft->ids));
	draft->states = calloc(n + 1, sizeof(*draft->states));
	draft->tracks = calloc(n + 1, sizeof(*draft->tracks));
	if (!draft->devices || !draft->before || !draft->ids || !draft->states || !draft->tracks)
		return -ENOMEM;
	return 0;
}

/*
 * Puts the object that is listed in the place of an equal one.  Early on, so that
 * the memory of the other one, with all its text, serves for the rest of the scan.
 */
static void keep_object(struct device **found, const struct device *listed)
{
	if (!device_equal(*found, listed))
		return;
	device_unref(*found);
	*found = (struct device *)(uintptr_t)device_ref(listed);
}

/* Adds the devices that were found; marks in @seen which of the listed ones they are. */
static int draft_found(const struct inventory *inventory, struct draft *draft, bool *seen)
{
	const struct device *const *found = (const struct device *const *)draft->found.devices;
	const struct snapshot *snapshot = inventory->snapshot;
	int r;

	r = identity_recognise(snapshot, found, draft->found.n, draft->before);
	if (r < 0)
		return r;
	for (size_t i = 0; i < draft->found.n; i++) {
		if (draft->before[i]) {
			seen[draft->before[i] - snapshot->devices] = true;
			keep_object(&draft->found.devices[i], draft->before[i]->device);
		}
		draft_add(draft, found[i], draft->before[i]);
	}
	return 0;
}

/* Adds the devices that are listed and were not found. */
static void draft_missing(const struct inventory *inventory, struct draft *draft, const bool *seen,
			  uint64_t now_ms)
{
	const struct snapshot *snapshot = inventory->snapshot;
	size_t n_gone = 0;

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];
		bool gone = !has_failed(inventory, draft, state->device->driver);

		if (seen[i])
			continue;
		if (gone &&
		    (n_gone == INVENTORY_GONE_MAX || is_forgotten(inventory, state, now_ms)))
			continue;
		draft_add(draft, state->device, state);
		n_gone += gone;
	}
}

static int draft_devices(const struct inventory *inventory, struct draft *draft, uint64_t now_ms)
{
	size_t n_listed = inventory->snapshot->n_devices;
	_cleanup_free_ bool *seen = calloc(n_listed + 1, sizeof(*seen));
	int r;

	if (!seen)
		return -ENOMEM;
	r = draft_reserve(draft, draft->found.n + n_listed);
	if (r < 0)
		return r;
	r = draft_found(inventory, draft, seen);
	if (r < 0)
		return r;
	draft_missing(inventory, draft, seen, now_ms);
	return identity_assign(draft->devices, draft->n, draft->ids);
}

/* The new state of a device that was found. */
static void state_of_found(const struct inventory *inventory, const struct device *device,
			   const struct device_state *before, struct device_state *state,
			   struct track *track)
{
	if (!before) {
		*state = (struct device_state) { .device = device, .present = true };
		judge_new(inventory, state, track);
		return;
	}
	*state = *before;
	*track = *track_of(inventory, before);
	state->device = device;
	if (!before->present)
		(void)snprintf(state->reason, sizeof(state->reason),
			       "found again; healthy after %u good probes in a row",
			       inventory->policy.health.healthy_after);
	state->present = true;
	judge(inventory, state, track);
}

/* The new state of a device that was not found. */
static void state_of_missing(const struct inventory *inventory, const struct draft *draft,
			     const struct device_state *before, uint64_t now_ms,
			     struct device_state *state, struct track *track)
{
	const char *driver = before->device->driver->name;

	*state = *before;
	*track = *track_of(inventory, before);
	if (!before->present || has_failed(inventory, draft, before->device->driver))
		return;
	state->present = false;
	state->healthy = false;
	(void)snprintf(state->reason, sizeof(state->reason), "gone: no longer found by driver '%s'",
		       driver);
	*track = (struct track) { .health = health_init(false), .gone_since_ms = now_ms };
}

static void draft_states(const struct inventory *inventory, struct draft *draft, uint64_t now_ms)
{
	for (size_t i = 0; i < draft->n; i++) {
		struct device_state *state = &draft->states[draft->n_states];
		struct track *track = &draft->tracks[draft->n_states];

		if (draft->ids[i][0] == '\0')
			continue;
		if (i < draft->found.n)
			state_of_found(inventory, draft->devices[i], draft->before[i], state,
				       track);
		else
			state_of_missing(inventory, draft, draft->before[i], now_ms, state, track);
		(void)str_copy(state->id, sizeof(state->id), draft->ids[i]);
		draft->n_states++;
	}
}

static bool is_same_state(const struct device_state *a, const struct device_state *b)
{
	return a->device == b->device && a->present == b->present && a->healthy == b->healthy &&
	       strcmp(a->id, b->id) == 0 && strcmp(a->reason, b->reason) == 0;
}

static bool is_same_snapshot(const struct snapshot *a, const struct snapshot *b)
{
	if (a->n_devices != b->n_devices)
		return false;
	for (size_t i = 0; i < a->n_devices; i++) {
		if (!is_same_state(&a->devices[i], &b->devices[i]))
			return false;
	}
	return true;
}

/* Puts the tracks of the draft in the order of @snapshot, which lists the same IDs. */
static void order_tracks(const struct snapshot *snapshot, const struct draft *draft,
			 struct track *ret_tracks)
{
	for (size_t i = 0; i < draft->n_states; i++) {
		const struct device_state *state = snapshot_find(snapshot, draft->states[i].id);

		ret_tracks[state - snapshot->devices] = draft->tracks[i];
	}
}

/*
 * Puts the draft in force; returns 1 if it makes a new snapshot, 0 if not.  Without
 * a change nothing that was allocated on the way stays so.
 */
static int draft_commit(struct inventory *inventory, const struct draft *draft)
{
	_cleanup_(snapshot_unrefp) struct snapshot *next = NULL;
	struct track *tracks;

	next = snapshot_new(inventory->snapshot->generation + 1, draft->states, draft->n_states);
	if (!next)
		return -ENOMEM;
	if (is_same_snapshot(inventory->snapshot, next)) {
		order_tracks(inventory->snapshot, draft, inventory->tracks);
		return 0;
	}
	tracks = calloc(draft->n_states + 1, sizeof(*tracks));
	if (!tracks)
		return -ENOMEM;
	order_tracks(next, draft, tracks);
	free(inventory->tracks);
	inventory->tracks = tracks;
	publish(inventory, TAKE_PTR(next));
	return 1;
}

int inventory_rescan(struct inventory *inventory, uint64_t now_ms, struct error *err)
{
	_cleanup_(draft_done) struct draft draft = { 0 };
	int result;
	int r;

	draft.failed = calloc(inventory->n_drivers + 1, sizeof(*draft.failed));
	if (!draft.failed)
		return error_set(err, ENOMEM, "no memory for a scan");
	result = scan_drivers(inventory, &draft, err);
	r = draft_devices(inventory, &draft, now_ms);
	if (r >= 0) {
		draft_states(inventory, &draft, now_ms);
		r = draft_commit(inventory, &draft);
	}
	if (r < 0)
		return error_set(err, -r, "no memory for the devices found");
	return result < 0 ? result : r;
}

/*
 * Probes one device.  A difference is written to *@next, which is made a copy of
 * the current snapshot when the first one turns up.
 */
static int probe_device(struct inventory *inventory, size_t i, struct snapshot **next)
{
	const struct snapshot *snapshot = inventory->snapshot;
	struct device_state state = snapshot->devices[i];

	judge(inventory, &state, &inventory->tracks[i]);
	if (is_same_state(&snapshot->devices[i], &state))
		return 0;
	if (!*next)
		*next = snapshot_new(snapshot->generation + 1, snapshot->devices,
				     snapshot->n_devices);
	if (!*next)
		return -ENOMEM;
	(*next)->devices[i] = state;
	return 0;
}

int inventory_probe(struct inventory *inventory, struct error *err)
{
	_cleanup_(snapshot_unrefp) struct snapshot *next = NULL;
	int result = 0;

	for (size_t i = 0; i < inventory->snapshot->n_devices; i++) {
		if (!inventory->snapshot->devices[i].present)
			continue;
		if (probe_device(inventory, i, &next) < 0)
			result = error_set(err, ENOMEM, "no memory for a snapshot");
	}
	if (!next)
		return result;
	publish(inventory, TAKE_PTR(next));
	return result < 0 ? result : 1;
}
