/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the store in memory.
 *
 * A page that cannot be read any more, as its disk fails or the file was cut short, ends a
 * process with SIGBUS.  One that has called mapping_guard() goes on: all of that file is
 * zeros from there on, and mapping_is_lost() says so.
 *
 * Source: mmap(2), sigaction(2), BUS_ADRERR
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MAPPINGS_MAX 4096 /* that are guarded at once: manifests of repositories and snapshots */

struct mapping {
	void *data; /* NULL: none */
	size_t len;
	size_t slot; /* MAPPINGS_MAX: it is not guarded */
};

/**
 * mapping_guard() - Have the process survive files that cannot be read any more.
 * @lost: called when that is found, from the handler of the signal; NULL: for nobody
 *
 * Return: 0, or negative errno of sigaction(2).
 */
int mapping_guard(void (*lost)(void));

/**
 * mapping_open() - Map a file, to be read.
 * @fd: file; it may be closed after the call
 * @len: its bytes, at least 1
 * @ret: the mapping, to be released with mapping_close()
 *
 * Return: 0, or negative errno of mmap(2).
 */
int mapping_open(int fd, size_t len, struct mapping *ret);

/**
 * mapping_close() - Release a mapping.
 * @mapping: mapping, or all-zero
 */
void mapping_close(struct mapping *mapping);

/**
 * mapping_is_lost() - Whether what was read may have been zeros in place of the file.
 * @mapping: mapping
 *
 * Context: any thread; asked after reading.
 * Return: true if so.
 */
bool mapping_is_lost(const struct mapping *mapping);
