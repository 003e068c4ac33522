/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One try of one request: what is asked, where the bytes go, and what the answer was.
 * Whether it is tried again is the fetcher's to decide.
 *
 * Bytes of a request for an object go straight to staging, under the digest that is
 * expected, so that a later try, or a later run, goes on where this one ends.  Where
 * none is expected they are kept only within a run and only under a strong entity
 * tag: nothing else tells whether the rest is of the same file.
 *
 * transfer.c asks and takes the bytes, outcome.c judges.
 *
 * Source: libcurl-easy(3); RFC 9110, sections 13 and 14
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/backoff.h"
#include "base/strbuf.h"
#include "reservoir/fetch/allowance.h"
#include "reservoir/fetch/answer.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/fetch/host.h"
#include "reservoir/fetch/progress.h"
#include "reservoir/fetch/url.h"

/* A request that is not done. */
struct job {
	struct job *next;
	struct fetch_request request; /* its texts and digest are owned */
	struct digest sha256;
	char *url, *accept, *etag;
	enum url_scheme scheme;
	size_t host;  /* index */
	size_t label; /* index */
	uint32_t tries;
	struct backoff backoff;
	uint64_t due_ms;
	uint64_t furthest; /* bytes that a try has come to */
	bool is_added;	   /* counted as one of all */
	bool is_fresh;	   /* from the beginning, past caches: the bytes were wrong once */
	bool no_range;	   /* the server does not do ranges right */
	char validator[FETCH_ETAG_MAX]; /* strong, of an earlier try; "" without */
	struct error why;		/* the last try failed */
};

/* What all transfers share. */
struct engine {
	struct store *store;
	struct fetch_settings settings;
	CURLM *multi;
	struct allowance allowance;
	struct progress progress;
	uint64_t written;  /* bytes, to the disk */
	uint64_t finished; /* objects */
	int fatal;	   /* negative errno: the run is to end */
	struct error fatal_err;
};

enum sink {
	SINK_NONE, /* no byte has come */
	SINK_KEEP,
	SINK_DROP, /* what an error page says */
};

struct transfer {
	struct engine *engine;
	CURL *easy;
	struct curl_slist *headers;
	struct job *job; /* NULL: idle */
	struct staging *staging;
	struct strbuf memory;
	enum sink sink;
	uint64_t begun_at; /* bytes there were before */
	uint64_t total;	   /* bytes there are */
	uint64_t dropped;
	bool asked_range;
	struct answer_range part; /* of a part: what the server sends */
	bool is_paused;
	char problem[CURL_ERROR_SIZE]; /* what libcurl says of a failure; "" for nothing */
	enum outcome_kind {
		OUTCOME_NONE,
		OUTCOME_TELL,	/* the result says all */
		OUTCOME_THERE,	/* so it does, of an object that is there already */
		OUTCOME_AGAIN,	/* may pass */
		OUTCOME_RANGE,	/* to be tried again without a range */
		OUTCOME_FRESH,	/* the bytes are not those expected */
		OUTCOME_FAILED, /* asking again would not help */
		OUTCOME_BUSY,	/* another transfer has the same bytes open */
		OUTCOME_FATAL,	/* of the store: engine->fatal */
	} verdict;		/* of a callback */
};

struct outcome {
	enum outcome_kind kind;
	bool reached;	  /* the host has answered */
	bool is_too_much; /* the host is to be asked less */
	uint64_t wait_ms; /* what it asks to wait */
};

/**
 * transfer_init() - Make an idle transfer.
 * @transfer: to be filled, and released with transfer_done()
 * @engine: engine; borrowed
 *
 * Return: 0, or -ENOMEM.
 */
int transfer_init(struct transfer *transfer, struct engine *engine);

/**
 * transfer_done() - Release a transfer; what is staged stays.
 * @transfer: transfer, or all-zero
 */
void transfer_done(struct transfer *transfer);

/**
 * transfer_start() - Begin a try.
 * @transfer: idle one
 * @job: job; borrowed until transfer_end()
 * @result: filled when no request is needed
 *
 * Return: OUTCOME_NONE when it runs now; else what transfer_end() would.
 */
enum outcome_kind transfer_start(struct transfer *transfer, struct job *job,
				 struct fetch_result *result);

/**
 * transfer_end() - See what a try has come to.
 * @transfer: transfer that is over
 * @code: what libcurl says
 * @result: filled for OUTCOME_TELL
 *
 * The job's why is set for all kinds but OUTCOME_TELL.  The result's data and url live
 * until transfer_clear().
 *
 * Return: outcome.
 */
struct outcome transfer_end(struct transfer *transfer, CURLcode code, struct fetch_result *result);

/**
 * transfer_clear() - Make a transfer idle; what is staged stays.
 * @transfer: transfer
 */
void transfer_clear(struct transfer *transfer);

/**
 * transfer_resume() - Let a paused transfer take bytes again.
 * @transfer: transfer
 */
void transfer_resume(struct transfer *transfer);

/* Between the two files of a transfer. */

/**
 * transfer_because() - Note why a try has failed.
 * @transfer: transfer
 * @code: positive errno
 * @why: one line; the URL is put before it
 */
void transfer_because(struct transfer *transfer, int code, const char *why);

/**
 * transfer_status() - The status of the last answer.
 * @transfer: transfer
 *
 * Return: status, 0 without an answer; 200 or 206 of a local file.
 */
long transfer_status(const struct transfer *transfer);

/**
 * transfer_header() - A header of the last answer.
 * @transfer: transfer
 * @name: name
 *
 * Return: value, or NULL.
 */
const char *transfer_header(const struct transfer *transfer, const char *name);

/**
 * transfer_is_packed() - Whether a body may travel compressed.
 * @job: job
 *
 * What has a digest is what its upstream has, byte by byte, and goes on where it ended.
 *
 * Return: true if so.
 */
bool transfer_is_packed(const struct job *job);

/**
 * transfer_begin() - Decide by the status where the bytes go.
 * @transfer: transfer that has an answer
 *
 * Return: false if it is refused: the verdict says why.
 */
bool transfer_begin(struct transfer *transfer);

/**
 * transfer_uncount() - Take what a try has brought out of the progress.
 * @transfer: transfer
 */
void transfer_uncount(struct transfer *transfer);
