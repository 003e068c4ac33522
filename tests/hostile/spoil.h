/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to spoil a simulated node: what a broken driver, a cut capture or somebody
 * hostile may have put in the place of a file, link or directory.
 *
 * What was there is moved to a directory outside of the node, so that it can be put
 * back, and so that a link can lead to it: whoever follows that link has left the
 * root of the host.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SPOIL_SLOTS_MAX 16 /* entries that are spoiled at one time */
#define SPOIL_PATHS_MAX 8192

struct spoil_site {
	int root_fd;	   /* root of the node */
	int aside_fd;	   /* directory outside of it, on the same file system */
	const char *aside; /* its absolute path */
};

enum spoil_kind {
	SPOIL_REMOVED,
	SPOIL_TEXT,	 /* a file of a few bytes */
	SPOIL_FILL,	 /* a file of many bytes */
	SPOIL_CUT,	 /* half of what it was: of the text, or of the link's target */
	SPOIL_SPARSE,	 /* a file of 16 GiB */
	SPOIL_DIRECTORY, /* with things in it */
	SPOIL_FIFO,
	SPOIL_SOCKET,
	SPOIL_LINK,
	SPOIL_OUTSIDE,	  /* an absolute link to what it was */
	SPOIL_UP_OUTSIDE, /* the same by way of ".." */
	SPOIL_FORBIDDEN,  /* may not be read by an ordinary user */
	_SPOIL_KIND_MAX,
};

struct spoil {
	const char *name;
	enum spoil_kind kind;
	const char *data; /* of SPOIL_TEXT and SPOIL_LINK */
	size_t len;	  /* of SPOIL_TEXT and SPOIL_FILL */
};

/**
 * spoil_table() - All ways.
 * @ret_n: number of ways
 *
 * Return: array of @ret_n rows; static.
 */
const struct spoil *spoil_table(size_t *ret_n);

/**
 * spoil_put() - Put something in the place of an entry.
 * @site: where
 * @spoil: what
 * @path: the entry, relative to the root of the node
 * @slot: below SPOIL_SLOTS_MAX, and not in use
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such entry, or -errno; the entry is then as
 *   it was.
 */
int spoil_put(const struct spoil_site *site, const struct spoil *spoil, const char *path,
	      unsigned int slot, struct error *err);

/**
 * spoil_undo() - Put back what was there; in the opposite order when there were several.
 * @site: as for spoil_put()
 * @path: as for spoil_put()
 * @slot: as for spoil_put()
 * @err: set on failure
 *
 * Return: 0, or -errno.
 */
int spoil_undo(const struct spoil_site *site, const char *path, unsigned int slot,
	       struct error *err);

/* Paths of a tree; all-zero when empty. */
struct spoil_paths {
	char **paths;
	size_t n;
	size_t cap;
};

/**
 * spoil_paths_list() - List all that lies below a directory; links are not followed.
 * @paths: appended to; to be released with spoil_paths_done(), on failure too
 * @root_fd: root of the node
 * @dir: directory, relative to the root; not listed itself; may be missing
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -E2BIG past SPOIL_PATHS_MAX, or -errno.
 */
int spoil_paths_list(struct spoil_paths *paths, int root_fd, const char *dir, struct error *err);

/**
 * spoil_paths_has() - Whether a path is listed.
 * @paths: paths
 * @path: path
 *
 * Return: true if it is.
 */
bool spoil_paths_has(const struct spoil_paths *paths, const char *path);

/**
 * spoil_paths_done() - Release a list.
 * @paths: list, all-zero when empty
 */
void spoil_paths_done(struct spoil_paths *paths);
#define _cleanup_spoil_paths_ _cleanup_(spoil_paths_done)
