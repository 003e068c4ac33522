/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "base/macro.h"
#include "reservoir/pypi/page.h"

#define PIECE ((size_t)64 * 1024)

/* Levels are those at which more time no longer pays: a page is packed once for each
 * change, and there are a million pages. */
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 6
#define GZIP_WINDOW (15 + 16) /* with gzip's header, which then has no time in it */

static int gzip_all(z_stream *stream, const unsigned char *data, size_t len, struct strbuf *out)
{
	unsigned char piece[PIECE];
	int r = Z_OK;

	while (r == Z_OK) {
		size_t n = MIN(len, PIECE);

		if (stream->avail_in == 0 && n > 0) {
			stream->next_in = data;
			stream->avail_in = (uInt)n;
			data += n;
			len -= n;
		}
		stream->next_out = piece;
		stream->avail_out = sizeof(piece);
		r = deflate(stream, len == 0 ? Z_FINISH : Z_NO_FLUSH);
		strbuf_add(out, piece, sizeof(piece) - stream->avail_out);
	}
	return r == Z_STREAM_END ? 0 : -EIO;
}

static int gzip(const void *data, size_t len, struct strbuf *out, struct error *err)
{
	z_stream stream = { 0 };
	int r;

	if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return error_set(err, ENOMEM, "no memory to compress");
	r = gzip_all(&stream, data, len, out);
	(void)deflateEnd(&stream);
	return r < 0 ? error_set(err, -r, "a page could not be compressed") : 0;
}

static void zstd_freep(ZSTD_CCtx **context)
{
	(void)ZSTD_freeCCtx(*context);
}

static int zstd(const void *data, size_t len, struct strbuf *out, struct error *err)
{
	_cleanup_(zstd_freep) ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer in = { data, len, 0 };
	char piece[PIECE];
	size_t left = 1;

	if (!context ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, len)))
		return error_set(err, ENOMEM, "no memory to compress");
	while (left > 0) {
		ZSTD_outBuffer to = { piece, sizeof(piece), 0 };

		left = ZSTD_compressStream2(context, &to, &in, ZSTD_e_end);
		if (ZSTD_isError(left))
			return error_set(err, EIO, "a page could not be compressed: %s",
					 ZSTD_getErrorName(left));
		strbuf_add(out, piece, to.pos);
	}
	return 0;
}

int pypi_page_compress(const void *data, size_t len, enum encoding encoding, struct strbuf *out,
		       struct error *err)
{
	int r = encoding == ENCODING_GZIP ? gzip(data, len, out, err) : zstd(data, len, out, err);

	if (r == 0 && strbuf_error(out) < 0)
		return error_set(err, -strbuf_error(out), "no memory for a page");
	return r;
}
