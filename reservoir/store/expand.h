/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a file whose bytes may be those of xz, lzma or zstd, with a bound on the memory
 * that this takes: the file itself says how much that is, up to gigabytes.
 *
 * Source: lzma/container.h for memory limits; zstd.h, ZSTD_d_windowLogMax
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/* What level 9 of xz and level 21 of zstd are read with: a window of 64 MiB. */
#define EXPAND_WINDOW_MAX ((size_t)64 * 1024 * 1024)

struct archive;
struct expander;

/**
 * expander_new() - Begin to read.
 * @fd: file at its beginning; borrowed
 * @ret: the expander, to be released with expander_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM, or negative errno of the system.
 */
int expander_new(int fd, struct expander **ret, struct error *err);

/**
 * expander_new_memory() - Begin to read bytes in memory.
 * @data: @len bytes; borrowed
 * @len: number of bytes
 * @ret: the expander, to be released with expander_free()
 * @err: set on failure
 *
 * Return: 0 or -ENOMEM.
 */
int expander_new_memory(const void *data, size_t len, struct expander **ret, struct error *err);

/**
 * expander_free() - Release an expander.
 * @expander: expander or NULL
 */
void expander_free(struct expander *expander);
DEFINE_CLEANUP(struct expander, expander_free);

/**
 * expander_read() - Read the next bytes.
 * @expander: expander
 * @ret: they; borrowed until the next call
 * @err: set on failure
 *
 * What is in another form, or in none, comes as it is.
 *
 * Return: their number, 0 at the end, or
 *   -EBADMSG  the file is damaged
 *   -E2BIG    it wants a window above EXPAND_WINDOW_MAX
 *   -ENOMEM   no memory
 *   negative errno of the system
 */
ssize_t expander_read(struct expander *expander, const void **ret, struct error *err);

/**
 * expander_open_archive() - Have an archive read what an expander reads.
 * @expander: expander; borrowed as long as the archive is read
 * @archive: of archive_read_new(), with the formats that it supports
 *
 * Return: what archive_read_open() returns.
 */
int expander_open_archive(struct expander *expander, struct archive *archive);
