/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/escape.h"

#include <errno.h>

#include "tests/test.h"

#define VALUE_MAX 16

static void test_decode(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "", "", 0 },
		{ "RNGD", "RNGD", 4 },
		{ "1\\n", "1\n", 2 },
		{ "\\t\\\\n", "\t\\n", 3 },
		{ "\\x00\\xfF", "\0\xff", 2 },
		{ "a\\x41b", "aAb", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(VALUE_MAX);

		assert_int_equal(escape_decode(cases[i].text, &sb, NULL), 0);
		assert_int_equal(sb.len, cases[i].len);
		assert_memory_equal(strbuf_str(&sb), cases[i].bytes, cases[i].len);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "\\", -EINVAL },	   { "1\\", -EINVAL },
		{ "\\q", -EINVAL },	   { "\\x", -EINVAL },
		{ "\\x4", -EINVAL },	   { "\\xg0", -EINVAL },
		{ "\\x0x", -EINVAL },	   { "\\x-1", -EINVAL },
		{ "0123456789abcdef", 0 }, { "0123456789abcdefg", -E2BIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(VALUE_MAX);
		struct error err = { 0 };

		assert_int_equal(escape_decode(cases[i].text, &sb, &err), cases[i].r);
		assert_int_equal(err.code, -cases[i].r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
