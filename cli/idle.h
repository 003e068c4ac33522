/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches how busy devices are, for a while.
 *
 * Source: the idea of a window and of a time of grace before it is that of
 * Backend.AI's manual, utilization based idle checks
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/kubelet/podresources.h"
#include "base/error.h"
#include "cli/findings.h"
#include "drivers/host.h"
#include "inventory/snapshot.h"

#define IDLE_SAMPLES 20		/* of one window, as far as the interval below allows */
#define IDLE_INTERVAL_MIN_MS 50 /* between two samples: some sensors average over that */

struct idle_watch {
	const struct host *host;
	uint32_t grace_ms;  /* before the first sample */
	uint32_t window_ms; /* from the first sample to the last */
	struct load *loads; /* of devices with a driver that measures; sums are added to */
	size_t n_loads;
};

/**
 * idle_loads() - List the devices of which something is held.
 * @snapshot: node; must outlive the list
 * @held: who holds what
 * @ret_n: number of devices
 *
 * Return: a load without samples for each, to be released with free(), or NULL when
 *   there is no memory.
 */
struct load *idle_loads(const struct snapshot *snapshot, const struct podresources *held,
			size_t *ret_n);

/**
 * idle_settle() - Drop the samples of what changed hands meanwhile.
 * @watch: what was watched; its loads point to devices of @snapshot afterwards
 * @snapshot: node after the window
 * @before: who held what before the window
 * @after: who holds what after it
 * @err: set on failure
 *
 * A device of which somebody got something only meanwhile, or that nobody holds any
 * more, or that is gone, is not judged.
 *
 * Return: 0, or -ENOMEM.
 */
int idle_settle(struct idle_watch *watch, const struct snapshot *snapshot,
		const struct podresources *before, const struct podresources *after,
		struct error *err);

/**
 * idle_watch() - Take samples over a window.
 * @watch: what to watch; takes as long as it says
 * @err: set on failure
 *
 * A device that says nothing has no samples.
 *
 * Return: 0, or -ENOMEM, or -errno as the system calls of the loop leave it.
 */
int idle_watch(struct idle_watch *watch, struct error *err);

/**
 * idle_interval_ms() - How long to wait between two samples.
 * @window_ms: window
 *
 * Return: milliseconds, at least IDLE_INTERVAL_MIN_MS.
 */
uint32_t idle_interval_ms(uint32_t window_ms);
