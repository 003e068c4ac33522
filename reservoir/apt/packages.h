/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Packages and Sources say: the files of each package.
 *
 * Source: Debian wiki, "DebianRepository/Format", Packages and Sources indices
 */
#pragma once

#include <stdint.h>

#include "reservoir/apt/deb822.h"
#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

#define PACKAGE_WORD_MAX 256 /* bytes with the NUL of a name or version; Debian's are below 120 */

struct package_file {
	char path[STORE_PATH_MAX]; /* below the repository */
	struct digest sha256;
	uint64_t size;
};

/* What tells a package from others. */
struct package_name {
	char name[PACKAGE_WORD_MAX];
	char version[PACKAGE_WORD_MAX];
	char architecture[64];
};

/**
 * typedef package_file_fn - Takes a file of a source package.
 * @ctx: as given to source_files()
 * @file: file; borrowed during the call
 * @err: set on failure
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*package_file_fn)(void *ctx, const struct package_file *file, struct error *err);

/**
 * package_file() - Read which file a package is.
 * @stanza: stanza of Packages
 * @ret: the file
 * @err: set on failure, naming the package
 *
 * Return: 0, or -EBADMSG when it has no path, size and SHA256.
 */
int package_file(const struct deb822_stanza *stanza, struct package_file *ret, struct error *err);

/**
 * package_name() - Read which package a stanza is about.
 * @stanza: stanza of Packages or Sources
 * @ret: name, version and architecture
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG.
 */
int package_name(const struct deb822_stanza *stanza, struct package_name *ret, struct error *err);

/**
 * package_source() - Read which source package a package is made from.
 * @stanza: stanza of Packages
 * @ret: name and version of the source; architecture is "source"
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG.
 */
int package_source(const struct deb822_stanza *stanza, struct package_name *ret, struct error *err);

/**
 * source_files() - Tell the files of a source package.
 * @stanza: stanza of Sources
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure, naming the package
 *
 * Return: 0, what @fn returned, or -EBADMSG when a line has no hash, size and name.
 */
int source_files(const struct deb822_stanza *stanza, package_file_fn fn, void *ctx,
		 struct error *err);
