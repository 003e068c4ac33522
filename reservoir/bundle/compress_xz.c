/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xz with threads writes blocks that say their sizes before they begin.  A block is
 * therefore kept until it is whole; liblzma's own encoder would keep what goes into it,
 * too, which is several times more.
 */
#include "reservoir/bundle/compress_xz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lzma.h>

#include "base/cleanup.h"
#include "base/macro.h"

/* Level 6 takes 94 MiB, 7 twice as much, and 9 takes 674. */
#define ENCODER_MAX ((uint64_t)96 * 1024 * 1024)
#define BLOCK_MIN ((uint64_t)1024 * 1024)
#define BLOCK_PACKED_MAX ((size_t)12 * 1024 * 1024) /* an index gets shorter than half */

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for xz");
}

/* One file as it is written. */
struct xz {
	const struct compress_io *io;
	struct error *err;
	lzma_stream stream;
	const unsigned char *in; /* read, and not yet packed */
	size_t n_in;
	bool end;
	unsigned char *block; /* BLOCK_PACKED_MAX, behind the header */
	unsigned char out[COMPRESS_PIECE];
};

static int fill(struct xz *xz)
{
	ssize_t n;

	if (xz->n_in > 0 || xz->end)
		return 0;
	n = xz->io->read(xz->io->ctx, &xz->in, xz->err);
	if (n < 0)
		return (int)n;
	xz->n_in = (size_t)n;
	xz->end = n == 0;
	return 0;
}

static int put(struct xz *xz, const unsigned char *data, size_t len)
{
	return len > 0 ? xz->io->write(xz->io->ctx, data, len, xz->err) : 0;
}

static int failed(struct xz *xz, lzma_ret r)
{
	if (r == LZMA_MEM_ERROR)
		return no_memory(xz->err);
	return error_set(xz->err, EBADMSG, "bytes cannot be compressed by xz as a record says");
}

static int write_stream(struct xz *xz, uint32_t preset)
{
	lzma_stream *stream = &xz->stream;
	lzma_ret end = lzma_easy_encoder(stream, preset, LZMA_CHECK_CRC64);
	int r = 0;

	while (r == 0 && end == LZMA_OK) {
		r = fill(xz);
		if (r < 0)
			return r;
		stream->next_in = xz->in;
		stream->avail_in = xz->n_in;
		stream->next_out = xz->out;
		stream->avail_out = COMPRESS_PIECE;
		end = lzma_code(stream, xz->end ? LZMA_FINISH : LZMA_RUN);
		xz->in = stream->next_in;
		xz->n_in = stream->avail_in;
		r = put(xz, xz->out, COMPRESS_PIECE - stream->avail_out);
	}
	return r < 0 || end == LZMA_STREAM_END ? r : failed(xz, end);
}

/* Packs at most @max bytes into xz->block. */
static int pack_block(struct xz *xz, lzma_block *block, uint64_t max, size_t *ret_len)
{
	lzma_stream *stream = &xz->stream;
	lzma_ret end = lzma_block_encoder(stream, block);
	bool last = false;

	stream->next_out = xz->block + block->header_size;
	stream->avail_out = BLOCK_PACKED_MAX - block->header_size;
	while (end == LZMA_OK && stream->avail_out > 0) {
		int r = fill(xz);

		if (r < 0)
			return r;
		stream->next_in = xz->in;
		stream->avail_in = (size_t)MIN((uint64_t)xz->n_in, max);
		max -= stream->avail_in;
		xz->n_in -= stream->avail_in;
		last = last || max == 0 || xz->end;
		end = lzma_code(stream, last ? LZMA_FINISH : LZMA_RUN);
		max += stream->avail_in;
		xz->n_in += stream->avail_in;
		xz->in = stream->next_in;
	}
	*ret_len = BLOCK_PACKED_MAX - stream->avail_out;
	return end == LZMA_STREAM_END ? 0 : failed(xz, end);
}

static int write_block(struct xz *xz, lzma_filter *filters, uint64_t max, lzma_index *index)
{
	lzma_block block = { .check = LZMA_CHECK_CRC64,
			     .filters = filters,
			     .compressed_size = lzma_block_buffer_bound((size_t)max),
			     .uncompressed_size = max };
	lzma_ret end = lzma_block_header_size(&block);
	size_t len = 0;
	int r;

	if (end != LZMA_OK)
		return failed(xz, end);
	block.compressed_size = LZMA_VLI_UNKNOWN;
	block.uncompressed_size = LZMA_VLI_UNKNOWN;
	r = pack_block(xz, &block, max, &len);
	if (r < 0)
		return r;
	end = lzma_block_header_encode(&block, xz->block);
	if (end == LZMA_OK)
		end = lzma_index_append(index, NULL, lzma_block_unpadded_size(&block),
					block.uncompressed_size);
	return end == LZMA_OK ? put(xz, xz->block, len) : failed(xz, end);
}

static int write_flags(struct xz *xz, const lzma_index *index)
{
	lzma_stream_flags flags = { .check = LZMA_CHECK_CRC64,
				    .backward_size = index ? lzma_index_size(index) : 0 };
	unsigned char out[LZMA_STREAM_HEADER_SIZE];
	lzma_ret end = index ? lzma_stream_footer_encode(&flags, out)
			     : lzma_stream_header_encode(&flags, out);

	return end == LZMA_OK ? put(xz, out, sizeof(out)) : failed(xz, end);
}

static int write_index(struct xz *xz, const lzma_index *index)
{
	size_t len = 0;
	lzma_ret end = lzma_index_buffer_encode(index, xz->out, &len, COMPRESS_PIECE);

	return end == LZMA_OK ? put(xz, xz->out, len) : failed(xz, end);
}

static int write_all_blocks(struct xz *xz, lzma_filter *filters, uint64_t max, lzma_index *index)
{
	int r = fill(xz);

	while (r == 0 && xz->n_in > 0) {
		r = write_block(xz, filters, max, index);
		r = r < 0 ? r : fill(xz);
	}
	return r;
}

static int write_blocks(struct xz *xz, uint32_t preset)
{
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options }, { .id = LZMA_VLI_UNKNOWN } };
	lzma_index *index = lzma_index_init(NULL);
	int r;

	xz->block = malloc(BLOCK_PACKED_MAX);
	if (!index || !xz->block || lzma_lzma_preset(&options, preset)) {
		lzma_index_end(index, NULL);
		return no_memory(xz->err);
	}
	r = write_flags(xz, NULL);
	r = r < 0 ? r
		  : write_all_blocks(xz, filters, MAX(3 * (uint64_t)options.dict_size, BLOCK_MIN),
				     index);
	r = r < 0 ? r : write_index(xz, index);
	r = r < 0 ? r : write_flags(xz, index);
	lzma_index_end(index, NULL);
	return r;
}

int compress_xz(enum record_algorithm algorithm, unsigned int level, const struct compress_io *io,
		struct error *err)
{
	uint32_t preset = level > 10 ? (level - 10) | LZMA_PRESET_EXTREME : level;
	struct xz *xz;
	int r;

	if (lzma_easy_encoder_memusage(preset) > ENCODER_MAX)
		return error_set(err, EBADMSG,
				 "a record wants level %u of xz, which takes too much memory",
				 level);
	xz = calloc(1, sizeof(*xz));
	if (!xz)
		return no_memory(err);
	xz->io = io;
	xz->err = err;
	xz->stream = (lzma_stream)LZMA_STREAM_INIT;
	r = algorithm == RECORD_XZ ? write_stream(xz, preset) : write_blocks(xz, preset);
	lzma_end(&xz->stream);
	free(xz->block);
	free(xz);
	return r;
}
