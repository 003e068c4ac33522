/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/object_writer.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "reservoir/bundle/plain.h"
#include "reservoir/bundle/recipe.h"
#include "reservoir/store/object.h"

#define SMALL_MAX ((size_t)64 * 1024)		/* bytes of an object that goes with others */
#define PIECE ((size_t)256 * 1024)		/* of what is copied */
#define SAMPLE ((size_t)256 * 1024)		/* that tells whether packing is worth it */
#define XZ_MAX ((uint64_t)128 * 1024 * 1024)	/* bytes of an index that xz has packed: a minute */
#define TOLD_MAX 64				/* indexes that several files are made of */
#define PATCH_DRIFT ((uint64_t)8 * 1024 * 1024) /* how far bytes may have moved in an index */
#define WORTH 10 /* a record gets shorter by one part of so many, or is left as it is */
#define TAIL_MIN ((uint64_t)4096) /* a shorter piece at the end of a chunk is not worth it */

struct object_writer {
	struct store *store;
	struct packer *packer;
	struct chunk_writer *writer;
	enum bundle_kind kind;
	unsigned char *raw;    /* RECORD_PACKED_MAX: bytes of the object */
	unsigned char *window; /* RECORD_WINDOW_MAX: bytes of its base */
	struct hasher *hasher;
	struct recipes pages;	      /* what was learned of their variants, */
	struct recipes indexes;	      /* and of what upstream has compressed */
	struct digest told[TOLD_MAX]; /* that are in the bundle, the last of them */
	size_t n_told;
};

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for a bundle");
}

int object_writer_new(struct store *store, struct packer *packer, struct chunk_writer *writer,
		      enum bundle_kind kind, struct object_writer **ret, struct error *err)
{
	_cleanup_(object_writer_freep) struct object_writer *new = calloc(1, sizeof(*new));

	if (!new)
		return no_memory(err);
	new->store = store;
	new->packer = packer;
	new->writer = writer;
	new->kind = kind;
	if (hasher_new(&new->hasher, err) < 0)
		return no_memory(err);
	*ret = TAKE_PTR(new);
	return 0;
}

/* Buffers are made when they are needed, and given back to xz, which needs more. */
static int need(unsigned char **buffer, size_t size, struct error *err)
{
	if (!*buffer)
		*buffer = malloc(size);
	return *buffer ? 0 : no_memory(err);
}

static void rest(struct object_writer *writer)
{
	free(TAKE_PTR(writer->raw));
	free(TAKE_PTR(writer->window));
	packer_rest(writer->packer);
	/* Of the heap, too: who frees much is given much from it. */
	(void)malloc_trim(0);
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
	if (need(&writer->window, RECORD_WINDOW_MAX, err) < 0)
		return -ENOMEM;
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
	if (packed.len > payload->len - payload->len / WORTH) {
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
	struct bytes payload;
	int r = need(&writer->raw, RECORD_PACKED_MAX, err);

	r = r < 0 ? r : read_at(piece->fd, piece->offset, writer->raw, len, err);
	if (r < 0)
		return r;
	payload = (struct bytes) { writer->raw, len };
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
	int r = need(&writer->raw, RECORD_PACKED_MAX, err);

	r = r < 0 ? r : chunk_writer_begin(writer->writer, &record, err);
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

	piece->packs = piece->base_fd >= 0 || !is_packed_media(piece->object);
	if (piece->base_fd >= 0 || !piece->packs || piece->object->size <= SMALL_MAX)
		return 0;
	r = need(&writer->raw, RECORD_PACKED_MAX, err);
	r = r < 0 ? r : read_at(piece->fd, 0, writer->raw, len, err);
	r = r < 0 ? r
		  : pack(writer->packer, (struct bytes) { writer->raw, len }, (struct bytes) { 0 },
			 &packed, err);
	if (r < 0)
		return r;
	piece->packs = packed.len < len - len / WORTH;
	return 0;
}

/* What upstream has compressed, of which an older version is there. */
static bool is_index(const struct plan_object *object)
{
	static const bool compressed[_MEDIA_MAX] = {
		[MEDIA_GZIP] = true,
		[MEDIA_XZ] = true,
		[MEDIA_ZSTD] = true,
	};

	return object->has_base && !object->is_manifest && object->encoding == ENCODING_IDENTITY &&
	       compressed[object->media];
}

/* Some compressed bytes stay, too, where what they are made of does: of gzip --rsyncable. */
static int open_base(struct object_writer *writer, const struct plan_object *object,
		     struct error *err)
{
	struct error local = { 0 };
	int fd;

	if (!object->has_base || (is_packed_media(object) && !is_index(object)))
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

/* -- Compressed indexes and pages ---------------------------------------- */

static void tell(struct object_writer *writer, const struct digest *digest)
{
	writer->told[writer->n_told++ % TOLD_MAX] = *digest;
}

static bool is_told(const struct object_writer *writer, const struct digest *digest)
{
	for (size_t i = 0; i < MIN(writer->n_told, (size_t)TOLD_MAX); i++)
		if (digest_equal(&writer->told[i], digest))
			return true;
	return false;
}

/* Writes how to make an object of what it expands to; 0 when there is no way. */
static int put_recipe(struct object_writer *writer, const struct plan_object *object,
		      const struct digest *plain, const struct recipe *recipe, struct error *err)
{
	struct record record = { .kind = RECORD_REBUILT,
				 .algorithm = recipe->algorithm,
				 .level = recipe->level,
				 .payload = recipe->n_frame,
				 .size = object->size,
				 .offset = recipe->n_before,
				 .digest = object->digest,
				 .base = *plain };
	int r = chunk_writer_batch(writer->writer, &record, recipe->frame, err);

	return r < 0 ? r : 1;
}

static int find_recipe(struct object_writer *writer, struct recipes *recipes,
		       const struct plan_object *object, int plain, struct recipe *ret,
		       struct error *err)
{
	_cleanup_close_ int fd = object_open(writer->store, &object->digest, NULL, err);

	return fd < 0 ? fd : recipe_find(recipes, plain, fd, object->size, ret, err);
}

/* The variant of a page that is in the bundle. */
static int put_variant(struct object_writer *writer, const struct plan_object *object,
		       object_writer_fn fn, void *ctx, struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct recipe recipe;
	int r;

	if (writer->kind == BUNDLE_FULL || !object->has_source || object->size == 0 ||
	    object->size > RECORD_INDEX_MAX)
		return 0;
	fd = object_open(writer->store, &object->source, NULL, err);
	r = fd < 0 ? fd : find_recipe(writer, &writer->pages, object, fd, &recipe, err);
	if (r <= 0)
		return r;
	fn(ctx, 0);
	return put_recipe(writer, object, &object->source, &recipe, err);
}

/* An export that goes on begins with the index, not within what it expands to. */
static void keep_offset(_unused_ void *ctx, _unused_ uint64_t offset)
{
}

/* Writes what changed in an index, unless another form of it has done so. */
static int put_plain(struct object_writer *writer, const struct plan_object *object,
		     const struct plain *plain, const struct plain *base, struct error *err)
{
	struct record record = { .kind = RECORD_EXPANDED,
				 .size = base->size,
				 .digest = base->digest,
				 .base = object->base };
	struct plan_object change = { .digest = plain->digest,
				      .size = plain->size,
				      .media = MEDIA_TEXT,
				      .has_base = true,
				      .base = base->digest,
				      .base_size = base->size };
	struct piece piece = { .object = &change,
			       .fd = plain->fd,
			       .base_fd = base->fd,
			       .packs = true,
			       .fn = keep_offset };
	int r = 0;

	if (is_told(writer, &plain->digest))
		return 0;
	/* Not with others, which come behind what is not small: patches need it before them. */
	if (!is_told(writer, &base->digest)) {
		if (chunk_writer_room(writer->writer) < TAIL_MIN)
			r = chunk_writer_end(writer->writer, err);
		r = r < 0 ? r : chunk_writer_begin(writer->writer, &record, err);
	}
	tell(writer, &base->digest);
	if (r < 0 || is_told(writer, &plain->digest))
		return r;
	tell(writer, &plain->digest);
	return put_pieces(writer, &piece, err);
}

/* Whether it may be worth the time to see how an index was compressed. */
static bool may_expand(const struct object_writer *writer, const struct plan_object *object)
{
	/* xz takes seconds, which a recall does not have. */
	if (writer->kind == BUNDLE_FULL ||
	    (writer->kind == BUNDLE_RECALL && object->media == MEDIA_XZ))
		return false;
	return is_index(object) && object->size <= RECORD_INDEX_MAX;
}

/* An index that upstream has compressed: 0 when it cannot be made again. */
static int put_index(struct object_writer *writer, const struct plan_object *object,
		     object_writer_fn fn, void *ctx, struct error *err)
{
	_cleanup_plain_ struct plain plain = { .fd = -1 }, base = { .fd = -1 };
	uint64_t max = object->media == MEDIA_XZ ? XZ_MAX : RECORD_INDEX_MAX;
	struct recipe recipe;
	int r;

	if (!may_expand(writer, object))
		return 0;
	r = plain_open(writer->store, &object->digest, max, &plain, err);
	if (r <= 0)
		return r;
	if (object->media == MEDIA_XZ)
		rest(writer);
	r = find_recipe(writer, &writer->indexes, object, plain.fd, &recipe, err);
	if (r > 0 && !is_told(writer, &plain.digest))
		r = plain_open(writer->store, &object->base, RECORD_INDEX_MAX, &base, err);
	if (r <= 0)
		return r;
	fn(ctx, 0);
	r = put_plain(writer, object, &plain, &base, err);
	return r < 0 ? r : put_recipe(writer, object, &plain.digest, &recipe, err);
}

int object_writer_put(struct object_writer *writer, const struct plan_object *object,
		      uint64_t offset, object_writer_fn fn, void *ctx, struct error *err)
{
	int r = offset == 0 ? put_variant(writer, object, fn, ctx, err) : 0;

	if (r == 0 && offset == 0)
		r = is_told(writer, &object->digest) ? 1 : put_index(writer, object, fn, ctx, err);
	if (r != 0)
		return MIN(r, 0);
	if (object->has_base)
		tell(writer, &object->digest);
	return put_object(writer, object, offset, fn, ctx, err);
}
