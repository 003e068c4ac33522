/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lzma.h>
#include <zstd.h>

#include "base/strbuf.h"
#include "reservoir/store/expand.h"

#define RAW ((size_t)300000)
#define PACKED ((size_t)400000)

static unsigned char raw[RAW];

/* Each packs raw into PACKED bytes with a window, and returns the length. */
static size_t pack_xz(unsigned char *ret, uint32_t window)
{
	lzma_options_lzma options;
	const lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options },
					{ LZMA_VLI_UNKNOWN, NULL } };
	size_t len = 0;

	assert_false(lzma_lzma_preset(&options, 0));
	options.dict_size = window;
	assert_int_equal(lzma_stream_buffer_encode((lzma_filter *)(uintptr_t)filters,
						   LZMA_CHECK_CRC32, NULL, raw, RAW, ret, &len,
						   PACKED),
			 LZMA_OK);
	return len;
}

static size_t pack_zstd(unsigned char *ret, uint32_t window)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	ZSTD_outBuffer out = { ret, PACKED, 0 };
	ZSTD_inBuffer in = { raw, RAW, 0 };

	/* Without the size, which would make the window smaller. */
	assert_non_null(cctx);
	assert_int_equal(
		ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, __builtin_ctz(window))),
		0);
	assert_int_equal(ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_continue) > RAW, 0);
	assert_int_equal(ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_end), 0);
	(void)ZSTD_freeCCtx(cctx);
	return out.pos;
}

static size_t pack_none(unsigned char *ret, uint32_t window)
{
	(void)window;
	memcpy(ret, raw, RAW);
	return RAW;
}

typedef size_t (*pack_fn)(unsigned char *ret, uint32_t window);

static int read_all(struct expander *expander, struct strbuf *out, struct error *err)
{
	for (;;) {
		const void *data;
		ssize_t n = expander_read(expander, &data, err);

		if (n <= 0)
			return (int)n;
		strbuf_add(out, data, (size_t)n);
	}
}

static int expand_memory(const void *data, size_t len, struct strbuf *out, struct error *err)
{
	_cleanup_(expander_freep) struct expander *expander = NULL;

	strbuf_clear(out);
	assert_int_equal(expander_new_memory(data, len, &expander, err), 0);
	return read_all(expander, out, err);
}

static int expand_file(const void *data, size_t len, struct strbuf *out, struct error *err)
{
	_cleanup_(expander_freep) struct expander *expander = NULL;
	_cleanup_close_ int fd = memfd_create("packed", MFD_CLOEXEC);

	strbuf_clear(out);
	assert_int_equal(pwrite(fd, data, len, 0), (ssize_t)len);
	assert_int_equal(expander_new(fd, &expander, err), 0);
	return read_all(expander, out, err);
}

static const struct form {
	pack_fn pack;
	uint32_t window;
	int r;
	const char *error;
} forms[] = {
	{ pack_none, 0, 0, NULL },
	{ pack_xz, 1u << 20, 0, NULL },
	{ pack_xz, 64u << 20, 0, NULL },
	{ pack_xz, 96u << 20, -E2BIG, "more than 64 MiB of xz" },
	{ pack_xz, 1u << 30, -E2BIG, "more than 64 MiB of xz" },
	{ pack_zstd, 1u << 20, 0, NULL },
	{ pack_zstd, 64u << 20, 0, NULL },
	{ pack_zstd, 128u << 20, -E2BIG, "more than 64 MiB of zstd" },
};

static void reads_what_its_window_allows(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4 * RAW);
	unsigned char *packed = malloc(2 * PACKED);

	assert_non_null(packed);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t len = forms[i].pack(packed, forms[i].window);
		struct error err = { 0 };

		assert_int_equal(expand_file(packed, len, &out, &err), forms[i].r);
		assert_int_equal(expand_memory(packed, len, &out, &err), forms[i].r);
		if (forms[i].r < 0) {
			assert_non_null(strstr(err.msg, forms[i].error));
			continue;
		}
		assert_int_equal(out.len, RAW);
		assert_memory_equal(out.data, raw, RAW);
		/* What follows is read as well: archives are made in parts. */
		memcpy(packed + len, packed, len);
		assert_int_equal(expand_file(packed, 2 * len, &out, &err), 0);
		assert_int_equal(out.len, 2 * RAW);
	}
	free(packed);
}

static void tells_what_is_damaged_or_cut_off(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4 * RAW);
	unsigned char *packed = malloc(PACKED);

	assert_non_null(packed);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t len = forms[i].pack(packed, forms[i].window);

		if (forms[i].r < 0 || forms[i].pack == pack_none)
			continue;
		assert_int_equal(expand_file(packed, len - 10, &out, NULL), -EBADMSG);
		assert_int_equal(expand_memory(packed, len / 2, &out, NULL), -EBADMSG);
		packed[len / 2] ^= 0x55;
		packed[len / 2 + 1] ^= 0x55;
		(void)expand_file(packed, len, &out, NULL);
		memset(packed + 6, 0xff, 8);
		assert_int_equal(expand_file(packed, len, &out, NULL), -EBADMSG);
	}
	free(packed);
}

static void empty_files_are_empty(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(RAW);

	assert_int_equal(expand_file("", 0, &out, NULL), 0);
	assert_int_equal(expand_memory("", 0, &out, NULL), 0);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_its_window_allows),
		cmocka_unit_test(tells_what_is_damaged_or_cut_off),
		cmocka_unit_test(empty_files_are_empty),
	};
	uint32_t word = 1;

	for (size_t i = 0; i < RAW; i++) {
		word = word * 1664525u + 1013904223u;
		raw[i] = (unsigned char)("abcdefgh"[word >> 29]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
