/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests, chunks, signatures and names of bundles.
 *
 * The first byte of the input says what the rest is taken for.  Beside the
 * sanitizers: what is accepted is written again as it was.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/bundle/applier.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/bundle/key.h"
#include "reservoir/bundle/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static void fuzz_manifest(const char *text, size_t len)
{
	_cleanup_bundle_ struct bundle bundle = { 0 };
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(BUNDLE_TEXT_MAX);
	struct error err = { 0 };

	if (bundle_parse(text, len, &bundle, &err) < 0) {
		must(err.msg[0] != '\0');
		return;
	}
	must(bundle_is_whole(text, len));
	must(bundle_format(&bundle, &again, &err) == 0);
	must(again.len == len && memcmp(again.data, text, len) == 0);
}

/* The records of a chunk, whose header is put in front. */
static void fuzz_chunk(const uint8_t *data, size_t size)
{
	const struct applier_options options = { .check_only = true };
	_cleanup_(applier_freep) struct applier *applier = NULL;
	_cleanup_close_ int fd = memfd_create("chunk", MFD_CLOEXEC);
	struct bundle_chunk chunk = { .size = CHUNK_HEADER_SIZE + size };
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	struct bundle bundle = { .hub = "0123456789abcdef0123456789abcdef", .sequence = 1 };
	struct chunk_header header = { .sequence = 1, .hub = "0123456789abcdef0123456789abcdef" };
	unsigned char bytes[CHUNK_HEADER_SIZE];
	struct error err = { 0 };
	uint64_t left_out;

	must(fd >= 0 && applier_new(&options, &applier, &err) == 0);
	chunk_header_encode(&header, bytes);
	must(write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
	must(write(fd, data, size) == (ssize_t)size);
	must(hasher_new(&hasher, &err) == 0);
	hasher_add(hasher, bytes, sizeof(bytes));
	hasher_add(hasher, data, size);
	chunk.digest = hasher_end(hasher);
	must(applier_begin(applier, fd, &chunk, &err) == 0);
	if (applier_chunk(applier, &bundle, 0, &left_out, &err) < 0)
		must(err.msg[0] != '\0');
}

static void fuzz_record(const uint8_t *data, size_t size)
{
	unsigned char again[RECORD_SIZE];
	struct record record;

	if (size < RECORD_SIZE || record_decode(data, &record, NULL) < 0)
		return;
	record_encode(&record, again);
	must(memcmp(again, data, RECORD_SIZE) == 0);
	must(record.length <= record.size || record.kind == RECORD_BATCH ||
	     record.kind == RECORD_REPACKED);
	must(record.kind != RECORD_REBUILT ||
	     (record.offset <= record.payload && record.payload <= record.size));
}

static void fuzz_signature(const char *text, size_t len)
{
	struct signature signature;
	struct public_key key = { 0 };

	if (signature_parse(text, len, &signature, NULL) == 0)
		(void)signature_check(&signature, &key, text, len);
}

static void fuzz_name(const char *text, size_t len)
{
	char name[BUNDLE_NAME_MAX * 2], again[BUNDLE_NAME_MAX];
	struct bundle_name parsed;

	if (len >= sizeof(name))
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	if (bundle_name_parse(name, &parsed))
		must(strcmp(bundle_name_format(&parsed, again), name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	data++;
	size--;
	switch (data[-1]) {
	case 'm':
		fuzz_manifest((const char *)data, size);
		break;
	case 'c':
		fuzz_chunk(data, size);
		fuzz_record(data, size);
		break;
	case 's':
		fuzz_signature((const char *)data, size);
		break;
	default:
		fuzz_name((const char *)data, size);
	}
	return 0;
}
