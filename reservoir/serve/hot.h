/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are kept ready: the headers of a file, and its bytes if it is small or an
 * index, or a descriptor that sendfile(2) takes them from.
 *
 * A file of up to a megabyte is held against its digest when it is loaded.  A
 * descriptor is held against the store every second, so that an object that was put into
 * quarantine is not sent on.  What was not used for the longest time goes first.
 *
 * Source: MHD_create_response_from_buffer_with_free_callback_cls() and
 * MHD_create_response_from_fd64() of microhttpd.h; RFC 9110, section 15.4.5
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/serve/condition.h"
#include "reservoir/store/media.h"
#include "reservoir/store/store.h"

struct MHD_Response;

enum freshness {
	FRESH_ASK,     /* clients ask whether it changed: indexes */
	FRESH_FOREVER, /* never changes under its name */
	_FRESHNESS_MAX,
};

/* What an answer is made of. */
struct hot_key {
	struct digest digest;
	uint64_t size;
	int64_t mtime;
	const char *type; /* static */
	uint16_t encoding;
	uint16_t freshness;
	bool is_index; /* or what else is no package: all clients ask for it */
	bool varies_by_accept;
	bool varies_by_encoding;
	bool is_private; /* not for caches that several share */
};

struct hot;
struct hot_entry;

struct hot_counts {
	uint64_t hits;
	uint64_t misses;
	uint64_t bytes;
	uint64_t held; /* bytes of files, also of those that are only still sent */
	uint64_t entries;
};

/**
 * hot_new() - Make a place for answers.
 * @store: store; borrowed
 * @bytes: memory for them
 * @ret: the place, to be released with hot_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int hot_new(struct store *store, uint64_t bytes, struct hot **ret, struct error *err);

/**
 * hot_free() - Release all answers; none may be in use.
 * @hot: place or NULL
 */
void hot_free(struct hot *hot);
DEFINE_CLEANUP(struct hot, hot_free);

/**
 * hot_get() - Get an answer, without its bytes at first.
 * @hot: place
 * @key: what it is made of; padding is zero
 *
 * Context: any thread.
 * Return: the answer, to be given back with hot_put(); or NULL without memory.
 */
struct hot_entry *hot_get(struct hot *hot, const struct hot_key *key);

/**
 * hot_put() - Give an answer back.
 * @entry: answer or NULL
 */
void hot_put(struct hot_entry *entry);
DEFINE_CLEANUP(struct hot_entry, hot_put);

/**
 * hot_unchanged() - The response with status 304.
 * @entry: answer
 *
 * Return: the response, borrowed from @entry.
 */
struct MHD_Response *hot_unchanged(const struct hot_entry *entry);

/**
 * hot_whole() - The response with the whole file that all share.
 * @hot: place
 * @entry: answer
 * @ret: the response, borrowed from @entry; NULL for a file that is not in memory
 * @err: set on failure
 *
 * A response that fails while it reads becomes a shorter one, for whoever gets it next: so
 * those that read are not shared, and hot_part() makes one for each request.
 *
 * Return: 0, or
 *   -ENOENT   the store has no such object
 *   -EBADMSG  it does not hash to its name
 *   -ESTALE   it was replaced meanwhile: hot_get() gives another
 *   negative errno of the system
 */
int hot_whole(struct hot *hot, struct hot_entry *entry, struct MHD_Response **ret,
	      struct error *err);

/**
 * hot_part() - A response with a part of the file.
 * @hot: place
 * @entry: answer
 * @range: part
 * @ret: the response, owned; without a Content-Range
 * @err: set on failure
 *
 * Return: as hot_whole().
 */
int hot_part(struct hot *hot, struct hot_entry *entry, const struct byte_range *range,
	     struct MHD_Response **ret, struct error *err);

/**
 * hot_open() - A descriptor of the file, for bodies that are sent bit by bit.
 * @hot: place
 * @entry: answer
 * @err: set on failure
 *
 * Return: owned descriptor, or a negative errno as hot_whole() has it.
 */
int hot_open(struct hot *hot, struct hot_entry *entry, struct error *err);

/**
 * hot_headers() - Put the headers of an answer on a response.
 * @key: what it is made of
 * @response: response
 * @entity: those that are about the bytes, too
 */
void hot_headers(const struct hot_key *key, struct MHD_Response *response, bool entity);

/**
 * hot_count() - Say how it goes.
 * @hot: place
 *
 * Return: counts since hot_new().
 */
struct hot_counts hot_count(struct hot *hot);
