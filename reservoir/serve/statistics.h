/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each package was taken.
 *
 * Counted since the file was begun, or since the start without one.  Packages beyond
 * STATISTICS_MAX are counted together as "".
 *
 * Source: RFC 8259 for the file
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/ecosystem.h"
#include "reservoir/serve/trouble.h"

#define STATISTICS_MAX 100000u	 /* packages; Debian has 64,000 */
#define STATISTICS_NAME_MAX 256u /* bytes with the NUL */

struct statistics;

struct statistics_row {
	char repository[STORE_NAME_MAX];
	char package[STATISTICS_NAME_MAX];
	uint64_t downloads;
	uint64_t bytes;
};

/**
 * statistics_new() - Begin, with what a file says.
 * @path: file, or "" for none; one that is not there is no failure
 * @ret: the statistics, to be released with statistics_free()
 * @err: set on failure, and when 0 is returned although the file was of no use
 *
 * Return: 0, or -ENOMEM.
 */
int statistics_new(const char *path, struct statistics **ret, struct error *err);

/**
 * statistics_free() - Release statistics.
 * @statistics: statistics or NULL
 */
void statistics_free(struct statistics *statistics);
DEFINE_CLEANUP(struct statistics, statistics_free);

/**
 * statistics_count() - Count a file that was taken.
 * @statistics: statistics
 * @ecosystem: ecosystem of the repository
 * @repository: name of the repository
 * @path: path of the file
 * @bytes: how many were sent
 *
 * Context: any thread.
 */
void statistics_count(struct statistics *statistics, const struct ecosystem *ecosystem,
		      const char *repository, const char *path, uint64_t bytes);

/**
 * statistics_top() - The packages that were taken most often.
 * @statistics: statistics
 * @rows: receives at most @max rows, the most frequent first
 * @max: number of rows, at most 1000
 *
 * Return: number of rows.
 */
size_t statistics_top(struct statistics *statistics, struct statistics_row *rows, size_t max);

/**
 * statistics_trouble() - Say how writing the file goes.
 * @statistics: statistics
 *
 * Return: borrowed from @statistics.
 */
const struct trouble *statistics_trouble(const struct statistics *statistics);

/**
 * statistics_save() - Write the file, if there is one and something was counted.
 * @statistics: statistics; what cannot be written is logged, and written the next time
 */
void statistics_save(struct statistics *statistics);
