/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a manifest of suites: their signed files, indexes by name and by hash, and the
 * files of their packages.
 *
 * Source: wiki.debian.org/DebianRepository/Format, "Acquire-By-Hash"
 */
#pragma once

#include "reservoir/apt/run.h"

/**
 * publish_verbatim() - Take what upstream has, as it is.
 * @run: run whose indexes were fetched
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  an index is damaged
 *   negative errno of the system
 */
int publish_verbatim(struct apt_run *run, struct error *err);

/**
 * publish_files() - Want the files of a stanza of Packages or Sources.
 * @suite: suite
 * @kind: INDEX_PACKAGES or INDEX_SOURCES
 * @stanza: stanza
 * @err: set on failure
 *
 * Return: 0, -EBADMSG, or negative errno of the system.
 */
int publish_files(struct suite *suite, enum index_kind kind, const struct deb822_stanza *stanza,
		  struct error *err);

/**
 * publish_packages() - Want the files of all packages of an index.
 * @suite: suite
 * @index: one of its indexes; nothing happens when it is none of packages, or not read
 * @err: set on failure
 *
 * Return: 0, -EBADMSG, or negative errno of the system.
 */
int publish_packages(struct suite *suite, const struct index *index, struct error *err);

/**
 * publish_index() - Put an index of upstream in, by its name and by its hashes.
 * @suite: suite
 * @index: one of its indexes
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int publish_index(struct suite *suite, const struct index *index, struct error *err);

/**
 * publish_metas() - Put in what upstream signed; as notes in a curated repository.
 * @suite: suite
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int publish_metas(struct suite *suite, struct error *err);

/**
 * publish_earlier() - Keep indexes by their hashes that clients may still ask for, and
 *   write the notes.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int publish_earlier(struct apt_run *run, struct error *err);

/**
 * publish_read() - Read the stanzas of an index.
 * @run: run
 * @digest: the index
 * @fn: called for each stanza
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, what @fn returned, or as unpack_object() and deb822_feed().
 */
int publish_read(struct apt_run *run, const struct digest *digest, deb822_fn fn, void *ctx,
		 struct error *err);
