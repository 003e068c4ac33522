/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/strbuf.h"

static bool out_of_memory;

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_realloc(void *p, size_t size)
{
	return out_of_memory ? NULL : __real_realloc(p, size);
}

static int restore_memory(void **state)
{
	(void)state;
	out_of_memory = false;
	return 0;
}

static void is_empty_at_first(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(10);

	(void)state;
	assert_string_equal(strbuf_str(&sb), "");
	assert_int_equal(strbuf_error(&sb), 0);
	strbuf_clear(&sb);
	assert_string_equal(strbuf_str(&sb), "");
}

static void appends_in_order(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(100);

	(void)state;
	strbuf_puts(&sb, "one");
	strbuf_add(&sb, " two and more", 4);
	strbuf_printf(&sb, " %d%s", 3, "!");
	strbuf_add(&sb, NULL, 0);
	assert_string_equal(strbuf_str(&sb), "one two 3!");
	assert_int_equal(sb.len, 10);
	assert_int_equal(strbuf_error(&sb), 0);
}

static void keeps_nul_bytes(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(100);

	(void)state;
	strbuf_add(&sb, "a\0b", 3);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.data, "a\0b", 4);
}

static void grows_to_any_size_below_the_maximum(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(100000);

	(void)state;
	for (int i = 0; i < 10000; i++)
		strbuf_printf(&sb, "%010d", i);
	assert_int_equal(strbuf_error(&sb), 0);
	assert_int_equal(sb.len, 100000);
	assert_string_equal(strbuf_str(&sb) + 99990, "0000009999");
}

static void the_maximum_counts_to_the_byte(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *expected;
	} cases[] = {
		{ "12345", 0, "12345" },
		{ "123456", -E2BIG, "" },
		{ "", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf added = STRBUF_INIT(5);
		_cleanup_strbuf_ struct strbuf printed = STRBUF_INIT(5);

		strbuf_puts(&added, cases[i].text);
		strbuf_printf(&printed, "%s", cases[i].text);
		assert_int_equal(strbuf_error(&added), cases[i].error);
		assert_int_equal(strbuf_error(&printed), cases[i].error);
		assert_string_equal(strbuf_str(&added), cases[i].expected);
		assert_string_equal(strbuf_str(&printed), cases[i].expected);
	}
}

/* Where there is room for text already, but for less than is printed or allowed. */
static void prints_behind_what_is_there(void **state)
{
	static const struct {
		size_t max;
		int width; /* of a number behind "12" */
		int error;
	} cases[] = {
		{ 5, 3, 0 },	{ 5, 4, -E2BIG }, { 200, 61, 0 },
		{ 200, 62, 0 }, { 200, 198, 0 },  { 200, 199, -E2BIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(cases[i].max);
		size_t len = 2 + (cases[i].error == 0 ? (size_t)cases[i].width : 0);

		strbuf_puts(&sb, "12");
		strbuf_printf(&sb, "%0*d", cases[i].width, 7);
		assert_int_equal(strbuf_error(&sb), cases[i].error);
		assert_int_equal(sb.len, len);
		assert_int_equal(strlen(strbuf_str(&sb)), len);
		assert_int_equal(strbuf_str(&sb)[len - 1], cases[i].error == 0 ? '7' : '2');
		strbuf_printf(&sb, "%s", "");
		assert_int_equal(sb.len, len);
	}
}

static void the_first_failure_sticks(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(5);

	(void)state;
	strbuf_puts(&sb, "123");
	strbuf_puts(&sb, "too long");
	strbuf_puts(&sb, "4");
	assert_int_equal(strbuf_error(&sb), -E2BIG);
	assert_string_equal(strbuf_str(&sb), "123");
	strbuf_clear(&sb);
	assert_int_equal(strbuf_error(&sb), 0);
	strbuf_puts(&sb, "45678");
	assert_string_equal(strbuf_str(&sb), "45678");
}

static void reports_missing_memory(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(100);

	(void)state;
	strbuf_puts(&sb, "kept");
	out_of_memory = true;
	strbuf_printf(&sb, "%080d", 1);
	out_of_memory = false;
	assert_int_equal(strbuf_error(&sb), -ENOMEM);
	assert_string_equal(strbuf_str(&sb), "kept");
}

static void may_be_used_after_done(void **state)
{
	struct strbuf sb = STRBUF_INIT(3);

	(void)state;
	strbuf_puts(&sb, "abc");
	errno = EXDEV;
	strbuf_done(&sb);
	assert_int_equal(errno, EXDEV);
	strbuf_done(&sb);
	strbuf_puts(&sb, "abcd");
	assert_int_equal(strbuf_error(&sb), -E2BIG);
	strbuf_done(&sb);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(appends_in_order),
		cmocka_unit_test(keeps_nul_bytes),
		cmocka_unit_test(grows_to_any_size_below_the_maximum),
		cmocka_unit_test(the_maximum_counts_to_the_byte),
		cmocka_unit_test(prints_behind_what_is_there),
		cmocka_unit_test(the_first_failure_sticks),
		cmocka_unit_test_teardown(reports_missing_memory, restore_memory),
		cmocka_unit_test(may_be_used_after_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
