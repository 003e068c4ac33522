/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of projects, and the one spelling that all spellings of a name share.
 *
 * Source: PEP 503, "Normalized Names"; packaging.python.org, "Names and normalization"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PYPI_NAME_MAX 128 /* bytes with the NUL; the longest of PyPI's are about 80 */

/**
 * pypi_name_normalize() - Bring a name to its one spelling: "Foo__Bar.x" is "foo-bar-x".
 * @name: @len bytes
 * @len: number of bytes
 * @ret: the name; untouched on failure
 *
 * Return: 0, or
 *   -EINVAL        it is no name: letters and digits, inside also '.', '_' and '-'
 *   -ENAMETOOLONG  it does not fit
 */
int pypi_name_normalize(const char *name, size_t len, char ret[PYPI_NAME_MAX]);

/**
 * pypi_name_is_normal() - Whether a name is spelt the one way.
 * @name: NUL-terminated text
 *
 * Return: true if so.
 */
bool pypi_name_is_normal(const char *name);

/**
 * pypi_name_glob() - Whether a name matches a pattern.
 * @pattern: normalised but for '*' and '?'
 * @name: normalised name
 *
 * Return: true if so.
 */
bool pypi_name_glob(const char *pattern, const char *name);
