/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for damage: every object is read and hashed, and what generations name is
 * looked for.
 *
 * An object that does not hash to its name, or cannot be read, is moved to
 * DIR/quarantine, under the gate: no reader opens it from then on, the next sync or
 * import that needs it gets it anew, and nothing that needs it is published
 * before.  Who holds it open reads on.
 *
 * Several threads read, and findings come from the calling thread, in the order of
 * digests, whatever their number.
 *
 * Source: scrubbing as in zpool-scrub(8)
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/store/manifest.h"
#include "reservoir/store/revoked.h"
#include "reservoir/store/store.h"

enum scrub_fault {
	SCRUB_DAMAGED,	  /* an object does not hash to its name */
	SCRUB_UNREADABLE, /* an object cannot be read */
	SCRUB_MISSING,	  /* an object that a manifest names is not there */
	SCRUB_SIZE,	  /* an object has not the size that a manifest says */
	SCRUB_MANIFEST,	  /* a manifest is missing or damaged */
	SCRUB_GENERATION, /* the file of a generation is missing or damaged */
	_SCRUB_FAULT_MAX,
};

struct scrub_finding {
	enum scrub_fault fault;
	struct digest digest;	/* of an object or a manifest */
	uint64_t size;		/* as a manifest says; 0 if it is not known */
	uint64_t generation;	/* of what is named */
	const char *repository; /* of what is named, or NULL */
	const char *path;	/* the same */
	const char *text;	/* why, of what is damaged; or NULL */
};

/**
 * typedef scrub_fn - Takes a finding.
 * @ctx: as given in struct scrub_settings
 * @finding: finding; its texts are valid during the call
 *
 * Return: 0, or negative errno to end the scrub.
 */
typedef int (*scrub_fn)(void *ctx, const struct scrub_finding *finding);

struct scrub_report {
	uint64_t objects; /* read */
	uint64_t bytes;	  /* of these */
	uint64_t quarantined;
	uint64_t references; /* entries of manifests that were looked for */
	uint64_t faults;     /* findings of any kind */
};

struct scrub_settings {
	const char *const *repositories; /* names; NULL: everything */
	size_t n_repositories;
	unsigned int jobs; /* threads that read; 0: one for each processor */
	scrub_fn found;	   /* called for each finding; a negative return ends the scrub */
	void *ctx;
	/* Called now and then; or NULL. */
	void (*progress)(void *ctx, const struct scrub_report *report);
	const volatile sig_atomic_t *stop; /* set by a signal: end with -EINTR; or NULL */
};

/**
 * scrub() - Look for damage, and put it aside.
 * @store: store, opened with STORE_READ or STORE_WRITE
 * @settings: what to look at, and whom to tell
 * @ret: what was seen
 * @err: set on failure
 *
 * In a store that cannot be written, damage is told and stays.  Of everything, all
 * objects are read, then what all generations name is looked for.  Of some repositories,
 * the objects that their current manifests name are read.
 *
 * Return: 0, also with findings; what found() returned; or
 *   -EINTR   it was to stop; @ret is what was seen until then
 *   -ENOENT  there is no such repository
 *   negative errno of the system
 */
int scrub(struct store *store, const struct scrub_settings *settings, struct scrub_report *ret,
	  struct error *err);

/**
 * scrub_last() - When all was read, to the end.
 * @store: store
 *
 * Return: seconds since 1970, or 0: not yet, or in a store that cannot be written.
 */
int64_t scrub_last(const struct store *store);

/**
 * scrub_object() - Read one object again, and put it aside when it is damaged.
 * @store: store opened with STORE_WRITE
 * @digest: object
 * @err: set on failure
 *
 * Return: 0, also when it is not there, or
 *   -EBADMSG  it does not hash to its name, or cannot be read, and was put aside
 *   negative errno of the system
 */
int scrub_object(struct store *store, const struct digest *digest, struct error *err);

/**
 * scrub_misses() - Whether a manifest names what was lost, put aside and not had anew, or
 *   recalled.
 * @store: store
 * @manifest: manifest
 * @whole: one that was just found to miss nothing, or NULL: what it has is not looked at
 * @revoked: what was recalled
 *
 * Costs one look at a name for each entry, and reads no object.
 *
 * Return: true if an object that it names is not there, or is given to nobody.
 */
bool scrub_misses(struct store *store, const struct manifest *manifest,
		  const struct manifest *whole, const struct revoked *revoked);
