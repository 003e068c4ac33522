/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps watch over the node: probes and rescans by timer, and rescans early when
 * udev or a directory of device files says that something has happened.
 *
 * Source: udev(7), inotify(7)
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"
#include "drivers/host.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "policy/policy.h"

struct node;

struct node_setup {
	struct loop *loop;
	struct host *host;		     /* borrowed */
	const struct driver *const *drivers; /* @n_drivers; copied */
	size_t n_drivers;
	struct inventory_policy policy;
	uint32_t probe_interval_ms;
	uint32_t rescan_interval_ms;
	/* Called after every look at the devices with the time when it began, by clock_ns();
	 * or NULL. */
	void (*scanned)(void *ctx, uint64_t start_ns);
	/* Called when there is a new snapshot.  Context: the loop's thread. */
	void (*changed)(void *ctx, struct snapshot *before, struct snapshot *after);
	/* Called after every periodic rescan, for other checks at that pace. */
	void (*rescanned)(void *ctx);
	void *ctx;
};

/**
 * node_new() - Begin to watch; the devices are looked for at once.
 * @setup: copied
 * @ret: the watch, to be released with node_free()
 * @err: set on failure
 *
 * @setup's `changed` is called from within for the devices that are there.
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int node_new(const struct node_setup *setup, struct node **ret, struct error *err);

/**
 * node_follow_policy() - Watch as another policy says; the watch begins anew only where it
 *   has to.
 * @setup: what no policy says
 * @before: policy that is watched by, or NULL
 * @policy: policy to watch by
 * @node: watch, or NULL before the first; replaced when it begins anew
 * @snapshot: the caller's, or NULL; replaced together with @node
 * @err: set on failure
 *
 * Return: 0, or as node_new(); then the watch is as before.
 */
int node_follow_policy(const struct node_setup *setup, const struct policy *before,
		       const struct policy *policy, struct node **node, struct snapshot **snapshot,
		       struct error *err);

/**
 * node_free() - Stop to watch.
 * @node: watch or NULL
 */
void node_free(struct node *node);
DEFINE_CLEANUP(struct node, node_free);

/**
 * node_snapshot() - The newest picture of the node.
 * @node: watch
 *
 * Return: a new reference, to be given back with snapshot_unref().
 */
struct snapshot *node_snapshot(const struct node *node);

/**
 * node_rescan() - Look for devices now.
 * @node: watch
 *
 * Context: the loop's thread.
 */
void node_rescan(struct node *node);

/**
 * node_rescan_soon() - Look for devices in a moment; further calls are merged.
 * @node: watch
 *
 * Context: the loop's thread.
 */
void node_rescan_soon(struct node *node);
