/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sync engine: fetches many URLs at once into objects or memory, for every
 * ecosystem alike.
 *
 * Requests are given to a fetcher, which keeps a bounded number going per host,
 * multiplexed over HTTP/2 where the host can, tries again with back-off what may
 * pass (timeouts, 429, 5xx, truncated bodies; Retry-After is kept), goes on by Range
 * where an earlier try or an earlier run stopped, follows a bounded number of
 * redirects, and never keeps bytes that do not hash to what was expected.  Proxies
 * and CAs come from the environment as curl(1) reads them.
 *
 * Source: RFC 9110 (conditional requests, ranges, Retry-After); libcurl-multi(3)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/store/object.h"

#define FETCH_URL_MAX 2048 /* bytes with the NUL */
#define FETCH_ETAG_MAX 256 /* bytes with the NUL; a longer one is not kept */
#define FETCH_TYPE_MAX 128 /* bytes with the NUL of a Content-Type */
#define FETCH_MEMORY_MAX ((uint64_t)256 * 1024 * 1024)

/* Some bytes of a file, of which a server is asked by Range. */
struct fetch_part {
	uint64_t length; /* bytes; 0: no part, the whole file */
	uint64_t first;	 /* byte that it begins with */
	bool from_end;	 /* the last bytes instead: @first is not looked at */
};

enum fetch_status {
	FETCH_DONE,	 /* the bytes are there and are what was expected */
	FETCH_UNCHANGED, /* 304, of a conditional request */
	FETCH_ABSENT,	 /* 404 or 410 */
	FETCH_FAILED,	 /* tried as often as allowed; error says why */
	_FETCH_STATUS_MAX,
};

struct fetch_result {
	enum fetch_status status;
	uint32_t http; /* last status code, 0 without an answer */
	struct digest digest;
	uint64_t size;	/* bytes of the body */
	uint64_t first; /* of a part: the byte of the file that it begins with */
	uint64_t whole; /* of a part: bytes of the file */
	int64_t mtime;	/* Last-Modified, seconds since 1970; 0 without */
	char etag[FETCH_ETAG_MAX];
	char type[FETCH_TYPE_MAX];
	uint64_t serial;    /* X-PyPI-Last-Serial; 0 without */
	const char *url;    /* after redirects */
	const void *data;   /* of a request to memory: @size bytes, valid during the call */
	struct error error; /* of FETCH_FAILED: names the URL without credentials */
};

struct fetch_request;

/**
 * typedef fetch_fn - Called when a request is done.
 * @ctx: as given
 * @request: request; its texts are valid during the call
 * @result: what came of it; valid during the call
 */
typedef void (*fetch_fn)(void *ctx, const struct fetch_request *request,
			 const struct fetch_result *result);

struct fetch_request {
	const char *url; /* http, https or file; copied */
	bool to_memory;	 /* else the bytes become an object */
	/* What is expected, or NULL; copied.  An object that is there already is not fetched
	 * again: FETCH_DONE. */
	const struct digest *sha256;
	uint64_t size; /* expected bytes, 0 if not known: any other number is a failure */
	/* Bytes accepted; 0 for FETCH_MEMORY_MAX of memory and no bound of an object. */
	uint64_t max;
	const char *accept; /* Accept, or NULL; copied */
	/* Of a request to memory, by http or https.  A server that would send all the file, or
	 * other bytes, is refused at once: FETCH_FAILED with EOPNOTSUPP. */
	struct fetch_part part;
	const char *etag;  /* If-None-Match, or NULL; copied */
	int64_t since;	   /* If-Modified-Since, seconds since 1970, 0 for none */
	bool urgent;	   /* goes before what is not: indexes before files */
	bool compressed;   /* of a request to memory, or for what has no digest: may travel in
			     * gzip or zstd; size and max are of what comes out */
	const char *label; /* what progress calls its repository; borrowed until it is done */
	fetch_fn done;	   /* called once, from fetcher_run(); may add requests */
	void *ctx;
};

struct fetch_settings {
	uint32_t per_host;	   /* transfers at once to a host */
	uint32_t total;		   /* transfers at once */
	uint32_t attempts;	   /* tries of a request, at least 1 */
	uint32_t timeout_ms;	   /* without a byte; also to connect */
	uint64_t bytes_per_second; /* of all together, 0 for no limit */
	uint64_t keep_free;  /* bytes of disk that are left free: below, all stops with -ENOSPC */
	const char *ca_file; /* PEM, or NULL for the environment's and the system's */
	const char *proxy;   /* URL, or NULL for the environment's */
	const char *netrc_file; /* credentials of upstreams, or NULL */
};

/* What all requests of a label have come to so far. */
struct fetch_progress {
	const char *label;
	uint64_t files_done, files_all; /* all: planned or added, whichever is more */
	uint64_t bytes_done, bytes_all;
	uint64_t files_failed;
	uint64_t retries;
	uint64_t requests; /* sent over the network */
	uint64_t files_added, bytes_added;
};

struct fetcher;

/**
 * fetcher_new() - Make a fetcher.
 * @store: store opened with STORE_WRITE, borrowed; NULL when all goes to memory
 * @settings: limits; copied
 * @ret: the fetcher, to be released with fetcher_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int fetcher_new(struct store *store, const struct fetch_settings *settings, struct fetcher **ret,
		struct error *err);

/**
 * fetcher_free() - Release a fetcher; requests that are not done are dropped.
 * @fetcher: fetcher or NULL
 */
void fetcher_free(struct fetcher *fetcher);
DEFINE_CLEANUP(struct fetcher, fetcher_free);

/**
 * fetcher_add() - Ask for a URL.
 * @fetcher: fetcher
 * @request: what; copied where it says so
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL     the URL is refused: too long, not printable, another scheme
 *   -ECANCELED  the run has failed and tells the requests left
 *   -ENOMEM     no memory
 */
int fetcher_add(struct fetcher *fetcher, const struct fetch_request *request, struct error *err);

/**
 * typedef fetch_more_fn - Adds at least one request.
 * @ctx: as given to fetcher_run()
 * @fetcher: fetcher
 *
 * Return: true; false when there is nothing more for now: it is asked again after a
 *   done().
 */
typedef bool (*fetch_more_fn)(void *ctx, struct fetcher *fetcher);

/**
 * fetcher_run() - Fetch until nothing is left to do.
 * @fetcher: fetcher
 * @more: called when few requests wait, so that a million need not be added at once; or NULL
 * @ctx: given to @more
 * @err: set on failure
 *
 * A request that fails is told to its done(), and is no failure of the run.
 *
 * Return: 0, or
 *   -ENOSPC  the disk is as full as keep_free allows
 *   -EINTR   fetcher_stop() was called
 *   negative errno of the system
 * On failure the requests left are told that they have FETCH_FAILED, and none can be
 * added from their done().
 */
int fetcher_run(struct fetcher *fetcher, fetch_more_fn more, void *ctx, struct error *err);

/**
 * fetcher_stop() - End fetcher_run() soon; may be called from a signal handler.
 * @fetcher: fetcher
 *
 * It ends one run: the one that goes on, or else the next.
 */
void fetcher_stop(struct fetcher *fetcher);

/**
 * typedef fetch_progress_fn - Told how it goes.
 * @ctx: as given
 * @progress: @n rows, one for each label; valid during the call
 * @n: number
 */
typedef void (*fetch_progress_fn)(void *ctx, const struct fetch_progress *progress, size_t n);

/**
 * fetcher_watch() - Be told how it goes, a few times a second and at the end of a run.
 * @fetcher: fetcher
 * @fn: called from fetcher_run(), with all labels
 * @ctx: given to @fn
 */
void fetcher_watch(struct fetcher *fetcher, fetch_progress_fn fn, void *ctx);

/**
 * fetcher_report() - Be told once, now, how it went so far.
 * @fetcher: fetcher
 * @fn: called before this returns, with all labels
 * @ctx: given to @fn
 */
void fetcher_report(struct fetcher *fetcher, fetch_progress_fn fn, void *ctx);

/**
 * fetcher_plan() - Say what is going to be asked for under a label, for the progress.
 * @fetcher: fetcher
 * @label: label
 * @files: number
 * @bytes: bytes
 */
void fetcher_plan(struct fetcher *fetcher, const char *label, uint64_t files, uint64_t bytes);

/**
 * fetch_url_join() - Resolve a reference against a URL; one of the network cannot name a file.
 * @base: absolute URL
 * @reference: URL or path
 * @ret: receives at most FETCH_URL_MAX bytes with the NUL; without fragment
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int fetch_url_join(const char *base, const char *reference, char ret[FETCH_URL_MAX],
		   struct error *err);
