/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drop directory: where people and machines put the files of bundles, slowly, in
 * any order, and half-written.  Only sizes and hashes decide when one is complete.
 *
 *	DIR/HUB8-SEQUENCE.*        what arrives
 *	DIR/HUB8-SEQUENCE.waiting  what a bundle waits for, for people
 *	DIR/done/SEQUENCE/         what was applied
 *	DIR/rejected/              what was refused, with HUB8-SEQUENCE.reason
 *	DIR/receipts/              what the hub is to get
 *	DIR/too-many-files.waiting what is said when there are more files than are looked at
 *
 * Whoever can write the directory can fill it.  So a bundle that looks complete is tried
 * before all that does not, one that fails does not keep the others, and when there are too
 * many files those that have not changed for long are moved away, so that the rest is seen.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/importer.h"

#define DROP_SETTLE_MS 10000 /* that a refused bundle must stay as it is before it is moved */
#define DROP_RETRY_MS 60000  /* after which one that waits is tried again though nothing changed */
#define DROP_STALE_MS 600000 /* that one may wait unchanged when there are too many files */
#define DROP_FILES_MAX 262144u /* that are looked at: four bundles of the largest kind */

struct drop_options {
	const char *dir; /* borrowed */
	uint32_t settle_ms;
	uint32_t max_files; /* 0: DROP_FILES_MAX */
	/* Applies a bundle; negative errno when it could not be told whether it can be. */
	int (*import)(void *ctx, const char *name, struct import_report *ret, struct error *err);
	/* Told once of each thing that changes. */
	void (*tell)(void *ctx, bool is_warning, const char *text);
	void *ctx;
};

struct drop;

/* What one look has found. */
struct drop_result {
	uint32_t applied;
	uint32_t rejected;
	uint32_t waiting;
	uint32_t failed;      /* could not be tried, or not be moved */
	uint32_t over;	      /* files that were not looked at, as there are too many */
	uint64_t files;	      /* of bundles that are not applied, with those not looked at */
	uint64_t foreign;     /* what is of no bundle */
	uint64_t in_rejected; /* files that lie in rejected/ */
};

/**
 * drop_new() - Begin to look at a directory; its folders are made.
 * @options: how
 * @ret: the drop directory, to be released with drop_free()
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int drop_new(const struct drop_options *options, struct drop **ret, struct error *err);

/**
 * drop_free() - Release a drop directory.
 * @drop: drop directory or NULL
 */
void drop_free(struct drop *drop);
DEFINE_CLEANUP(struct drop, drop_free);

/**
 * drop_scan() - Look once, and apply what is complete.
 * @drop: drop directory
 * @now_ms: of a clock that only goes forward
 * @ret: what was found
 * @err: set on failure
 *
 * Return: 0, -EINTR when the import was to stop, or negative errno of the directory.
 */
int drop_scan(struct drop *drop, uint64_t now_ms, struct drop_result *ret, struct error *err);
