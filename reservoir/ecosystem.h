/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ecosystem is a row: what APT, PyPI and others do differently.  Everything else
 * (store, fetching, bundles, serving) knows no ecosystem.
 *
 * Source: rows of functions as in drivers/driver.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/config/config.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/manifest.h"

struct sync;

/* What a client asks of a repository. */
struct route_request {
	const char *path;   /* below the repository, decoded and checked; "" for its root */
	const char *accept; /* Accept of the request, or NULL */
	const char *format; /* value of ?format=, or NULL */
};

enum route_kind {
	ROUTE_FILE,	      /* @path and @media: the server chooses the encoding */
	ROUTE_REDIRECT,	      /* 301 to @path, below the repository */
	ROUTE_ABSENT,	      /* 404 */
	ROUTE_NOT_ACCEPTABLE, /* 406 */
	_ROUTE_KIND_MAX,
};

struct route {
	enum route_kind kind;
	char path[STORE_PATH_MAX];
	enum media media;
	const char *content_type; /* in place of media_type(), or NULL; static */
	bool varies_by_accept;
};

/* What an index says a file must be. */
struct expectation {
	const char *path; /* below the repository */
	struct digest sha256;
	uint64_t size;	 /* 0 if it does not say */
	const char *url; /* where it is, or NULL: at its path below the upstream */
};

/**
 * typedef expectation_fn - Takes what an index says of a file.
 * @ctx: as given to the ecosystem's expect()
 * @expectation: borrowed during the call
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*expectation_fn)(void *ctx, const struct expectation *expectation);

/* Where a path is asked for. */
struct origin {
	char path[STORE_PATH_MAX]; /* as it is spelt; clients that ask for another are redirected */
	char url[FETCH_URL_MAX];   /* "" for what only an index can say */
	const char *accept;	   /* static, or NULL */
};

/**
 * typedef page_fn - Takes one form of an index.
 * @ctx: as given to the ecosystem's pages()
 * @media: media
 * @encoding: encoding
 * @data: @len bytes
 * @len: number of bytes
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*page_fn)(void *ctx, enum media media, enum encoding encoding, const void *data,
		       size_t len);

enum client {
	CLIENT_APT,
	CLIENT_PIP,
	CLIENT_UV,
	_CLIENT_MAX,
};

struct ecosystem {
	const char *name; /* as in "apt"; below 16 bytes */
	const char *text; /* one line */

	/* Collects a repository: see reservoir/sync/sync.h.  Returns SYNC_*, or negative
	 * errno with @err set. */
	int (*sync)(struct sync *sync, struct error *err);

	/* Makes the manifest that clients get of the one collected: indexes that this site
	 * signs itself.  NULL: both are the same. */
	int (*finish)(struct store *store, const struct repository *repository,
		      const struct digest *collected, struct digest *ret_served, struct error *err);

	/* Which file answers a request.  NULL: that of the path, in the media it has. */
	void (*route)(const struct manifest *manifest, const struct route_request *request,
		      struct route *ret);

	/* The index that says where a file is which is not at its path below the upstream.
	 * Returns false for any other path.  NULL: all are at theirs. */
	bool (*index)(const char *path, char ret[STORE_PATH_MAX]);

	/* Which files an index that was fetched vouches for.
	 * @path is that of the index; one that is none has none.  URLs may be relative to
	 * where the index came from. */
	int (*expect)(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
		      struct error *err);

	/* Of a repository that caches: the file of keys of which one must have signed what no
	 * index vouches for, or "" when nobody looks.  NULL: what is fetched is believed. */
	const char *(*keyring)(const struct repository *repository);

	/* Whether it was.  Returns 0, or negative errno with @err set; there is one if there is
	 * keyring(). */
	int (*check)(const char *keyring, const char *path, const void *data, size_t len,
		     struct error *err);

	/* Where a path that no index vouches for is asked for.
	 * Returns false for one that no upstream has.  NULL: below the upstream. */
	bool (*origin)(const struct repository *repository, const char *path, struct origin *ret);

	/* Of a repository that caches: what clients get of an index that came from @url, in all
	 * its forms.  NULL: the bytes as they are. */
	int (*pages)(const char *path, const char *url, const void *data, size_t len, page_fn fn,
		     void *ctx, struct error *err);

	/* Which package a path belongs to, for statistics and recall; false for an index. */
	bool (*package)(const char *path, char *ret, size_t size);

	/* How package() spells a name; false for what is none.  NULL: as it is. */
	bool (*spell)(const char *name, char *ret, size_t size);

	/* Appends what to put on a client, and where. @base is the URL of the repository,
	 * @manifest what is served of it, NULL before anything was. */
	int (*client_config)(const struct repository *repository, const struct manifest *manifest,
			     enum client client, const char *base, struct strbuf *out,
			     struct error *err);

	/* Appends why a package (as in "requests" or "curl") is in a repository, or not. */
	int (*explain)(struct store *store, const struct repository *repository,
		       const struct manifest *manifest, const char *what, struct strbuf *out,
		       struct error *err);

	/* Appends why clients are going to refuse what is served before long, or do so already:
	 * one line without its end, or nothing.  NULL: nothing expires. */
	void (*warn)(struct store *store, const struct manifest *manifest, int64_t now,
		     struct strbuf *out);

	/* Appends the YAML of repositories that the machine's own configuration below
	 * @host_root has, each an item of "repositories" with comments. */
	int (*from_host)(const char *host_root, struct strbuf *out, struct error *err);
};

/**
 * ecosystem_table() - All ecosystems.
 *
 * Return: rows, ended by NULL.
 */
const struct ecosystem *const *ecosystem_table(void);

/**
 * ecosystem_find() - Find an ecosystem by its name.
 * @name: name
 *
 * Return: the row, or NULL.
 */
const struct ecosystem *ecosystem_find(const char *name);
