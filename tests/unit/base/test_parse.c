/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define UNTOUCHED 4242

static void reads_u64(void **state)
{
	static const struct {
		const char *text;
		unsigned int base;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "007", 10, 0, 7 },
		{ "18446744073709551615", 10, 0, UINT64_MAX },
		{ "18446744073709551616", 10, -ERANGE, UNTOUCHED },
		{ "99999999999999999999999", 10, -ERANGE, UNTOUCHED },
		{ "", 10, -EINVAL, UNTOUCHED },
		{ " 1", 10, -EINVAL, UNTOUCHED },
		{ "1 ", 10, -EINVAL, UNTOUCHED },
		{ "1\n", 10, -EINVAL, UNTOUCHED },
		{ "+1", 10, -EINVAL, UNTOUCHED },
		{ "-1", 10, -EINVAL, UNTOUCHED },
		{ "1a", 10, -EINVAL, UNTOUCHED },
		{ "0x1", 10, -EINVAL, UNTOUCHED },
		{ "0x1eD2", 16, 0, 0x1ed2 },
		{ "0X1ed2", 16, 0, 0x1ed2 },
		{ "1ed2", 16, 0, 0x1ed2 },
		{ "ffffffffffffffff", 16, 0, UINT64_MAX },
		{ "10000000000000000", 16, -ERANGE, UNTOUCHED },
		{ "0x", 16, -EINVAL, UNTOUCHED },
		{ "0x0x1", 16, -EINVAL, UNTOUCHED },
		{ "fg", 16, -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(parse_u64(cases[i].text, cases[i].base, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void reads_u32(void **state)
{
	static const struct {
		const char *text;
		uint32_t max;
		int r;
		uint32_t value;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "1", 0, -ERANGE, UNTOUCHED },
		{ "100", 100, 0, 100 },
		{ "101", 100, -ERANGE, UNTOUCHED },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", UINT32_MAX, -ERANGE, UNTOUCHED },
		{ "ten", 100, -EINVAL, UNTOUCHED },
		{ "", 100, -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t value = UNTOUCHED;

		assert_int_equal(parse_u32(cases[i].text, cases[i].max, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void reads_i32(void **state)
{
	static const struct {
		const char *text;
		int r;
		int32_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-1", 0, -1 },
		{ "2147483647", 0, INT32_MAX },
		{ "2147483648", -ERANGE, UNTOUCHED },
		{ "-2147483648", 0, INT32_MIN },
		{ "-2147483649", -ERANGE, UNTOUCHED },
		{ "-", -EINVAL, UNTOUCHED },
		{ "--1", -EINVAL, UNTOUCHED },
		{ "+1", -EINVAL, UNTOUCHED },
		{ "- 1", -EINVAL, UNTOUCHED },
		{ "1.5", -EINVAL, UNTOUCHED },
		{ "", -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int32_t value = UNTOUCHED;

		assert_int_equal(parse_i32(cases[i].text, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint32_t ms;
	} cases[] = {
		{ "0s", 0, 0 },
		{ "500ms", 0, 500 },
		{ "5s", 0, 5000 },
		{ "10m", 0, 600000 },
		{ "168h", 0, 604800000 },
		{ "4294967295ms", 0, UINT32_MAX },
		{ "4294967296ms", -ERANGE, UNTOUCHED },
		{ "1193h", 0, 4294800000 },
		{ "1194h", -ERANGE, UNTOUCHED },
		{ "18446744073709551616ms", -ERANGE, UNTOUCHED },
		{ "5", -EINVAL, UNTOUCHED },
		{ "s", -EINVAL, UNTOUCHED },
		{ "", -EINVAL, UNTOUCHED },
		{ "5 s", -EINVAL, UNTOUCHED },
		{ "5S", -EINVAL, UNTOUCHED },
		{ "1m30s", -EINVAL, UNTOUCHED },
		{ "1.5s", -EINVAL, UNTOUCHED },
		{ "-5s", -EINVAL, UNTOUCHED },
		{ "5d", -EINVAL, UNTOUCHED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t ms = UNTOUCHED;

		assert_int_equal(parse_duration_ms(cases[i].text, &ms), cases[i].r);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void copies_what_fits(void **state)
{
	static const struct {
		const char *src;
		size_t size;
		int r;
		const char *expected;
	} cases[] = {
		{ "", 1, 0, "" },
		{ "abc", 4, 0, "abc" },
		{ "abc", 3, -ENAMETOOLONG, "" },
		{ "a", 1, -ENAMETOOLONG, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char dst[8] = "before!";

		assert_int_equal(str_copy(dst, cases[i].size, cases[i].src), cases[i].r);
		assert_string_equal(dst, cases[i].expected);
		assert_int_equal(dst[cases[i].size], "before!"[cases[i].size]);
	}
}

static void trims_both_ends(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "", "" },
		{ "a", "a" },
		{ " \t\r\n\v\f", "" },
		{ "  FuriosaAI\n", "FuriosaAI" },
		{ "one two\n\n", "one two" },
		{ "\n1\n2\n", "1\n2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[32];

		assert_int_equal(str_copy(text, sizeof(text), cases[i].text), 0);
		assert_int_equal(str_trim(text), strlen(cases[i].expected));
		assert_string_equal(text, cases[i].expected);
	}
}

static void knows_printable_text(void **state)
{
	static const struct {
		const char *text;
		bool printable;
	} cases[] = {
		{ "", true },	   { "a b~", true },  { "a\n", false },		{ "\t", false },
		{ "\x7f", false }, { "\x1f", false }, { "caf\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(str_is_printable(cases[i].text), cases[i].printable);
}

static void finds_prefixes(void **state)
{
	static const struct {
		const char *text;
		const char *prefix;
		const char *rest;
	} cases[] = {
		{ "rngd!npu0", "rngd!", "npu0" }, { "npu", "npu", "" },	   { "npu", "", "npu" },
		{ "npu", "npu0", NULL },	  { "xnpu", "npu", NULL }, { "", "npu", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *rest = str_starts_with(cases[i].text, cases[i].prefix);

		if (cases[i].rest)
			assert_string_equal(rest, cases[i].rest);
		else
			assert_null(rest);
	}
}

static void lowers_letters_of_ascii_only(_unused_ void **state)
{
	assert_int_equal(char_lower('A'), 'a');
	assert_int_equal(char_lower('Z'), 'z');
	assert_int_equal(char_lower('a'), 'a');
	assert_int_equal(char_lower('@'), '@');
	assert_int_equal(char_lower('['), '[');
	assert_int_equal(char_lower((char)0xc4), (char)0xc4);
}

static void knows_digits_and_space(_unused_ void **state)
{
	assert_int_equal(char_digit('0'), 0);
	assert_int_equal(char_digit('f'), 15);
	assert_int_equal(char_digit('F'), 15);
	assert_int_equal(char_digit('g'), -1);
	assert_int_equal(char_digit('\0'), -1);
	assert_true(char_is_space(' ') && char_is_space('\t') && char_is_space('\r'));
	assert_false(char_is_space('\0') || char_is_space('a') || char_is_space((char)0xa0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_u64),
		cmocka_unit_test(reads_u32),
		cmocka_unit_test(reads_i32),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(copies_what_fits),
		cmocka_unit_test(trims_both_ends),
		cmocka_unit_test(knows_printable_text),
		cmocka_unit_test(finds_prefixes),
		cmocka_unit_test(lowers_letters_of_ascii_only),
		cmocka_unit_test(knows_digits_and_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
