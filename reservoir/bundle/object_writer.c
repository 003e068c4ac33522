/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/object_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "reservoir/bundle/recipe.h"
#include "reservoir/store/object.h"

#define SMALL_MAX ((size_t)64 * 1024)		/* bytes of an object that goes with others */
#define PIECE ((size_t)256 * 1024)		/* of what is copied */
#define SAMPLE ((size_t)256 * 1024)		/* that tells whether packing is worth it */
#define PATCH_DRIFT ((uint64_t)8 * 1024 * 1024) /* how far bytes may have moved in an index */
#define XZ_MAX ((size_t)6 * 1024 * 1024)	/* bytes of an index that xz has packed */
#define TAIL_MIN ((uint64_t)4096) /* a shorter piece at the end of a chunk is not worth it */

struct object_writer {
	struct store *store;
	struct packer *packer;
	struct chunk_writer *writer;
	enum bundle_kind kind;
	unsigned char *raw;    /* RECORD_PACKED_MAX: bytes of the object */
	unsigned char *window; /* RECORD_WINDOW_MAX: bytes of its base */
	struct hasher *hasher;
	struct recipes recipes;
};

int object_writer_new(struct store *store, struct packer *packer, struct chunk_writer *writer,
		      enum bundle_kind kind, struct object_writer **ret, struct error *err)
{
	_cleanup_(object_writer_freep) struct object_writer *new = calloc(1, sizeof(*new));

	if (!new)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	new->store = store;
	new->packer = packer;
	new->writer = writer;
	new->kind = kind;
	new->raw = malloc(RECORD_PACKED_MAX);
	new->window = malloc(RECORD_WINDOW_MAX);
	if (!new->raw || !new->window || hasher_new(&new->hasher, err) < 0)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	*ret = TAKE_PTR(new);
	return 0;
}

void object_writer_free(struct object_writer *writer)
{
	if (!writer)
		return;
	free(writer->raw);
	free(writer->window);
	hasher_free(writer->hasher);
	free(writer);
}

static int damaged(const struct plan_object *object, struct error *err)
{
	char text[DIGEST_TEXT_SIZE];

	return error_set(err, EBADMSG,
			 "the object %s of the store is damaged; see 'silica-reservoir verify'",
			 digest_format(&object->digest, text));
}

/* Reads exactly @len bytes. */
static int read_at(int fd, uint64_t offset, unsigned char *out, size_t len, struct error *err)
{
	ssize_t n = file_pread(fd, out, len, offset);

	if (n < 0)
		return error_set(err, (int)-n, "reading an object: %s", strerror((int)-n));
	if ((size_t)n < len)
		return error_set(err, EBADMSG, "an object of the store is too short");
	return 0;
}

/* What is compressed already does not get shorter. */
static bool is_packed_media(const struct plan_object *object)
{
	static const bool packed[_MEDIA_MAX] = {
		[MEDIA_DEB] = true,  [MEDIA_GZIP] = true,  [MEDIA_XZ] = true,
		[MEDIA_ZSTD] = true, [MEDIA_BZIP2] = true, [MEDIA_ZIP] = true,
	};

	return !object->is_manifest &&
	       (object->encoding != ENCODING_IDENTITY || packed[object->media]);
}

/* Which bytes of the base are where those of the object were. */
static int read_window(struct object_writer *writer, const struct plan_object *object, int base_fd,
		       struct record *record, struct error *err)
{
	uint64_t at, begin = 0, len = MIN(object->base_size, (uint64_t)RECORD_WINDOW_MAX);

	if (object->base_size > RECORD_WINDOW_MAX) {
		at = (uint64_t)((__uint128_t)record->offset * object->base_size / object->size);
		begin = at > PATCH_DRIFT ? at - PATCH_DRIFT : 0;
		begin = MIN(begin, object->base_size - len);
	}
	record->base_offset = begin;
	record->base_length = len;
	return read_at(base_fd, begin, writer->window, (size_t)len, err);
}

/* Packs the bytes of a record that lie in writer->raw; leaves them when that is longer. */
static int shrink(struct object_writer *writer, const struct plan_object *object, int base_fd,
		  struct record *record, struct bytes *payload, struct error *err)
{
	struct bytes packed, base = { 0 };
	int r = 0;

	if (base_fd >= 0) {
		r = read_window(writer, object, base_fd, record, err);
		base = (struct bytes) { writer->window, (size_t)record->base_length };
	}
	r = r < 0 ? r : pack(writer->packer, *payload, base, &packed, err);
	if (r < 0)
		return r;
	if (packed.len >= payload->len) {
		record->base_offset = 0;
		record->base_length = 0;
		return 0;
	}
	record->encoding = base_fd >= 0 ? RECORD_PATCH : RECORD_ZSTD;
	if (base_fd >= 0)
		record->base = object->base;
	record->payload = packed.len;
	*payload = packed;
	return 0;
}

static int put_record(struct object_writer *writer, const struct record *record,
		      struct bytes payload, struct error *err)
{
	int r;

	if (record->offset == 0 && record->length == record->size &&
	    record->payload <= chunk_writer_batch_max(writer->writer))
		return chunk_writer_batch(writer->writer, record, payload.data, err);
	r = chunk_writer_begin(writer->writer, record, err);
	return r < 0 ? r : chunk_writer_write(writer->writer, payload.data, payload.len, err);
}

/* One object as it is written. */
struct piece {
	const struct plan_object *object;
	int fd;
	int base_fd; /* -1: none */
	bool packs;
	uint64_t offset;
	object_writer_fn fn;
	void *ctx;
};

/* How much of the rest goes into this chunk, which is ended when that is too little. */
static int make_room(struct object_writer *writer, struct piece *piece, uint64_t *ret,
		     struct error *err)
{
	uint64_t left = piece->object->size - piece->offset;
	uint64_t room = chunk_writer_room(writer->writer);
	int r = 0;

	piece->fn(piece->ctx, piece->offset);
	if (room < left && room < TAIL_MIN) {
		r = chunk_writer_end(writer->writer, err);
		room = chunk_writer_room_max(writer->writer);
	}
	if (r == 0)
		*ret = MIN(left, room);
	return r;
}

static int put_packed(struct object_writer *writer, struct piece *piece, uint64_t room,
		      struct error *err)
{
	size_t len = (size_t)MIN(room, (uint64_t)RECORD_PACKED_MAX);
	struct record record = {
		.kind = RECORD_OBJECT,
		.payload = len,
		.size = piece->object->size,
		.offset = piece->offset,
		.length = len,
		.digest = piece->object->digest,
	};
	struct bytes payload = { writer->raw, len };
	int r = read_at(piece->fd, piece->offset, writer->raw, len, err);

	if (r < 0)
		return r;
	hasher_add(writer->hasher, writer->raw, len);
	if (piece->packs && len > 0)
		r = shrink(writer, piece->object, piece->base_fd, &record, &payload, err);
	piece->offset += len;
	return r < 0 ? r : put_record(writer, &record, payload, err);
}

static int put_raw(struct object_writer *writer, struct piece *piece, uint64_t room,
		   struct error *err)
{
	struct record record = {
		.kind = RECORD_OBJECT,
		.payload = room,
		.size = piece->object->size,
		.offset = piece->offset,
		.length = room,
		.digest = piece->object->digest,
	};
	int r = chunk_writer_begin(writer->writer, &record, err);

	while (r == 0 && room > 0) {
		size_t len = (size_t)MIN(room, (uint64_t)PIECE);

		r = read_at(piece->fd, piece->offset, writer->raw, len, err);
		if (r < 0)
			break;
		hasher_add(writer->hasher, writer->raw, len);
		r = chunk_writer_write(writer->writer, writer->raw, len, err);
		piece->offset += len;
		room -= len;
	}
	return r;
}

static int put_pieces(struct object_writer *writer, struct piece *piece, struct error *err)
{
	bool from_start = piece->offset == 0;
	struct digest digest;
	uint64_t room = 0;
	int r;

	(void)hasher_end(writer->hasher);
	do {
		r = make_room(writer, piece, &room, err);
		if (r < 0)
			return r;
		if (piece->packs || piece->object->size <= SMALL_MAX)
			r = put_packed(writer, piece, room, err);
		else
			r = put_raw(writer, piece, room, err);
	} while (r == 0 && piece->offset < piece->object->size);
	if (r < 0)
		return r;
	digest = hasher_end(writer->hasher);
	return from_start && !digest_equal(&digest, &piece->object->digest)
		       ? damaged(piece->object, err)
		       : 0;
}

/* Whether the beginning of an object gets shorter; most unknown ones do not. */
static int sample(struct object_writer *writer, struct piece *piece, struct error *err)
{
	size_t len = (size_t)MIN(piece->object->size, (uint64_t)SAMPLE);
	struct bytes packed;
	int r;

	piece->packs = !is_packed_media(piece->object);
	if (!piece->packs || piece->object->size <= SMALL_MAX)
		return 0;
	r = read_at(piece->fd, 0, writer->raw, len, err);
	r = r < 0 ? r
		  : pack(writer->packer, (struct bytes) { writer->raw, len }, (struct bytes) { 0 },
			 &packed, err);
	if (r < 0)
		return r;
	piece->packs = packed.len < len - len / 10 || piece->base_fd >= 0;
	return 0;
}

static int open_base(struct object_writer *writer, const struct plan_object *object,
		     struct error *err)
{
	struct error local = { 0 };
	int fd;

	if (!object->has_base || is_packed_media(object))
		return -1;
	fd = object_open(writer->store, &object->base, NULL, &local);
	(void)err;
	return fd < 0 ? -1 : fd;
}

static int put_object(struct object_writer *writer, const struct plan_object *object,
		      uint64_t offset, object_writer_fn fn, void *ctx, struct error *err)
{
	_cleanup_close_ int base_fd = open_base(writer, object, err);
	uint64_t size;
	_cleanup_close_ int fd = object_open(writer->store, &object->digest, &size, err);
	struct piece piece = { .object = object,
			       .fd = fd,
			       .base_fd = base_fd,
			       .offset = offset,
			       .fn = fn,
			       .ctx = ctx };
	int r;

	if (fd < 0)
		return fd;
	if (size != object->size)
		return damaged(object, err);
	r = sample(writer, &piece, err);
	return r < 0 ? r : put_pieces(writer, &piece, err);
}

static int read_source(struct object_writer *writer, const struct plan_object *object,
		       struct error *err)
{
	uint64_t size;
	_cleanup_close_ int fd = object_open(writer->store, &object->source, &size, err);

	if (fd < 0)
		return fd;
	if (size != object->source_size)
		return error_set(err, EBADMSG, "an object of the store is damaged");
	return read_at(fd, 0, writer->raw, (size_t)size, err);
}

/* Writes how to make a variant of a page; 0 when there is no way. */
static int put_rebuilt(struct object_writer *writer, const struct plan_object *object,
		       object_writer_fn fn, void *ctx, struct error *err)
{
	struct record record = { .kind = RECORD_REBUILT,
				 .size = object->size,
				 .digest = object->digest,
				 .base = object->source };
	struct bytes page = { writer->raw, (size_t)object->source_size };
	struct recipe recipe;
	int r;

	if (writer->kind == BUNDLE_FULL || !object->has_source || object->size == 0 ||
	    object->size > RECORD_PACKED_MAX)
		return 0;
	r = read_source(writer, object, err);
	r = r < 0 ? r
		  : recipe_find(&writer->recipes, writer->packer,
				object->encoding == ENCODING_GZIP ? RECORD_GZIP : RECORD_ZSTANDARD,
				page, (size_t)object->size, &object->digest, &recipe, err);
	if (r <= 0)
		return r;
	record.algorithm = recipe.algorithm;
	record.level = recipe.level;
	fn(ctx, 0);
	r = chunk_writer_batch(writer->writer, &record, NULL, err);
	return r < 0 ? r : 1;
}

/* Expands an object: 1, or 0 when it is not compressed, too long, or not there. */
static int expand_object(struct object_writer *writer, const struct digest *digest,
			 enum record_algorithm *algorithm, unsigned char *out, size_t size,
			 struct bytes *ret)
{
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(RECORD_PACKED_MAX);
	struct bytes bytes;
	struct error local = { 0 };
	int r = object_read(writer->store, digest, RECORD_PACKED_MAX, &packed, &local);

	if (r < 0)
		return 0;
	bytes = (struct bytes) { (const unsigned char *)strbuf_str(&packed), packed.len };
	if (!*algorithm)
		*algorithm = recipe_algorithm(bytes);
	if (!*algorithm || expand(*algorithm, bytes, out, size, &ret->len, &local) < 0)
		return 0;
	ret->data = out;
	return ret->len > 0;
}

/* xz needs eight times what it packs, and seconds. */
static bool is_worth_it(const struct object_writer *writer, enum record_algorithm algorithm,
			size_t len)
{
	if (algorithm != RECORD_XZ && algorithm != RECORD_XZ_BLOCKS)
		return true;
	return writer->kind != BUNDLE_RECALL && len <= XZ_MAX;
}

/* Writes what changed in a compressed index; 0 when it cannot be made again. */
static int pack_index(struct object_writer *writer, const struct plan_object *object,
		      struct record *record, struct bytes *payload, struct error *err)
{
	struct bytes index, base = { 0 };
	struct recipe recipe;
	int r;

	if (!expand_object(writer, &object->digest, &record->algorithm, writer->raw,
			   RECORD_PACKED_MAX, &index) ||
	    !expand_object(writer, &object->base, &record->algorithm, writer->window,
			   RECORD_WINDOW_MAX, &base) ||
	    !is_worth_it(writer, record->algorithm, index.len))
		return 0;
	r = recipe_find(&writer->recipes, writer->packer, record->algorithm, index,
			(size_t)object->size, &object->digest, &recipe, err);
	if (r <= 0)
		return r;
	record->level = recipe.level;
	record->length = index.len;
	record->base_length = base.len;
	r = pack(writer->packer, index, base, payload, err);
	record->payload = payload->len;
	return r < 0 ? r : payload->len < object->size;
}

static int put_repacked(struct object_writer *writer, const struct plan_object *object,
			object_writer_fn fn, void *ctx, struct error *err)
{
	struct record record = { .kind = RECORD_REPACKED,
				 .encoding = RECORD_PATCH,
				 .size = object->size,
				 .digest = object->digest,
				 .base = object->base };
	struct bytes payload;
	int r;

	if (!object->has_base || !is_packed_media(object) || object->media == MEDIA_DEB ||
	    object->media == MEDIA_ZIP || object->size > RECORD_PACKED_MAX ||
	    object->base_size > RECORD_PACKED_MAX)
		return 0;
	r = pack_index(writer, object, &record, &payload, err);
	if (r <= 0 || payload.len > chunk_writer_room_max(writer->writer))
		return MIN(r, 0);
	fn(ctx, 0);
	if (payload.len > chunk_writer_room(writer->writer))
		r = chunk_writer_end(writer->writer, err);
	if (r >= 0 && payload.len <= chunk_writer_batch_max(writer->writer)) {
		r = chunk_writer_batch(writer->writer, &record, payload.data, err);
		return r < 0 ? r : 1;
	}
	r = r < 0 ? r : chunk_writer_begin(writer->writer, &record, err);
	r = r < 0 ? r : chunk_writer_write(writer->writer, payload.data, payload.len, err);
	return r < 0 ? r : 1;
}

int object_writer_put(struct object_writer *writer, const struct plan_object *object,
		      uint64_t offset, object_writer_fn fn, void *ctx, struct error *err)
{
	int r = offset == 0 ? put_rebuilt(writer, object, fn, ctx, err) : 0;

	if (r == 0 && offset == 0)
		r = put_repacked(writer, object, fn, ctx, err);
	if (r == 0)
		r = put_object(writer, object, offset, fn, ctx, err);
	return r < 0 ? r : 0;
}
