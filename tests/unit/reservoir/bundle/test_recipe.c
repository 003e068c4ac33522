/* SPDX-License-Identifier: Apache-2.0 */
/* How pages and indexes were compressed is found again. */
#include "reservoir/bundle/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/pypi/page.h"
#include "tests/test.h"

/* A page as that of an index: lines with hashes in them. */
static struct bytes make_page(size_t size)
{
	char *text = malloc(size + 128);
	size_t at = 0;

	assert_non_null(text);
	for (unsigned int i = 0; at < size; i++)
		at += (size_t)snprintf(text + at, 128,
				       "{\"filename\":\"a-1.%u.whl\",\"sha256\":\"%08x%08x\"},\n",
				       i, i * 2654435761u, i * 2246822519u);
	return (struct bytes) { (const unsigned char *)text, size };
}

static void check(struct packer *packer, struct bytes page, enum record_algorithm algorithm,
		  const void *packed, size_t len)
{
	struct recipes recipes = { 0 };
	struct digest digest = digest_of(packed, len);
	_cleanup_free_ unsigned char *out = malloc(page.len + 1);
	struct bytes bytes = { packed, len }, again;
	struct recipe recipe;
	struct error err = { 0 };
	size_t n;

	assert_non_null(out);
	assert_int_equal(recipe_algorithm(bytes), algorithm);
	assert_int_equal(
		recipe_find(&recipes, packer, algorithm, page, len, &digest, &recipe, &err), 1);
	assert_int_equal(rebuild(packer, recipe.algorithm, recipe.level, page, &again, &err), 0);
	assert_int_equal(again.len, len);
	assert_memory_equal(again.data, packed, len);
	assert_int_equal(expand(algorithm, bytes, out, page.len, &n, &err), 0);
	assert_int_equal(n, page.len);
	assert_memory_equal(out, page.data, n);
	/* It does not overflow what is too small. */
	assert_true(expand(algorithm, bytes, out, page.len - 1, &n, &err) < 0);
	assert_true(expand(algorithm, (struct bytes) { packed, len - 1 }, out, page.len, &n, &err) <
		    0);
}

static void test_pages(void **state)
{
	static const size_t sizes[] = { 300, 5000, 70000, 400000, 3000000 };
	_cleanup_(packer_freep) struct packer *packer = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(packer_new(1, &packer, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (enum encoding encoding = ENCODING_GZIP; encoding <= ENCODING_ZSTD;
		     encoding++) {
			_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(4000000);
			struct bytes page = make_page(sizes[i]);

			assert_int_equal(
				pypi_page_compress(page.data, page.len, encoding, &packed, &err),
				0);
			check(packer, page,
			      encoding == ENCODING_GZIP ? RECORD_GZIP : RECORD_ZSTANDARD,
			      packed.data, packed.len);
			free((void *)(uintptr_t)page.data);
		}
}

static void test_levels(void **state)
{
	static const struct recipe rows[] = {
		{ RECORD_GZIP, 9 }, { RECORD_ZSTANDARD, 19 }, { RECORD_XZ, 6 },
		{ RECORD_XZ, 16 },  { RECORD_XZ_BLOCKS, 6 },  { RECORD_XZ_BLOCKS, 16 },
	};
	_cleanup_(packer_freep) struct packer *packer = NULL;
	struct bytes page = make_page(50000), packed;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(packer_new(1, &packer, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ unsigned char *copy = NULL;
		size_t len;

		assert_int_equal(
			rebuild(packer, rows[i].algorithm, rows[i].level, page, &packed, &err), 0);
		len = packed.len;
		copy = malloc(len);
		assert_non_null(copy);
		memcpy(copy, packed.data, len);
		check(packer, page, rows[i].algorithm, copy, len);
	}
	free((void *)(uintptr_t)page.data);
}

static void test_levels_that_take_much_memory(void **state)
{
	static const unsigned int levels[] = { 7, 9, 17, 19, 10, 99 };
	_cleanup_(packer_freep) struct packer *packer = NULL;
	struct bytes page = make_page(100), packed;

	(void)state;
	assert_int_equal(packer_new(1, &packer, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		struct error err = { 0 };

		assert_int_equal(rebuild(packer, RECORD_XZ, levels[i], page, &packed, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.msg, "memory"));
		assert_int_equal(rebuild(packer, RECORD_XZ_BLOCKS, levels[i], page, &packed, NULL),
				 -EBADMSG);
	}
	free((void *)(uintptr_t)page.data);
}

/* After several that cannot be found, nothing more is tried. */
static void test_gives_up(void **state)
{
	_cleanup_(packer_freep) struct packer *packer = NULL;
	struct bytes page = make_page(1000), packed;
	struct recipes recipes = { 0 };
	struct recipe recipe;
	struct digest digest = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(packer_new(1, &packer, &err), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(recipe_find(&recipes, packer, RECORD_GZIP, page, 100, &digest,
					     &recipe, &err),
				 0);
	assert_int_equal(rebuild(packer, RECORD_GZIP, 6, page, &packed, &err), 0);
	digest = digest_of(packed.data, packed.len);
	assert_int_equal(recipe_find(&recipes, packer, RECORD_GZIP, page, packed.len, &digest,
				     &recipe, &err),
			 0);
	free((void *)(uintptr_t)page.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_levels_that_take_much_memory),
		cmocka_unit_test(test_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
