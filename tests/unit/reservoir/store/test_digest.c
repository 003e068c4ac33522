/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of "abc", as FIPS 180-4 and RFC 1321 have them. */
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "reservoir/store/digest.h"

static const struct {
	const char *kind, *expected;
} kinds[] = {
	{ "md5", "900150983cd24fb0d6963f7d28e17f72" },
	{ "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void test_kinds(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(hasher_freep) struct hasher *hasher = NULL;
		char text[HASH_TEXT_SIZE];

		assert_int_equal(hasher_new_of(kinds[i].kind, &hasher, NULL), 0);
		for (int pass = 0; pass < 2; pass++) { /* it begins anew */
			hasher_add(hasher, "a", 1);
			hasher_add(hasher, "bc", 2);
			assert_string_equal(hasher_end_text(hasher, text), kinds[i].expected);
		}
	}
}

static void test_a_kind_that_is_not_there(void **state _unused_)
{
	struct hasher *hasher = NULL;
	struct error err = { 0 };

	assert_int_equal(hasher_new_of("sha-of-nobody", &hasher, &err), -ENOTSUP);
	assert_null(hasher);
	assert_string_not_equal(err.msg, "");
}

static void test_files(void **state _unused_)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	char path[] = "/tmp/reservoir-digest-XXXXXX", text[HASH_TEXT_SIZE];
	int fd = mkstemp(path);
	uint64_t size;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(hasher_new_of("md5", &hasher, NULL), 0);
	assert_int_equal(hasher_add_file(hasher, fd, UINT64_MAX, &size), 0);
	assert_int_equal(size, 3);
	assert_string_equal(hasher_end_text(hasher, text), kinds[0].expected);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_a_kind_that_is_not_there),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
