/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where objects came from, so that a damaged one can be fetched again: a line is
 * appended for each as it comes, at a constant cost, and all lines go to the
 * catalogue when a repository is done, or after a crash, when the next run begins.
 *
 * It is a file of its own, as the catalogue holds what upstream said back until the
 * files that go with it are published.
 *
 *	DIR/sources.journal        <sha256> <URL without credentials>
 *	catalogue, space "source"  key <sha256>, value the URL
 *
 * A lost line costs one repair from elsewhere, so nothing waits for the disk here.
 *
 * Source: PIPE_BUF does not matter as there is one writer; open(2), O_APPEND
 */
#pragma once

#include "reservoir/store/catalogue.h"
#include "reservoir/store/store.h"

#define JOURNAL_SPACE "source"

struct journal;

/**
 * journal_open() - Open the journal of a store, with what an earlier run has left.
 * @store: store opened with STORE_WRITE; borrowed
 * @ret: the journal, to be released with journal_close()
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int journal_open(struct store *store, struct journal **ret, struct error *err);

/**
 * journal_close() - Release a journal; its lines stay.
 * @journal: journal or NULL
 */
void journal_close(struct journal *journal);
DEFINE_CLEANUP(struct journal, journal_close);

/**
 * journal_add() - Note where an object came from.
 * @journal: journal
 * @digest: object
 * @url: URL; credentials in it are left out
 *
 * What cannot be written is left out.
 */
void journal_add(struct journal *journal, const struct digest *digest, const char *url);

/**
 * journal_apply() - Put all lines in the catalogue, commit them, and empty the journal.
 * @journal: journal
 * @catalogue: catalogue in which nothing is to be committed but these
 * @err: set on failure
 *
 * A line that is damaged is left out.
 *
 * Return: 0, or negative errno.
 */
int journal_apply(struct journal *journal, struct catalogue *catalogue, struct error *err);
