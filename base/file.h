/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading small files below a directory, and publishing files durably.
 *
 * Source: openat(2), openat2(2), rename(2), fsync(2); Linux Documentation/filesystems/sysfs.rst,
 * "Attributes": one value per file, less than a page
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * file_open_below() - Open what lies below a directory, and nothing else.
 * @dirfd: directory that @path is relative to
 * @path: what to open; neither ".." nor a symbolic link of it may lead out of @dirfd,
 *	and an absolute link always does
 * @flags: as for open(2); O_CLOEXEC is added
 *
 * A kernel before Linux 5.6, or one that forbids openat2(2), does not watch where
 * links lead.
 *
 * Return: a descriptor that the caller owns, or
 *   -EXDEV   the path leads out of @dirfd
 *   -EAGAIN  the directories on the way were moved again and again
 *   -errno   as open(2) leaves it
 */
int file_open_below(int dirfd, const char *path, int flags);

/**
 * file_open_dir() - Open a directory to list what is in it.
 * @dirfd: directory that @path is relative to
 * @path: directory to open
 *
 * Return: a stream that the caller owns, or NULL with errno as openat(2) or
 *   fdopendir(3) leaves it.
 */
DIR *file_open_dir(int dirfd, const char *path);

/**
 * file_read() - Read a whole small file.
 * @dirfd: directory that @path is relative to
 * @path: file to read
 * @buf: buffer of @size bytes; NUL-terminated on success, and NULs inside the
 *	contents are kept
 * @size: size of @buf; contents of @size bytes or more are an error
 * @err: set on failure
 *
 * Return: number of bytes read, or
 *   -EFBIG   the contents do not fit
 *   -EINVAL  it is no regular file, which might keep us waiting
 *   -errno   as open(2) and read(2) leave it, -ENOENT when there is no file
 */
ssize_t file_read(int dirfd, const char *path, char *buf, size_t size, struct error *err);

/**
 * file_read_text() - Read a one-value text file such as a sysfs attribute.
 * @dirfd: directory that @path is relative to
 * @path: file to read, as for file_open_below()
 * @buf: buffer of @size bytes; white space at both ends is cut
 * @size: size of @buf
 * @err: set on failure
 *
 * Return: length of the text in bytes, which may be 0, or
 *   -EILSEQ  a byte is not printable ASCII; newlines and tabs inside are allowed
 *   -errno   as file_open_below() and file_read()
 */
ssize_t file_read_text(int dirfd, const char *path, char *buf, size_t size, struct error *err);

/**
 * file_pread() - Read at a place of a file, as much as is asked for.
 * @fd: file
 * @buf: receives @len bytes
 * @len: number of bytes
 * @offset: of the first, from the beginning of the file
 *
 * Return: bytes read, fewer than @len only at the end of the file; or negative errno.
 */
ssize_t file_pread(int fd, void *buf, size_t len, uint64_t offset);

/**
 * file_write_all() - Write all bytes.
 * @fd: file
 * @data: @len bytes
 * @len: number of bytes
 *
 * Return: 0, or negative errno of write(2); -EIO if it writes nothing.
 */
int file_write_all(int fd, const void *data, size_t len);

/**
 * file_sync_parent() - Make the name of a file survive a power cut.
 * @dirfd: directory that @path is relative to
 * @path: file or directory whose parent is synced
 *
 * Return: 0, -ENOMEM, or negative errno of open(2) or fsync(2).
 */
int file_sync_parent(int dirfd, const char *path);

/**
 * file_publish() - Replace a file so that readers see the old or the new one.
 * @path: file to write; its directory must exist
 * @data: @len bytes
 * @len: number of bytes
 * @mode: permissions of the new file
 * @err: set on failure
 *
 * Writes a temporary file beside it, syncs it, renames it, syncs the directory.
 *
 * Return: 0, or -errno of the step that failed.  The temporary file is then gone
 *   and the old one untouched, unless it was the last step: then the new one is
 *   in place, and a power cut may bring the old one back.
 */
int file_publish(const char *path, const void *data, size_t len, mode_t mode, struct error *err);

/**
 * file_is_char_device() - Whether a path leads to a character device.
 * @dirfd: directory that @path is relative to
 * @path: path to look at; symbolic links are followed
 *
 * Return: 0 if it is one, or
 *   -ENODEV  something else is there
 *   -errno   as statx(2) leaves it, -ENOENT when nothing is there
 */
int file_is_char_device(int dirfd, const char *path);
