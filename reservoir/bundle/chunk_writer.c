/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small objects wait in the batch, to be packed together.  The batch always has room
 * reserved in the chunk, so that it can be written when the chunk ends.
 */
#include "reservoir/bundle/chunk_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

#define BATCH_MAX ((size_t)1024 * 1024) /* bytes before packing */
#define BUFFER_SIZE ((size_t)256 * 1024)

struct chunk_writer {
	struct chunk_writer_options options;
	int fd; /* -1: no chunk is begun */
	uint64_t used;
	struct hasher *hasher;
	unsigned char *batch; /* BATCH_MAX */
	size_t batch_len;
	unsigned char *buffer; /* BUFFER_SIZE: what was not written yet */
	size_t buffered;
};

static void format_name(const struct chunk_writer *writer, char final[BUNDLE_NAME_MAX],
			char part[BUNDLE_NAME_MAX + 8])
{
	struct bundle_name name = {
		.sequence = writer->options.sequence,
		.file = BUNDLE_FILE_CHUNK,
		.index = writer->options.index,
	};

	memcpy(name.hub, writer->options.hub, 8);
	(void)snprintf(part, BUNDLE_NAME_MAX + 8, "%s.part", bundle_name_format(&name, final));
}

int chunk_writer_new(const struct chunk_writer_options *options, struct chunk_writer **ret,
		     struct error *err)
{
	_cleanup_(chunk_writer_freep) struct chunk_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	writer->options = *options;
	writer->fd = -1;
	writer->batch = malloc(BATCH_MAX);
	writer->buffer = malloc(BUFFER_SIZE);
	if (!writer->batch || !writer->buffer || hasher_new(&writer->hasher, err) < 0)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	*ret = TAKE_PTR(writer);
	return 0;
}

void chunk_writer_free(struct chunk_writer *writer)
{
	char final[BUNDLE_NAME_MAX], part[BUNDLE_NAME_MAX + 8];

	if (!writer)
		return;
	if (writer->fd >= 0) {
		(void)close(writer->fd);
		format_name(writer, final, part);
		(void)unlinkat(writer->options.dirfd, part, 0);
	}
	hasher_free(writer->hasher);
	free(writer->batch);
	free(writer->buffer);
	free(writer);
}

/* What a batch of so many bytes may need in the chunk. */
static uint64_t batch_cost(size_t len)
{
	return len == 0 ? 0 : RECORD_SIZE + len + len / 128 + 1024;
}

uint64_t chunk_writer_room_max(const struct chunk_writer *writer)
{
	return writer->options.chunk_bytes - CHUNK_HEADER_SIZE - RECORD_SIZE;
}

uint64_t chunk_writer_room(const struct chunk_writer *writer)
{
	uint64_t used = writer->fd < 0 ? CHUNK_HEADER_SIZE : writer->used;
	uint64_t taken = used + batch_cost(writer->batch_len) + RECORD_SIZE;

	return taken < writer->options.chunk_bytes ? writer->options.chunk_bytes - taken : 0;
}

static size_t batch_limit(const struct chunk_writer *writer)
{
	return (size_t)MIN((uint64_t)BATCH_MAX, writer->options.chunk_bytes / 2);
}

size_t chunk_writer_batch_max(const struct chunk_writer *writer)
{
	return batch_limit(writer) / 16;
}

static int flush(struct chunk_writer *writer, struct error *err)
{
	size_t done = 0;

	while (done < writer->buffered) {
		ssize_t n = write(writer->fd, writer->buffer + done, writer->buffered - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "writing a chunk: %m");
		done += (size_t)n;
	}
	writer->buffered = 0;
	return 0;
}

static int append(struct chunk_writer *writer, const unsigned char *data, size_t len,
		  struct error *err)
{
	hasher_add(writer->hasher, data, len);
	writer->used += len;
	while (len > 0) {
		size_t n = MIN(len, BUFFER_SIZE - writer->buffered);
		int r;

		memcpy(writer->buffer + writer->buffered, data, n);
		writer->buffered += n;
		data += n;
		len -= n;
		r = writer->buffered == BUFFER_SIZE ? flush(writer, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_chunk(struct chunk_writer *writer, struct error *err)
{
	struct chunk_header header = { .index = writer->options.index,
				       .sequence = writer->options.sequence };
	unsigned char bytes[CHUNK_HEADER_SIZE];
	char final[BUNDLE_NAME_MAX], part[BUNDLE_NAME_MAX + 8];

	if (writer->fd >= 0)
		return 0;
	if (writer->options.index >= BUNDLE_CHUNKS_MAX)
		return error_set(err, E2BIG,
				 "the bundle needs more than %u chunks; make 'bundles.chunkSize' "
				 "larger",
				 BUNDLE_CHUNKS_MAX);
	format_name(writer, final, part);
	(void)unlinkat(writer->options.dirfd, part, 0);
	writer->fd = openat(writer->options.dirfd, part,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (writer->fd < 0)
		return error_set(err, errno, "%s: %m", part);
	writer->used = 0;
	writer->buffered = 0;
	(void)hasher_end(writer->hasher);
	memcpy(header.hub, writer->options.hub, strnlen(writer->options.hub, 32));
	chunk_header_encode(&header, bytes);
	return append(writer, bytes, sizeof(bytes), err);
}

int chunk_writer_begin(struct chunk_writer *writer, const struct record *record, struct error *err)
{
	unsigned char bytes[RECORD_SIZE];
	int r = open_chunk(writer, err);

	if (r < 0)
		return r;
	record_encode(record, bytes);
	return append(writer, bytes, sizeof(bytes), err);
}

int chunk_writer_write(struct chunk_writer *writer, const void *data, size_t len, struct error *err)
{
	return append(writer, data, len, err);
}

static int flush_batch(struct chunk_writer *writer, struct error *err)
{
	struct record record = { .kind = RECORD_BATCH, .encoding = RECORD_ZSTD };
	struct bytes raw = { .data = writer->batch, .len = writer->batch_len }, packed;
	int r;

	if (writer->batch_len == 0)
		return 0;
	r = pack(writer->options.packer, raw, (struct bytes) { 0 }, &packed, err);
	if (r < 0)
		return r;
	record.length = raw.len;
	record.payload = packed.len;
	writer->batch_len = 0;
	r = chunk_writer_begin(writer, &record, err);
	return r < 0 ? r : append(writer, packed.data, packed.len, err);
}

static int publish(struct chunk_writer *writer, struct error *err)
{
	char final[BUNDLE_NAME_MAX], part[BUNDLE_NAME_MAX + 8];

	format_name(writer, final, part);
	if (fsync(writer->fd) < 0 ||
	    renameat(writer->options.dirfd, part, writer->options.dirfd, final) < 0 ||
	    fsync(writer->options.dirfd) < 0)
		return error_set(err, errno, "%s: %m", final);
	(void)close(TAKE_FD(writer->fd));
	return 0;
}

int chunk_writer_end(struct chunk_writer *writer, struct error *err)
{
	struct bundle_chunk chunk;
	int r = flush_batch(writer, err);

	if (r < 0 || writer->fd < 0)
		return r;
	r = flush(writer, err);
	r = r < 0 ? r : publish(writer, err);
	if (r < 0)
		return r;
	chunk = (struct bundle_chunk) { .digest = hasher_end(writer->hasher),
					.size = writer->used };
	return writer->options.fn(writer->options.ctx, writer->options.index++, &chunk, err);
}

int chunk_writer_batch(struct chunk_writer *writer, const struct record *record,
		       const void *payload, struct error *err)
{
	size_t need = RECORD_SIZE + (size_t)record->payload;
	int r = 0;

	if (writer->batch_len + need > batch_limit(writer))
		r = flush_batch(writer, err);
	if (r < 0)
		return r;
	if ((writer->fd < 0 ? CHUNK_HEADER_SIZE : writer->used) +
		    batch_cost(writer->batch_len + need) >
	    writer->options.chunk_bytes)
		r = chunk_writer_end(writer, err);
	if (r < 0)
		return r;
	record_encode(record, writer->batch + writer->batch_len);
	if (record->payload > 0)
		memcpy(writer->batch + writer->batch_len + RECORD_SIZE, payload,
		       (size_t)record->payload);
	writer->batch_len += need;
	return 0;
}
