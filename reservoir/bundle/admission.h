/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a bundle may be applied: what is asked before anything else is read.
 *
 * Two answers are no failures of the system: REFUSED, which no time changes, and
 * NOT_YET, which another file, another bundle or the right time changes.
 *
 * Source: The Update Framework's specification, 5.3 to 5.6: arbitrary software,
 * rollback, freeze, mix and match, fast-forward
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/config/config.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

#define ADMISSION_REFUSED (-EKEYREJECTED)
#define ADMISSION_NOT_YET (-EAGAIN)
#define ADMISSION_ALREADY (-EALREADY)
#define ADMISSION_CLOCK_SLACK_S 86400 /* that two clocks may differ by */

/* What a site remembers of a hub. */
struct admission_last {
	uint64_t sequence; /* 0: nothing came from it yet */
	int64_t created;   /* of that bundle */
	struct digest root;
	bool is_unremembered; /* it is published, and the catalogue does not know */
};

/**
 * admission_read() - Read a manifest and prove that a trusted hub signed it.
 * @dirfd: directory
 * @name: name of the manifest in it; its signatures lie beside it
 * @hubs: who is trusted
 * @n_hubs: how many
 * @ret: the bundle, to be released with bundle_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, or
 *   ADMISSION_NOT_YET  the manifest or a signature has not arrived whole
 *   ADMISSION_REFUSED  no manifest, an unknown hub, or not signed as it must be
 *   negative errno of the system
 */
int admission_read(int dirfd, const char *name, const struct trusted_hub *hubs, size_t n_hubs,
		   struct bundle *ret, struct error *err);

/**
 * admission_last() - What came last from a hub.
 * @store: store
 * @catalogue: its catalogue, or NULL when it is only read
 * @hub: id of the hub
 * @ret: what came last
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int admission_last(struct store *store, struct catalogue *catalogue, const char *hub,
		   struct admission_last *ret, struct error *err);

/**
 * admission_check() - Whether a bundle comes next.
 * @store: store
 * @bundle: bundle that admission_read() has read
 * @last: what came last from its hub
 * @now: seconds since 1970
 * @ret_base: receives the generation of this site that the bundle's base became, NULL
 *   without; to be released with generation_free()
 * @err: set on failure, naming what is missing
 *
 * Return: 0, or
 *   ADMISSION_ALREADY  it was applied
 *   ADMISSION_NOT_YET  bundles before it are missing, or the clock is wrong
 *   ADMISSION_REFUSED  it is older than what was applied, or expired
 *   negative errno of the system
 */
int admission_check(struct store *store, const struct bundle *bundle,
		    const struct admission_last *last, int64_t now, struct generation **ret_base,
		    struct error *err);

/**
 * admission_remember() - Note what came from a hub; durable after catalogue_commit().
 * @catalogue: catalogue
 * @bundle: bundle that was applied
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int admission_remember(struct catalogue *catalogue, const struct bundle *bundle, struct error *err);
