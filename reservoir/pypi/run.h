/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sync of an index.
 *
 * Which projects there are and what their pages say is found out first: pages are
 * objects, asked for only when the catalogue does not know that they are the same, so
 * that a run that was killed goes on where it was.  With dependencies the files'
 * metadata then adds projects, in rounds, until nothing is added.  Then the files are
 * counted, fetched, and at last the pages are written.  Every step reads a page again
 * from its object and chooses again, which costs little and keeps the memory flat.
 *
 * Source: reservoir/sync/sync.h
 */
#pragma once

#include "reservoir/pypi/choose.h"
#include "reservoir/pypi/selection.h"
#include "reservoir/pypi/table.h"
#include "reservoir/sync/sync.h"

#define PYPI_CLOSURE_MAX 50000u	      /* projects that dependencies may add up to */
#define PYPI_ROUNDS_MAX 1000u	      /* of the closure: the longest chains are below 100 */
#define PYPI_PROJECT_EXTRAS_MAX 1000u /* that are asked of one project */
#define PYPI_ASKERS_MAX 8u	      /* that are remembered of one requirement */
#define PYPI_BATCH 1000u	      /* pages between two commits of the catalogue */
#define PYPI_NOTE_STATE MANIFEST_NOTES "state"
#define PYPI_NOTE_WHY MANIFEST_NOTES "why.json"
#define PYPI_LIST_KEY "/" /* of the list of all projects, beside names */
#define PYPI_WHY_MAX ((size_t)64 * 1024 * 1024)

enum project_flags {
	PROJECT_DIRECT = 1 << 0,    /* the configuration names it */
	PROJECT_PAGE = 1 << 1,	    /* its page is an object */
	PROJECT_ABSENT = 1 << 2,    /* the upstream does not have it */
	PROJECT_FAILED = 1 << 3,    /* it could not be asked for */
	PROJECT_UNCHANGED = 1 << 4, /* what is published is of this very page */
	PROJECT_DIRTY = 1 << 5,	    /* to be looked at in the next round */
	PROJECT_EXCLUDED = 1 << 6,
	PROJECT_FRESH = 1 << 7, /* the list says what the catalogue does */
	PROJECT_TOLD = 1 << 8,
	PROJECT_LACKS = 1 << 9,	   /* a file that is listed, or a release that is asked for */
	PROJECT_MOVED = 1 << 11,   /* its page was found where it was not asked for */
	PROJECT_DOUBTED = 1 << 10, /* what was fetched is to be looked at once more */
};

/* A requirement of other projects. */
struct requirement_row {
	char *text; /* without its marker */
	struct pypi_requirement requirement;
	uint64_t environments;
	uint32_t askers[PYPI_ASKERS_MAX]; /* numbers of projects */
	size_t n_askers;		  /* all; the first few are known */
};

/* There may be a million: 64 bytes. */
struct project {
	uint64_t serial; /* of the list, 0 without */
	struct digest page;
	struct requirement_row *rows;
	char (*extras)[PYPI_NAME_MAX];
	uint32_t n_rows;
	uint16_t n_extras;
	uint16_t flags;
};

/* What was found out of a path that the index gives no digest of. */
struct resolved {
	bool absent;
	bool own;    /* metadata that was taken out of the wheel, whatever is offered beside it */
	bool peeked; /* metadata that was asked for by Range: nothing vouches for it yet */
	struct digest digest;
};

/* A request that is going on. */
struct errand {
	struct errand *next, **link; /* of all that go on */
	struct run *run;
	uint32_t project;
	bool said;	   /* the index gives the digest */
	struct peek *peek; /* into a wheel, or NULL; owned */
	char path[];	   /* of a file: below the repository; "" for a page */
};

struct run {
	struct sync *sync;
	struct pypi_selection selection;
	struct pypi_table names;
	struct project *projects; /* by number of the name */
	size_t cap_projects;
	struct pypi_table paths;
	struct resolved *resolved; /* by number of the path */
	size_t cap_resolved;
	struct errand *errands;
	char space[STORE_NAME_MAX + 8]; /* of the catalogue */
	struct digest options;		/* of the selection */
	struct digest state;		/* of what is built */
	bool closes;
	bool known_state;	    /* the catalogue is that of what is published */
	bool quarantined;	    /* the upstream offers nothing of some project */
	bool missed;		    /* something was told as missing */
	bool no_peeking;	    /* wheels are asked for whole */
	bool look_again;	    /* metadata was not there: what it is in is to be asked for */
	struct absent_files absent; /* that the upstream lists and does not have */
	uint64_t n_lacking;	    /* names of the configuration that no release satisfies */
	struct sync_plan plan;
	uint64_t kept;	/* files that are there and stay */
	size_t cursor;	/* of whoever walks over the projects */
	size_t n_pages; /* since the last commit */
	int failure;	/* of a callback, negative errno */
	struct error failure_err;
};

/* What the catalogue says of a project. */
struct row {
	uint64_t serial;
	struct digest page;  /* fetched last */
	struct digest built; /* what is published was made of; all-zero for none */
	char etag[80];	     /* "" for none */
};

/* --- rows.c --- */

/**
 * pypi_run_row_get() - Read the row of a project.
 * @run: run
 * @name: normalised name, or "/" for the list of all
 * @ret: the row
 *
 * Return: true if there is one.
 */
bool pypi_run_row_get(struct run *run, const char *name, struct row *ret);

/**
 * pypi_run_row_parse() - Read a row from bytes.
 * @value: @len bytes
 * @len: number of bytes
 * @ret: the row
 *
 * Return: true if it is one.
 */
bool pypi_run_row_parse(const void *value, size_t len, struct row *ret);

/**
 * pypi_run_row_put() - Write the row of a project.
 * @run: run
 * @name: normalised name, or "/" for the list of all
 * @row: row
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_row_put(struct run *run, const char *name, const struct row *row, struct error *err);

/**
 * pypi_run_was_gone() - Whether the last sync was told that a project is gone.
 * @run: run
 * @name: normalised name
 *
 * Return: true if so.
 */
bool pypi_run_was_gone(struct run *run, const char *name);

/**
 * pypi_run_set_gone() - Remember whether a project is gone, for the next sync.
 * @run: run
 * @name: normalised name
 * @gone: what the upstream said
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_set_gone(struct run *run, const char *name, bool gone, struct error *err);

/**
 * pypi_run_state_load() - See whether the catalogue is that of what is published.
 * @run: run; known_state is set
 */
void pypi_run_state_load(struct run *run);

/**
 * pypi_run_state_save() - Write what is built: rows, and what ties them to the manifest.
 * @run: run whose state is known
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_state_save(struct run *run, struct error *err);

/**
 * pypi_run_state_make() - Say what the result depends on.
 * @run: run; its state is set
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int pypi_run_state_make(struct run *run, struct error *err);

/* --- run.c --- */

/**
 * pypi_run_project() - Find a project, added if it is not there.
 * @run: run
 * @name: normalised name
 * @ret: its number
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int pypi_run_project(struct run *run, const char *name, uint32_t *ret, struct error *err);

/**
 * pypi_run_errand() - Make what a callback of a request needs.
 * @run: run
 * @project: number
 * @path: of a file, copied; "" for a page
 * @err: set on failure
 *
 * Return: the errand, or NULL.
 */
struct errand *pypi_run_errand(struct run *run, uint32_t project, const char *path,
			       struct error *err);

/**
 * pypi_run_errand_done() - Release it.
 * @errand: errand
 */
void pypi_run_errand_done(struct errand *errand);

/**
 * pypi_run_resolve() - Remember what a path turned out to be.
 * @run: run
 * @path: below the repository
 * @digest: digest, or NULL for what is absent
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_resolve(struct run *run, const char *path, const struct digest *digest,
		     struct error *err);

/**
 * pypi_run_resolve_own() - Remember the metadata that a wheel itself has.
 * @run: run
 * @path: of the metadata, below the repository
 * @digest: digest, or NULL for what is not to be had
 * @peeked: whether nothing vouches for it yet
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_resolve_own(struct run *run, const char *path, const struct digest *digest,
			 bool peeked, struct error *err);

/**
 * pypi_run_resolved() - What a path turned out to be.
 * @run: run
 * @path: below the repository
 *
 * Return: what is known, borrowed until the next pypi_run_resolve(); or NULL.
 */
const struct resolved *pypi_run_resolved(const struct run *run, const char *path);

/**
 * pypi_run_fail() - Keep the first failure of a callback, which ends the run.
 * @run: run
 * @r: negative errno
 * @err: its error
 */
void pypi_run_fail(struct run *run, int r, const struct error *err);

/**
 * pypi_run_fetch() - Let the fetcher work until nothing is left.
 * @run: run
 * @more: as fetcher_run() has it, or NULL; its ctx is @run
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_fetch(struct run *run, fetch_more_fn more, struct error *err);

/**
 * pypi_run_missing() - Tell that something could not be had.
 * @run: run
 * @what: path, or name
 * @why: one line
 */
void pypi_run_missing(struct run *run, const char *what, const char *why);

/* The index of a project and what is chosen of it. */
struct loaded {
	struct pypi_index index;
	struct pypi_choice choice;
	struct pypi_input *inputs;
	size_t n_inputs;
};

/**
 * pypi_run_load() - Read the page of a project from its object, and choose.
 * @run: run
 * @number: number of a project that has a page
 * @ret: to be released with pypi_loaded_done()
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_load(struct run *run, uint32_t number, struct loaded *ret, struct error *err);

/**
 * pypi_loaded_done() - Release what was loaded.
 * @loaded: loaded, or all-zero
 */
void pypi_loaded_done(struct loaded *loaded);
#define _cleanup_loaded_ _cleanup_(pypi_loaded_done)

/**
 * pypi_run_path() - The path of a file.
 * @run: run
 * @number: number of its project
 * @file: name of the file
 * @suffix: "", ".metadata" or ".provenance"
 * @ret: the path
 */
void pypi_run_path(const struct run *run, uint32_t number, const char *file, const char *suffix,
		   char ret[STORE_PATH_MAX]);

/**
 * pypi_run_digest() - The digest of what lies at a path, if it is known yet.
 * @run: run
 * @path: path
 * @said: digest that the index gives, or NULL
 * @ret: the digest
 *
 * Return: true if it is known.
 */
bool pypi_run_digest(const struct run *run, const char *path, const struct digest *said,
		     struct digest *ret);

/**
 * pypi_run_digest_beside() - The same of what lies beside a file.
 * @run: run
 * @path: of what lies there
 * @file: file that it is beside
 * @said: digest that the index gives, or NULL
 * @ret: the digest
 *
 * What is published beside a file is not known to be that of another one with its name.
 *
 * Return: true if it is known.
 */
bool pypi_run_digest_beside(const struct run *run, const char *path, const struct pypi_file *file,
			    const struct digest *said, struct digest *ret);

/* --- collect.c --- */

/**
 * pypi_run_collect() - Find out which projects the configuration itself selects, and ask for
 *   the pages of those that may have changed.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, 1 when the upstream's list is the same as last time, or negative errno.
 */
int pypi_run_collect(struct run *run, struct error *err);

/**
 * pypi_run_ask_pages() - Fetch pages.
 * @run: run
 * @err: set on failure
 *
 * Of all projects that have no page yet.
 *
 * Return: 0, or negative errno.
 */
int pypi_run_ask_pages(struct run *run, struct error *err);

/* --- closure.c --- */

/**
 * pypi_run_close() - Add what projects depend on, until nothing is added.
 * @run: run whose direct projects have their pages
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_close(struct run *run, struct error *err);

/* --- files.c --- */

/**
 * pypi_run_plan() - Count what will be there and what is to be fetched.
 * @run: run; its plan is set
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_plan(struct run *run, struct error *err);

/**
 * pypi_run_name_of() - The name of the project that a path belongs to.
 * @path: path below the repository
 * @name: set to the normalised name
 *
 * Return: true, or false for a path of no project.
 */
bool pypi_run_name_of(const char *path, char name[PYPI_NAME_MAX]);

/**
 * pypi_run_project_of() - The project that a path belongs to.
 * @run: run
 * @path: path below the repository
 *
 * Return: its number, or -ENOENT.
 */
int64_t pypi_run_project_of(const struct run *run, const char *path);

/**
 * pypi_run_fetch_files() - Fetch the files that are chosen and not there.
 * @run: run
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_fetch_files(struct run *run, struct error *err);

/* What lies at a path, and where it comes from. */
struct file_request {
	uint32_t number;		/* of the project */
	const char *path;		/* below the repository */
	const char *reference;		/* URL that the page has */
	const char *suffix;		/* put behind the URL, as in ".metadata" */
	const struct digest *said;	/* that the index gives, or NULL */
	uint64_t size;			/* bytes, 0 if not known */
	const struct pypi_file *beside; /* file that it lies beside, or NULL */
};

/**
 * pypi_run_ask_file() - Ask for what lies at a path.
 * @run: run
 * @file: what
 * @err: set on failure
 *
 * Return: 1 when it is asked for, 0 when that is not needed or not possible, or
 *   negative errno.
 */
int pypi_run_ask_file(struct run *run, const struct file_request *file, struct error *err);

/* --- moved.c --- */

/**
 * pypi_run_set_moved() - Remember where a page was found.
 * @run: run
 * @number: number of the project
 * @asked: URL that was asked for
 * @found: URL after redirects
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_set_moved(struct run *run, uint32_t number, const char *asked, const char *found,
		       struct error *err);

/**
 * pypi_run_get_moved() - See whether a page that was not asked for was found elsewhere.
 * @run: run
 * @number: number of the project
 */
void pypi_run_get_moved(struct run *run, uint32_t number);

/**
 * pypi_run_page_url() - Where a page is asked for.
 * @run: run
 * @number: number of the project, or UINT32_MAX for the list of all
 * @ret: the URL
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int pypi_run_page_url(const struct run *run, uint32_t number, char ret[FETCH_URL_MAX],
		      struct error *err);

/**
 * pypi_run_file_url() - Where a file is, which its page names.
 * @run: run
 * @number: number of the project
 * @reference: URL as the page has it
 * @ret: the URL
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int pypi_run_file_url(const struct run *run, uint32_t number, const char *reference,
		      char ret[FETCH_URL_MAX], struct error *err);

/* --- peek.c --- */

/**
 * pypi_run_peek() - Ask for the metadata in a wheel, without the rest of the wheel.
 * @run: run
 * @wheel: the wheel
 * @err: set on failure
 *
 * What comes of it is known under the path of the wheel's metadata; if nothing does,
 * look_again is set.
 *
 * Return: 1 when it is asked for, 0 when the wheel is better asked for whole, or
 *   negative errno.
 */
int pypi_run_peek(struct run *run, const struct file_request *wheel, struct error *err);

/**
 * pypi_peek_free() - Release what a request into a wheel needs.
 * @peek: peek or NULL
 */
void pypi_peek_free(struct peek *peek);

/* --- check.c --- */

/**
 * pypi_run_check() - Hold what no SHA-256 vouches for against what is known.
 * @run: run whose files are all there
 * @err: set on failure
 *
 * What was read by Range is held against the wheel, and a file of which the index gives
 * another hash only against that; one that differs is missing.
 *
 * Return: 0, 1 when a wheel says something else, or negative errno.
 */
int pypi_run_check(struct run *run, struct error *err);

/* --- publish.c --- */

/**
 * pypi_run_publish() - Write the pages and give every entry to the builder.
 * @run: run whose files are all there
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int pypi_run_publish(struct run *run, struct error *err);
