/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/condition.h"

#include <string.h>

#include "tests/test.h"

#define ETAG "\"0123456789abcdef0123456789abcdef\""
#define MTIME 784111777
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define SIZE 1000

static const struct {
	struct condition condition;
	enum condition_outcome outcome;
	struct byte_range range;
} cases[] = {
	{ { 0 }, CONDITION_WHOLE, { 0 } },
	{ { .if_none_match = ETAG }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = "W/" ETAG }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = "*" }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = "\"x\", " ETAG }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = "\"a,b\" ,W/\"\"," ETAG }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = "\"x\"" }, CONDITION_WHOLE, { 0 } },
	{ { .if_none_match = "x" }, CONDITION_WHOLE, { 0 } },
	{ { .if_none_match = "\"open" }, CONDITION_WHOLE, { 0 } },
	{ { .if_none_match = "" }, CONDITION_WHOLE, { 0 } },
	{ { .if_modified_since = DATE }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_modified_since = LATER }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_modified_since = EARLIER }, CONDITION_WHOLE, { 0 } },
	{ { .if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT" }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_modified_since = "Sun Nov  6 08:49:37 1994" }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_modified_since = "yesterday" }, CONDITION_WHOLE, { 0 } },
	/* The tag alone decides where there is one. */
	{ { .if_none_match = "\"x\"", .if_modified_since = DATE }, CONDITION_WHOLE, { 0 } },
	{ { .if_none_match = ETAG, .if_modified_since = EARLIER }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_none_match = ETAG, .range = "bytes=0-1" }, CONDITION_UNCHANGED, { 0 } },
	{ { .range = "bytes=0-0" }, CONDITION_PART, { 0, 1 } },
	{ { .range = "bytes=0-" }, CONDITION_PART, { 0, 1000 } },
	{ { .range = "bytes=999-" }, CONDITION_PART, { 999, 1 } },
	{ { .range = "bytes=10-19" }, CONDITION_PART, { 10, 10 } },
	{ { .range = "bytes=10-99999999999999999999999" }, CONDITION_PART, { 10, 990 } },
	{ { .range = "bytes=-1" }, CONDITION_PART, { 999, 1 } },
	{ { .range = "bytes=-5000" }, CONDITION_PART, { 0, 1000 } },
	{ { .range = "bytes=1000-" }, CONDITION_UNSATISFIABLE, { 0 } },
	{ { .range = "bytes=99999999999999999999999-" }, CONDITION_UNSATISFIABLE, { 0 } },
	{ { .range = "bytes=-0" }, CONDITION_UNSATISFIABLE, { 0 } },
	{ { .range = "bytes=5-4" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=-" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=a-b" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=1" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1,5-6" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "lines=0-1" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1", .if_range = ETAG }, CONDITION_PART, { 0, 2 } },
	{ { .range = "bytes=0-1", .if_range = "W/" ETAG }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1", .if_range = "\"x\"" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1", .if_range = DATE }, CONDITION_PART, { 0, 2 } },
	{ { .range = "bytes=0-1", .if_range = LATER }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1", .if_range = EARLIER }, CONDITION_WHOLE, { 0 } },
	{ { .range = "bytes=0-1", .if_range = "nonsense" }, CONDITION_WHOLE, { 0 } },
	{ { .range = "Bytes=0-0" }, CONDITION_PART, { 0, 1 } },
	{ { .range = "byte=0-0" }, CONDITION_WHOLE, { 0 } },
	{ { .if_match = ETAG }, CONDITION_WHOLE, { 0 } },
	{ { .if_match = "\"x\", " ETAG }, CONDITION_WHOLE, { 0 } },
	{ { .if_match = "*" }, CONDITION_WHOLE, { 0 } },
	{ { .if_match = "W/" ETAG }, CONDITION_FAILED, { 0 } },
	{ { .if_match = "\"x\"" }, CONDITION_FAILED, { 0 } },
	{ { .if_match = "\"x\"", .range = "bytes=0-0" }, CONDITION_FAILED, { 0 } },
	{ { .if_match = ETAG, .range = "bytes=0-0" }, CONDITION_PART, { 0, 1 } },
	{ { .if_match = ETAG, .if_none_match = ETAG }, CONDITION_UNCHANGED, { 0 } },
	{ { .if_unmodified_since = DATE }, CONDITION_WHOLE, { 0 } },
	{ { .if_unmodified_since = LATER }, CONDITION_WHOLE, { 0 } },
	{ { .if_unmodified_since = EARLIER }, CONDITION_FAILED, { 0 } },
	{ { .if_unmodified_since = "yesterday" }, CONDITION_WHOLE, { 0 } },
	{ { .if_match = ETAG, .if_unmodified_since = EARLIER }, CONDITION_WHOLE, { 0 } },
};

static void decides(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct byte_range range = { 0 };
		enum condition_outcome outcome =
			condition_decide(&cases[i].condition, ETAG, MTIME, SIZE, &range);

		if (outcome != cases[i].outcome || range.first != cases[i].range.first ||
		    range.length != cases[i].range.length)
			fail_msg("case %zu gives %d", i, (int)outcome);
	}
}

static void empty_files_have_no_part(_unused_ void **state)
{
	struct condition from = { .range = "bytes=0-" }, last = { .range = "bytes=-1" };
	struct byte_range range;

	assert_int_equal(condition_decide(&from, ETAG, MTIME, 0, &range), CONDITION_UNSATISFIABLE);
	assert_int_equal(condition_decide(&last, ETAG, MTIME, 0, &range), CONDITION_UNSATISFIABLE);
}

static void files_without_a_date_are_not_unchanged_by_it(_unused_ void **state)
{
	struct condition since = { .if_modified_since = DATE };
	struct condition part = { .range = "bytes=0-1",
				  .if_range = "Thu, 01 Jan 1970 00:00:00 GMT" };
	struct byte_range range;

	assert_int_equal(condition_decide(&since, ETAG, 0, SIZE, &range), CONDITION_WHOLE);
	assert_int_equal(condition_decide(&part, ETAG, 0, SIZE, &range), CONDITION_WHOLE);
}

static void writes_tags_and_dates(_unused_ void **state)
{
	struct digest digest = digest_of("x", 1);
	char etag[ETAG_MAX], coded[ETAG_MAX], date[HTTP_DATE_MAX];
	int64_t seconds;

	etag_format(&digest, ENCODING_IDENTITY, etag);
	etag_format(&digest, ENCODING_ZSTD, coded);
	assert_string_equal(etag, "\"2d711642b726b04401627ca9fbac32f5\"");
	assert_string_equal(coded, "\"2d711642b726b04401627ca9fbac32f5-zstd\"");
	http_date_format(MTIME, date);
	assert_string_equal(date, DATE);
	assert_true(http_date_parse(date, &seconds));
	assert_int_equal(seconds, MTIME);
	http_date_format(INT64_MAX, date);
	assert_string_equal(date, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides),
		cmocka_unit_test(empty_files_have_no_part),
		cmocka_unit_test(files_without_a_date_are_not_unchanged_by_it),
		cmocka_unit_test(writes_tags_and_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
