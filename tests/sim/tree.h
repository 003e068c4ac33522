/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, links and directories of a simulated node.
 *
 * Paths are relative to a directory descriptor.  What is made new is written in
 * place, since nobody is shown it yet; what is changed is changed by rename, so
 * that a reader sees the old or the new file.  Nothing is synced: a simulated
 * node need not survive a power cut.
 *
 * Source: rename(2), mknod(2), unlink(2)
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define TREE_TEMPORARY ".silica-sim.new" /* in the root; one writer at a time, by the lock */

#define TREE_PATH_MAX 512 /* bytes with the NUL; an attribute's path has about 120 */

struct tree_path {
	char text[TREE_PATH_MAX];
};

/**
 * tree_path() - Put a path together.
 * @fmt: printf format
 *
 * Return: the path; "" if it is too long, with which every call fails as
 *   ENOENT.
 */
struct tree_path tree_path(const char *fmt, ...) _printf_(1, 2);

/**
 * tree_mkdir() - Make a directory that may be there already.
 * @dirfd: directory that @path is relative to
 * @path: directory to make; its parent must exist
 * @err: set on failure
 *
 * Return: 1 if it was made, 0 if it was there, or -errno as mkdir(2) leaves it.
 */
int tree_mkdir(int dirfd, const char *path, struct error *err);

/**
 * tree_mkdirs() - Make a directory and its missing parents.
 * @dirfd: directory that @path is relative to
 * @path: directory to make
 * @err: set on failure
 *
 * Return: 0, or -ENAMETOOLONG, or -errno as mkdir(2) leaves it.
 */
int tree_mkdirs(int dirfd, const char *path, struct error *err);

/**
 * tree_open() - Open a directory.
 * @dirfd: directory that @path is relative to
 * @path: directory to open
 * @err: set on failure
 *
 * Return: a descriptor that the caller owns, or -errno as open(2) leaves it.
 */
int tree_open(int dirfd, const char *path, struct error *err);

/**
 * tree_write() - Make a new file.
 * @dirfd: directory that @path is relative to
 * @path: file to make
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or -EEXIST, or -errno as open(2) and write(2) leave it.
 */
int tree_write(int dirfd, const char *path, const void *data, size_t len, struct error *err);

/**
 * tree_puts() - Make a new file of text.
 * @dirfd: directory that @path is relative to
 * @path: file to make
 * @text: its contents, written as they are
 * @err: set on failure
 *
 * Return: as tree_write().
 */
int tree_puts(int dirfd, const char *path, const char *text, struct error *err);

/**
 * tree_replace() - Replace a file so that readers see the old or the new one.
 * @root_fd: root of the simulated node
 * @path: file to replace or make, relative to the root
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or -errno of the step that failed; the old file is then untouched.
 */
int tree_replace(int root_fd, const char *path, const void *data, size_t len, struct error *err);

/**
 * tree_overwrite() - Write a file in place: readers may see it half written.
 * @dirfd: directory that @path is relative to
 * @path: file to cut to nothing and write
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or -ENOENT, or -errno as open(2) and write(2) leave it.
 */
int tree_overwrite(int dirfd, const char *path, const void *data, size_t len, struct error *err);

/**
 * tree_link() - Make a symbolic link.
 * @target: what it shall contain
 * @dirfd: directory that @path is relative to
 * @path: link to make
 * @err: set on failure
 *
 * Return: 0, or -errno as symlink(2) leaves it.
 */
int tree_link(const char *target, int dirfd, const char *path, struct error *err);

/**
 * tree_rename_temporary() - Move what was made as TREE_TEMPORARY to its place.
 * @root_fd: root of the simulated node
 * @path: name to take, relative to the root; replaced if it is there
 * @err: set on failure
 *
 * Return: 0, or -errno as rename(2) leaves it; TREE_TEMPORARY is then removed.
 */
int tree_rename_temporary(int root_fd, const char *path, struct error *err);

/**
 * tree_remove() - Remove a file, or a directory with all that is in it.
 * @dirfd: directory that @path is relative to
 * @path: what to remove; not being there is a success
 * @err: set on failure
 *
 * Return: 0, or
 *   -ELOOP   deeper than any tree that silica-sim makes
 *   -errno   as unlink(2) and opendir(3) leave it
 */
int tree_remove(int dirfd, const char *path, struct error *err);
