/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/chunk_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/file.h"
#include "base/macro.h"

#define BLOCK ((size_t)256 * 1024) /* stays in a core's cache; 4 MiB of tags for 64 GiB */

struct tag {
	unsigned char bytes[crypto_onetimeauth_BYTES];
};

struct chunk_reader {
	unsigned char *block; /* BLOCK */
	struct hasher *hasher;
	/* Tags are never told to anybody, so that one key does for all of them. */
	unsigned char key[crypto_onetimeauth_KEYBYTES];
	struct tag *tags;
	size_t max_tags;
	int fd;
	uint64_t size; /* of the chunk */
	uint64_t at;
	bool (*stop)(void *ctx);
	void *ctx;
};

int chunk_reader_new(struct chunk_reader **ret, struct error *err)
{
	_cleanup_(chunk_reader_freep) struct chunk_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	reader->block = malloc(BLOCK);
	if (!reader->block || hasher_new(&reader->hasher, err) < 0)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	if (sodium_init() < 0)
		return error_set(err, EIO, "libsodium does not start");
	crypto_onetimeauth_keygen(reader->key);
	*ret = TAKE_PTR(reader);
	return 0;
}

void chunk_reader_free(struct chunk_reader *reader)
{
	if (!reader)
		return;
	hasher_free(reader->hasher);
	free(reader->block);
	free(reader->tags);
	free(reader);
}

void chunk_reader_watch(struct chunk_reader *reader, bool (*stop)(void *ctx), void *ctx)
{
	reader->stop = stop;
	reader->ctx = ctx;
}

static int make_room(struct chunk_reader *reader, struct error *err)
{
	size_t n = (size_t)(reader->size / BLOCK) + 1;
	struct tag *more;

	if (n <= reader->max_tags)
		return 0;
	more = realloc(reader->tags, n * sizeof(*more));
	if (!more)
		return error_set(err, ENOMEM, "out of memory for a bundle");
	reader->tags = more;
	reader->max_tags = n;
	return 0;
}

/* Reads the block that begins where the reader is: bytes, fewer at the end of the file. */
static ssize_t read_block(struct chunk_reader *reader, struct error *err)
{
	ssize_t n = file_pread(reader->fd, reader->block, BLOCK, reader->at);

	return n < 0 ? error_set(err, ESTALE, "reading it: %s", strerror((int)-n)) : n;
}

/* Blocks until the end of the file, or one byte more than there should be. */
static int hash_blocks(struct chunk_reader *reader, struct error *err)
{
	size_t i = 0;
	ssize_t n;

	do {
		if (reader->stop && reader->stop(reader->ctx))
			return error_set(err, EINTR, "interrupted");
		n = read_block(reader, err);
		if (n < 0)
			return (int)n;
		reader->at += (uint64_t)n;
		if (reader->at > reader->size)
			return 0;
		hasher_add(reader->hasher, reader->block, (size_t)n);
		(void)crypto_onetimeauth(reader->tags[i++].bytes, reader->block,
					 (unsigned long long)n, reader->key);
	} while ((size_t)n == BLOCK);
	return 0;
}

static int judge(const struct chunk_reader *reader, const struct digest *digest,
		 const struct bundle_chunk *chunk, struct error *err)
{
	if (reader->at < chunk->size)
		return error_set(err, ENODATA, "%" PRIu64 " of %" PRIu64 " bytes are here",
				 reader->at, chunk->size);
	if (reader->at > chunk->size || !digest_equal(digest, &chunk->digest))
		return error_set(err, EBADMSG,
				 "its bytes are not those that the manifest names; copy it again");
	return 0;
}

int chunk_reader_begin(struct chunk_reader *reader, int fd, const struct bundle_chunk *chunk,
		       struct error *err)
{
	struct digest digest;
	int r;

	reader->fd = fd;
	reader->size = chunk->size;
	reader->at = 0;
	r = make_room(reader, err);
	r = r < 0 ? r : hash_blocks(reader, err);
	digest = hasher_end(reader->hasher);
	r = r < 0 ? r : judge(reader, &digest, chunk, err);
	reader->at = 0;
	return r;
}

ssize_t chunk_reader_next(struct chunk_reader *reader, const unsigned char **ret, struct error *err)
{
	const struct tag *tag = &reader->tags[reader->at / BLOCK];
	size_t len = (size_t)MIN((uint64_t)BLOCK, reader->size - reader->at);
	ssize_t n;

	if (len == 0)
		return 0;
	n = read_block(reader, err);
	if (n < 0)
		return n;
	if ((size_t)n < len ||
	    crypto_onetimeauth_verify(tag->bytes, reader->block, len, reader->key) != 0)
		return error_set(err, ESTALE, "it was changed while it was read");
	reader->at += len;
	*ret = reader->block;
	return (ssize_t)len;
}
