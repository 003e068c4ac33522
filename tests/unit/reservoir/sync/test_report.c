/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "reservoir/sync/report.h"

static void test_an_incomplete_one_is_never_a_success(_unused_ void **state)
{
	static const bool complete[_SYNC_RESULT_MAX] = {
		[SYNC_RESULT_PUBLISHED] = true,
		[SYNC_RESULT_UNCHANGED] = true,
		[SYNC_RESULT_PLANNED] = true,
		[SYNC_RESULT_SKIPPED] = true,
	};

	for (int i = 0; i < _SYNC_RESULT_MAX; i++) {
		struct sync_report report = { .result = (enum sync_result)i };

		assert_int_equal(report_is_complete(&report), complete[i]);
		assert_non_null(report_result_name(report.result));
	}
}

static void test_lines_are_bounded_and_counted(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT((size_t)1024 * 1024);
	_cleanup_(report_done) struct sync_report report = {
		.name = "debian",
		.ecosystem = "apt",
		.result = SYNC_RESULT_INCOMPLETE,
	};

	for (unsigned int i = 0; i < REPORT_LINES_MAX + 50; i++)
		report_lines_add(&report.missing, "file %u", i);
	assert_int_equal(report.missing.n, REPORT_LINES_MAX);
	assert_int_equal(report.missing.all, REPORT_LINES_MAX + 50);
	report_describe(&report, &out);
	assert_memory_equal(strbuf_str(&out), "debian: incomplete, 250 missing\n", 32);
	assert_non_null(strstr(strbuf_str(&out), "  missing: file 199\n"));
	assert_null(strstr(strbuf_str(&out), "file 200"));
	assert_non_null(strstr(strbuf_str(&out), "and 50 more\n"));
}

static void test_json(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT((size_t)1024 * 1024);
	struct sync_report reports[] = {
		{ .name = "a",
		  .ecosystem = "apt",
		  .result = SYNC_RESULT_PUBLISHED,
		  .generation = 7 },
		{ .name = "b", .ecosystem = "pypi", .result = SYNC_RESULT_FAILED },
	};

	report_lines_add(&reports[0].notes, "a \"note\"");
	(void)error_set(&reports[1].error, EIO, "no answer");
	assert_int_equal(report_json(reports, 2, &out), 0);
	assert_non_null(strstr(strbuf_str(&out), "\"a \\\"note\\\"\""));
	assert_non_null(strstr(strbuf_str(&out), "\"generation\": 7"));
	assert_non_null(strstr(strbuf_str(&out), "\"error\": \"no answer\""));
	assert_non_null(strstr(strbuf_str(&out), "\"plan\": null"));
	report_done(&reports[0]);
}

static void test_a_plan(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);
	const struct sync_report report = {
		.name = "debian",
		.plan = { .files = 10,
			  .bytes = 2048,
			  .fetch_files = 3,
			  .fetch_bytes = 1024,
			  .removed = 2 },
		.free_bytes = 4096,
	};

	report_describe_plan(&report, &out);
	assert_string_equal(strbuf_str(&out),
			    "debian: 10 files of 2.0 KiB; to fetch: 3 of 1.0 KiB; "
			    "removed: 2; room for 4.0 KiB\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_incomplete_one_is_never_a_success),
		cmocka_unit_test(test_lines_are_bounded_and_counted),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_a_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
