/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a bundle: at the hub, from the difference of two generations.
 *
 * The same difference has one sequence number and one time, so that writing it again
 * gives the same bytes, and going on after an interruption too.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/config/config.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

struct export_report {
	char name[BUNDLE_NAME_MAX]; /* of the manifest */
	uint64_t sequence;
	enum bundle_kind kind;
	uint64_t base_number;
	uint64_t number;
	uint64_t objects;
	uint64_t bytes;	       /* of these */
	uint64_t bundle_bytes; /* of all chunks */
	uint64_t removed;
	size_t n_chunks;
	size_t n_resumed; /* chunks that an earlier run had written */
};

struct export
{
	struct store *store; /* opened with STORE_WRITE */
	struct catalogue *catalogue;
	const struct config_bundles *config;
	const struct generation *base;	/* NULL: a full bundle */
	const struct generation *after; /* what is exported */
	const char *dir;
	int64_t now; /* seconds since 1970 */
	/* Whether a path is a package's: a bundle that brings none is a recall; or NULL. */
	bool (*is_package)(const char *ecosystem, const char *path);
	/* Called after each chunk, or NULL. */
	void (*progress)(void *ctx, uint32_t index, const struct bundle_chunk *chunk);
	void *ctx;
};

/**
 * export_bundle() - Write a bundle: its chunks, then its manifest, then its signatures.
 * @export: what to write
 * @ret: what was written
 * @err: set on failure
 *
 * Return: 0, or
 *   -EALREADY  nothing changed between the generations
 *   -EINVAL    there is no key to sign with
 *   -EBADMSG   an object of the store is damaged
 *   -ENOSPC    the disk is full; the whole chunks stay, and the next run goes on
 *   negative errno of the system
 */
int export_bundle(const struct export *export, struct export_report *ret, struct error *err);
