/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/pack.h"

#include <errno.h>
#include <stdlib.h>

#include <zstd.h>

#include "base/macro.h"

#define WINDOW_LOG 25	     /* 32 MiB: the bytes of a record and the window of its base */
#define LEVEL_OF_LONG_BASE 9 /* above, zstd takes minutes for what it gains little by */
#define LONG_BASE ((size_t)1024 * 1024)
#define CHAIN_LOG_MAX 22 /* what high levels would take is bounded: 16 MiB */

struct packer {
	int level;
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	unsigned char *packed; /* RECORD_PAYLOAD_MAX */
	unsigned char *raw;    /* RECORD_PACKED_MAX */
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

void packer_rest(struct packer *packer)
{
	(void)ZSTD_freeCCtx(packer->cctx);
	(void)ZSTD_freeDCtx(packer->dctx);
	packer->cctx = NULL;
	packer->dctx = NULL;
	free(TAKE_PTR(packer->packed));
	free(TAKE_PTR(packer->raw));
}

void packer_free(struct packer *packer)
{
	if (!packer)
		return;
	packer_rest(packer);
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
	int level = base.len > LONG_BASE ? MIN(packer->level, LEVEL_OF_LONG_BASE) : packer->level;
	size_t r = ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters);

	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(r) && level > 12)
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
