/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core metadata: what a package says of itself.
 *
 * Source: packaging.python.org, "Core metadata specifications" (PEP 241, 345, 566, 643);
 * PEP 427 and PEP 625 for where it lies in a file
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

#define PYPI_METADATA_MAX ((size_t)8 * 1024 * 1024) /* bytes; descriptions reach 1 MiB */
#define PYPI_FIELD_MAX 16384 /* bytes of a value that is told; longer ones are descriptions */

/**
 * typedef pypi_field_fn - Is told a field.
 * @ctx: as given
 * @name: name, as it is spelt
 * @value: value, in one line
 *
 * Return: 0; a negative value ends the walk.
 */
typedef int (*pypi_field_fn)(void *ctx, const char *name, const char *value);

/**
 * pypi_metadata_parse() - Tell the fields of core metadata, up to the description.
 * @text: @len bytes
 * @len: number of bytes
 * @fn: called for each field, its value in one line; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure
 *
 * A value longer than PYPI_FIELD_MAX is left out.
 *
 * Return: 0, what @fn returned, or
 *   -EINVAL  a line is no field
 *   -E2BIG   there are more bytes than PYPI_METADATA_MAX
 */
int pypi_metadata_parse(const char *text, size_t len, pypi_field_fn fn, void *ctx,
			struct error *err);

/**
 * pypi_metadata_is_of_wheel() - Whether a member of a wheel is its metadata.
 * @path: name of the member, or NULL
 *
 * Return: true for METADATA in a folder x.dist-info at the top.
 */
bool pypi_metadata_is_of_wheel(const char *path);

/**
 * pypi_metadata_extract() - Take the metadata out of a wheel or a source distribution.
 * @fd: file, open for reading at its beginning
 * @wheel: whether it is a wheel
 * @ret: appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT   there is none
 *   -EBADMSG  the file is damaged
 *   -E2BIG    it unpacks to more than such a file may have
 *   -ENOMEM
 */
int pypi_metadata_extract(int fd, int wheel, struct strbuf *ret, struct error *err);
