/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a sync of APT share: suites, their indexes, and the entries that
 * the manifest is going to have.
 *
 * Source: reservoir/sync/sync.h
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/apt/release.h"
#include "reservoir/apt/seen.h"
#include "reservoir/apt/select.h"
#include "reservoir/apt/spool.h"
#include "reservoir/sync/sync.h"

#define APT_NOTES MANIFEST_NOTES "apt/"
#define APT_NOTE_OPTIONS APT_NOTES "options"	/* what was selected, as a digest */
#define APT_NOTE_BY_HASH APT_NOTES "by-hash"	/* how old indexes are that upstream has no more */
#define APT_NOTE_ABSENT APT_NOTES "absent"	/* paths that upstream lists and does not have */
#define APT_NOTE_UPSTREAM APT_NOTES "upstream/" /* signatures that are not served */
#define APT_NOTE_CLOSURE APT_NOTES "closure/"	/* why packages are in, of an architecture */
#define APT_FAILURES_MAX ((size_t)4 * 1024 * 1024) /* bytes told; the rest is counted */
#define APT_KEY_SIZE 1280			   /* "apt/NAME" or a path, with the NUL */

/* A file that stands beside the indexes and is signed, or signs. */
struct meta {
	bool there;
	bool news;		     /* not what the current manifest has */
	struct manifest_entry entry; /* without a path */
	struct strbuf data;
};

enum meta_kind {
	META_INRELEASE,
	META_RELEASE,
	META_SIGNATURE,
	_META_KIND_MAX,
};

/* An index that is wanted. */
struct index {
	const struct release_file *file; /* NULL: a patch, which Release does not list */
	char *path;			 /* below the suite's folder; owned only of a patch */
	struct index_place place;
	struct digest digest;
	uint64_t size;
	int64_t mtime;
	bool there;
	bool failed; /* which was told */
};

/* Lines of the Release file that a curated suite gets. */
struct curated_release {
	struct strbuf sha256, sha512;
};

struct apt_run;

struct suite {
	struct apt_run *run;
	const struct repository *repository; /* whose it is */
	bool beside; /* it is another repository's: only packages are looked at */
	const char *name;
	bool flat;
	char base[STORE_PATH_MAX]; /* "dists/bookworm/", or "" of "./" */
	struct meta metas[_META_KIND_MAX];
	struct strbuf signed_text;
	struct digest signed_digest; /* of the file that it was read from */
	struct release release;
	struct index *indexes;
	size_t n_indexes;
	struct curated_release lists;
	bool stop; /* it cannot be had */
};

struct apt_run {
	struct sync *sync;
	struct apt_options options; /* of the repository, and what is together with it */
	bool curated;
	struct digest selection; /* of the options */
	bool same_selection;	 /* the current manifest was made with the same */
	struct suite *suites;
	size_t n_suites;
	struct seen paths;   /* that the manifest is going to have, to what they hash to */
	struct spool *ready; /* entries of the manifest */
	struct spool *todo;  /* files to fetch */
	struct sync_plan plan;
	struct strbuf failures; /* pairs of what and why, each with its NUL */
	uint64_t n_failures;
	struct seen absent;	    /* paths that upstream lists and does not have */
	struct strbuf absent_lines; /* the same, a line each */
	struct absent_files absent_files;
	struct error error; /* that a callback cannot return */
	int result;	    /* of it */
	bool again;	    /* upstream changed meanwhile: this is the second time */
};

/**
 * apt_is_filtered() - Whether packages of the suites are left out.
 * @options: what the configuration selects
 *
 * Return: true if so: then indexes are written anew.
 */
static inline bool apt_is_filtered(const struct apt_options *options)
{
	return options->n_packages > 0 || options->n_exclude > 0;
}

/**
 * run_fail() - Keep what could not be had, until it is clear that upstream did not change.
 * @run: run
 * @what: path or suite
 * @why: one line
 */
void run_fail(struct apt_run *run, const char *what, const char *why);

/**
 * run_url() - The URL of a path of a repository.
 * @repository: repository
 * @path: path
 * @ret: receives FETCH_URL_MAX bytes
 * @err: set on failure
 *
 * Return: 0, or -EINVAL when it is too long.
 */
int run_url(const struct repository *repository, const char *path, char ret[FETCH_URL_MAX],
	    struct error *err);

/**
 * run_fetch() - Fetch all that was asked for.
 * @run: run
 * @more: as of fetcher_run(), or NULL
 * @err: set on failure
 *
 * Return: 0, or negative errno, also that of a callback.
 */
int run_fetch(struct apt_run *run, fetch_more_fn more, struct error *err);

/**
 * run_abort() - Have run_fetch() end with an error of a callback.
 * @run: run
 * @r: negative errno
 * @err: its text
 */
void run_abort(struct apt_run *run, int r, const struct error *err);

/**
 * run_add() - Put an entry in the manifest that is being made.
 * @run: run
 * @entry: entry; copied
 * @err: set on failure
 *
 * Return: 1 if it is new, 0 if it is there already, or
 *   -EBADMSG  another file has its path
 *   negative errno of the system
 */
int run_add(struct apt_run *run, const struct manifest_entry *entry, struct error *err);

/**
 * run_want() - Put a file in the manifest that is being made, to be fetched if the store
 *   does not have it.
 * @run: run
 * @entry: entry; copied; its mtime is for when upstream says none
 * @err: set on failure
 *
 * Return: as run_add().
 */
int run_want(struct apt_run *run, const struct manifest_entry *entry, struct error *err);

/**
 * run_fetch_files() - Print the plan, and fetch the files that are wanted.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, SYNC_PLANNED, or negative errno; what cannot be had is failed (run_fail()).
 */
int run_fetch_files(struct apt_run *run, struct error *err);

/**
 * run_note() - Put a note in the manifest that is being made.
 * @run: run
 * @path: path below MANIFEST_NOTES
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int run_note(struct apt_run *run, const char *path, const void *data, size_t len,
	     struct error *err);

/**
 * run_current() - What the current manifest has at a path.
 * @run: run
 * @path: path
 * @ret: the entry
 *
 * Return: true if there is one.
 */
bool run_current(const struct apt_run *run, const char *path, struct manifest_entry *ret);
