/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of a project's files, each kept once where its files stand together, as they
 * do in an index: a version has 260 bytes, and a project may have 200,000 files.
 *
 * Source: reservoir/pypi/version.h
 */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"
#include "reservoir/pypi/version.h"

struct pypi_known_version {
	struct pypi_version version;
	const char *text; /* as pypi_version_format() writes it, or NULL */
};

struct pypi_versions {
	struct arena arena;
	const struct pypi_known_version *last;
};

/**
 * pypi_versions_init() - Make an empty set.
 *
 * Return: the set, to be released with pypi_versions_done().
 */
struct pypi_versions pypi_versions_init(void);

/**
 * pypi_versions_done() - Release a set.
 * @versions: set, or all-zero
 */
void pypi_versions_done(struct pypi_versions *versions);
#define _cleanup_pypi_versions_ _cleanup_(pypi_versions_done)

/**
 * pypi_versions_keep() - Keep a version.
 * @versions: set
 * @version: version
 *
 * Return: it, until pypi_versions_done(); or NULL when there is no memory.
 */
const struct pypi_known_version *pypi_versions_keep(struct pypi_versions *versions,
						    const struct pypi_version *version);
