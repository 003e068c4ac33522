/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Garbage collection: removes generations that need not be kept, and the objects that
 * no kept one reaches.
 *
 * It runs beside readers and beside a writer, in another process or on another
 * machine, without the writer's lock.  Why nothing is lost:
 *
 *  - Candidates are the objects that were there before marking began.  What comes
 *    later is no candidate.
 *  - Objects are removed in small groups, each under the gate, and only while the
 *    current generation and the snapshots are those that were marked; else the new ones
 *    are marked first.  Publishing takes the gate too, and then looks for every object
 *    that its parent does not have.  So a publish is before a group, and what it needs
 *    is marked; or behind it, and what is gone makes it fail: a generation that names
 *    what is not there is never published.
 *  - That it seldom fails is the work of times.  A writer takes its lock under the
 *    gate, with the time of the file system; what it makes or finds
 *    (object_exists()) afterwards has a change time that is not earlier.  While a writer
 *    has its lock, such objects are spared for GC_CLAIM_S.  An object is first moved
 *    away and looked at again, and put back if the writer has found it in between.
 *  - What a sync has fetched that was interrupted is spared like that of a writer, until
 *    one comes to its end (unfinished.h).
 *  - Readers have what they have open.  What they are about to open belongs to a
 *    generation that was current a moment ago: `keep.for` spares all that were
 *    current in that time.
 *
 * Source: the grace of git-gc(1), "gc.pruneExpire", with the clock of the file system
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/store/store.h"

#define GC_CLAIM_S ((int64_t)7 * 24 * 3600)	  /* a sync takes hours, not a week */
#define GC_QUARANTINE_S ((int64_t)30 * 24 * 3600) /* time to look why a disk flips bits */
#define GC_STAGING_S ((int64_t)14 * 24 * 3600)	  /* nobody goes on with what is older */

struct gc_settings {
	uint32_t keep_generations; /* the last so many stay, at least the current one */
	int64_t keep_for_s;	   /* and all that were current since so long */
	int64_t now;		   /* seconds since 1970 */
	uint64_t drop;		   /* goes with its snapshots, read or not; 0: none */
	bool dry_run;		   /* only count */
};

struct gc_report {
	uint64_t generations_kept;
	uint64_t generations_removed;
	uint64_t snapshots_removed; /* of what was dropped */
	uint64_t objects_kept;
	uint64_t objects_removed;
	uint64_t bytes_removed;
	uint64_t objects_spared; /* that a writer may need */
	uint64_t quarantined_removed;
	uint64_t staged_removed; /* files in DIR/staging */
	uint64_t staged_bytes;
};

/**
 * gc_collect() - Remove what is not needed.
 * @store: store, opened with STORE_READ or STORE_WRITE
 * @settings: what to keep
 * @ret: what was done
 * @err: set on failure
 *
 * When something that is to be kept cannot be read, nothing is removed but what was
 * already, as it cannot be known what it needs; @err says which file it is, and what
 * gets out of it.  Of what was recalled only the names stay.
 *
 * Return: 0, or
 *   -EBADMSG, -ENOENT  a generation or a manifest is damaged or missing
 *   -EINVAL            the generation to drop is the current one
 *   -EROFS             the store cannot be written
 *   negative errno of the system
 */
int gc_collect(struct store *store, const struct gc_settings *settings, struct gc_report *ret,
	       struct error *err);
