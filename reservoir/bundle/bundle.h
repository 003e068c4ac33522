/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a bundle: what is signed.  It names the hub, the place in the chain,
 * the generation that the bundle leads to, and the chunks with their hashes; the
 * objects themselves are told in the chunks, so that it stays small.
 *
 * It is text of lines in a fixed order, and there is one way to write each bundle:
 * docs/bundle-format.md has it byte for byte.
 *
 * Source: the checks are those of The Update Framework's specification, 5.3 to 5.6
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/store/digest.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/store.h"

#define BUNDLE_FORMAT 2		 /* what changed in compressed indexes of any length */
#define BUNDLE_FORMAT_FULL 1	 /* a full bundle has none, and older programs read it, too */
#define BUNDLE_CHUNKS_MAX 65536u /* 16 TiB of chunks of 256 MiB */
#define BUNDLE_CHUNK_BYTES_MAX ((uint64_t)64 * 1024 * 1024 * 1024)
#define BUNDLE_TEXT_MAX \
	((size_t)GENERATION_TEXT_MAX + (size_t)BUNDLE_CHUNKS_MAX * 90 + 4096) /* of a manifest */
#define BUNDLE_NAME_MAX 64 /* bytes with the NUL of the name of one of its files */
#define BUNDLE_HUB_LEN 32  /* hex digits of a hub's id */
#define BUNDLE_SIGNATURES_MAX 16

enum bundle_kind {
	BUNDLE_FULL,   /* needs nothing */
	BUNDLE_DELTA,  /* needs its base */
	BUNDLE_RECALL, /* a delta that brings no file, and takes some away */
	_BUNDLE_KIND_MAX,
};

struct bundle_chunk {
	struct digest digest;
	uint64_t size; /* bytes */
};

struct bundle {
	unsigned int format; /* 1 to BUNDLE_FORMAT */
	char hub[STORE_ID_MAX];
	uint64_t sequence; /* of the hub, from 1 */
	enum bundle_kind kind;
	int64_t created; /* seconds since 1970 */
	int64_t expires;
	bool has_base;
	uint64_t base_number; /* of the hub's generations, as all that follow */
	struct digest base_root;
	uint64_t number;
	struct digest root;
	uint64_t objects; /* that it brings */
	uint64_t bytes;	  /* of these */
	uint64_t removed; /* paths that it takes away */
	char *generation; /* the file of the hub's generation, whose digest is @root */
	size_t generation_len;
	struct bundle_chunk *chunks;
	size_t n_chunks;
};

/* What a file of a bundle is, by its name. */
enum bundle_file {
	BUNDLE_FILE_MANIFEST,  /* HUB8-SEQUENCE.manifest */
	BUNDLE_FILE_SIGNATURE, /* .manifest.minisig, .manifest.minisig.N */
	BUNDLE_FILE_CHUNK,     /* HUB8-SEQUENCE.NNNNN.chunk */
	_BUNDLE_FILE_MAX,
};

struct bundle_name {
	char hub[9]; /* the first digits of its id */
	uint64_t sequence;
	enum bundle_file file;
	uint32_t index; /* of a chunk, or of a signature */
};

/**
 * bundle_done() - Release what a bundle owns.
 * @bundle: bundle
 */
void bundle_done(struct bundle *bundle);
#define _cleanup_bundle_ _cleanup_(bundle_done)

/**
 * bundle_format() - Write the manifest.
 * @bundle: bundle
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int bundle_format(const struct bundle *bundle, struct strbuf *out, struct error *err);

/**
 * bundle_parse() - Read a manifest; its signature must have been checked.
 * @text: @len bytes
 * @len: number of bytes
 * @ret: the bundle, to be released with bundle_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENODATA  it ends too early: not all of it has arrived
 *   -ENOTSUP  a newer format
 *   -EBADMSG  it is none
 *   -ENOMEM
 */
int bundle_parse(const char *text, size_t len, struct bundle *ret, struct error *err);

/**
 * bundle_claims_hub() - The hub that a manifest says it is from, before that is proved.
 * @text: @len bytes
 * @len: number of bytes
 * @ret: receives the id
 * @err: set on failure
 *
 * Return: as bundle_parse().
 */
int bundle_claims_hub(const char *text, size_t len, char ret[STORE_ID_MAX], struct error *err);

/**
 * bundle_is_whole() - Whether a manifest ends as one does, so that all has arrived.
 * @text: @len bytes
 * @len: number of bytes
 *
 * Return: true if so.
 */
bool bundle_is_whole(const char *text, size_t len);

/**
 * bundle_kind_name() - The word for a kind.
 * @kind: kind
 *
 * Return: "full", "delta" or "recall".
 */
const char *bundle_kind_name(enum bundle_kind kind);

/**
 * bundle_name_format() - Write the name of a file of a bundle.
 * @name: name
 * @text: receives BUNDLE_NAME_MAX bytes
 *
 * Return: @text.
 */
const char *bundle_name_format(const struct bundle_name *name, char text[BUNDLE_NAME_MAX]);

/**
 * bundle_name_parse() - Read the name of a file.
 * @text: NUL-terminated name without directory
 * @ret: the name
 *
 * Return: false for a file that is of no bundle.
 */
bool bundle_name_parse(const char *text, struct bundle_name *ret);
