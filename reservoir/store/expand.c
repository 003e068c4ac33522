/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/expand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <lzma.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/macro.h"

#define PIECE ((size_t)64 * 1024)
#define WINDOW_LOG_MAX 26		    /* EXPAND_WINDOW_MAX */
#define XZ_OVERHEAD ((uint64_t)1024 * 1024) /* of a decoder, beside its window */

struct expander {
	int fd;	     /* -1: all bytes are in memory */
	bool end;    /* of the file */
	bool inside; /* a frame of zstd has begun and not ended */
	size_t at, len;
	ssize_t (*next)(struct expander *expander, struct error *err);
	lzma_stream xz;
	ZSTD_DCtx *zstd;
	const unsigned char *in;
	unsigned char buf[PIECE];
	unsigned char out[PIECE];
};

static int fill(struct expander *expander, struct error *err)
{
	ssize_t n = 0;

	if (expander->end || expander->at < expander->len)
		return 0;
	if (expander->fd >= 0) {
		do
			n = read(expander->fd, expander->buf, sizeof(expander->buf));
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return error_set(err, errno, "read: %s", strerror(errno));
		expander->in = expander->buf;
	}
	expander->at = 0;
	expander->len = (size_t)n;
	expander->end = n == 0;
	return 0;
}

static ssize_t next_plain(struct expander *expander, struct error *err)
{
	int r = fill(expander, err);
	size_t n = MIN(expander->len - expander->at, sizeof(expander->out));

	if (r < 0)
		return r;
	if (n > 0)
		memcpy(expander->out, expander->in + expander->at, n);
	expander->at += n;
	return (ssize_t)n;
}

static int refuse_window(const char *format, struct error *err)
{
	return error_set(err, E2BIG,
			 "decompress: it was made with a window of more than %zu MiB of %s",
			 EXPAND_WINDOW_MAX / 1024 / 1024, format);
}

static ssize_t xz_result(lzma_ret r, struct error *err)
{
	switch (r) {
	case LZMA_MEMLIMIT_ERROR:
		return refuse_window("xz", err);
	case LZMA_MEM_ERROR:
		return error_set(err, ENOMEM, "no memory to decompress");
	case LZMA_BUF_ERROR:
		return error_set(err, EBADMSG, "decompress: it is cut off");
	default:
		return error_set(err, EBADMSG, "decompress: it is damaged");
	}
}

static ssize_t next_xz(struct expander *expander, struct error *err)
{
	lzma_stream *xz = &expander->xz;
	lzma_ret r = LZMA_OK;

	xz->next_out = expander->out;
	xz->avail_out = sizeof(expander->out);
	while (r == LZMA_OK && xz->avail_out > 0) {
		int filled = fill(expander, err);

		if (filled < 0)
			return filled;
		xz->next_in = expander->in + expander->at;
		xz->avail_in = expander->len - expander->at;
		r = lzma_code(xz, expander->end ? LZMA_FINISH : LZMA_RUN);
		expander->at = expander->len - xz->avail_in;
	}
	if (r != LZMA_OK && r != LZMA_STREAM_END)
		return xz_result(r, err);
	return (ssize_t)(sizeof(expander->out) - xz->avail_out);
}

static ssize_t zstd_result(size_t r, struct error *err)
{
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return refuse_window("zstd", err);
	case ZSTD_error_memory_allocation:
		return error_set(err, ENOMEM, "no memory to decompress");
	default:
		return error_set(err, EBADMSG, "decompress: %s", ZSTD_getErrorName(r));
	}
}

static ssize_t next_zstd(struct expander *expander, struct error *err)
{
	ZSTD_outBuffer out = { expander->out, sizeof(expander->out), 0 };

	while (out.pos < out.size) {
		ZSTD_inBuffer in;
		size_t before = out.pos, r;
		int filled = fill(expander, err);

		if (filled < 0)
			return filled;
		in = (ZSTD_inBuffer) { expander->in, expander->len, expander->at };
		if (expander->end && !expander->inside)
			break;
		r = ZSTD_decompressStream(expander->zstd, &out, &in);
		if (ZSTD_isError(r))
			return zstd_result(r, err);
		expander->inside = r > 0;
		expander->at = in.pos;
		if (expander->end && out.pos == before)
			return error_set(err, EBADMSG, "decompress: it is cut off");
	}
	return (ssize_t)out.pos;
}

static int begin_xz(struct expander *expander, struct error *err)
{
	lzma_ret r = lzma_auto_decoder(&expander->xz, EXPAND_WINDOW_MAX + XZ_OVERHEAD,
				       LZMA_CONCATENATED);

	if (r != LZMA_OK)
		return error_set(err, ENOMEM, "no memory to decompress");
	expander->next = next_xz;
	return 0;
}

static int begin_zstd(struct expander *expander, struct error *err)
{
	expander->zstd = ZSTD_createDCtx();
	if (!expander->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(
				       expander->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return error_set(err, ENOMEM, "no memory to decompress");
	expander->next = next_zstd;
	return 0;
}

static const struct form {
	unsigned char magic[6];
	size_t len;
	int (*begin)(struct expander *expander, struct error *err);
} forms[] = {
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, begin_xz },
	{ { 0x5d, 0, 0 }, 3, begin_xz }, /* lzma, with the properties that all have */
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, begin_zstd },
};

static int begin(struct expander *expander, struct error *err)
{
	int r = fill(expander, err);

	expander->next = next_plain;
	for (size_t i = 0; r == 0 && expander->in && i < ARRAY_SIZE(forms); i++)
		if (expander->len >= forms[i].len &&
		    memcmp(expander->in, forms[i].magic, forms[i].len) == 0)
			return forms[i].begin(expander, err);
	return r;
}

void expander_free(struct expander *expander)
{
	if (!expander)
		return;
	lzma_end(&expander->xz);
	(void)ZSTD_freeDCtx(expander->zstd);
	free(expander);
}

static int open_source(int fd, const void *data, size_t len, struct expander **ret,
		       struct error *err)
{
	_cleanup_(expander_freep) struct expander *expander = calloc(1, sizeof(*expander));
	int r;

	if (!expander)
		return error_set(err, ENOMEM, "no memory to decompress");
	expander->fd = fd;
	expander->in = data;
	expander->len = len;
	r = begin(expander, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(expander);
	return 0;
}

int expander_new(int fd, struct expander **ret, struct error *err)
{
	return open_source(fd, NULL, 0, ret, err);
}

int expander_new_memory(const void *data, size_t len, struct expander **ret, struct error *err)
{
	return open_source(-1, data, len, ret, err);
}

ssize_t expander_read(struct expander *expander, const void **ret, struct error *err)
{
	*ret = expander->out;
	return expander->next(expander, err);
}

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **ret)
{
	struct error err = { 0 };
	ssize_t n = expander_read(ctx, ret, &err);

	if (n < 0)
		archive_set_error(archive, (int)-n, "%s", err.msg);
	return n;
}

int expander_open_archive(struct expander *expander, struct archive *archive)
{
	return archive_read_open(archive, expander, NULL, on_read, NULL);
}
