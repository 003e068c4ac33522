/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation: which manifest each repository has.  Publishing one is a single
 * rename, so that whoever reads sees the old or the new, and never a mixture.
 *
 * Its text is canonical JSON (sorted keys, no white space, integers), whose SHA-256 is
 * the generation's root, by which bundles are chained.  The file has the text and a
 * line with the root.
 *
 * Source: rename(2); canonical JSON as in RFC 8785 of what has no fractions
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/store/revoked.h"
#include "reservoir/store/store.h"

#define GENERATION_REPOSITORIES_MAX 256 /* of one store */
#define GENERATION_REASON_MAX 128	/* bytes with the NUL */
#define GENERATION_TEXT_MAX ((size_t)1024 * 1024)

struct generation_repository {
	char name[STORE_NAME_MAX];
	char ecosystem[16];
	/* As collected or imported, and as clients get it: they differ where this site
	 * signs indexes itself. */
	struct digest collected;
	struct digest served;
	uint64_t n_files; /* entries served */
	uint64_t bytes;	  /* of these */
	/* When the collected one was last seen to be upstream's, seconds since 1970. */
	int64_t synced;
};

struct generation {
	uint64_t number;
	int64_t created; /* seconds since 1970; not before its parent's */
	/* As in "sync debian", "import hub 17", "rollback to 4". */
	char reason[GENERATION_REASON_MAX];
	struct digest parent; /* root of the one before; all-zero for the first */
	/* Of a generation that came in a bundle. */
	char origin_id[STORE_ID_MAX]; /* the hub's; "" otherwise */
	uint64_t origin_sequence;
	struct digest origin_root; /* root of the hub's generation */
	struct digest root;	   /* of this generation's own file; set when it is read */
	struct generation_repository *repositories; /* sorted by name */
	size_t n_repositories;
	struct revoked revoked; /* given to nobody, of this generation or another */
	/* Of one to be published: what its parent has recalled and this one has not is given
	 * out again.  Otherwise nothing that was recalled is forgotten. */
	bool lifts;
	bool replaces; /* also a current one that cannot be read; then all is looked for */
};

/**
 * generation_free() - Release a generation.
 * @generation: generation or NULL
 */
void generation_free(struct generation *generation);
DEFINE_CLEANUP(struct generation, generation_free);

/**
 * generation_name_check() - Whether a text may name a repository or a snapshot.
 * @name: [0-9A-Za-z._-], below STORE_NAME_MAX bytes, neither '.' nor '-' in front
 *
 * Return: 0, or -EINVAL.
 */
int generation_name_check(const char *name);

/**
 * generation_format() - Append the canonical text of a generation.
 * @generation: generation
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, -EINVAL, -ENOMEM or -E2BIG.
 */
int generation_format(const struct generation *generation, struct strbuf *out, struct error *err);

/**
 * generation_parse() - Read the canonical text of a generation; its root is what it
 *   hashes to.
 * @text: @len bytes, any value
 * @len: number of bytes
 * @ret: the generation, to be released with generation_free()
 * @err: set on failure
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int generation_parse(const char *text, size_t len, struct generation **ret, struct error *err);

/**
 * generation_read() - Read a generation by its number.
 * @store: store
 * @number: number
 * @ret: the generation, to be released with generation_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT   there is none
 *   -EBADMSG  the file is damaged
 *   negative errno of the system
 */
int generation_read(struct store *store, uint64_t number, struct generation **ret,
		    struct error *err);

/**
 * generation_current() - Read the generation that is published.
 * @store: store
 * @ret: the generation, to be released with generation_free()
 * @err: set on failure
 *
 * Return: as generation_read().
 */
int generation_current(struct store *store, struct generation **ret, struct error *err);

/**
 * generation_current_number() - Which generation is published; cheap enough to poll.
 * @store: store
 * @ret: number
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int generation_current_number(struct store *store, uint64_t *ret, struct error *err);

/**
 * generation_find() - Read the generation that a word names.
 * @store: store
 * @word: "current", a number, or the name of a snapshot
 * @ret: the generation, to be released with generation_free()
 * @err: set on failure
 *
 * Return: as generation_read(); -EINVAL for no word of these.
 */
int generation_find(struct store *store, const char *word, struct generation **ret,
		    struct error *err);

/**
 * generation_repository() - Find a repository.
 * @generation: generation
 * @name: name
 *
 * Return: the repository, borrowed, or NULL.
 */
const struct generation_repository *generation_repository(const struct generation *generation,
							  const char *name);

/**
 * generation_copy() - Begin a generation with the repositories of another.
 * @generation: generation to copy
 * @ret: the copy, with origin and what was recalled, and without number, reason and root;
 *   to be released with generation_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int generation_copy(const struct generation *generation, struct generation **ret,
		    struct error *err);

/**
 * generation_set() - Put a repository in, in place of one with the same name.
 * @generation: generation that is not published yet
 * @repository: repository; copied
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int generation_set(struct generation *generation, const struct generation_repository *repository,
		   struct error *err);

/**
 * generation_remove() - Take a repository out.
 * @generation: generation that is not published yet
 * @name: name; nothing happens when there is none
 */
void generation_remove(struct generation *generation, const char *name);

/**
 * generation_publish() - Make a generation the current one.
 * @store: store opened with STORE_WRITE
 * @generation: number, created, parent and root are set
 * @err: set on failure
 *
 * Flushes objects first; all manifests must be there, and every object that the
 * generation published so far does not have, but for what was recalled.  What the
 * parent has recalled stays recalled.  After a clock that was set back, created is that
 * of the parent.
 *
 * Return: 0, or
 *   -ENOENT  a manifest or an object is not in the store
 *   negative errno of the system; then the old generation is still published, unless
 *   it was the last sync that failed: then the new one is, and a power cut may bring
 *   the old one back
 */
int generation_publish(struct store *store, struct generation *generation, struct error *err);

/**
 * typedef generation_fn - Takes the number of a generation.
 * @ctx: as given to generation_each()
 * @number: number
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*generation_fn)(void *ctx, uint64_t number);

/**
 * generation_each() - Tell the numbers of all generations, ascending.
 * @store: store
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure of the system
 *
 * Return: 0, what @fn returned, or negative errno of the system.
 */
int generation_each(struct store *store, generation_fn fn, void *ctx, struct error *err);

/**
 * snapshot_set() - Keep a generation under a name.
 * @store: store opened with STORE_WRITE
 * @name: [0-9A-Za-z._-], as in "2026-11-22"; not a plain number and not "current"
 * @number: generation
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  the name
 *   -EEXIST  the name is taken
 *   -ENOENT  there is no such generation
 *   negative errno of the system
 */
int snapshot_set(struct store *store, const char *name, uint64_t number, struct error *err);

/**
 * snapshot_remove() - Keep a generation no longer.
 * @store: store opened with STORE_WRITE
 * @name: name
 * @err: set on failure
 *
 * Return: 0, -ENOENT, or negative errno of the system.
 */
int snapshot_remove(struct store *store, const char *name, struct error *err);

/**
 * typedef snapshot_fn - Takes a snapshot.
 * @ctx: as given to snapshot_each()
 * @name: name
 * @number: generation that it keeps
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*snapshot_fn)(void *ctx, const char *name, uint64_t number);

/**
 * snapshot_each() - Tell the snapshots, sorted by name.
 * @store: store
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure of the system
 *
 * Return: 0, what @fn returned, or negative errno of the system.
 */
int snapshot_each(struct store *store, snapshot_fn fn, void *ctx, struct error *err);
