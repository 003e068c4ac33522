/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A requirement: a project, which of its extras and versions, and where.
 *
 * Source: PEP 508; packaging.python.org, "Dependency specifiers"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reservoir/pypi/marker.h"
#include "reservoir/pypi/name.h"
#include "reservoir/pypi/version.h"

#define PYPI_EXTRAS_MAX 64	  /* of one requirement */
#define PYPI_REQUIREMENT_MAX 8192 /* bytes */

struct pypi_requirement {
	char name[PYPI_NAME_MAX]; /* normalised */
	char (*extras)[PYPI_NAME_MAX];
	size_t n_extras;
	struct pypi_specifiers specifiers;
	bool url; /* names a place instead of versions */
	struct pypi_marker *marker;
};

/**
 * pypi_requirement_done() - Release a requirement.
 * @requirement: requirement, or all-zero
 */
void pypi_requirement_done(struct pypi_requirement *requirement);
#define _cleanup_pypi_requirement_ _cleanup_(pypi_requirement_done)

/**
 * pypi_requirement_parse() - Read a requirement, as in "a[b]>=1; os_name == 'nt'".
 * @text: @len bytes
 * @len: number of bytes
 * @ret: the requirement, to be released with pypi_requirement_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 */
int pypi_requirement_parse(const char *text, size_t len, struct pypi_requirement *ret,
			   struct error *err);

/**
 * pypi_requirement_parse_lenient() - Read a requirement of somebody else's metadata.
 * @text: @len bytes
 * @len: number of bytes
 * @ret: the requirement, to be released with pypi_requirement_done(); untouched on failure
 * @err: set on failure
 *
 * Its versions are read by pypi_specifiers_parse_lenient().
 *
 * Return: as pypi_requirement_parse().
 */
int pypi_requirement_parse_lenient(const char *text, size_t len, struct pypi_requirement *ret,
				   struct error *err);
