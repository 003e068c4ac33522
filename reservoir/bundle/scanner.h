/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The site's own scanner: a command that looks at the new files of a bundle, under the
 * paths that clients would see, before anything is published.
 *
 * The files are hard links to objects, so there is no second copy of them: a first bundle
 * may be as big as the disk.  A scanner that writes into one would change the store, so
 * each is read again afterwards; what was changed is put aside and the bundle refused.
 *
 * Source: posix_spawn(3), setpgid(2)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/config/config.h"
#include "reservoir/store/generation.h"

struct scan {
	struct store *store; /* opened with STORE_WRITE */
	const struct config_bundles *config;
	const struct generation *before; /* what was looked at earlier, or NULL */
	const struct generation *after;	 /* of the hub */
	const char *name;		 /* of the directory below STORE/staging */
	/* Asked while it runs, or NULL: true ends it, with -EINTR. */
	bool (*stop)(void *ctx);
	void *ctx;
};

/**
 * scanner_run() - Let the scanner look at what is new.
 * @scan: what, and by which command
 * @ret_files: how many files it was given
 * @err: set on failure, with the end of what the command said
 *
 * Return: 0 when its exit status is 0, or no command is configured, or
 *   ADMISSION_REFUSED  it says no, took too long, or has changed a file
 *   -EINTR             it was to stop
 *   negative errno of the system
 */
int scanner_run(const struct scan *scan, uint64_t *ret_files, struct error *err);
