/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite of an upstream: its signed Release file, and the indexes that are wanted.
 *
 * Source: apt-pkg/acquire-item.cc for the order in which clients ask
 */
#pragma once

#include <stdbool.h>

#include "reservoir/apt/run.h"

/**
 * suite_init() - Begin a suite.
 * @suite: suite, to be released with suite_done()
 * @run: run
 * @repository: whose it is: that of the run, or one together with it
 * @name: as configured: "bookworm", or "./" and "x/" of flat repositories
 * @err: set on failure
 *
 * Return: 0, or -EINVAL when the name is no path.
 */
int suite_init(struct suite *suite, struct apt_run *run, const struct repository *repository,
	       const char *name, struct error *err);

/**
 * suite_done() - Release what a suite owns.
 * @suite: suite, or all-zero
 */
void suite_done(struct suite *suite);

/**
 * suites_fetch_metas() - Fetch what is signed, of all suites, when it changed.
 * @run: run
 * @ret_news: whether anything is new
 * @err: set on failure
 *
 * Return: 0, or negative errno; of a suite that cannot be had, stop is set.
 */
int suites_fetch_metas(struct apt_run *run, bool *ret_news, struct error *err);

/**
 * suites_read() - Check signatures, and choose indexes.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG, -EKEYREJECTED  a signature is not good, or a Release file is damaged
 *   -ESTALE                  a Release file has expired, is of the future, or older than
 *                            what is here
 *   negative errno of the system
 */
int suites_read(struct apt_run *run, struct error *err);

/**
 * suites_fetch_indexes() - Fetch the indexes that the store does not have.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, or negative errno; what cannot be had is noted or failed (run_fail()).
 */
int suites_fetch_indexes(struct apt_run *run, struct error *err);

/**
 * suite_path() - Write the path in the repository of what lies in a suite's folder.
 * @suite: suite
 * @path: path below the folder
 * @ret: receives STORE_PATH_MAX bytes
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG when it is too long.
 */
int suite_path(const struct suite *suite, const char *path, char ret[STORE_PATH_MAX],
	       struct error *err);

/**
 * suite_by_hash() - Write the path that an index has by its hash.
 * @suite: suite
 * @path: path of the index below the suite's folder
 * @algorithm: "SHA256" or "SHA512"
 * @hash: hex digits
 * @ret: receives STORE_PATH_MAX bytes
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG when it is too long.
 */
int suite_by_hash(const struct suite *suite, const char *path, const char *algorithm,
		  const char *hash, char ret[STORE_PATH_MAX], struct error *err);

/**
 * suite_leader() - The digest of the file that says what a suite has.
 * @suite: suite whose metas were fetched
 *
 * Return: that of InRelease, or of Release.
 */
const struct digest *suite_leader(const struct suite *suite);

/**
 * suite_kept_path() - Where the manifest has what upstream signed.
 * @suite: suite
 * @kind: which
 * @ret: receives APT_KEY_SIZE bytes: its own path, or that of a note
 * @err: set on failure
 *
 * Return: 0, or -EINVAL when it is too long.
 */
int suite_kept_path(const struct suite *suite, enum meta_kind kind, char ret[APT_KEY_SIZE],
		    struct error *err);

/**
 * suite_check_age() - Whether what upstream signs is not older than what is here.
 * @suite: suite whose Release file was read
 * @err: set on failure, with both dates
 *
 * Whoever plays back what was signed once would bring back old mistakes. With another
 * upstream or selection, whatever comes is taken.
 *
 * Return: 0, or -ESTALE.
 */
int suite_check_age(struct suite *suite, struct error *err);

/**
 * suite_current_until() - Until when clients take what is here of a suite.
 * @suite: suite of which upstream has nothing new
 *
 * Return: seconds since 1970, 0 when nothing is said of it.
 */
int64_t suite_current_until(struct suite *suite);

/**
 * suites_check_current() - Look whether what is here, and is upstream's latest, has expired.
 * @run: the run, whose suites have no news; gets a failure for each that clients refuse
 */
void suites_check_current(struct apt_run *run);

/**
 * suite_read_signed() - Check the signature of a suite, and take what is signed.
 * @suite: suite whose metas were fetched; signed_text is set
 * @err: set on failure
 *
 * Return: 0, or as openpgp_read_inline().
 */
int suite_read_signed(struct suite *suite, struct error *err);

/**
 * suite_index_path() - The path of an index below its suite's folder.
 * @index: index
 *
 * Return: path, borrowed.
 */
const char *suite_index_path(const struct index *index);

/**
 * suite_is_read() - Whether an index is the one to read, of those that say the same.
 * @suite: suite
 * @index: one of its indexes
 *
 * Return: true if it is there, and no form that is read faster.
 */
bool suite_is_read(const struct suite *suite, const struct index *index);
