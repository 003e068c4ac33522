/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the indexes that a Release file lists are wanted.
 *
 * Source: Debian wiki, "DebianRepository/Format"; apt-pkg/init.cc for what clients fetch
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "reservoir/apt/release.h"
#include "reservoir/config/config.h"

enum index_kind {
	INDEX_NONE, /* not wanted */
	INDEX_PACKAGES,
	INDEX_SOURCES,
	INDEX_TRANSLATION,
	INDEX_CNF,
	INDEX_DEP11,
	INDEX_CONTENTS,
	INDEX_PDIFF, /* of one of the above: lists patches */
	INDEX_STUB,  /* the Release file of an architecture */
	_INDEX_KIND_MAX,
};

struct index_place {
	enum index_kind kind;
	size_t stem; /* bytes of the path without the ending of its compression */
	char component[RELEASE_WORD_SIZE];    /* "" of a flat repository, or of all */
	char architecture[RELEASE_WORD_SIZE]; /* or language; "" without */
};

/**
 * select_index() - Whether a listed file is wanted, and what it is.
 * @options: what the configuration selects
 * @release: the Release file, for what it has
 * @flat: whether it is that of a flat repository
 * @path: path of the file below the Release file
 * @ret: what it is; kind INDEX_NONE if it is not wanted
 */
void select_index(const struct apt_options *options, const struct release *release, bool flat,
		  const char *path, struct index_place *ret);

/**
 * select_ending() - Where the ending of a compression begins.
 * @path: path
 *
 * Return: bytes before it; all of the path if it has none.
 */
size_t select_ending(const char *path);

/**
 * select_is_best() - Whether no other form of an index that is listed is read faster.
 * @release: the Release file
 * @path: path of an index that it lists
 *
 * Return: true if so.
 */
bool select_is_best(const struct release *release, const char *path);

/**
 * select_architecture() - Whether packages of an architecture are wanted.
 * @options: what the configuration selects
 * @architecture: architecture
 *
 * Return: true if so.
 */
bool select_architecture(const struct apt_options *options, const char *architecture);

/**
 * select_component() - Whether a component is wanted.
 * @options: what the configuration selects
 * @component: as Release has it: "main", or "updates/main" of a suite of updates
 *
 * Return: true if so.
 */
bool select_component(const struct apt_options *options, const char *component);
