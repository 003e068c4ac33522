/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a chunk consists of: a header, then records until its end.  Each record is 128
 * bytes and a payload, little-endian, and stands for itself: chunks can be read in any
 * order.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

#define CHUNK_HEADER_SIZE 64
#define RECORD_SIZE 128
#define RECORD_PACKED_MAX ((size_t)8 * 1024 * 1024) /* bytes before packing, of one record */
#define RECORD_PAYLOAD_MAX \
	(RECORD_PACKED_MAX + RECORD_PACKED_MAX / 128 + 1024) /* of a packed record */
#define RECORD_WINDOW_MAX ((size_t)24 * 1024 * 1024)	     /* of the base that a patch reads */
#define RECORD_INDEX_MAX ((uint64_t)256 * 1024 * 1024)	     /* of a compressed index, expanded */
#define RECORD_FRAME_MAX ((size_t)256)	      /* before and after what was compressed */
#define RECORD_OBJECT_MAX ((uint64_t)1 << 50) /* bytes of an object */

enum record_kind {
	RECORD_OBJECT = 1, /* bytes of an object, from an offset */
	RECORD_BATCH,	   /* the payload unpacks to records of whole small objects */
	RECORD_REBUILT,	   /* an object that is another one, compressed */
	RECORD_REPACKED,   /* of format 1: an object that is the payload, unpacked and compressed */
	RECORD_EXPANDED,   /* an object that another one expands to; no payload */
	_RECORD_KIND_MAX,
};

enum record_encoding {
	RECORD_RAW,
	RECORD_ZSTD,
	RECORD_PATCH, /* zstd that refers to bytes of the base */
	_RECORD_ENCODING_MAX,
};

enum record_algorithm {
	RECORD_GZIP = 1, /* with the header that zlib writes; levels above 10 as of deflate */
	RECORD_ZSTANDARD,
	RECORD_XZ,	  /* levels above 10 are those of --extreme, less 10 */
	RECORD_XZ_BLOCKS, /* as xz writes with threads: sizes in the headers of blocks */
	RECORD_DEFLATE,	  /* levels above 10 are those with the most memory, less 10 */
	_RECORD_ALGORITHM_MAX,
};

struct record {
	enum record_kind kind;
	enum record_encoding encoding;
	enum record_algorithm algorithm; /* of what is compressed, as the level is */
	unsigned int level;
	uint64_t payload;     /* bytes that follow */
	uint64_t size;	      /* of the object */
	uint64_t offset;      /* where the bytes begin in it; of RECORD_REBUILT: how many bytes
			       * of the payload come before what is compressed */
	uint64_t length;      /* how many they are, unpacked */
	uint64_t base_offset; /* of RECORD_PATCH: which bytes of the base it refers to */
	uint64_t base_length;
	struct digest digest;
	struct digest base; /* of RECORD_PATCH, or what the object is made of */
};

struct chunk_header {
	uint32_t index;
	uint64_t sequence;
	char hub[STORE_ID_MAX];
};

/**
 * record_encode() - Write the header of a record.
 * @record: record
 * @out: receives RECORD_SIZE bytes
 */
void record_encode(const struct record *record, unsigned char out[RECORD_SIZE]);

/**
 * record_decode() - Read the header of a record, and check all that it says.
 * @in: RECORD_SIZE bytes
 * @ret: the record
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG.
 */
int record_decode(const unsigned char in[RECORD_SIZE], struct record *ret, struct error *err);

/**
 * chunk_header_encode() - Write the header of a chunk.
 * @header: header
 * @out: receives CHUNK_HEADER_SIZE bytes
 */
void chunk_header_encode(const struct chunk_header *header, unsigned char out[CHUNK_HEADER_SIZE]);

/**
 * chunk_header_decode() - Read the header of a chunk.
 * @in: CHUNK_HEADER_SIZE bytes
 * @ret: the header
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG.
 */
int chunk_header_decode(const unsigned char in[CHUNK_HEADER_SIZE], struct chunk_header *ret,
			struct error *err);
