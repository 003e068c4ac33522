/* SPDX-License-Identifier: Apache-2.0 */
/* How pages and indexes were compressed is found again. */
#include "reservoir/bundle/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reservoir/pypi/page.h"
#include "tests/test.h"
#include "tests/unit/reservoir/bundle/carry.h"

#define GZIP_TRAILER 8

/* A page as that of an index: lines with hashes in them. */
static void make_page(size_t size, struct strbuf *page)
{
	for (unsigned int i = 0; page->len < size; i++)
		strbuf_printf(page, "{\"filename\":\"a-1.%u.whl\",\"sha256\":\"%08x%08x\"},\n", i,
			      i * 2654435761u, i * 2246822519u);
	page->len = size;
}

static int make_file(const struct strbuf *bytes)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes->data, bytes->len), (ssize_t)bytes->len);
	return fd;
}

static int find(struct recipes *recipes, const struct strbuf *page, const struct strbuf *packed,
		struct recipe *ret)
{
	_cleanup_close_ int plain = make_file(page), made = make_file(packed);
	struct error err = { 0 };
	int r = recipe_find(recipes, plain, made, packed->len, ret, &err);

	assert_true(r >= 0);
	return r;
}

/* What the recipe makes is what it was found for. */
static void check(const struct strbuf *page, const struct strbuf *packed)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(CARRY_PACKED_MAX);
	struct recipes recipes = { 0 };
	struct recipe recipe;

	assert_int_equal(find(&recipes, page, packed, &recipe), 1);
	strbuf_add(&again, recipe.frame, recipe.n_before);
	assert_int_equal(
		carry_compress(recipe.algorithm, recipe.level, page->data, page->len, &again), 0);
	strbuf_add(&again, recipe.frame + recipe.n_before, recipe.n_frame - recipe.n_before);
	assert_int_equal(again.len, packed->len);
	assert_memory_equal(again.data, packed->data, again.len);
}

static void test_pages(void **state)
{
	static const size_t sizes[] = { 300, 5000, 70000, 400000, 3000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (enum encoding encoding = ENCODING_GZIP; encoding <= ENCODING_ZSTD;
		     encoding++) {
			_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(4000000);
			_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(4000000);
			struct error err = { 0 };

			make_page(sizes[i], &page);
			assert_int_equal(pypi_page_compress((const unsigned char *)page.data,
							    page.len, encoding, &packed, &err),
					 0);
			check(&page, &packed);
		}
}

static const struct {
	enum record_algorithm algorithm;
	unsigned int level;
	size_t size;
} forms[] = {
	{ RECORD_GZIP, 9, 50000 },	 { RECORD_GZIP, 1, 50000 },
	{ RECORD_ZSTANDARD, 19, 50000 }, { RECORD_XZ, 6, 50000 },
	{ RECORD_XZ, 16, 50000 },	 { RECORD_XZ_BLOCKS, 6, 50000 },
	{ RECORD_XZ_BLOCKS, 16, 50000 }, { RECORD_XZ_BLOCKS, 16, 900000 },
	{ RECORD_DEFLATE, 6, 300000 },	 { RECORD_DEFLATE, 9, 300000 },
	{ RECORD_DEFLATE, 1, 300000 },	 { RECORD_DEFLATE, 16, 3000000 },
	{ RECORD_DEFLATE, 19, 3000000 },
};

static void test_levels(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(4000000);
		_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(CARRY_PACKED_MAX);

		make_page(forms[i].size, &page);
		assert_int_equal(carry_archive(forms[i].algorithm, forms[i].level, page.data,
					       page.len, &packed),
				 0);
		check(&page, &packed);
	}
}

/* Bytes around what was compressed: another header, and an empty file behind it. */
static void test_frames(void **state)
{
	static const char name[] = "\x1f\x8b\x08\x08\1\2\3\4\2\xffPackages";
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(1000000);
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(1000000);
	_cleanup_strbuf_ struct strbuf framed = STRBUF_INIT(1000000);
	struct recipes recipes = { 0 };
	struct recipe recipe;

	(void)state;
	make_page(50000, &page);
	assert_int_equal(carry_compress(RECORD_GZIP, 9, page.data, page.len, &packed), 0);
	strbuf_add(&framed, name, sizeof(name));
	strbuf_add(&framed, packed.data + 10, packed.len - 10);
	strbuf_add(&framed, "behind", 6);
	assert_int_equal(find(&recipes, &page, &framed, &recipe), 1);
	assert_int_equal(recipe.n_before, sizeof(name));
	assert_int_equal(recipe.n_frame, sizeof(name) + GZIP_TRAILER + 6);
	assert_memory_equal(recipe.frame, name, sizeof(name));
	assert_memory_equal(recipe.frame + sizeof(name) + GZIP_TRAILER, "behind", 6);
	/* More than a frame may be is another file. */
	for (int i = 0; i < 50; i++)
		strbuf_add(&framed, "behind", 6);
	assert_int_equal(find(&recipes, &page, &framed, &recipe), 0);
	/* As is one that ends too early, or before it began. */
	framed.len = 400;
	assert_int_equal(find(&recipes, &page, &framed, &recipe), 0);
	framed.len = 12;
	assert_int_equal(find(&recipes, &page, &framed, &recipe), 0);
}

static void test_levels_that_take_much_memory(void **state)
{
	static const unsigned int levels[] = { 7, 9, 17, 19, 10, 99 };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		assert_int_equal(carry_compress(RECORD_XZ, levels[i], "a", 1, &out), -EBADMSG);
		assert_int_equal(carry_compress(RECORD_XZ_BLOCKS, levels[i], "a", 1, &out),
				 -EBADMSG);
	}
}

static void test_levels_that_are_none(void **state)
{
	static const unsigned int levels[] = { 10, 20, 22 };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		assert_int_equal(carry_compress(RECORD_DEFLATE, levels[i], "a", 1, &out), -EBADMSG);
		assert_int_equal(carry_compress(RECORD_GZIP, levels[i], "a", 1, &out), -EBADMSG);
		/* Of zstd they would take more memory than a site may use. */
		assert_int_equal(
			carry_compress(RECORD_ZSTANDARD, MAX(levels[i], 20u), "a", 1, &out),
			-EBADMSG);
	}
}

/* After several that cannot be found, nothing more is tried. */
static void test_gives_up(void **state)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(10000);
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(10000);
	struct recipes recipes = { 0 };
	struct recipe recipe;

	(void)state;
	make_page(1000, &page);
	assert_int_equal(carry_compress(RECORD_GZIP, 6, page.data, page.len, &packed), 0);
	assert_int_equal(find(&recipes, &page, &packed, &recipe), 1);
	packed.data[20] ^= 1;
	for (int i = 0; i < 20; i++)
		assert_int_equal(find(&recipes, &page, &packed, &recipe), 0);
	packed.data[20] ^= 1;
	assert_int_equal(find(&recipes, &page, &packed, &recipe), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_levels_that_take_much_memory),
		cmocka_unit_test(test_levels_that_are_none),
		cmocka_unit_test(test_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
