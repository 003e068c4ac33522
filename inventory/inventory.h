/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the picture of the node current: scans for devices, probes them, and
 * makes a new snapshot when something has changed.
 *
 * A device that disappears stays listed as unhealthy, because a kubelet forgets
 * the health of what is no longer listed; it is dropped after a while.  A device
 * without a usable identity (no UUID, no serial number, no address of its own)
 * is left out: nothing could be allocated that would mean the same card later.
 *
 * Source: Kubernetes pkg/kubelet/cm/devicemanager/manager.go, which takes an ID
 * that it does not know for healthy
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/driver.h"
#include "inventory/health.h"
#include "inventory/snapshot.h"

struct inventory;

struct inventory_policy {
	struct health_policy health;
	uint64_t forget_after_ms; /* how long a device that is gone stays listed */
};

/**
 * inventory_new() - Make an inventory whose first snapshot is empty.
 * @host: host to look at; borrowed
 * @drivers: array of @n drivers, which are kept
 * @n: number of drivers
 * @policy: copied
 * @ret: the inventory, to be released with inventory_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int inventory_new(const struct host *host, const struct driver *const *drivers, size_t n,
		  const struct inventory_policy *policy, struct inventory **ret, struct error *err);

/**
 * inventory_free() - Release an inventory; snapshots that were taken stay valid.
 * @inventory: inventory or NULL
 */
void inventory_free(struct inventory *inventory);
DEFINE_CLEANUP(struct inventory, inventory_free);

/**
 * inventory_rescan() - Look for devices that came, went or changed.
 * @inventory: inventory
 * @now_ms: monotonic time in milliseconds
 * @err: set on failure
 *
 * Every device found is probed as well.  A device without change is the same
 * object in the new snapshot.
 *
 * Context: one thread at a time with inventory_probe().
 * Return: 1 if there is a new snapshot, 0 if nothing changed, or
 *   -ENOMEM  no memory; the snapshot of before stays
 *   -errno   as the first driver whose scan failed; that driver's devices stay as
 *            they were, the other drivers' are current, so that there may be a
 *            new snapshot all the same
 */
int inventory_rescan(struct inventory *inventory, uint64_t now_ms, struct error *err);

/**
 * inventory_probe() - Ask every present device whether it works.
 * @inventory: inventory
 * @err: set on failure
 *
 * Context: one thread at a time with inventory_rescan().
 * Return: 1 if there is a new snapshot, 0 if nothing changed, or -ENOMEM; what
 *   could not be shown for lack of memory is shown by a later call.
 */
int inventory_probe(struct inventory *inventory, struct error *err);

/**
 * inventory_snapshot() - The current snapshot.
 * @inventory: inventory
 *
 * Context: any thread.
 * Return: a new reference, to be given back with snapshot_unref().
 */
struct snapshot *inventory_snapshot(struct inventory *inventory);
