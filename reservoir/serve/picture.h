/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server serves at a moment: a generation, its manifests, and the setup.  It
 * does not change.  A new generation is a new picture; a request in flight ends with
 * the one that it began with, so that no client sees a mixture.
 *
 * Source: read-copy-update with reference counts
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "reservoir/ecosystem.h"
#include "reservoir/serve/setup.h"
#include "reservoir/serve/shared.h"
#include "reservoir/store/generation.h"

#define PICTURE_SLOTS 512u /* names of repositories that are counted apart; see picture_slots */

struct picture_repository {
	struct generation_repository info;    /* the name alone of one that has not been synced */
	unsigned int slot;		      /* number of its counters */
	bool published;			      /* the generation has it */
	bool is_private;		      /* who has not logged in may not read it */
	const struct ecosystem *ecosystem;    /* or NULL */
	const struct setup_repository *setup; /* or NULL */
	struct shared_manifest *manifest;     /* or NULL */
	struct error fault;		      /* why there is no manifest, or an older one */
};

struct picture {
	atomic_uint refs;
	uint64_t serial; /* no two pictures of a process have the same */
	struct setup *setup;
	uint64_t number; /* of the generation */
	int64_t created;
	struct digest root;
	char reason[GENERATION_REASON_MAX];
	struct revoked revoked; /* of the current picture it holds for snapshots too */
	struct picture_repository *repositories; /* sorted by name */
	size_t n_repositories;
};

/* Numbers for names of repositories; they stay for the life of the process. */
struct picture_slots {
	char names[PICTURE_SLOTS][STORE_NAME_MAX]; /* the first one is for what is none */
	atomic_uint n;
};

/**
 * picture_new() - Open a generation.
 * @store: store
 * @setup: setup; referenced
 * @generation: generation
 * @slots: numbers of repositories; names are added
 * @before: picture whose manifests are used again, or NULL
 * @ret: the picture, with one reference
 * @err: set on failure
 *
 * A manifest that cannot be opened is a fault of its repository alone, which then
 * stays as it was before.
 *
 * Context: any thread.
 * Return: 0, or -ENOMEM.
 */
int picture_new(struct store *store, struct setup *setup, const struct generation *generation,
		struct picture_slots *slots, const struct picture *before, struct picture **ret,
		struct error *err);

/**
 * picture_ref() - Keep a picture.
 * @picture: picture
 *
 * Return: @picture.
 */
struct picture *picture_ref(struct picture *picture);

/**
 * picture_unref() - Let go of a picture.
 * @picture: picture or NULL
 */
void picture_unref(struct picture *picture);
DEFINE_CLEANUP(struct picture, picture_unref);

/**
 * picture_find() - Find a repository.
 * @picture: picture
 * @name: name
 *
 * Return: the repository, borrowed, or NULL.
 */
const struct picture_repository *picture_find(const struct picture *picture, const char *name);
