/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manifest: what lies at each path of a repository.
 *
 * It is an object, sorted by path, media and encoding, read where it lies in memory by
 * mmap().  Paths are relative, of printable ASCII without space at either end,
 * without "", "." and ".." between slashes; one may end with a slash, as PyPI's
 * pages do.  A path has several entries where a page comes in several media or
 * encodings.  What lies below ".reservoir/" is a note of the ecosystem's own and
 * is never served.
 *
 * The bytes, little-endian: magic; entries of fixed size; paths in groups of 16, each
 * as the length it shares with the one before and the rest; where the groups begin;
 * counts and version.  About 80 bytes for a file of PyPI or Debian.
 *
 * Source: front coding of sorted names as in locate(1) and git's index version 4
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/store/media.h"
#include "reservoir/store/store.h"

#define MANIFEST_NOTES ".reservoir/"
#define MANIFEST_ENTRIES_MAX 16000000u /* several times all files of PyPI */

struct manifest_entry {
	const char *path; /* borrowed: of a cursor until it moves */
	enum media media;
	enum encoding encoding;
	struct digest digest;
	uint64_t size; /* bytes */
	int64_t mtime; /* seconds since 1970, as upstream says; what Last-Modified is */
};

struct manifest;

/* A place in a manifest; open, so that it can lie on the stack. */
struct manifest_cursor {
	const struct manifest *manifest;
	uint64_t next; /* row that manifest_next() gives */
	size_t at;     /* where the rest of its path begins */
	char path[STORE_PATH_MAX];
};

/**
 * manifest_open() - Open a manifest, and check all of it.
 * @store: store
 * @digest: the object's name
 * @ret: the manifest, to be released with manifest_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT   there is no such object
 *   -EBADMSG  it is no manifest, or out of order
 *   negative errno of the system
 */
int manifest_open(struct store *store, const struct digest *digest, struct manifest **ret,
		  struct error *err);

/**
 * manifest_parse() - The same for bytes in memory.
 * @data: @len bytes, borrowed for the life of the manifest, at an address divisible by 8
 * @len: number of bytes
 * @ret: the manifest, to be released with manifest_free()
 * @err: set on failure
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int manifest_parse(const void *data, size_t len, struct manifest **ret, struct error *err);

/**
 * manifest_free() - Release a manifest.
 * @manifest: manifest or NULL
 */
void manifest_free(struct manifest *manifest);
DEFINE_CLEANUP(struct manifest, manifest_free);

/**
 * manifest_is_lost() - Whether it cannot be read any more, and gave what is not in it.
 * @manifest: manifest
 *
 * Context: asked after reading, of a process that has called mapping_guard(); any thread.
 * Return: true if so; one that is opened anew says why.
 */
bool manifest_is_lost(const struct manifest *manifest);

/**
 * manifest_count() - How many entries there are.
 * @manifest: manifest
 *
 * Return: number.
 */
uint64_t manifest_count(const struct manifest *manifest);

/**
 * manifest_bytes() - The sizes of all entries together.
 * @manifest: manifest
 *
 * Return: bytes.
 */
uint64_t manifest_bytes(const struct manifest *manifest);

/**
 * manifest_seek() - Go to the first entry whose path is not before a text.
 * @manifest: manifest
 * @path: path, or the beginning of some; "" for the first entry of all
 * @ret: the place; borrows @manifest
 */
void manifest_seek(const struct manifest *manifest, const char *path, struct manifest_cursor *ret);

/**
 * manifest_next() - Give the entry of a place, and go on.
 * @cursor: place
 * @ret: the entry; its path is valid until the next call
 *
 * Return: false at the end.
 */
bool manifest_next(struct manifest_cursor *cursor, struct manifest_entry *ret);

/**
 * manifest_find() - The first entry of a path.
 * @manifest: manifest
 * @path: path
 * @ret: the entry; its path is @path
 *
 * Return: true if there is one.
 */
bool manifest_find(const struct manifest *manifest, const char *path, struct manifest_entry *ret);

/**
 * manifest_variant() - The entry of a path in a media and an encoding.
 * @manifest: manifest
 * @path: path
 * @media: media
 * @encoding: encoding
 * @ret: the entry; its path is @path
 *
 * Return: true if there is one.
 */
bool manifest_variant(const struct manifest *manifest, const char *path, enum media media,
		      enum encoding encoding, struct manifest_entry *ret);

/**
 * manifest_path_check() - Whether a path may stand in a manifest.
 * @path: NUL-terminated path from outside
 * @err: set on failure, quoting it
 *
 * Return: 0, or -EINVAL.
 */
int manifest_path_check(const char *path, struct error *err);

struct manifest_builder;

/**
 * manifest_builder_new() - Begin a manifest.
 * @store: store opened with STORE_WRITE; borrowed
 * @ret: the builder, to be released with manifest_builder_free()
 * @err: set on failure
 *
 * Its memory is bounded whatever the number of entries: sorted runs go to DIR/staging.
 *
 * Return: 0, or -ENOMEM.
 */
int manifest_builder_new(struct store *store, struct manifest_builder **ret, struct error *err);

/**
 * manifest_builder_free() - Release a builder.
 * @builder: builder or NULL
 */
void manifest_builder_free(struct manifest_builder *builder);
DEFINE_CLEANUP(struct manifest_builder, manifest_builder_free);

/**
 * manifest_add() - Add an entry, in any order.
 * @builder: builder
 * @entry: entry; copied
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  the path may not stand in a manifest
 *   -E2BIG   more than MANIFEST_ENTRIES_MAX
 *   negative errno of the system
 */
int manifest_add(struct manifest_builder *builder, const struct manifest_entry *entry,
		 struct error *err);

/**
 * manifest_finish() - Make an object of the manifest.
 * @builder: builder; nothing can be added afterwards
 * @ret: the object's name
 * @err: set on failure
 *
 * An entry that was added twice the same counts once.  The object has its name after
 * object_flush().
 *
 * Return: 0, or
 *   -EEXIST  a path has two different entries of the same media and encoding; or one
 *            path is another's directory
 *   negative errno of the system
 */
int manifest_finish(struct manifest_builder *builder, struct digest *ret, struct error *err);

/* One difference between two manifests. */
enum manifest_change {
	MANIFEST_ADDED,
	MANIFEST_REMOVED,
	MANIFEST_CHANGED,
};

/**
 * typedef manifest_diff_fn - Takes a difference.
 * @ctx: as given to manifest_diff()
 * @change: what happened
 * @before: entry of the first manifest; NULL of what was added
 * @after: entry of the second manifest; NULL of what was removed
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*manifest_diff_fn)(void *ctx, enum manifest_change change,
				const struct manifest_entry *before,
				const struct manifest_entry *after);

/**
 * manifest_diff() - Tell the differences between two manifests, sorted by path.
 * @before: manifest, or NULL for an empty one
 * @after: manifest, or NULL for an empty one
 * @fn: called for each; @before of what was added and @after of what was removed is NULL;
 *   a negative return ends the walk
 * @ctx: given to @fn
 *
 * Return: 0, or what @fn returned.
 */
int manifest_diff(const struct manifest *before, const struct manifest *after, manifest_diff_fn fn,
		  void *ctx);
