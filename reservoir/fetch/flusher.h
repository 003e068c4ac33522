/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that makes durable what has come while more comes, so that the transfers
 * do not wait for the disk.
 *
 * Source: object_land_all() of reservoir/store/object.h
 */
#pragma once

#include "reservoir/store/store.h"

struct flusher;

/**
 * flusher_new() - Begin.
 * @store: store opened with STORE_WRITE; borrowed
 * @ret: receives it, to be released with flusher_free()
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int flusher_new(struct store *store, struct flusher **ret, struct error *err);

/**
 * flusher_free() - End the thread, after what it is at.
 * @flusher: flusher or NULL
 */
void flusher_free(struct flusher *flusher);
DEFINE_CLEANUP(struct flusher, flusher_free);

/**
 * flusher_wake() - Have all that has come so far made durable, soon.
 * @flusher: flusher
 */
void flusher_wake(struct flusher *flusher);

/**
 * flusher_check() - Whether all went well so far.
 * @flusher: flusher
 * @err: set on failure
 *
 * Return: 0, or what object_land_all() returned first.
 */
int flusher_check(struct flusher *flusher, struct error *err);
