/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/text.h"

static void escapes(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "", "" },
		{ "GPU-1 ~", "GPU-1 ~" },
		{ "a\033[31mb", "a\\x1b[31mb" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "a\\x0a", "a\\\\x0a" },
		{ "\x7f\x80\xff", "\\x7f\\x80\\xff" },
		{ "\xc3\xa4", "\\xc3\\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(256);

		text_escape(&out, cases[i].text);
		assert_string_equal(strbuf_str(&out), cases[i].expected);
	}
}

static void writes_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *expected;
	} cases[] = {
		{ 0, "" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ UINT64_C(48) << 30, "48 GiB" },
		{ (UINT64_C(141) << 30) + (UINT64_C(500) << 20), "141 GiB" },
		{ (UINT64_C(11) << 30) + (UINT64_C(717) << 20), "11.7 GiB" },
		{ UINT64_MAX, "16 EiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_bytes(cases[i].bytes).text, cases[i].expected);
}

static void draws_bars(void **state)
{
	static const struct {
		struct text_bar bar;
		const char *expected;
	} cases[] = {
		{ { 0, 0, 0, 0 }, "[]" },
		{ { 1, 0, 0, 0 }, "[#]" },
		{ { 2, 3, 1, 1 }, "[##...x-]" },
		{ { 16, 0, 0, 0 }, "[################]" },
		{ { 16, 16, 0, 0 }, "[########........]" },
		{ { 1, 9999, 0, 0 }, "[#...............]" },
		{ { 9999, 1, 0, 0 }, "[###############.]" },
		{ { 9997, 1, 1, 1 }, "[#############.x-]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(64);

		text_bar(&cases[i].bar, &out);
		assert_string_equal(strbuf_str(&out), cases[i].expected);
	}
}

static void writes_plurals(void **state)
{
	(void)state;
	assert_string_equal(text_plural(0), "s");
	assert_string_equal(text_plural(1), "");
	assert_string_equal(text_plural(2), "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(writes_bytes),
		cmocka_unit_test(draws_bars),
		cmocka_unit_test(writes_plurals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
