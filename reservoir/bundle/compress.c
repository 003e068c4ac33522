/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "reservoir/bundle/compress_xz.h"

#define MORE_MEMORY 10 /* levels of deflate above this are those with MAX_MEM_LEVEL */
#define DEFAULT_MEM_LEVEL 8
#define ZSTD_LEVEL_MAX 19	     /* those above take more than a site has for it */
#define GZIP_WINDOW (MAX_WBITS + 16) /* with header and trailer */

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for packing");
}

static int no_level(unsigned int level, struct error *err)
{
	return error_set(err, EBADMSG, "there is no level %u of what a record names", level);
}

ssize_t compress_file_next(struct compress_file *file, const unsigned char **ret, struct error *err)
{
	ssize_t n = file_pread(file->fd, file->piece, sizeof(file->piece), file->at);

	if (n < 0)
		return error_set(err, (int)-n, "reading an index: %s", strerror((int)-n));
	file->at += (uint64_t)n;
	*ret = file->piece;
	return n;
}

/* Gives all that a stream makes of its input, or at the end of what remains. */
static int deflate_some(z_stream *stream, int flush, unsigned char *out,
			const struct compress_io *io, struct error *err)
{
	int r = 0, end = Z_OK;

	do {
		stream->next_out = out;
		stream->avail_out = (uInt)COMPRESS_PIECE;
		end = deflate(stream, flush);
		if (stream->avail_out < COMPRESS_PIECE)
			r = io->write(io->ctx, out, COMPRESS_PIECE - stream->avail_out, err);
	} while (r == 0 && (flush == Z_FINISH ? end == Z_OK : stream->avail_out == 0));
	return r;
}

static int deflate_all(z_stream *stream, const struct compress_io *io, struct error *err)
{
	unsigned char out[COMPRESS_PIECE];
	ssize_t n;
	int r = 0;

	while (r == 0) {
		const unsigned char *data;

		n = io->read(io->ctx, &data, err);
		if (n < 0)
			return (int)n;
		stream->next_in = (z_const Bytef *)(uintptr_t)data;
		stream->avail_in = (uInt)n;
		r = deflate_some(stream, n > 0 ? Z_NO_FLUSH : Z_FINISH, out, io, err);
		if (n == 0)
			break;
	}
	return r;
}

static int compress_zlib(enum record_algorithm algorithm, unsigned int level,
			 const struct compress_io *io, struct error *err)
{
	int window = algorithm == RECORD_GZIP ? GZIP_WINDOW : -MAX_WBITS;
	int memory = level > MORE_MEMORY ? MAX_MEM_LEVEL : DEFAULT_MEM_LEVEL;
	z_stream stream = { 0 };
	int r;

	if (level > MORE_MEMORY)
		level -= MORE_MEMORY;
	if (level > Z_BEST_COMPRESSION)
		return no_level(level, err);
	if (deflateInit2(&stream, (int)level, Z_DEFLATED, window, memory, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return no_memory(err);
	r = deflate_all(&stream, io, err);
	(void)deflateEnd(&stream);
	return r;
}

/* All that there is: zstd makes other bytes when it is not told the length before. */
static int read_all(const struct compress_io *io, unsigned char *out, size_t size, size_t *ret_len,
		    struct error *err)
{
	const unsigned char *data;
	size_t len = 0;

	for (;;) {
		ssize_t n = io->read(io->ctx, &data, err);

		if (n <= 0) {
			*ret_len = len;
			return (int)n;
		}
		if ((size_t)n > size - len)
			return error_set(err, EBADMSG, "what zstd is to pack is too long");
		memcpy(out + len, data, (size_t)n);
		len += (size_t)n;
	}
}

/* In pieces, too: zstd looks at less at once than of one call. */
static int write_frame(ZSTD_CCtx *cctx, ZSTD_inBuffer *in, const struct compress_io *io,
		       struct error *err)
{
	unsigned char out[COMPRESS_PIECE];
	size_t left;
	int r;

	do {
		ZSTD_outBuffer to = { out, sizeof(out), 0 };

		left = ZSTD_compressStream2(cctx, &to, in, ZSTD_e_end);
		if (ZSTD_isError(left))
			return error_set(err, ENOMEM, "zstd: %s", ZSTD_getErrorName(left));
		r = io->write(io->ctx, out, to.pos, err);
	} while (left > 0 && r == 0);
	return r;
}

static int compress_zstd(_unused_ enum record_algorithm algorithm, unsigned int level,
			 const struct compress_io *io, struct error *err)
{
	_cleanup_free_ unsigned char *raw = malloc(RECORD_PACKED_MAX);
	ZSTD_inBuffer in = { raw, 0, 0 };
	ZSTD_CCtx *cctx;
	int r;

	if (level > ZSTD_LEVEL_MAX)
		return no_level(level, err);
	if (!raw)
		return no_memory(err);
	r = read_all(io, raw, RECORD_PACKED_MAX, &in.size, err);
	if (r < 0)
		return r;
	cctx = ZSTD_createCCtx();
	if (!cctx ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, (int)level)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(cctx, in.size)))
		r = no_level(level, err);
	else
		r = write_frame(cctx, &in, io, err);
	(void)ZSTD_freeCCtx(cctx);
	return r;
}

int compress_as(enum record_algorithm algorithm, unsigned int level, const struct compress_io *io,
		struct error *err)
{
	static int (*const rows[_RECORD_ALGORITHM_MAX])(
		enum record_algorithm algorithm, unsigned int level, const struct compress_io *io,
		struct error *err) = {
		[RECORD_GZIP] = compress_zlib,	  [RECORD_ZSTANDARD] = compress_zstd,
		[RECORD_XZ] = compress_xz,	  [RECORD_XZ_BLOCKS] = compress_xz,
		[RECORD_DEFLATE] = compress_zlib,
	};

	return rows[algorithm](algorithm, level, io, err);
}
