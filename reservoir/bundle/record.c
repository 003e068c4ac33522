/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/record.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

static const unsigned char magic[8] = { 'S', 'I', 'L', 'C', 'H', 'N', 'K', '1' };

static void put64(unsigned char *out, uint64_t value)
{
	value = htole64(value);
	memcpy(out, &value, sizeof(value));
}

static uint64_t get64(const unsigned char *in)
{
	uint64_t value;

	memcpy(&value, in, sizeof(value));
	return le64toh(value);
}

/* The numbers of a record from byte 8 on, in the order of the file. */
enum {
	AT_PAYLOAD = 8,
	AT_SIZE = 16,
	AT_OFFSET = 24,
	AT_LENGTH = 32,
	AT_BASE_OFFSET = 40,
	AT_BASE_LENGTH = 48,
	AT_DIGEST = 64,
	AT_BASE = 96,
};

void record_encode(const struct record *record, unsigned char out[RECORD_SIZE])
{
	memset(out, 0, RECORD_SIZE);
	out[0] = (unsigned char)record->kind;
	out[1] = (unsigned char)record->encoding;
	out[2] = (unsigned char)record->algorithm;
	out[3] = (unsigned char)record->level;
	put64(out + AT_PAYLOAD, record->payload);
	put64(out + AT_SIZE, record->size);
	put64(out + AT_OFFSET, record->offset);
	put64(out + AT_LENGTH, record->length);
	put64(out + AT_BASE_OFFSET, record->base_offset);
	put64(out + AT_BASE_LENGTH, record->base_length);
	memcpy(out + AT_DIGEST, record->digest.bytes, DIGEST_SIZE);
	memcpy(out + AT_BASE, record->base.bytes, DIGEST_SIZE);
}

static bool is_zero(const struct digest *digest)
{
	static const struct digest zero;

	return digest_equal(digest, &zero);
}

static bool object_is_valid(const struct record *record)
{
	if (record->size > RECORD_OBJECT_MAX || record->offset > record->size ||
	    record->length > record->size - record->offset ||
	    (record->length == 0 && record->size != 0) || record->algorithm || record->level)
		return false;
	if (record->encoding == RECORD_RAW)
		return record->payload == record->length;
	return record->payload > 0 && record->payload <= RECORD_PAYLOAD_MAX && record->length > 0 &&
	       record->length <= RECORD_PACKED_MAX;
}

static bool patch_is_valid(const struct record *record)
{
	if (record->encoding != RECORD_PATCH)
		return !record->base_offset && !record->base_length &&
		       (record->kind == RECORD_REBUILT || record->kind == RECORD_EXPANDED ||
			is_zero(&record->base));
	return record->kind != RECORD_BATCH && record->base_length > 0 &&
	       record->base_length <= RECORD_WINDOW_MAX && record->base_offset <= RECORD_OBJECT_MAX;
}

static bool batch_is_valid(const struct record *record)
{
	return record->encoding == RECORD_ZSTD && record->payload > 0 &&
	       record->payload <= RECORD_PAYLOAD_MAX && record->length > 0 &&
	       record->length <= RECORD_PACKED_MAX && !record->size && !record->offset &&
	       !record->algorithm && !record->level && is_zero(&record->digest);
}

static bool recipe_is_valid(const struct record *record)
{
	return record->algorithm >= RECORD_GZIP && record->algorithm < _RECORD_ALGORITHM_MAX &&
	       record->level >= 1 && record->level <= 22;
}

static bool rebuilt_is_valid(const struct record *record)
{
	return record->encoding == RECORD_RAW && record->payload <= RECORD_FRAME_MAX &&
	       record->offset <= record->payload && record->payload <= record->size &&
	       !record->length && record->size > 0 && record->size <= RECORD_INDEX_MAX &&
	       recipe_is_valid(record);
}

static bool repacked_is_valid(const struct record *record)
{
	return record->encoding != RECORD_RAW && record->payload > 0 &&
	       record->payload <= RECORD_PAYLOAD_MAX && !record->offset && record->length > 0 &&
	       record->length <= RECORD_PACKED_MAX && record->size > 0 &&
	       record->size <= RECORD_PACKED_MAX && !record->base_offset && recipe_is_valid(record);
}

static bool expanded_is_valid(const struct record *record)
{
	return record->encoding == RECORD_RAW && !record->payload && !record->offset &&
	       !record->length && record->size > 0 && record->size <= RECORD_INDEX_MAX &&
	       !record->algorithm && !record->level;
}

static bool record_is_valid(const struct record *record)
{
	static bool (*const checks[_RECORD_KIND_MAX])(const struct record *) = {
		[RECORD_OBJECT] = object_is_valid,     [RECORD_BATCH] = batch_is_valid,
		[RECORD_REBUILT] = rebuilt_is_valid,   [RECORD_REPACKED] = repacked_is_valid,
		[RECORD_EXPANDED] = expanded_is_valid,
	};

	return record->kind < _RECORD_KIND_MAX && checks[record->kind] &&
	       record->encoding < _RECORD_ENCODING_MAX && checks[record->kind](record) &&
	       patch_is_valid(record);
}

int record_decode(const unsigned char in[RECORD_SIZE], struct record *ret, struct error *err)
{
	struct record record = {
		.kind = in[0],
		.encoding = in[1],
		.algorithm = in[2],
		.level = in[3],
		.payload = get64(in + AT_PAYLOAD),
		.size = get64(in + AT_SIZE),
		.offset = get64(in + AT_OFFSET),
		.length = get64(in + AT_LENGTH),
		.base_offset = get64(in + AT_BASE_OFFSET),
		.base_length = get64(in + AT_BASE_LENGTH),
	};
	unsigned char again[RECORD_SIZE];

	memcpy(record.digest.bytes, in + AT_DIGEST, DIGEST_SIZE);
	memcpy(record.base.bytes, in + AT_BASE, DIGEST_SIZE);
	/* Written again it is the same, so what has no meaning is zero. */
	record_encode(&record, again);
	if (!record_is_valid(&record) || memcmp(in, again, RECORD_SIZE) != 0)
		return error_set(err, EBADMSG, "a record of the chunk is not valid");
	*ret = record;
	return 0;
}

void chunk_header_encode(const struct chunk_header *header, unsigned char out[CHUNK_HEADER_SIZE])
{
	memset(out, 0, CHUNK_HEADER_SIZE);
	memcpy(out, magic, sizeof(magic));
	put64(out + 8, header->index);
	put64(out + 16, header->sequence);
	memcpy(out + 24, header->hub, strnlen(header->hub, 32));
}

int chunk_header_decode(const unsigned char in[CHUNK_HEADER_SIZE], struct chunk_header *ret,
			struct error *err)
{
	struct chunk_header header = { .index = (uint32_t)get64(in + 8),
				       .sequence = get64(in + 16) };
	unsigned char again[CHUNK_HEADER_SIZE];

	memcpy(header.hub, in + 24, 32);
	chunk_header_encode(&header, again);
	if (memcmp(in, again, CHUNK_HEADER_SIZE) != 0)
		return error_set(err, EBADMSG, "the file is no chunk of a bundle");
	*ret = header;
	return 0;
}
