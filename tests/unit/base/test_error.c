/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void sets_code_and_text(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, EIO, "attribute '%s' is empty", "busname"), -EIO);
	assert_int_equal(err.code, EIO);
	assert_string_equal(err.msg, "attribute 'busname' is empty");
}

static void works_without_an_error(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, ENOENT, "nobody reads %d", 1), -ENOENT);
	assert_int_equal(error_wrap(NULL, -EACCES, "nobody reads %d", 2), -EACCES);
	assert_string_equal(error_text(NULL, -ENOENT), strerror(ENOENT));
}

static void wraps_from_the_outside_in(void **state)
{
	struct error err = { 0 };

	(void)state;
	(void)error_set(&err, EIO, "inner");
	assert_int_equal(error_wrap(&err, -EIO, "middle %d", 2), -EIO);
	assert_int_equal(error_wrap(&err, -EIO, "outer"), -EIO);
	assert_int_equal(err.code, EIO);
	assert_string_equal(err.msg, "outer: middle 2: inner");
}

static void wraps_an_errno_without_text(void **state)
{
	struct error err = { 0 };
	char expected[ERROR_TEXT_MAX];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "scan '/': %s", strerror(EACCES));
	assert_int_equal(error_wrap(&err, -EACCES, "scan '%s'", "/"), -EACCES);
	assert_int_equal(err.code, EACCES);
	assert_string_equal(err.msg, expected);
}

/* A failure is negative even when errno was lost on the way. */
static void a_failure_is_never_zero(void **state)
{
	static const int codes[] = { 0, -EIO };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct error set = { 0 };
		struct error wrapped = { 0 };

		assert_int_equal(error_set(&set, codes[i], "text"), -EIO);
		assert_string_equal(error_text(&set, -EIO), "text");
		assert_int_equal(error_wrap(&wrapped, -codes[i], "text"), -EIO);
		assert_int_equal(wrapped.code, EIO);
		assert_int_equal(error_set(NULL, codes[i], "text"), -EIO);
	}
}

static void cuts_a_long_text(void **state)
{
	char text[ERROR_TEXT_MAX + 100];
	struct error err = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(error_set(&err, EIO, "%s", text), -EIO);
	assert_int_equal(strlen(err.msg), ERROR_TEXT_MAX - 1);
}

/* However long both parts are, the beginning of each is still there. */
static void a_long_context_leaves_the_cause(void **state)
{
	char context[ERROR_TEXT_MAX], cause[ERROR_TEXT_MAX];
	struct error err = { 0 };

	(void)state;
	memset(context, 'c', sizeof(context) - 1);
	context[sizeof(context) - 1] = '\0';
	memset(cause, 'r', sizeof(cause) - 1);
	cause[sizeof(cause) - 1] = '\0';
	(void)error_set(&err, EIO, "reason%s", cause);
	assert_int_equal(error_wrap(&err, -EIO, "context%s", context), -EIO);
	assert_ptr_equal(strstr(err.msg, "context"), err.msg);
	assert_non_null(strstr(err.msg, ": reason"));
	assert_true(strlen(err.msg) < ERROR_TEXT_MAX);
}

static void text_prefers_what_was_recorded(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_string_equal(error_text(&err, -EIO), strerror(EIO));
	(void)error_set(&err, EIO, "the reason");
	assert_string_equal(error_text(&err, -EIO), "the reason");
}

static void news_is_told_once(void **state)
{
	char told[ERROR_TEXT_MAX] = "";

	(void)state;
	assert_false(error_is_news(told, ""));
	assert_true(error_is_news(told, "it is ill"));
	assert_false(error_is_news(told, "it is ill"));
	assert_true(error_is_news(told, "it is worse"));
	assert_true(error_is_news(told, ""));
	assert_string_equal(told, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_is_told_once),
		cmocka_unit_test(sets_code_and_text),
		cmocka_unit_test(works_without_an_error),
		cmocka_unit_test(wraps_from_the_outside_in),
		cmocka_unit_test(wraps_an_errno_without_text),
		cmocka_unit_test(a_failure_is_never_zero),
		cmocka_unit_test(cuts_a_long_text),
		cmocka_unit_test(a_long_context_leaves_the_cause),
		cmocka_unit_test(text_prefers_what_was_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
