/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sync of one repository: what an ecosystem gets, and what it has to say.
 *
 * The order: fetch indexes (sync->fetcher, urgent), compare them with sync->current,
 * decide what is wanted; call sync_plan() once; then, unless it says that only a
 * plan was asked for, fetch the files, add every entry to sync->builder, and
 * return.  What was listed and could not be had is told with sync_missing(): a
 * repository that misses something is not published, and the old one stays.
 *
 * Source: the vocabulary discovered, fetched, verified, published
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/config/config.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"

#define SYNC_AHEAD_MAX_S 3600 /* that clocks may differ by; clients refuse what is of the future */

/* What the sync of an ecosystem returns; or a negative errno. */
enum sync_outcome {
	SYNC_BUILT,	/* the builder has every entry */
	SYNC_UNCHANGED, /* upstream is what the store has: the builder is left alone */
	SYNC_PLANNED,	/* only a plan was asked for */
};

struct sync_plan {
	uint64_t files;	      /* that the repository will have */
	uint64_t bytes;	      /* of these */
	uint64_t fetch_files; /* that are not in the store yet */
	uint64_t fetch_bytes; /* of these */
	uint64_t removed;     /* files that it has now and will not */
};

struct sync_report;

#define SYNC_ABSENT_SPACE "absent" /* of the catalogue: repository -> struct absent_files */

struct sync {
	struct store *store;
	struct catalogue *catalogue;
	struct fetcher *fetcher;
	const struct reservoir_config *config;
	const struct repository *repository; /* its name is the label of requests */
	const struct manifest *current;	     /* collected last, or NULL */
	const struct revoked *revoked;	     /* is left out */
	struct manifest_builder *builder;
	struct sync_report *report;
	int64_t now; /* seconds since 1970 */
};

/**
 * sync_plan() - Say what is going to be fetched: printed, and held against the disk.
 * @sync: sync
 * @plan: numbers
 * @err: set on failure
 *
 * Return: 0 to go on, SYNC_PLANNED to return that at once, or
 *   -ENOSPC  it would not fit: says how much is needed and how much there is
 */
int sync_plan(struct sync *sync, const struct sync_plan *plan, struct error *err);

/**
 * sync_missing() - Tell that something listed could not be had.
 * @sync: sync
 * @what: path or URL without credentials
 * @why: one line
 */
void sync_missing(struct sync *sync, const char *what, const char *why);

/* Files that upstream lists and does not have. */
struct absent_files {
	uint64_t n;
	uint64_t sum; /* of hashes of their names, in whatever order */
};

/**
 * absent_files_add() - Count a file.
 * @absent: files
 * @path: its path
 */
void absent_files_add(struct absent_files *absent, const char *path);

/**
 * sync_tolerates() - Whether a repository may be published without some files.
 * @sync: sync after sync_plan()
 * @absent: files that upstream lists and does not have
 * @err: set on failure
 *
 * A few are an upstream's own mistake, which may stay for ever: but only when the run
 * before found the same, as an upstream may be at writing them.  Where nothing is
 * published yet, nothing is better.  When it is most of all files, it is rather a server
 * that does not work, and nothing is taken away here.
 *
 * Return: 1 if so, 0 if not, or negative errno.
 */
int sync_tolerates(const struct sync *sync, const struct absent_files *absent, struct error *err);

/**
 * sync_lacking() - Tell that something is not to be had, and everything else is published
 *   without it: the run is no success all the same.
 * @sync: sync
 * @what: path, or name
 * @why: one line
 */
void sync_lacking(struct sync *sync, const char *what, const char *why);

/**
 * sync_absent() - Tell that a listed file is not there, as sync_lacking() does.
 * @sync: sync
 * @what: path
 */
void sync_absent(struct sync *sync, const char *what);

/**
 * sync_note() - Tell what is worth knowing and no failure: listed but absent indexes,
 *   signatures that were not checked.
 * @sync: sync
 * @text: one line
 */
void sync_note(struct sync *sync, const char *text);
