/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the files that a project has: wheels with their tags, and source
 * distributions.
 *
 * Source: PEP 427, PEP 425, PEP 600 (manylinux), PEP 656 (musllinux), PEP 625;
 * packaging.python.org, "Platform compatibility tags"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reservoir/pypi/marker.h"
#include "reservoir/pypi/name.h"
#include "reservoir/pypi/version.h"

#define PYPI_FILENAME_MAX 256 /* bytes with the NUL: what file systems take */
#define PYPI_TAG_MAX 200      /* bytes with the NUL of a set of tags between two dashes */

enum pypi_kind {
	PYPI_WHEEL,
	PYPI_SDIST,
	PYPI_OTHER, /* eggs, installers: what pip no longer reads */
};

struct pypi_file_name {
	enum pypi_kind kind;
	char project[PYPI_NAME_MAX]; /* normalised */
	bool has_version;	     /* one of PEP 440 */
	struct pypi_version version;
	/* Of a wheel: sets with dots between, as in "py2.py3". */
	char python[PYPI_TAG_MAX];
	char abi[PYPI_TAG_MAX];
	char platform[PYPI_TAG_MAX];
};

/**
 * pypi_file_name_parse() - Say what a file is from its name.
 * @name: NUL-terminated text
 * @project: normalised name of the project it is listed under, or NULL if not known;
 *   needed to tell where the name of a source distribution ends
 * @ret: what it is; untouched on failure
 *
 * Return: 0, or -EINVAL for a name that no file of @project has, or that may not be a
 *   part of a path.
 */
int pypi_file_name_parse(const char *name, const char *project, struct pypi_file_name *ret);

/**
 * pypi_wheel_fits() - Whether a wheel can be installed in an environment.
 * @wheel: name of a wheel
 * @target: environment
 *
 * Return: true if one of its tags is one of the environment's.
 */
bool pypi_wheel_fits(const struct pypi_file_name *wheel, const struct pypi_target *target);
