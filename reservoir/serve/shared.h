/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that several have: pictures of generations, and requests of a cache.
 *
 * To open one takes a file, a mapping and a hash, which is more than all the rest of an
 * answer.  A cache has one for each path; those that were opened a moment ago are kept.
 *
 * Source: reservoir/store/manifest.h
 */
#pragma once

#include <stdatomic.h>

#include "base/cleanup.h"
#include "reservoir/store/manifest.h"

#define SHARED_RECENT 64u /* mappings of a cache */

struct shared_manifest {
	atomic_uint refs;
	struct digest digest;
	struct manifest *manifest;
};

/* What was opened a moment ago; the one who has it locks it. */
struct shared_recent {
	struct shared_manifest *slots[SHARED_RECENT];
};

/**
 * shared_open() - Open a manifest.
 * @store: store
 * @digest: its name
 * @ret: the manifest, with one reference
 * @err: set on failure
 *
 * Return: 0, -ENOMEM, or as manifest_open().
 */
int shared_open(struct store *store, const struct digest *digest, struct shared_manifest **ret,
		struct error *err);

/**
 * shared_ref() - Take one more reference.
 * @shared: manifest or NULL
 *
 * Return: @shared.
 */
struct shared_manifest *shared_ref(struct shared_manifest *shared);

/**
 * shared_unref() - Give a reference back.
 * @shared: manifest or NULL
 */
void shared_unref(struct shared_manifest *shared);
DEFINE_CLEANUP(struct shared_manifest, shared_unref);

/**
 * shared_find() - Look for a manifest among the recent ones.
 * @recent: recent ones
 * @digest: its name
 *
 * Return: a reference, or NULL.
 */
struct shared_manifest *shared_find(const struct shared_recent *recent,
				    const struct digest *digest);

/**
 * shared_note() - Put a manifest among the recent ones, in another's place.
 * @recent: recent ones
 * @shared: manifest; referenced
 */
void shared_note(struct shared_recent *recent, struct shared_manifest *shared);

/**
 * shared_forget() - Forget all recent ones.
 * @recent: recent ones
 */
void shared_forget(struct shared_recent *recent);
