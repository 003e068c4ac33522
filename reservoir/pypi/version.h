/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of Python packages, and sets of specifiers that they match or not.
 *
 * Source: PEP 440; packaging.python.org, "Version specifiers"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define PYPI_VERSION_MAX 128	     /* bytes with the NUL; PyPI's are below 100 */
#define PYPI_RELEASE_MAX 16	     /* numbers between dots; date-like ones have 6 */
#define PYPI_LOCAL_MAX 64	     /* bytes with the NUL behind the '+' */
#define PYPI_SPECIFIERS_MAX 64	     /* of one requirement; real ones exclude 20 versions */
#define PYPI_SPECIFIER_TEXT_MAX 2048 /* bytes with the NUL of a set as text */

enum pypi_phase {
	PYPI_PHASE_ALPHA,
	PYPI_PHASE_BETA,
	PYPI_PHASE_CANDIDATE,
	PYPI_PHASE_FINAL,
};

struct pypi_version {
	uint64_t epoch;
	uint64_t release[PYPI_RELEASE_MAX];
	size_t n_release;
	enum pypi_phase phase;
	uint64_t pre;
	uint64_t post;
	uint64_t dev;
	bool has_post;
	bool has_dev;
	char local[PYPI_LOCAL_MAX]; /* lower case, with dots; "" for none */
};

/**
 * pypi_version_parse() - Read a version, in any spelling that is allowed.
 * @text: @len bytes; white space at the ends does not count
 * @len: number of bytes
 * @ret: the version; untouched on failure
 *
 * Return: 0, or -EINVAL.
 */
int pypi_version_parse(const char *text, size_t len, struct pypi_version *ret);

/**
 * pypi_version_format() - Write a version in the one spelling.
 * @version: version
 * @ret: receives the text
 * @size: size of @ret; PYPI_VERSION_MAX is enough for what was parsed from less
 *
 * Return: 0, or -ENAMETOOLONG.
 */
int pypi_version_format(const struct pypi_version *version, char *ret, size_t size);

/**
 * pypi_version_compare() - Order two versions, local parts included.
 * @a: version
 * @b: version
 *
 * Return: below, equal to or above 0, as @a is before, the same as or after @b.
 */
int pypi_version_compare(const struct pypi_version *a, const struct pypi_version *b);

/**
 * pypi_version_is_prerelease() - Whether a version is one before its release.
 * @version: version
 *
 * Return: true for alpha, beta, candidate and development versions.
 */
bool pypi_version_is_prerelease(const struct pypi_version *version);

enum pypi_operator {
	PYPI_COMPATIBLE,    /* ~= */
	PYPI_ARBITRARY,	    /* === */
	PYPI_EQUAL,	    /* == */
	PYPI_NOT_EQUAL,	    /* != */
	PYPI_LESS_EQUAL,    /* <= */
	PYPI_GREATER_EQUAL, /* >= */
	PYPI_LESS,	    /* < */
	PYPI_GREATER,	    /* > */
	_PYPI_OPERATOR_MAX,
};

struct pypi_specifier {
	enum pypi_operator op;
	bool prefix; /* ends with .* */
	struct pypi_version version;
	char text[PYPI_VERSION_MAX]; /* of PYPI_ARBITRARY: lower case */
};

/* All of them must match; none matches everything. */
struct pypi_specifiers {
	struct pypi_specifier *items;
	size_t n;
};

/**
 * pypi_specifiers_done() - Release a set.
 * @specifiers: set, or all-zero
 */
void pypi_specifiers_done(struct pypi_specifiers *specifiers);
#define _cleanup_pypi_specifiers_ _cleanup_(pypi_specifiers_done)

/**
 * pypi_specifiers_parse() - Read a set of specifiers, as in ">=1.0,!=1.3.*".
 * @text: @len bytes; white space does not count; "" is the empty set
 * @len: number of bytes
 * @ret: the set, to be released with pypi_specifiers_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 */
int pypi_specifiers_parse(const char *text, size_t len, struct pypi_specifiers *ret,
			  struct error *err);

/**
 * pypi_specifiers_parse_lenient() - Read a set as it stands in metadata of old releases.
 * @text: @len bytes, as in ">=1.0.*" or ">=1.0<2"
 * @len: number of bytes
 * @ret: the set, to be released with pypi_specifiers_done(); untouched on failure
 * @err: set on failure
 *
 * As uv takes them, which installs what such metadata belongs to.  pip since 24.1 leaves
 * these releases out.
 *
 * Return: as pypi_specifiers_parse().
 */
int pypi_specifiers_parse_lenient(const char *text, size_t len, struct pypi_specifiers *ret,
				  struct error *err);

/**
 * pypi_specifiers_match() - Whether a version matches, pre-releases too.
 * @specifiers: set
 * @version: version
 *
 * Return: true if all specifiers match.
 */
bool pypi_specifiers_match(const struct pypi_specifiers *specifiers,
			   const struct pypi_version *version);

/**
 * pypi_specifiers_want_prereleases() - Whether a set names a pre-release itself.
 * @specifiers: set
 *
 * Return: true if a specifier that includes versions names one.
 */
bool pypi_specifiers_want_prereleases(const struct pypi_specifiers *specifiers);

/**
 * pypi_specifiers_pin() - Whether a set allows nothing but one release.
 * @specifiers: set
 *
 * Return: true for == without .* and for ===, for which yanked releases are taken.
 */
bool pypi_specifiers_pin(const struct pypi_specifiers *specifiers);
