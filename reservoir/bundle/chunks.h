/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies the chunks of a bundle that are here, in any order, and remembers which are
 * done.
 *
 * Source: reservoir/bundle/applier.h
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/bundle/importer.h"

/**
 * chunks_apply() - Apply what is here.
 * @import: which bundle, and how
 * @bundle: its manifest
 * @ret_done: chunks that are done now, of this run and of earlier ones
 * @err: set on failure
 *
 * Return: 0 when all are done, or
 *   ADMISSION_NOT_YET  some are missing or damaged, err says which
 *   ADMISSION_REFUSED  the hub has signed what is not true
 *   -EINTR, -ENOSPC or negative errno of the system
 */
int chunks_apply(const struct import *import, const struct bundle *bundle, size_t *ret_done,
		 struct error *err);

/**
 * chunks_remembered() - How many chunks earlier runs have applied.
 * @import: which bundle
 * @bundle: its manifest
 * @ret: chunks
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int chunks_remembered(const struct import *import, const struct bundle *bundle, size_t *ret,
		      struct error *err);

/**
 * chunks_forget() - Remove what was remembered of a bundle; durable after
 * catalogue_commit().
 * @import: which bundle
 * @bundle: its manifest
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int chunks_forget(const struct import *import, const struct bundle *bundle, struct error *err);
