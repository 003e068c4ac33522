/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of requirements, in the format that `pip install -r` reads.
 *
 * Source: pip's documentation, "Requirements File Format"
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "reservoir/pypi/requirement.h"

#define PYPI_REQUIREMENTS_BYTES_MAX ((size_t)4 * 1024 * 1024) /* of one file; with hashes 1 MiB */
#define PYPI_REQUIREMENTS_DEPTH_MAX 8			      /* files that name files */
#define PYPI_REQUIREMENTS_MAX 20000 /* of all files together: as many as a closure may have */

/**
 * typedef pypi_requirement_fn - Is told a requirement.
 * @ctx: as given
 * @requirement: requirement; may be taken over by emptying it
 * @text: as it stands there
 * @constraint: it only says which version, should the project be taken
 *
 * Return: 0; a negative value ends the walk.
 */
typedef int (*pypi_requirement_fn)(void *ctx, struct pypi_requirement *requirement,
				   const char *text, bool constraint);

/**
 * pypi_requirements_read() - Read a file of requirements, and those it names.
 * @path: file
 * @fn: called for each requirement; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure, as in "a.txt:3: ..."
 *
 * Hashes are left out: an index gives its own.
 *
 * Return: 0, what @fn returned, or
 *   -EINVAL  a line is no requirement, or an option that means nothing to a mirror
 *   -ELOOP   files name one another too deeply
 *   -EFBIG, -E2BIG, -ENOMEM, negative errno of the system
 */
int pypi_requirements_read(const char *path, pypi_requirement_fn fn, void *ctx, struct error *err);
