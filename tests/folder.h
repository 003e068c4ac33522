/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of a test's own.
 *
 * Source: tests/test.h
 */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

#define FOLDER_MAX 32	      /* bytes of its path, with the NUL */
#define FOLDER_DESCRIPTORS 16 /* that a walk over it holds open; deeper ones are slower */

/**
 * folder_make() - Make an empty directory, or end the test.
 * @path: receives its path
 *
 * It is in memory where there is room for that: on a disk, making files would be most of
 * what many tests do.
 */
static inline void folder_make(char path[FOLDER_MAX])
{
	(void)snprintf(path, FOLDER_MAX, "%s/silica-test-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(path));
}

/**
 * folder_remove_entry() - Remove what a walk finds.
 * @path: file or directory
 * @st: not used
 * @type: not used
 * @ftw: not used
 *
 * Return: as remove(3).
 */
static inline int folder_remove_entry(const char *path, _unused_ const struct stat *st,
				      _unused_ int type, _unused_ struct FTW *ftw)
{
	return remove(path);
}

/**
 * folder_remove() - Remove a directory with all that is in it, or end the test.
 * @path: directory
 */
static inline void folder_remove(const char *path)
{
	assert_int_equal(nftw(path, folder_remove_entry, FOLDER_DESCRIPTORS, FTW_DEPTH | FTW_PHYS),
			 0);
}
