/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of a project are taken.
 *
 * For each thing that asks for the project, and in each environment that it asks for,
 * the newest releases that match and can be installed there; and the newest that all of
 * them accept, so that what asks can also be installed together.
 *
 * Source: PEP 440 for pre-releases, PEP 592 for yanked releases, as installers read them
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/pypi/index.h"
#include "reservoir/pypi/selection.h"
#include "reservoir/pypi/versions.h"
#include "reservoir/pypi/wheel.h"

/* One thing that asks for a project. */
struct pypi_input {
	const struct pypi_specifiers *specifiers;
	uint64_t environments; /* mask of targets */
	bool direct;	       /* the configuration itself */
	uint64_t unsatisfied;  /* set: in which of them no release matches */
};

struct pypi_chosen {
	const struct pypi_file *file;
	enum pypi_kind kind;
	bool has_wheel;	     /* the release has a wheel that is chosen */
	uint64_t fits;	     /* mask of targets that it can be installed on */
	const char *version; /* of the release, or NULL for one that is no version */
};

struct pypi_choice {
	struct pypi_chosen *files; /* by version, then by name */
	size_t n;
	struct pypi_versions versions; /* that the files' texts are of */
};

/**
 * pypi_choice_done() - Release a choice.
 * @choice: choice, or all-zero
 */
void pypi_choice_done(struct pypi_choice *choice);
#define _cleanup_pypi_choice_ _cleanup_(pypi_choice_done)

/**
 * pypi_choose() - Choose files.
 * @selection: rules
 * @index: all files of the project; borrowed by the choice
 * @inputs: what asks for it
 * @n_inputs: how many
 * @ret: the choice, to be released with pypi_choice_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int pypi_choose(const struct pypi_selection *selection, const struct pypi_index *index,
		struct pypi_input *inputs, size_t n_inputs, struct pypi_choice *ret,
		struct error *err);
