/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an index says: the files of a project, or the names of all projects.
 *
 * Source: packaging.python.org, "Simple repository API" (PEP 503, 592, 629, 658, 691,
 * 700, 714, 740, 792)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/pypi/name.h"
#include "reservoir/store/digest.h"

#define PYPI_INDEX_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of a project: several times PyPI's */
#define PYPI_LIST_BYTES_MAX ((size_t)256 * 1024 * 1024) /* of all projects: six times PyPI's */
#define PYPI_INDEX_FILES_MAX 200000			/* of a project */
#define PYPI_INDEX_TEXT_MAX 4096			/* bytes of any text: a URL, a reason */
#define PYPI_INDEX_ACCEPT                       \
	"application/vnd.pypi.simple.v1+json, " \
	"application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

enum pypi_offer {
	PYPI_NOT_OFFERED,
	PYPI_OFFERED, /* without a hash */
	PYPI_HASHED,
};

struct pypi_file {
	const char *name; /* checked: a name, not a path */
	const char *url;  /* absolute, or relative to the page */
	bool has_sha256;
	bool has_size;
	bool yanked;
	enum pypi_offer metadata; /* the file's own METADATA beside it */
	struct digest sha256;
	struct digest metadata_sha256;
	uint64_t size;
	int64_t uploaded;	     /* seconds since 1970, 0 if not known */
	const char *upload_time;     /* as the index has it, or NULL */
	const char *requires_python; /* or NULL */
	const char *yank_reason;     /* or NULL */
	const char *provenance;	     /* URL, or NULL */
	const char
		*sum; /* where there is no SHA-256: another, as pypi_sum_make() has it, or NULL */
};

struct pypi_index {
	struct arena arena; /* of all texts */
	char name[PYPI_NAME_MAX];
	uint64_t serial;	   /* 0 if the index has none */
	const char *status;	   /* "archived", "quarantined"; NULL for one that is active */
	const char *status_reason; /* or NULL */
	const char *base;	   /* of HTML: what URLs are relative to, or NULL for the page */
	struct pypi_file *files;
	size_t n_files, cap_files;
	size_t n_refused; /* files whose names or URLs could not be taken */
	bool has_files;	  /* they were there, if only an empty list */
	bool is_titled;	  /* of HTML: it calls itself an index */
};

/**
 * pypi_index_offers() - Whether files of a project are for anybody.
 * @index: index
 *
 * Return: false for a project in quarantine (PEP 792), whatever the page still lists.
 */
bool pypi_index_offers(const struct pypi_index *index);

/**
 * pypi_index_check() - See whether a page may take away what was there before.
 * @index: index that was read
 * @err: set on failure
 *
 * A server that wants to be logged in to, or is not the one that was asked for, answers
 * with a page, too: one without any file has to call itself an index, and to have no links
 * to anything else.
 *
 * Return: 0, or -EINVAL.
 */
int pypi_index_check(const struct pypi_index *index, struct error *err);

/**
 * pypi_index_skip_mark() - Skip a byte order mark.
 * @text: @len bytes
 * @len: number of bytes; what is left
 *
 * Return: the text behind it.
 */
const char *pypi_index_skip_mark(const char *text, size_t *len);

/**
 * pypi_index_init() - Make an empty index of a project.
 * @name: normalised name
 * @ret: the index, to be released with pypi_index_done()
 */
void pypi_index_init(const char *name, struct pypi_index *ret);

/**
 * pypi_index_done() - Release an index.
 * @index: index, or all-zero
 */
void pypi_index_done(struct pypi_index *index);
#define _cleanup_pypi_index_ _cleanup_(pypi_index_done)

/**
 * pypi_index_text() - Keep a copy of a text.
 * @index: index
 * @text: @len bytes
 * @len: number of bytes
 *
 * Return: the copy; NULL when there is no memory, or for a text with control
 *   characters or above PYPI_INDEX_TEXT_MAX.
 */
const char *pypi_index_text(struct pypi_index *index, const char *text, size_t len);

/**
 * pypi_index_text_like() - The same, of a text that is often another one, or its end.
 * @index: index
 * @other: text of the index, or NULL: the requirement of the file before, the URL of a name
 * @text: @len bytes
 * @len: number of bytes
 *
 * Return: as pypi_index_text(); or @other, or the end of it.
 */
const char *pypi_index_text_like(struct pypi_index *index, const char *other, const char *text,
				 size_t len);

/**
 * pypi_index_last() - The file that was added last.
 * @index: index
 *
 * Return: the file, until another is added; one without any text when there is none.
 */
const struct pypi_file *pypi_index_last(const struct pypi_index *index);

/**
 * pypi_index_add() - Add a file.
 * @index: index
 * @file: file whose texts are the index's own; one without a name or URL is counted as
 *   refused, and so is one whose name is no file name
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int pypi_index_add(struct pypi_index *index, const struct pypi_file *file, struct error *err);

/**
 * pypi_upload_time_parse() - Read a time as in "2024-05-29T15:37:49.536Z".
 * @text: NUL-terminated text
 * @ret: seconds since 1970
 *
 * Return: 0, or -EINVAL.
 */
int pypi_upload_time_parse(const char *text, int64_t *ret);

/**
 * pypi_index_parse_json() - Read the page of a project in JSON.
 * @text: @len bytes
 * @len: number of bytes
 * @index: initialised index, added to
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL   it is no such page, or of a version that is not 1.x
 *   -E2BIG, -ENOMEM
 */
int pypi_index_parse_json(const char *text, size_t len, struct pypi_index *index,
			  struct error *err);

/**
 * pypi_index_parse_html() - Read the page of a project in HTML.
 * @text: @len bytes
 * @len: number of bytes
 * @index: initialised index, added to
 * @err: set on failure
 *
 * Return: as pypi_index_parse_json().
 */
int pypi_index_parse_html(const char *text, size_t len, struct pypi_index *index,
			  struct error *err);

/**
 * pypi_index_parse() - Read the page of a project, in the form it turns out to have.
 * @text: @len bytes
 * @len: number of bytes
 * @index: initialised index, added to
 * @err: set on failure
 *
 * Return: as pypi_index_parse_json().
 */
int pypi_index_parse(const char *text, size_t len, struct pypi_index *index, struct error *err);

/**
 * typedef pypi_project_fn - Is told a project of the list of all.
 * @ctx: as given
 * @name: normalised name
 * @serial: serial, 0 if the list does not say
 *
 * Return: 0; a negative value ends the walk.
 */
typedef int (*pypi_project_fn)(void *ctx, const char *name, uint64_t serial);

/**
 * pypi_list_parse() - Read the list of all projects, in JSON or HTML.
 * @text: @len bytes
 * @len: number of bytes
 * @fn: called with each normalised name, not sorted; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Nothing is kept: the memory does not grow with the list.
 *
 * Return: 0, 1 for a page with links that does not call itself a list, what @fn returned,
 *   -EINVAL, -E2BIG or -ENOMEM.
 */
int pypi_list_parse(const char *text, size_t len, pypi_project_fn fn, void *ctx, struct error *err);

/**
 * pypi_list_parse_json() - The same for JSON alone.
 * @text: @len bytes
 * @len: number of bytes
 * @fn: called with each normalised name
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: as pypi_list_parse(), but for 1.
 */
int pypi_list_parse_json(const char *text, size_t len, pypi_project_fn fn, void *ctx,
			 struct error *err);

/**
 * pypi_list_parse_html() - The same for HTML alone.
 * @text: @len bytes
 * @len: number of bytes
 * @fn: called with each normalised name
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: as pypi_list_parse().
 */
int pypi_list_parse_html(const char *text, size_t len, pypi_project_fn fn, void *ctx,
			 struct error *err);
