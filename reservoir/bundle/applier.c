/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a chunk come in blocks that were hashed before.  A record's payload is taken
 * whole when it is packed, which a maximum bounds, and piece by piece when it is raw.
 * An object that is longer than a record grows in the store's staging, whose size says
 * where it goes on.
 */
#include "reservoir/bundle/applier.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "reservoir/bundle/chunk_reader.h"
#include "reservoir/bundle/pack.h"
#include "reservoir/bundle/rebuild.h"
#include "reservoir/bundle/record.h"
#include "reservoir/store/object.h"
#include "reservoir/store/scrub.h"
#include "reservoir/store/unpack.h"

/* Where records are read from: the chunk, or a batch in memory. */
struct input {
	bool is_batch;
	const unsigned char *data;
	size_t len;
	size_t at;
};

struct applier {
	struct applier_options options;
	struct packer *packer;
	struct chunk_reader *reader;
	unsigned char *payload; /* RECORD_PAYLOAD_MAX; made when first needed, as all below */
	unsigned char *batch;	/* RECORD_PACKED_MAX */
	unsigned char *window;	/* RECORD_WINDOW_MAX */
	unsigned char *recent;	/* RECORD_PACKED_MAX: the last object that was one record */
	size_t recent_len;
	struct digest recent_digest;
	struct staging *staging; /* of the object that grows, or NULL */
	struct digest staged;	 /* its name */
	uint64_t left_out;
};

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for a bundle");
}

int applier_new(const struct applier_options *options, struct applier **ret, struct error *err)
{
	_cleanup_(applier_freep) struct applier *applier = calloc(1, sizeof(*applier));
	int r;

	if (!applier)
		return no_memory(err);
	applier->options = *options;
	r = packer_new(1, &applier->packer, err);
	r = r < 0 ? r : chunk_reader_new(&applier->reader, err);
	if (r < 0)
		return r;
	chunk_reader_watch(applier->reader, options->stop, options->ctx);
	*ret = TAKE_PTR(applier);
	return 0;
}

void applier_free(struct applier *applier)
{
	if (!applier)
		return;
	staging_free(applier->staging);
	packer_free(applier->packer);
	chunk_reader_free(applier->reader);
	free(applier->payload);
	free(applier->batch);
	free(applier->window);
	free(applier->recent);
	free(applier);
}

static bool need(unsigned char **buffer, size_t size)
{
	if (!*buffer)
		*buffer = malloc(size);
	return *buffer != NULL;
}

static int check_stop(const struct applier *applier, struct error *err)
{
	if (applier->options.stop && applier->options.stop(applier->options.ctx))
		return error_set(err, EINTR, "interrupted");
	return 0;
}

int applier_begin(struct applier *applier, int fd, const struct bundle_chunk *chunk,
		  struct error *err)
{
	return chunk_reader_begin(applier->reader, fd, chunk, err);
}

/* More bytes of the chunk; 0 at its end. */
static ssize_t refill(struct applier *applier, struct input *input, struct error *err)
{
	ssize_t n = input->is_batch ? 0 : chunk_reader_next(applier->reader, &input->data, err);

	if (n <= 0)
		return n;
	input->len = (size_t)n;
	input->at = 0;
	return n;
}

/* The next bytes, at most @max; borrowed until the next call. 0 at the end. */
static ssize_t take_some(struct applier *applier, struct input *input, uint64_t max,
			 const unsigned char **ret, struct error *err)
{
	ssize_t n;

	if (input->at == input->len) {
		n = refill(applier, input, err);
		if (n <= 0)
			return n;
	}
	n = (ssize_t)MIN(max, (uint64_t)(input->len - input->at));
	*ret = input->data + input->at;
	input->at += (size_t)n;
	return n;
}

static int cut_off(struct error *err)
{
	return error_set(err, EBADMSG, "a record of the chunk is cut off");
}

/* Exactly @len bytes; 0 when the input ends before the first, if @may_end; else 1. */
static int take(struct applier *applier, struct input *input, unsigned char *out, size_t len,
		bool may_end, struct error *err)
{
	const unsigned char *data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = take_some(applier, input, len - done, &data, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return may_end && done == 0 ? 0 : cut_off(err);
		memcpy(out + done, data, (size_t)n);
		done += (size_t)n;
	}
	return 1;
}

static int skip(struct applier *applier, struct input *input, uint64_t len, struct error *err)
{
	const unsigned char *data;

	while (len > 0) {
		ssize_t n = take_some(applier, input, len, &data, err);

		if (n <= 0)
			return n < 0 ? (int)n : cut_off(err);
		len -= (uint64_t)n;
	}
	return 0;
}

static int not_true(const struct record *record, struct error *err)
{
	char text[DIGEST_TEXT_SIZE];

	return error_set(err, EBADMSG, "the bytes of object %s do not hash to its name",
			 digest_format(&record->digest, text));
}

static bool is_here(const struct applier *applier, const struct digest *digest)
{
	return applier->options.store && object_exists(applier->options.store, digest);
}

/* Opens an object of the store; -ENOENT, without an error, when it is not there. */
static int open_object(struct applier *applier, const struct digest *digest, struct error *err)
{
	struct store *store = applier->options.store;
	struct error local = { 0 };
	int fd;

	if (!store)
		return -ENOENT;
	fd = object_open(store, digest, NULL, &local);
	/* It may wait for its name. */
	if (fd == -ENOENT && !applier->options.check_only && object_exists(store, digest)) {
		fd = object_flush(store, &local);
		fd = fd < 0 ? fd : object_open(store, digest, NULL, &local);
	}
	return fd == -ENOENT || fd >= 0 ? fd : error_set(err, -fd, "%s", local.msg);
}

/* Reads bytes of an object of the store: 1, or 0 when it is not there. */
static int read_object(struct applier *applier, const struct digest *digest, uint64_t offset,
		       unsigned char *out, size_t len, struct error *err)
{
	_cleanup_close_ int fd = open_object(applier, digest, err);
	ssize_t n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = file_pread(fd, out, len, offset);
	if (n < 0)
		return error_set(err, (int)-n, "reading an object: %s", strerror((int)-n));
	if ((size_t)n < len)
		return error_set(err, EBADMSG, "a patch refers to more than its base has");
	return 1;
}

/* 1, or 0 when it is not there. */
static int find_object(struct applier *applier, const struct digest *digest, struct error *err)
{
	_cleanup_close_ int fd = open_object(applier, digest, err);

	return fd >= 0 ? 1 : fd == -ENOENT ? 0 : fd;
}

/* What a compressed base expands to, as it comes. */
struct expansion {
	struct applier *applier;
	const struct record *record;
	uint64_t size;
};

static int not_the_base(struct error *err)
{
	return error_set(err, EBADMSG, "the base of an index is not what the record says");
}

static int fill_window(void *ctx, const char *data, size_t len, struct error *err)
{
	struct expansion *expansion = ctx;

	if (len > expansion->record->base_length - expansion->size)
		return not_the_base(err);
	memcpy(expansion->applier->window + expansion->size, data, len);
	expansion->size += len;
	return 0;
}

/* Expands the base of a record of format 1 into the window: 1, or 0 when it is not here. */
static int expand_base(struct applier *applier, const struct record *record, struct error *err)
{
	struct expansion expansion = { .applier = applier, .record = record };
	struct error local = { 0 };
	int r;

	r = find_object(applier, &record->base, err);
	if (r <= 0)
		return r;
	r = unpack_object(applier->options.store, &record->base, fill_window, &expansion, &local);
	if (r == -EFBIG || r == -EBADMSG || (r == 0 && expansion.size != record->base_length))
		return not_the_base(err);
	return r < 0 ? error_set(err, -r, "%s", local.msg) : 1;
}

/* The bytes that a patch refers to, in the window: 1, or 0 when they are not here. */
static int read_base(struct applier *applier, const struct record *record, struct error *err)
{
	if (!need(&applier->window, RECORD_WINDOW_MAX))
		return no_memory(err);
	if (record->kind == RECORD_REPACKED)
		return expand_base(applier, record, err);
	return read_object(applier, &record->base, record->base_offset, applier->window,
			   (size_t)record->base_length, err);
}

/* Unpacks a payload that was taken: 1, or 0 when its base is not here. */
static int unpack_payload(struct applier *applier, const struct record *record, struct bytes *ret,
			  struct error *err)
{
	struct bytes packed = { applier->payload, (size_t)record->payload }, base = { 0 };
	int r;

	if (record->encoding == RECORD_RAW) {
		*ret = packed;
		return 1;
	}
	if (record->encoding == RECORD_PATCH) {
		r = read_base(applier, record, err);
		if (r <= 0)
			return r;
		base = (struct bytes) { applier->window, (size_t)record->base_length };
	}
	r = unpack(applier->packer, packed, base, (size_t)record->length, ret, err);
	return r < 0 ? r : 1;
}

/* Takes the payload of a record that is not long, and unpacks it. */
static int take_payload(struct applier *applier, struct input *input, const struct record *record,
			struct bytes *ret, struct error *err)
{
	int r;

	if (!need(&applier->payload, RECORD_PAYLOAD_MAX))
		return no_memory(err);
	r = take(applier, input, applier->payload, (size_t)record->payload, false, err);
	return r < 0 ? r : unpack_payload(applier, record, ret, err);
}

/* A page is kept for its variants, which follow it. */
static void keep_recent(struct applier *applier, const struct digest *digest, struct bytes bytes)
{
	if (!need(&applier->recent, RECORD_PACKED_MAX))
		return;
	memcpy(applier->recent, bytes.data, bytes.len);
	applier->recent_len = bytes.len;
	applier->recent_digest = *digest;
}

/* An object that is one record. */
static int apply_whole(struct applier *applier, struct input *input, const struct record *record,
		       struct error *err)
{
	struct digest digest;
	struct bytes bytes;
	int r = take_payload(applier, input, record, &bytes, err);

	if (r <= 0) {
		applier->left_out += r == 0;
		return r;
	}
	digest = digest_of(bytes.data, bytes.len);
	if (!digest_equal(&digest, &record->digest))
		return not_true(record, err);
	keep_recent(applier, &digest, bytes);
	if (applier->options.check_only)
		return 0;
	return object_put(applier->options.store, bytes.data, bytes.len, NULL, err);
}

/* Opens what there is of an object; it stays open for the next record. */
static int open_staging(struct applier *applier, const struct digest *digest, struct error *err)
{
	char key[STAGING_KEY_MAX], text[DIGEST_TEXT_SIZE];

	if (applier->staging && digest_equal(&applier->staged, digest))
		return 0;
	staging_free(TAKE_PTR(applier->staging));
	(void)snprintf(key, sizeof(key), "%s.bundle", digest_format(digest, text));
	applier->staged = *digest;
	return staging_open(applier->options.store, key, &applier->staging, err);
}

static int finish_staging(struct applier *applier, const struct record *record, struct error *err)
{
	int r;

	if (staging_size(applier->staging) < record->size)
		return 0;
	r = staging_finish(applier->staging, &record->digest, NULL, err);
	staging_free(TAKE_PTR(applier->staging));
	if (r == -EBADMSG)
		return error_set(err, EAGAIN,
				 "the parts of an object did not fit together, and were thrown "
				 "away; apply the bundle again");
	return r;
}

/* Appends what is new of the bytes that begin at @offset of the object. */
static int append(struct applier *applier, uint64_t offset, const unsigned char *data, size_t len,
		  struct error *err)
{
	uint64_t size = staging_size(applier->staging);

	if (offset + len <= size)
		return 0;
	data += size - offset;
	len -= (size_t)(size - offset);
	return staging_write(applier->staging, data, len, err);
}

static int append_raw(struct applier *applier, struct input *input, const struct record *record,
		      struct error *err)
{
	uint64_t done = 0;
	int r = 0;

	while (done < record->length && r == 0) {
		const unsigned char *data;
		ssize_t n = take_some(applier, input, record->length - done, &data, err);

		if (n <= 0)
			return n < 0 ? (int)n : cut_off(err);
		r = append(applier, record->offset + done, data, (size_t)n, err);
		done += (uint64_t)n;
		r = r < 0 ? r : check_stop(applier, err);
	}
	return r;
}

static int append_packed(struct applier *applier, struct input *input, const struct record *record,
			 struct error *err)
{
	struct bytes bytes;
	int r = take_payload(applier, input, record, &bytes, err);

	if (r <= 0) {
		applier->left_out += r == 0;
		return r;
	}
	return append(applier, record->offset, bytes.data, bytes.len, err);
}

/* A part of an object: it must continue what is here. */
static int apply_part(struct applier *applier, struct input *input, const struct record *record,
		      struct error *err)
{
	uint64_t size;
	int r;

	if (applier->options.check_only)
		return skip(applier, input, record->payload, err);
	r = open_staging(applier, &record->digest, err);
	if (r < 0)
		return r;
	size = staging_size(applier->staging);
	if (record->offset > size || record->offset + record->length <= size) {
		applier->left_out += record->offset > size;
		r = skip(applier, input, record->payload, err);
	} else if (record->encoding == RECORD_RAW) {
		r = append_raw(applier, input, record, err);
	} else {
		r = append_packed(applier, input, record, err);
	}
	return r < 0 ? r : finish_staging(applier, record, err);
}

static int apply_object(struct applier *applier, struct input *input, const struct record *record,
			struct error *err)
{
	if (is_here(applier, &record->digest))
		return skip(applier, input, record->payload, err);
	if (record->length == record->size && record->length <= RECORD_PACKED_MAX)
		return apply_whole(applier, input, record, err);
	return apply_part(applier, input, record, err);
}

/* What xz takes is most of what a site may use. */
static void make_room(struct applier *applier, const struct rebuild *work)
{
	enum record_algorithm algorithm = work->record->algorithm;

	if (algorithm != RECORD_XZ && algorithm != RECORD_XZ_BLOCKS)
		return;
	if (work->fd >= 0)
		free(TAKE_PTR(applier->recent));
	free(TAKE_PTR(applier->payload));
	free(TAKE_PTR(applier->window));
	packer_rest(applier->packer);
	/* Of the heap, too: who frees much is given much from it. */
	(void)malloc_trim(0);
}

/* Begins what is staged of an object from nothing. */
static int restart_staging(struct applier *applier, const struct digest *digest, struct error *err)
{
	int r = open_staging(applier, digest, err);

	return r < 0 ? r : staging_restart(applier->staging, err);
}

/* Makes an object of it, or, after a failure, throws it away. */
static int end_staging(struct applier *applier, int r, const struct digest *digest,
		       struct error *err)
{
	if (r < 0)
		(void)staging_restart(applier->staging, NULL);
	else
		r = staging_finish(applier->staging, digest, NULL, err);
	staging_free(TAKE_PTR(applier->staging));
	return r;
}

/* Makes the object of a record again, of what @work says. */
static int put_rebuilt(struct applier *applier, const struct record *record, struct rebuild *work,
		       struct error *err)
{
	int r = 0;

	work->record = record;
	make_room(applier, work);
	work->stop = applier->options.stop;
	work->ctx = applier->options.ctx;
	if (applier->options.check_only)
		return rebuild(work, err);
	r = restart_staging(applier, &record->digest, err);
	if (r < 0)
		return r;
	work->staging = applier->staging;
	r = rebuild(work, err);
	return end_staging(applier, r, &record->digest, err);
}

static bool is_recent(const struct applier *applier, const struct digest *digest)
{
	return applier->recent && digest_equal(&applier->recent_digest, digest);
}

static int apply_rebuilt(struct applier *applier, struct input *input, const struct record *record,
			 struct error *err)
{
	_cleanup_close_ int fd = -1;
	unsigned char frame[RECORD_FRAME_MAX];
	struct rebuild work = {
		.before = { frame, (size_t)record->offset },
		.after = { frame + record->offset, (size_t)(record->payload - record->offset) },
	};
	int r;

	if (is_here(applier, &record->digest))
		return skip(applier, input, record->payload, err);
	r = take(applier, input, frame, (size_t)record->payload, false, err);
	if (r < 0)
		return r;
	if (is_recent(applier, &record->base))
		work.memory = (struct bytes) { applier->recent, applier->recent_len };
	else
		fd = open_object(applier, &record->base, err);
	if (fd < 0 && !work.memory.data) {
		applier->left_out += fd == -ENOENT;
		return fd == -ENOENT ? 0 : fd;
	}
	work.fd = fd;
	return put_rebuilt(applier, record, &work, err);
}

static int apply_repacked(struct applier *applier, struct input *input, const struct record *record,
			  struct error *err)
{
	struct rebuild work = { .fd = -1 };
	struct digest digest;
	struct bytes bytes;
	int r;

	if (is_here(applier, &record->digest))
		return skip(applier, input, record->payload, err);
	r = take_payload(applier, input, record, &bytes, err);
	if (r <= 0) {
		applier->left_out += r == 0;
		return r;
	}
	/* Where they lie is given back to xz. */
	digest = digest_of(bytes.data, bytes.len);
	keep_recent(applier, &digest, bytes);
	if (!is_recent(applier, &digest))
		return no_memory(err);
	work.memory = (struct bytes) { applier->recent, applier->recent_len };
	return put_rebuilt(applier, record, &work, err);
}

static int write_expanded(void *ctx, const char *data, size_t len, struct error *err)
{
	struct expansion *expansion = ctx;
	int r = check_stop(expansion->applier, err);

	if (r < 0)
		return r;
	if (len > expansion->record->size - expansion->size)
		return not_the_base(err);
	expansion->size += len;
	return staging_write(expansion->applier->staging, data, len, err);
}

/* The older version of an index, as it was before it was compressed: patches refer to it.
 * The next garbage collection removes it, and what was made of it. */
static int apply_expanded(struct applier *applier, _unused_ struct input *input,
			  const struct record *record, struct error *err)
{
	struct expansion expansion = { .applier = applier, .record = record };
	struct error local = { 0 };
	int r;

	if (applier->options.check_only || is_here(applier, &record->digest))
		return 0;
	r = find_object(applier, &record->base, err);
	if (r <= 0) {
		applier->left_out += r == 0;
		return r;
	}
	r = restart_staging(applier, &record->digest, err);
	if (r < 0)
		return r;
	r = unpack_object(applier->options.store, &record->base, write_expanded, &expansion,
			  &local);
	r = end_staging(applier, r, &record->digest, &local);
	if (r == -EBADMSG || r == -EFBIG)
		return not_the_base(err);
	return r < 0 ? error_set(err, -r, "%s", local.msg) : 0;
}

typedef int (*apply_fn)(struct applier *applier, struct input *input, const struct record *record,
			struct error *err);

/*
 * When the bytes are not those of the record, what it builds on may have been damaged here:
 * then that is put aside, and the record lacks it.
 */
static int excuse(struct applier *applier, const struct record *record, int r, struct error *err)
{
	struct error local = { 0 };
	bool builds = record->encoding == RECORD_PATCH || record->kind == RECORD_REBUILT ||
		      record->kind == RECORD_EXPANDED;

	if ((r != -EBADMSG && r != -EAGAIN) || !builds || applier->options.check_only ||
	    scrub_object(applier->options.store, &record->base, &local) != -EBADMSG)
		return r;
	if (err)
		*err = (struct error) { 0 };
	applier->left_out++;
	return 0;
}

static int apply_records(struct applier *applier, struct input *input, const apply_fn *rows,
			 struct error *err)
{
	unsigned char header[RECORD_SIZE];
	struct record record;
	int r;

	for (;;) {
		r = take(applier, input, header, sizeof(header), true, err);
		if (r <= 0)
			return r;
		r = record_decode(header, &record, err);
		if (r == 0 && !rows[record.kind])
			r = error_set(err, EBADMSG, "a batch of the chunk has a batch in it");
		r = r < 0 ? r
			  : excuse(applier, &record,
				   rows[record.kind](applier, input, &record, err), err);
		r = r < 0 ? r : check_stop(applier, err);
		if (r < 0)
			return r;
	}
}

static int apply_batch(struct applier *applier, struct input *input, const struct record *record,
		       struct error *err)
{
	static const apply_fn rows[_RECORD_KIND_MAX] = {
		[RECORD_OBJECT] = apply_object,
		[RECORD_REBUILT] = apply_rebuilt,
		[RECORD_REPACKED] = apply_repacked,
		[RECORD_EXPANDED] = apply_expanded,
	};
	struct input inner = { .is_batch = true };
	struct bytes bytes;
	int r = take_payload(applier, input, record, &bytes, err);

	if (r <= 0)
		return r;
	/* What is in it may need the buffers that it lies in. */
	if (!need(&applier->batch, RECORD_PACKED_MAX))
		return no_memory(err);
	memcpy(applier->batch, bytes.data, bytes.len);
	inner.data = applier->batch;
	inner.len = bytes.len;
	return apply_records(applier, &inner, rows, err);
}

static int check_header(struct applier *applier, struct input *input, const struct bundle *bundle,
			uint32_t index, struct error *err)
{
	unsigned char bytes[CHUNK_HEADER_SIZE];
	struct chunk_header header;
	int r = take(applier, input, bytes, sizeof(bytes), false, err);

	r = r < 0 ? r : chunk_header_decode(bytes, &header, err);
	if (r < 0)
		return r;
	if (header.index != index || header.sequence != bundle->sequence ||
	    strcmp(header.hub, bundle->hub) != 0)
		return error_set(err, EBADMSG, "the chunk is of another bundle, or place");
	return 0;
}

int applier_chunk(struct applier *applier, const struct bundle *bundle, uint32_t index,
		  uint64_t *ret_left_out, struct error *err)
{
	static const apply_fn rows[_RECORD_KIND_MAX] = {
		[RECORD_OBJECT] = apply_object,	    [RECORD_BATCH] = apply_batch,
		[RECORD_REBUILT] = apply_rebuilt,   [RECORD_REPACKED] = apply_repacked,
		[RECORD_EXPANDED] = apply_expanded,
	};
	struct input input = { 0 };
	int r;

	applier->left_out = 0;
	r = check_header(applier, &input, bundle, index, err);
	r = r < 0 ? r : apply_records(applier, &input, rows, err);
	/* An object goes on in another chunk; this one is not read again. */
	if (r == 0 && applier->staging)
		r = staging_sync(applier->staging, err);
	if (r < 0)
		return r;
	*ret_left_out = applier->left_out;
	return 0;
}
