/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/facts.h"

#include <stdio.h>
#include <string.h>

#include "tests/test.h"

static void versions_are_taken_apart(_unused_ void **state)
{
	/* In the order of enum version_part; NULL: it does not have it. */
	static const struct {
		const char *version;
		const char *parts[_VERSION_PART_MAX];
	} cases[] = {
		{ "2025.4.0-dev2+0e9e56a",
		  { "2025.4.0-dev2+0e9e56a", "2025.4.0", "2025", "4", "0", "0", "dev2",
		    "0e9e56a" } },
		{ "2025.1.0+696efad",
		  { "2025.1.0+696efad", "2025.1.0", "2025", "1", "0", "0", "", "696efad" } },
		{ "1.6.0, c1bebfd",
		  { "1.6.0, c1bebfd", "1.6.0", "1", "6", "0", "0", "", "c1bebfd" } },
		{ "1.2.92-6d00b56",
		  { "1.2.92-6d00b56", "1.2.92", "1", "2", "92", "92", "6d00b56", "" } },
		{ "535.104.05", { "535.104.05", "535.104.05", "535", "104", "05", "05", "", "" } },
		{ "570.86", { "570.86", NULL, "570", "86", NULL, "", NULL, NULL } },
		{ "80.17.0.0", { "80.17.0.0", "80.17.0", "80", "17", "0", "0", "", "" } },
		{ "7", { "7", NULL, "7", NULL, NULL, NULL, NULL, NULL } },
		{ "1.x", { "1.x", NULL, "1", NULL, NULL, NULL, NULL, NULL } },
		{ "hl-1.2.3", { "hl-1.2.3", NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
		{ "", { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int part = 0; part < _VERSION_PART_MAX; part++) {
			const char *want = cases[i].parts[part];
			char text[LABEL_TEXT_MAX] = "?";
			bool has = version_part(cases[i].version, (enum version_part)part, text);

			assert_int_equal(has, want != NULL);
			if (want)
				assert_string_equal(text, want);
		}
	}
}

static void texts_that_are_too_long_are_none(_unused_ void **state)
{
	char text[LABEL_TEXT_MAX];

	assert_true(label_printf(text, "%0*d", LABEL_TEXT_MAX - 1, 1));
	assert_false(label_printf(text, "%0*d", LABEL_TEXT_MAX, 1));
	assert_false(label_printf(text, "%s", ""));
}

static void memory_is_that_of_the_part(_unused_ void **state)
{
	static const struct {
		uint64_t card;
		uint64_t part; /* UINT64_MAX: it is about the card */
		const char *text;
	} cases[] = {
		{ UINT64_C(48) << 30, UINT64_MAX, "49152" },
		{ UINT64_C(48) << 30, UINT64_C(6) << 30, "6144" },
		{ UINT64_C(48) << 30, 0, NULL },
		{ 0, UINT64_MAX, NULL },
		{ 1024, UINT64_MAX, NULL },
		{ UINT64_MAX, UINT64_MAX, "17592186044415" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device device = { .memory_bytes = cases[i].card };
		const struct device_partition part = { "", "p", { 0, 0 }, cases[i].part };
		const struct label_item item = {
			.device = &device,
			.partition = cases[i].part == UINT64_MAX ? NULL : &part,
		};
		char text[LABEL_TEXT_MAX];

		assert_int_equal(fact_memory(&item, 0, text), cases[i].text != NULL);
		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_taken_apart),
		cmocka_unit_test(texts_that_are_too_long_are_none),
		cmocka_unit_test(memory_is_that_of_the_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
