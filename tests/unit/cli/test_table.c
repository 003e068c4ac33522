/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/table.h"

static const char *const headers[] = { "NAME", "N", NULL };

static void fits_columns(void **state)
{
	_cleanup_table_ struct table table = table_init(headers);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	(void)state;
	table_put(&table, PAINT_NONE, "%s", "longer");
	table_put(&table, PAINT_NONE, "%d", 1);
	table_put(&table, PAINT_GOOD, "%s", "");
	table_put(&table, PAINT_NONE, "%s", "a\nb");
	assert_int_equal(table_print(&table, false, &out), 0);
	assert_string_equal(strbuf_str(&out), "NAME    N\n"
					      "longer  1\n"
					      "-       a\\x0ab\n");
}

/* Colours take no columns. */
static void paints(void **state)
{
	_cleanup_table_ struct table table = table_init(headers);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	(void)state;
	table_put(&table, PAINT_BAD, "%s", "x");
	table_put(&table, PAINT_NONE, "%s", "\033[0m");
	assert_int_equal(table_print(&table, true, &out), 0);
	assert_string_equal(strbuf_str(&out), "\033[1mNAME\033[0m  \033[1mN\033[0m\n"
					      "\033[31mx\033[0m     \\x1b[0m\n");
}

static void prints_headers_alone(void **state)
{
	_cleanup_table_ struct table table = table_init(headers);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	(void)state;
	assert_int_equal(table_print(&table, false, &out), 0);
	assert_string_equal(strbuf_str(&out), "NAME  N\n");
}

/* A cell that is cut would be another device's. */
static void tells_what_does_not_fit(void **state)
{
	_cleanup_table_ struct table table = table_init(headers);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	(void)state;
	table.arena = arena_init(16);
	table_put(&table, PAINT_NONE, "%s", "a");
	table_put(&table, PAINT_NONE, "%s", "b");
	assert_true(table_print(&table, false, &out) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_columns),
		cmocka_unit_test(paints),
		cmocka_unit_test(prints_headers_alone),
		cmocka_unit_test(tells_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
