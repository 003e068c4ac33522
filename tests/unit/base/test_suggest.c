/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "base/suggest.h"

static void counts_slips(void **state _unused_)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{ "", "", 0 },
		{ "unit", "unit", 0 },
		{ "", "unit", 4 },
		{ "unit", "", 4 },
		{ "unt", "unit", 1 },
		{ "uunit", "unit", 1 },
		{ "uniT", "unit", 1 },
		{ "unti", "unit", 1 },
		{ "ca", "abc", 3 },
		{ "kitten", "sitting", 3 },
		{ "resourses", "resources", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

static void gives_up_on_long_words(void **state _unused_)
{
	char longest[SUGGEST_WORD_MAX + 1], longer[SUGGEST_WORD_MAX + 2];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(suggest_distance(longest, longest), 0);
	assert_int_equal(suggest_distance(longest, ""), SUGGEST_WORD_MAX);
	assert_int_equal(suggest_distance(longer, longest), SUGGEST_WORD_MAX + 1);
	assert_int_equal(suggest_distance(longest, longer), SUGGEST_WORD_MAX + 1);
}

static void allows_one_slip_in_three(void **state _unused_)
{
	static const struct {
		size_t distance;
		const char *word;
		bool close;
	} cases[] = {
		{ 0, "", true },
		{ 1, "a", true },
		{ 2, "unitx", false },
		{ 2, "units1", true },
		{ 3, "resources", true },
		{ 4, "resources", false },
		{ SUGGEST_WORD_MAX + 1, "unit", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(suggest_is_close(cases[i].distance, cases[i].word),
				 cases[i].close);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_slips),
		cmocka_unit_test(gives_up_on_long_words),
		cmocka_unit_test(allows_one_slip_in_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
