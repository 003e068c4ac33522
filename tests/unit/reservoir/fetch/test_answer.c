/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>

#include "reservoir/fetch/answer.h"

static const struct {
	long status;
	enum answer answer;
} statuses[] = {
	{ 200, ANSWER_WHOLE },	 { 206, ANSWER_PART },	  { 304, ANSWER_SAME },
	{ 404, ANSWER_ABSENT },	 { 410, ANSWER_ABSENT },  { 416, ANSWER_BEYOND },
	{ 429, ANSWER_BUSY },	 { 503, ANSWER_BUSY },	  { 500, ANSWER_BUSY },
	{ 502, ANSWER_BUSY },	 { 599, ANSWER_BUSY },	  { 501, ANSWER_REFUSED },
	{ 401, ANSWER_REFUSED }, { 403, ANSWER_REFUSED }, { 204, ANSWER_REFUSED },
	{ 302, ANSWER_REFUSED }, { 0, ANSWER_REFUSED },	  { 600, ANSWER_REFUSED },
};

static void test_statuses(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		assert_int_equal(answer_of_status(statuses[i].status), statuses[i].answer);
}

static const struct {
	const char *text;
	int r;
	struct answer_range range;
} ranges[] = {
	{ "bytes 0-9/10", 0, { true, 0, 9, 10 } },
	{ "bytes 5-9/*", 0, { true, 5, 9, 0 } },
	{ "bytes */10", 0, { false, 0, 0, 10 } },
	{ "bytes 0-18446744073709551615/*", 0, { true, 0, UINT64_MAX, 0 } },
	{ "bytes 5-4/10", -EINVAL, { 0 } },
	{ "bytes 5-10/10", -EINVAL, { 0 } },
	{ "bytes 5-/10", -EINVAL, { 0 } },
	{ "bytes -5/10", -EINVAL, { 0 } },
	{ "bytes 5-9", -EINVAL, { 0 } },
	{ "bytes 5-9/10x", -EINVAL, { 0 } },
	{ "bytes 99999999999999999999999-9/10", -EINVAL, { 0 } },
	{ "items 0-9/10", -EINVAL, { 0 } },
	{ "", -EINVAL, { 0 } },
};

static void test_ranges(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct answer_range range = { 0 };

		assert_int_equal(answer_range_parse(ranges[i].text, &range), ranges[i].r);
		assert_int_equal(range.satisfied, ranges[i].range.satisfied);
		assert_int_equal(range.first, ranges[i].range.first);
		assert_int_equal(range.last, ranges[i].range.last);
		assert_int_equal(range.total, ranges[i].range.total);
	}
}

static void test_strong_tags(_unused_ void **state)
{
	assert_true(answer_etag_is_strong("\"a\""));
	assert_true(answer_etag_is_strong("\"\""));
	assert_false(answer_etag_is_strong("W/\"a\""));
	assert_false(answer_etag_is_strong("a"));
	assert_false(answer_etag_is_strong("\""));
	assert_false(answer_etag_is_strong(""));
}

static void test_dates(_unused_ void **state)
{
	char text[ANSWER_DATE_SIZE];

	assert_string_equal(answer_date_format(784111777, text), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(answer_date_format(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(answer_date_format(253402300799, text),
			    "Fri, 31 Dec 9999 23:59:59 GMT");
	assert_string_equal(answer_date_format(253402300800, text), "");
	assert_string_equal(answer_date_format(INT64_MAX, text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_strong_tags),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
