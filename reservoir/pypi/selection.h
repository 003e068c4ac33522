/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration asks of an index: which projects, which of their releases, and
 * for which environments.
 *
 * Source: reservoir/config/config.h, struct pypi_options
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reservoir/config/config.h"
#include "reservoir/pypi/requirement.h"
#include "reservoir/store/revoked.h"

#define PYPI_TARGETS_MAX 64 /* bits of a mask of environments */

/* A line of the configuration: names and versions. */
struct pypi_wanted {
	char *text;
	char pattern[PYPI_NAME_MAX]; /* normalised name, or a glob */
	bool glob;
	struct pypi_requirement requirement; /* empty of a glob */
	uint64_t environments;		     /* mask of those that its marker may mean */
};

struct pypi_wanteds {
	struct pypi_wanted *items; /* globs last, the others sorted by name */
	size_t n, cap;
	size_t n_names; /* that are no globs */
};

struct pypi_selection {
	const struct pypi_options *options;
	const struct revoked *revoked; /* files that are given to nobody, or NULL */
	struct pypi_wanteds wanted;
	struct pypi_wanteds excluded;
	struct pypi_wanteds constraints;
	struct pypi_target *targets;
	struct pypi_version *pythons; /* of each target, the first, as 3.11.0 */
	size_t n_targets;
	uint64_t environments; /* mask of all targets; bit 0 when there are none */
};

/**
 * pypi_selection_init() - Read the options and the files that they name.
 * @options: options; borrowed
 * @ret: the selection, to be released with pypi_selection_done(); untouched on failure
 * @err: set on failure, naming the entry
 *
 * Return: 0, or
 *   -EINVAL  an entry is neither a requirement nor a glob, or nothing is selected
 *   negative errno of the system, -E2BIG, -ENOMEM
 */
int pypi_selection_init(const struct pypi_options *options, struct pypi_selection *ret,
			struct error *err);

/**
 * pypi_selection_done() - Release a selection.
 * @selection: selection, or all-zero
 */
void pypi_selection_done(struct pypi_selection *selection);
#define _cleanup_pypi_selection_ _cleanup_(pypi_selection_done)

/**
 * pypi_selection_needs_list() - Whether only the list of all projects tells which are
 *   selected.
 * @selection: selection
 *
 * Return: true with a glob or all projects.
 */
bool pypi_selection_needs_list(const struct pypi_selection *selection);

/**
 * pypi_selection_closes() - Whether what projects depend on is selected, too.
 * @selection: selection
 *
 * Return: true if so; false also when all projects are selected anyway.
 */
bool pypi_selection_closes(const struct pypi_selection *selection);

/**
 * pypi_selection_has() - Whether the configuration itself names a project.
 * @selection: selection
 * @name: normalised name
 *
 * Return: true if so.
 */
bool pypi_selection_has(const struct pypi_selection *selection, const char *name);

/**
 * pypi_selection_excludes() - Whether a project is left out, whatever needs it.
 * @selection: selection
 * @name: normalised name
 *
 * Return: true if so; false for one of which only some versions are.
 */
bool pypi_selection_excludes(const struct pypi_selection *selection, const char *name);

/**
 * pypi_selection_forbidden() - In which environments a version is left out.
 * @selection: selection
 * @name: normalised name
 * @version: version
 *
 * Return: mask of those where it is excluded, or against a constraint.
 */
uint64_t pypi_selection_forbidden(const struct pypi_selection *selection, const char *name,
				  const struct pypi_version *version);

/**
 * pypi_wanteds_find() - The entries that match a name.
 * @wanteds: entries
 * @name: normalised name
 * @after: the one found last, or NULL for the first
 *
 * Return: the next one, or NULL.
 */
const struct pypi_wanted *pypi_wanteds_find(const struct pypi_wanteds *wanteds, const char *name,
					    const struct pypi_wanted *after);

/**
 * pypi_selection_digest() - A digest of all that a selection depends on.
 * @selection: selection
 * @upstream: URL of the index
 * @ret: the digest
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int pypi_selection_digest(const struct pypi_selection *selection, const char *upstream,
			  struct digest *ret, struct error *err);
