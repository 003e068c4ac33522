/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/snapshot.h"

#include <stdlib.h>
#include <string.h>

static int compare_ids(const void *a, const void *b)
{
	const struct device_state *left = a;
	const struct device_state *right = b;

	return strcmp(left->id, right->id);
}

static int compare_id(const void *key, const void *element)
{
	const struct device_state *state = element;

	return strcmp(key, state->id);
}

struct snapshot *snapshot_new(uint64_t generation, const struct device_state *states, size_t n)
{
	struct snapshot *snapshot;

	snapshot = malloc(sizeof(*snapshot) + n * sizeof(snapshot->devices[0]));
	if (!snapshot)
		return NULL;
	snapshot->refs = 1;
	snapshot->generation = generation;
	snapshot->n_devices = n;
	for (size_t i = 0; i < n; i++) {
		snapshot->devices[i] = states[i];
		device_ref(states[i].device);
	}
	qsort(snapshot->devices, n, sizeof(snapshot->devices[0]), compare_ids);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	__atomic_add_fetch(&snapshot->refs, 1, __ATOMIC_RELAXED);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
	int saved_errno = errno;

	/* Release what this thread did; the last one acquires what all did. */
	if (!snapshot || __atomic_sub_fetch(&snapshot->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < snapshot->n_devices; i++)
		device_unref(snapshot->devices[i].device);
	free(snapshot);
	errno = saved_errno;
}

const struct device_state *snapshot_find(const struct snapshot *snapshot, const char *id)
{
	return bsearch(id, snapshot->devices, snapshot->n_devices, sizeof(snapshot->devices[0]),
		       compare_id);
}

/* Where the differences of one snapshot_diff() go. */
struct diff {
	snapshot_change_fn fn;
	void *ctx;
	size_t n;
};

static void report(struct diff *diff, enum change_kind kind, const struct device_state *before,
		   const struct device_state *after)
{
	struct change change = { .kind = kind, .before = before, .after = after };

	diff->n++;
	diff->fn(diff->ctx, &change);
}

static void diff_device(struct diff *diff, const struct device_state *before,
			const struct device_state *after)
{
	if (before->device != after->device && !device_equal(before->device, after->device))
		report(diff, CHANGE_FACTS, before, after);
	if (before->healthy != after->healthy || before->present != after->present)
		report(diff, CHANGE_HEALTH, before, after);
}

size_t snapshot_diff(const struct snapshot *before, const struct snapshot *after,
		     snapshot_change_fn fn, void *ctx)
{
	struct diff diff = { .fn = fn, .ctx = ctx };
	size_t n_before = before ? before->n_devices : 0;
	size_t i = 0;
	size_t j = 0;

	while (i < n_before || j < after->n_devices) {
		const struct device_state *old = i < n_before ? &before->devices[i] : NULL;
		const struct device_state *new = j < after->n_devices ? &after->devices[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->id, new->id);

		if (order < 0)
			report(&diff, CHANGE_REMOVED, old, NULL);
		else if (order > 0)
			report(&diff, CHANGE_ADDED, NULL, new);
		else
			diff_device(&diff, old, new);
		i += order <= 0;
		j += order >= 0;
	}
	return diff.n;
}
