/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the requests of each label have come to.
 *
 * Source: struct fetch_progress of reservoir/fetch/fetch.h
 */
#pragma once

#include <stddef.h>

#include "reservoir/fetch/fetch.h"

#define PROGRESS_LABELS_MAX 512 /* twice the repositories of a store; the rest shares the last */

struct progress {
	struct fetch_progress *rows; /* label owned */
	size_t n;
};

/**
 * progress_done() - Release all rows.
 * @progress: rows, or all-zero
 */
void progress_done(struct progress *progress);

/**
 * progress_row() - Find the row of a label, or begin one.
 * @progress: rows
 * @label: label, NULL for ""
 * @ret: index of the row; indices stay
 *
 * Return: 0, or -ENOMEM.
 */
int progress_row(struct progress *progress, const char *label, size_t *ret);
