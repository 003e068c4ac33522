/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>

#include "reservoir/config/window.h"

static const struct {
	const char *text;
	uint32_t now_s;
	uint32_t opens_in;
} cases[] = {
	{ "", 0, 0 },
	{ "", 86399, 0 },
	{ "22:00-06:00", 22 * 3600, 0 },
	{ "22:00-06:00", 0, 0 },
	{ "22:00-06:00", 6 * 3600 - 1, 0 },
	{ "22:00-06:00", 6 * 3600, 16 * 3600 },
	{ "22:00-06:00", 22 * 3600 - 1, 1 },
	{ "01:30-02:00", 90 * 60, 0 },
	{ "01:30-02:00", 2 * 3600, 23 * 3600 + 1800 },
	{ "01:30-02:00", 0, 5400 },
	{ "05:00-05:00", 4 * 3600, 0 },
};

static void test_windows(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct window window;

		assert_int_equal(window_parse(cases[i].text, &window, NULL), 0);
		assert_int_equal(window_opens_in(&window, cases[i].now_s), cases[i].opens_in);
	}
}

static void test_refused(_unused_ void **state)
{
	static const char *const texts[] = { "22:00", "24:00-06:00", "22:60-06:00", "22:00-06:00x",
					     "night" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct window window;

		assert_int_equal(window_parse(texts[i], &window, NULL), -EINVAL);
	}
	assert_true(window_now() < WINDOW_DAY_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
