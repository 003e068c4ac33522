/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows what is published: makes a picture of each new generation, and lets go of
 * the old one.
 *
 * Source: reservoir/store/generation.h
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "reservoir/serve/picture.h"

struct follow;

/**
 * follow_new() - Begin with what is published now.
 * @store: store; borrowed
 * @setup: setup; referenced
 * @ret: to be released with follow_free()
 * @err: set on failure
 *
 * A current generation that cannot be read is told by follow_fault(), and is tried
 * again by follow_look(); until then there is no picture.
 *
 * Return: 0, or -ENOMEM.
 */
int follow_new(struct store *store, struct setup *setup, struct follow **ret, struct error *err);

/**
 * follow_free() - Release what follows; pictures that others hold stay.
 * @follow: or NULL
 */
void follow_free(struct follow *follow);
DEFINE_CLEANUP(struct follow, follow_free);

/**
 * follow_look() - Look whether another generation was published.
 * @follow: what follows
 *
 * Context: one thread.
 * Return: true if the picture is another one.
 */
bool follow_look(struct follow *follow);

/**
 * follow_setup() - Go on with another setup.
 * @follow: what follows
 * @setup: setup; referenced
 *
 * Context: the thread of follow_look().
 */
void follow_setup(struct follow *follow, struct setup *setup);

/**
 * follow_version() - Changes with the picture.
 * @follow: what follows
 *
 * Context: any thread, no lock.
 * Return: version.
 */
uint64_t follow_version(const struct follow *follow);

/**
 * follow_picture() - Get the picture.
 * @follow: what follows
 * @ret_version: its version, or NULL
 *
 * Context: any thread; takes a lock.
 * Return: referenced picture, or NULL: nothing could be read yet.
 */
struct picture *follow_picture(struct follow *follow, uint64_t *ret_version);

/**
 * follow_snapshot() - Get the picture of a snapshot.
 * @follow: what follows
 * @current: what the client is served from; users and rights are those of its setup
 * @name: name of the snapshot
 * @ret: referenced picture
 * @err: set on failure
 *
 * Context: any thread; takes a lock, and reads the snapshot at the first call.
 * Return: 0, or
 *   -ENOENT  there is no such snapshot
 *   negative errno as generation_read() has it
 */
int follow_snapshot(struct follow *follow, const struct picture *current, const char *name,
		    struct picture **ret, struct error *err);

/**
 * follow_may_watch() - Whether everybody may read the status page and the metrics.
 * @follow: what follows
 *
 * Of use when there is no picture, and nobody can log in.
 *
 * Context: any thread; takes a lock.
 * Return: true if so.
 */
bool follow_may_watch(struct follow *follow);

/**
 * follow_fault() - Why what is published is not what is served.
 * @follow: what follows
 * @ret: the fault; its code is 0 when there is none
 *
 * Context: any thread; takes a lock.
 */
void follow_fault(struct follow *follow, struct error *ret);

/**
 * follow_reads() - Whether the store could be read when it was looked at last.
 * @follow: what follows
 *
 * A generation that cannot be read is a fault of its own: the one before is served.
 *
 * Context: any thread, no lock.
 * Return: true if so.
 */
bool follow_reads(const struct follow *follow);

/**
 * follow_slots() - The numbers of repositories.
 * @follow: what follows
 *
 * Return: borrowed; names up to @n do not change.
 */
const struct picture_slots *follow_slots(const struct follow *follow);
