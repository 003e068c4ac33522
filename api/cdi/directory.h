/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory that runtimes read specs from, and one program's files in it.
 *
 * Whatever has the program's prefix there is the program's: what is no longer
 * wanted is removed.  So two programs on a node need prefixes of which neither
 * begins with the other.  Files of others are never touched, and no symbolic link
 * is followed.
 *
 * The directory itself is the memory of what was written: a program that starts
 * again goes on where it was, and what somebody else has changed or removed is put
 * right.
 *
 * Source: SPEC.md 1.1.0 of the Container Device Interface, "Overview"; refresh() of
 * its pkg/cdi 1.1.1, which drops a device that two files of a directory have
 */
#pragma once

#include <stddef.h>

#include "api/cdi/cdi.h"
#include "base/cleanup.h"
#include "base/error.h"

#define CDI_DIRECTORY_DEFAULT "/var/run/cdi" /* for generated specs; runtimes look by default */
#define CDI_DIRECTORY_PREFIX "silica-"
#define CDI_FILES_MAX 1024 /* of one program: resources of a node, with room to spare */

struct cdi_directory;

/* A spec that is to be in the directory. */
struct cdi_file {
	const char *resource; /* "domain/name", beside the kind in the file's name; or NULL */
	struct cdi_spec spec; /* one without devices is no spec: its file is removed */
};

/**
 * cdi_directory_new() - Take a directory for one program's specs.
 * @path: directory; it need not be there yet
 * @prefix: what the names of the program's files begin with: letters, digits, '-',
 *	'_' and '.', with a letter or digit in front
 * @ret: the directory, to be released with cdi_directory_free()
 * @err: set on failure
 *
 * Nothing is read or written.
 *
 * Return: 0, or
 *   -EINVAL  the path is not absolute, or the prefix not as described
 *   -ENOMEM  no memory
 */
int cdi_directory_new(const char *path, const char *prefix, struct cdi_directory **ret,
		      struct error *err);

/**
 * cdi_directory_free() - Release it; the files stay, for containers that start while
 *	the program does not run.
 * @dir: directory or NULL
 */
void cdi_directory_free(struct cdi_directory *dir);
DEFINE_CLEANUP(struct cdi_directory, cdi_directory_free);

/**
 * cdi_directory_publish() - Make the program's files in a directory what they should be.
 * @dir: directory; created if only its last part is missing
 * @files: array of @n specs, all that the program has
 * @n: number of specs
 * @err: set on failure; says what, where and what to do
 *
 * A file is replaced as a whole, with mode 0644, and only if it would change.  A
 * spec that cannot be written leaves its former file in force and does not keep the
 * others from being written; then nothing is removed.  The first failure is
 * returned.
 *
 * Files are named PREFIX + "vendor_class.json", or "vendor_class@domain_name.json"
 * with a resource.
 *
 * Return: number of files written and removed, or
 *   -EINVAL        a spec is not valid, as cdi_encode() finds it, or a resource's name
 *   -EEXIST        two specs have the same file, or the same device
 *   -E2BIG         more than CDI_FILES_MAX specs, or a spec is too large
 *   -ENAMETOOLONG  kind and resource make a file's name too long
 *   -ELOOP         the directory is a symbolic link
 *   -ENOTDIR       something else is there
 *   -ENOMEM        no memory
 *   -errno         as mkdir(2), open(2), write(2), fsync(2), rename(2) and unlink(2)
 *                  leave it; -EISDIR when a directory is in a file's place
 */
int cdi_directory_publish(const struct cdi_directory *dir, const struct cdi_file *files, size_t n,
			  struct error *err);
