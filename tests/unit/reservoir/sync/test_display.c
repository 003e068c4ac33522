/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "reservoir/sync/display.h"

static const struct fetch_progress some = {
	.label = "debian",
	.files_done = 5,
	.files_all = 20,
	.bytes_done = 1024,
	.bytes_all = 4096,
};

static const struct {
	struct display_style style;
	uint64_t per_second;
	uint64_t failed;
	const char *text;
} rows[] = {
	{ { .width = 80 },
	  1024,
	  0,
	  "debian: 5/20 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 0:04 left\n" },
	{ { .width = 80 }, 0, 2, "debian: 5/20 files, 1.0 KiB of 4.0 KiB, 0 B/s, 2 failed\n" },
	{ { .width = 20 }, 0, 0, "debian: 5/20 files, 1.0 KiB of 4.0 KiB, 0 B/s\n" },
	{ { .width = 80, .is_live = true },
	  1,
	  0,
	  "debian           5/20 files, 1.0 KiB of 4.0 KiB, 1 B/s, 51:13 left\n" },
	{ { .width = 30, .is_live = true }, 1, 9, "debian           5/20 files, \n" },
	{ { .width = 120, .is_live = true, .is_coloured = true },
	  0,
	  2,
	  "debian           [#####...............] 5/20 files, 1.0 KiB of 4.0 KiB, 0 B/s"
	  "\033[31m, 2 failed\033[0m\n" },
};

static void test_rows(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);
		struct fetch_progress progress = some;

		progress.files_failed = rows[i].failed;
		display_row(&progress, rows[i].per_second, &rows[i].style, &out);
		assert_string_equal(strbuf_str(&out), rows[i].text);
	}
}

static void test_rates(_unused_ void **state)
{
	struct display_rate rate = { 0 };

	display_rate_add(&rate, 0, 1000);
	display_rate_add(&rate, 0, 60000); /* waits for its first byte */
	assert_int_equal(rate.per_second, 0);
	display_rate_add(&rate, 1000, 61000);
	display_rate_add(&rate, 2000, 62000);
	assert_int_equal(rate.per_second, 1000);
	display_rate_add(&rate, 2000, 65000);
	assert_int_equal(rate.per_second, 500);
	display_rate_add(&rate, 100, 68000); /* what was wrong was taken back */
	assert_int_equal(rate.per_second, 250);
	display_rate_add(&rate, 100, 68000);
	assert_int_equal(rate.per_second, 250);
}

static void test_live_draws_over_itself(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);
	struct display display = { .style = { .is_live = true, .width = 80 } };
	struct fetch_progress two[] = { some, some };

	display_update(&display, two, 2, 1000, &out);
	assert_int_equal(display.drawn, 2);
	assert_null(strstr(strbuf_str(&out), "\033"));
	strbuf_clear(&out);
	two[0].files_done = 18;
	two[0].files_failed = 2; /* is done */
	display_update(&display, two, 2, 1250, &out);
	assert_int_equal(display.drawn, 1);
	assert_memory_equal(strbuf_str(&out), "\033[2A\033[Jdebian", 13);
	strbuf_clear(&out);
	display_clear(&display, &out);
	assert_string_equal(strbuf_str(&out), "\033[1A\033[J");
	strbuf_clear(&out);
	display_clear(&display, &out);
	assert_string_equal(strbuf_str(&out), "");
}

static void test_plain_says_it_now_and_then(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);
	struct display display = { .style = { .width = 80 } };

	display_update(&display, &some, 1, 1000, &out);
	display_update(&display, &some, 1, 1000 + DISPLAY_PLAIN_MS - 1, &out);
	assert_string_equal(strbuf_str(&out), "");
	display_update(&display, &some, 1, 1000 + DISPLAY_PLAIN_MS, &out);
	assert_non_null(strstr(strbuf_str(&out), "debian: 5/20 files"));
	assert_null(strstr(strbuf_str(&out), "\033"));
	assert_int_equal(display.drawn, 0);
}

static void test_many_repositories_do_not_fill_the_screen(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	struct display display = { .style = { .is_live = true, .width = 80 } };
	struct fetch_progress many[3 * DISPLAY_ROWS_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = some;
	display_update(&display, many, ARRAY_SIZE(many), 1000, &out);
	assert_int_equal(display.drawn, DISPLAY_ROWS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_live_draws_over_itself),
		cmocka_unit_test(test_plain_says_it_now_and_then),
		cmocka_unit_test(test_many_repositories_do_not_fill_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
