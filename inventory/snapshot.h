/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of the node at one moment: all devices with identity and health.
 *
 * A snapshot never changes.  It is shared by reference between threads; the
 * next one has a higher generation.
 *
 * Source: Kubernetes device plugin API v1beta1, which limits an ID to 63 characters
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "drivers/device.h"

#define DEVICE_ID_MAX 64      /* bytes with the NUL; the kubelet's comment allows 63 characters */
#define HEALTH_REASON_MAX 256 /* bytes with the NUL; a fault fits */

struct device_state {
	const struct device *device; /* a reference of the snapshot's own */
	char id[DEVICE_ID_MAX];	     /* survives renumbering: UUID, else serial, else BDF */
	bool present;		     /* false: it was there, and is gone for now */
	bool healthy;
	char reason[HEALTH_REASON_MAX]; /* why it is unhealthy, or what brought it back */
};

struct snapshot {
	int refs; /* atomic; use snapshot_ref() and snapshot_unref() */
	uint64_t generation;
	size_t n_devices;
	struct device_state devices[]; /* in order of id */
};

enum change_kind {
	CHANGE_ADDED,	/* a device that was not listed */
	CHANGE_REMOVED, /* gone for good */
	CHANGE_HEALTH,	/* healthy became unhealthy or the reverse; or gone, or back */
	CHANGE_FACTS,	/* renumbered, another version, other files */
	_CHANGE_MAX,
};

struct change {
	enum change_kind kind;
	const struct device_state *before; /* NULL when added */
	const struct device_state *after;  /* NULL when removed */
};

/**
 * typedef snapshot_change_fn - Called for each difference of two snapshots.
 * @ctx: as given to snapshot_diff()
 * @change: the difference; borrowed during the call
 */
typedef void (*snapshot_change_fn)(void *ctx, const struct change *change);

/**
 * snapshot_new() - Make a snapshot with one reference.
 * @generation: its number
 * @states: @n devices with different IDs, in any order; a reference is taken of
 *	each device
 * @n: number of devices
 *
 * Return: the snapshot, or NULL when there is no memory.
 */
struct snapshot *snapshot_new(uint64_t generation, const struct device_state *states, size_t n);

/**
 * snapshot_ref() - Take another reference.
 * @snapshot: snapshot to share
 *
 * Context: any thread.
 * Return: @snapshot.
 */
struct snapshot *snapshot_ref(struct snapshot *snapshot);

/**
 * snapshot_unref() - Give back a reference; the last one releases the snapshot.
 * @snapshot: snapshot or NULL
 *
 * Context: any thread.
 */
void snapshot_unref(struct snapshot *snapshot);
DEFINE_CLEANUP(struct snapshot, snapshot_unref);

/**
 * snapshot_find() - Look a device up.
 * @snapshot: snapshot
 * @id: identity of the device
 *
 * Return: its state, or NULL; borrowed from @snapshot.
 */
const struct device_state *snapshot_find(const struct snapshot *snapshot, const char *id);

/**
 * snapshot_diff() - List what differs between two snapshots.
 * @before: older snapshot, or NULL for an empty one
 * @after: newer snapshot
 * @fn: called once per difference, in order of id; facts and health of one
 *	device are two differences
 * @ctx: passed to @fn
 *
 * Return: number of differences.
 */
size_t snapshot_diff(const struct snapshot *before, const struct snapshot *after,
		     snapshot_change_fn fn, void *ctx);
