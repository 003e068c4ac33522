/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/pack.h"

#include <errno.h>
#include <stdlib.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define WINDOW_LOG 25	 /* 32 MiB: the bytes of a record and the window of its base */
#define CHAIN_LOG_MAX 22 /* what high levels would take is bounded: 16 MiB */
#define PIECE ((size_t)64 * 1024)
#define GZIP_WINDOW (15 + 16)
/* Level 6 takes 94 MiB to compress, 7 twice as much, and 9 takes 674. */
#define XZ_ENCODER_MAX ((uint64_t)96 * 1024 * 1024)
#define XZ_MEMORY_MAX ((uint64_t)80 * 1024 * 1024) /* a dictionary of 64 MiB, that of level 9 */

struct packer {
	int level;
	ZSTD_CCtx *cctx;
	ZSTD_CCtx *plain; /* of rebuild(): no parameter but the level */
	ZSTD_DCtx *dctx;
	unsigned char *packed; /* RECORD_PAYLOAD_MAX */
	unsigned char *raw;    /* RECORD_PACKED_MAX */
	unsigned char *again;  /* RECORD_PAYLOAD_MAX, of rebuild() */
};

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory for packing");
}

int packer_new(int level, struct packer **ret, struct error *err)
{
	_cleanup_(packer_freep) struct packer *packer = calloc(1, sizeof(*packer));

	if (!packer)
		return no_memory(err);
	packer->level = level;
	*ret = TAKE_PTR(packer);
	return 0;
}

void packer_free(struct packer *packer)
{
	if (!packer)
		return;
	(void)ZSTD_freeCCtx(packer->cctx);
	(void)ZSTD_freeCCtx(packer->plain);
	(void)ZSTD_freeDCtx(packer->dctx);
	free(packer->packed);
	free(packer->raw);
	free(packer->again);
	free(packer);
}

/* Buffers are made when they are first needed: who unpacks does not pack. */
static bool need(unsigned char **buffer, size_t size)
{
	if (!*buffer)
		*buffer = malloc(size);
	return *buffer != NULL;
}

static bool need_packing(struct packer *packer)
{
	if (!packer->cctx)
		packer->cctx = ZSTD_createCCtx();
	return packer->cctx && need(&packer->packed, RECORD_PAYLOAD_MAX);
}

/* Parameters are set anew for each, so that what came before leaves no trace. */
static bool prepare(struct packer *packer, struct bytes base)
{
	ZSTD_CCtx *cctx = packer->cctx;
	size_t r = ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);

	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, packer->level);
	if (!ZSTD_isError(r) && packer->level > 12)
		r = ZSTD_CCtx_setParameter(cctx, ZSTD_c_chainLog, CHAIN_LOG_MAX);
	if (base.len == 0)
		return !ZSTD_isError(r);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, WINDOW_LOG);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(cctx, ZSTD_c_enableLongDistanceMatching, 1);
	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_refPrefix(cctx, base.data, base.len);
	return !ZSTD_isError(r);
}

int pack(struct packer *packer, struct bytes raw, struct bytes base, struct bytes *ret,
	 struct error *err)
{
	size_t n;

	if (!need_packing(packer) || !prepare(packer, base))
		return no_memory(err);
	n = ZSTD_compress2(packer->cctx, packer->packed, RECORD_PAYLOAD_MAX, raw.data, raw.len);
	if (ZSTD_isError(n))
		return error_set(err, ENOMEM, "zstd: %s", ZSTD_getErrorName(n));
	*ret = (struct bytes) { .data = packer->packed, .len = n };
	return 0;
}

int unpack(struct packer *packer, struct bytes packed, struct bytes base, size_t len,
	   struct bytes *ret, struct error *err)
{
	size_t n;

	if (!packer->dctx)
		packer->dctx = ZSTD_createDCtx();
	if (!packer->dctx || !need(&packer->raw, RECORD_PACKED_MAX))
		return no_memory(err);
	/* A bomb has nowhere to go: the buffer is as long as the record says. */
	if (len > RECORD_PACKED_MAX ||
	    ZSTD_getFrameContentSize(packed.data, packed.len) != (unsigned long long)len)
		return error_set(err, EBADMSG,
				 "a record of the chunk does not unpack to its length");
	(void)ZSTD_DCtx_reset(packer->dctx, ZSTD_reset_session_and_parameters);
	if (base.len > 0)
		(void)ZSTD_DCtx_refPrefix(packer->dctx, base.data, base.len);
	n = ZSTD_decompressDCtx(packer->dctx, packer->raw, len, packed.data, packed.len);
	if (ZSTD_isError(n) || n != len)
		return error_set(err, EBADMSG, "a record of the chunk does not unpack: %s",
				 ZSTD_isError(n) ? ZSTD_getErrorName(n) : "it is too short");
	*ret = (struct bytes) { .data = packer->raw, .len = n };
	return 0;
}

static size_t rebuild_gzip(unsigned int level, struct bytes raw, unsigned char *out, size_t size)
{
	z_stream stream = { 0 };
	size_t n = 0;

	if (deflateInit2(&stream, (int)level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return 0;
	stream.next_in = (z_const Bytef *)(uintptr_t)raw.data;
	stream.avail_in = (uInt)raw.len;
	stream.next_out = out;
	stream.avail_out = (uInt)size;
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		n = stream.total_out;
	(void)deflateEnd(&stream);
	return n;
}

/* As a stream that is written in pieces: zstd looks at less at once than of one call. */
static size_t rebuild_zstd(struct packer *packer, unsigned int level, struct bytes raw,
			   unsigned char *out, size_t size)
{
	ZSTD_inBuffer in = { raw.data, raw.len, 0 };
	size_t at = 0, left = 1;

	if (!packer->plain)
		packer->plain = ZSTD_createCCtx();
	if (!packer->plain ||
	    ZSTD_isError(ZSTD_CCtx_reset(packer->plain, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(
		    ZSTD_CCtx_setParameter(packer->plain, ZSTD_c_compressionLevel, (int)level)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packer->plain, raw.len)))
		return 0;
	while (left > 0 && at < size) {
		ZSTD_outBuffer to = { out + at, size - at < PIECE ? size - at : PIECE, 0 };

		left = ZSTD_compressStream2(packer->plain, &to, &in, ZSTD_e_end);
		if (ZSTD_isError(left))
			return 0;
		at += to.pos;
	}
	return left == 0 ? at : 0;
}

/* One thread, but the format of several: that is what archives are made with. */
static lzma_ret begin_xz(lzma_stream *stream, bool is_blocks, uint32_t preset)
{
	const lzma_mt options = { .threads = 1, .preset = preset, .check = LZMA_CHECK_CRC64 };

	return is_blocks ? lzma_stream_encoder_mt(stream, &options)
			 : lzma_easy_encoder(stream, preset, LZMA_CHECK_CRC64);
}

static uint32_t preset_of(unsigned int level)
{
	return level > 10 ? (level - 10) | LZMA_PRESET_EXTREME : level;
}

static bool is_xz(enum record_algorithm algorithm)
{
	return algorithm == RECORD_XZ || algorithm == RECORD_XZ_BLOCKS;
}

static size_t rebuild_xz(unsigned int level, bool is_blocks, struct bytes raw, unsigned char *out,
			 size_t size)
{
	uint32_t preset = preset_of(level);
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret r = begin_xz(&stream, is_blocks, preset);
	size_t n;

	stream.next_in = raw.data;
	stream.avail_in = raw.len;
	stream.next_out = out;
	stream.avail_out = size;
	while (r == LZMA_OK && stream.avail_out > 0)
		r = lzma_code(&stream, LZMA_FINISH);
	n = (size_t)stream.total_out;
	lzma_end(&stream);
	return r == LZMA_STREAM_END ? n : 0;
}

int rebuild(struct packer *packer, enum record_algorithm algorithm, unsigned int level,
	    struct bytes raw, struct bytes *ret, struct error *err)
{
	size_t n;

	if (is_xz(algorithm) && lzma_easy_encoder_memusage(preset_of(level)) > XZ_ENCODER_MAX)
		return error_set(err, EBADMSG,
				 "a record wants level %u of xz, which takes too much memory",
				 level);
	if (!need(&packer->again, RECORD_PAYLOAD_MAX))
		return no_memory(err);
	if (algorithm == RECORD_GZIP)
		n = rebuild_gzip(level, raw, packer->again, RECORD_PAYLOAD_MAX);
	else if (is_xz(algorithm))
		n = rebuild_xz(level, algorithm == RECORD_XZ_BLOCKS, raw, packer->again,
			       RECORD_PAYLOAD_MAX);
	else
		n = rebuild_zstd(packer, level, raw, packer->again, RECORD_PAYLOAD_MAX);
	/* A level that there is not, or what does not get shorter. */
	if (n == 0)
		return error_set(err, EBADMSG, "bytes cannot be compressed as a record says");
	*ret = (struct bytes) { .data = packer->again, .len = n };
	return 0;
}

static int expand_gzip(struct bytes packed, unsigned char *out, size_t size, size_t *ret_len)
{
	z_stream stream = { 0 };
	int r;

	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	stream.next_in = (z_const Bytef *)(uintptr_t)packed.data;
	stream.avail_in = (uInt)packed.len;
	stream.next_out = out;
	stream.avail_out = (uInt)size;
	r = inflate(&stream, Z_FINISH);
	*ret_len = stream.total_out;
	(void)inflateEnd(&stream);
	if (r == Z_STREAM_END && stream.avail_in == 0)
		return 0;
	return r == Z_BUF_ERROR && stream.avail_out == 0 ? -EFBIG : -EBADMSG;
}

static int expand_xz(struct bytes packed, unsigned char *out, size_t size, size_t *ret_len)
{
	uint64_t memory = XZ_MEMORY_MAX;
	size_t in = 0;
	lzma_ret r;

	*ret_len = 0;
	r = lzma_stream_buffer_decode(&memory, 0, NULL, packed.data, &in, packed.len, out, ret_len,
				      size);
	if (r == LZMA_OK && in == packed.len)
		return 0;
	return r == LZMA_BUF_ERROR ? -EFBIG : r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int expand_zstd(struct bytes packed, unsigned char *out, size_t size, size_t *ret_len)
{
	size_t n = ZSTD_decompress(out, size, packed.data, packed.len);

	if (ZSTD_isError(n))
		return -EBADMSG;
	*ret_len = n;
	return 0;
}

int expand(enum record_algorithm algorithm, struct bytes packed, unsigned char *out, size_t size,
	   size_t *ret_len, struct error *err)
{
	int r;

	if (algorithm == RECORD_GZIP)
		r = expand_gzip(packed, out, size, ret_len);
	else if (algorithm == RECORD_ZSTANDARD)
		r = expand_zstd(packed, out, size, ret_len);
	else
		r = expand_xz(packed, out, size, ret_len);
	return r < 0 ? error_set(err, -r, "an index cannot be expanded") : 0;
}
