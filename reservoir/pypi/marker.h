/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment markers: for which Python on which machine a requirement is meant.
 *
 * Source: PEP 508, "Environment Markers"; packaging.python.org, "Dependency specifiers"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/config/config.h"

#define PYPI_MARKER_MAX 4096	  /* bytes; real ones are below 1000 */
#define PYPI_MARKER_NODES_MAX 256 /* comparisons, "and" and "or" */
#define PYPI_MARKER_DEPTH_MAX 32  /* parentheses within each other */
#define PYPI_REPAIRS_MAX 39	  /* of a Python: 3.8 had the most, 20 */
#define PYPI_PYTHON_MAX 24	  /* bytes with the NUL of "3.11.4" */

enum pypi_variable {
	PYPI_PYTHON_VERSION,
	PYPI_PYTHON_FULL_VERSION,
	PYPI_OS_NAME,
	PYPI_SYS_PLATFORM,
	PYPI_PLATFORM_MACHINE,
	PYPI_PLATFORM_PYTHON_IMPLEMENTATION,
	PYPI_PLATFORM_RELEASE,
	PYPI_PLATFORM_SYSTEM,
	PYPI_PLATFORM_VERSION,
	PYPI_IMPLEMENTATION_NAME,
	PYPI_IMPLEMENTATION_VERSION,
	PYPI_EXTRA,
	_PYPI_VARIABLE_MAX,
};

/* A comparison with a variable that is NULL holds: what might be needed is taken. */
struct pypi_values {
	const char *values[_PYPI_VARIABLE_MAX];
};

struct pypi_marker;

/**
 * pypi_marker_parse() - Read a marker.
 * @text: @len bytes
 * @len: number of bytes
 * @ret: the marker, to be released with pypi_marker_free()
 * @err: set on failure
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 */
int pypi_marker_parse(const char *text, size_t len, struct pypi_marker **ret, struct error *err);

/**
 * pypi_marker_free() - Release a marker.
 * @marker: marker or NULL
 */
void pypi_marker_free(struct pypi_marker *marker);
DEFINE_CLEANUP(struct pypi_marker, pypi_marker_free);

/**
 * pypi_marker_holds() - Whether a marker is true.
 * @marker: marker, or NULL for one that always is
 * @values: what its variables are
 *
 * Return: true if so.
 */
bool pypi_marker_holds(const struct pypi_marker *marker, const struct pypi_values *values);

/* What is known of one environment of the configuration. */
struct pypi_target {
	struct pypi_environment environment;
	unsigned int minor;	   /* of Python 3 */
	struct pypi_values values; /* but for the full version and the extra; static or borrowed */
};

/**
 * pypi_target_python() - One of the versions that the Python of an environment may be.
 * @target: target
 * @repair: the third number, up to PYPI_REPAIRS_MAX
 * @ret: the version, as in "3.11.4"
 */
void pypi_target_python(const struct pypi_target *target, unsigned int repair,
			char ret[PYPI_PYTHON_MAX]);

/**
 * pypi_target_init() - Say what an environment means.
 * @environment: environment that the configuration accepted
 * @ret: the target; must not be moved
 */
void pypi_target_init(const struct pypi_environment *environment, struct pypi_target *ret);

/**
 * pypi_target_holds() - Whether a marker may be true in an environment.
 * @target: target, or NULL for any environment at all
 * @marker: marker, or NULL
 * @extra: normalised name of an extra that is asked for, or ""
 *
 * Return: true if some version of its Python makes it true.
 */
bool pypi_target_holds(const struct pypi_target *target, const struct pypi_marker *marker,
		       const char *extra);
