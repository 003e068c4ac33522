/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/card.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

#define N_CARDS 8192

static const struct sim sim = { .description = { .numa = { 0, 1, 3 }, .n_numa = 3 } };

/* These stand in transcripts: they must never change. */
static void test_uuid_is_stable(void **state)
{
	static const struct {
		struct card card;
		const char *uuid;
	} cases[] = {
		{ { .handle = "rngd0" }, "A957913B-95C1-4AE4-A19A-517D5BC943D9" },
		{ { .handle = "rngd1", .index = 7 }, "86FEFAB1-E1AE-4D88-99A4-CDBB205BFA73" },
		{ { .handle = "warboy0" }, "6FA6A9F0-972B-40AC-8907-135E24670A37" },
	};
	char uuid[SIM_UUID_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_uuid(&sim, &cases[i].card, uuid);
		assert_string_equal(uuid, cases[i].uuid);
	}
}

static void test_uuid_zero(void **state)
{
	struct sim zero = { .description = { .uuid = UUID_RULE_ZERO } };
	struct card card = { .handle = "rngd0" };
	char uuid[SIM_UUID_MAX];

	(void)state;
	card_uuid(&zero, &card, uuid);
	assert_string_equal(uuid, "00000000-0000-0000-0000-000000000000");
}

static int compare_uuids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void test_uuids_are_unique_and_well_formed(void **state)
{
	static char uuids[N_CARDS][SIM_UUID_MAX];
	regex_t form;

	(void)state;
	assert_int_equal(regcomp(&form,
				 "^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-"
				 "[0-9A-F]{12}$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	for (size_t i = 0; i < N_CARDS; i++) {
		struct card card = { 0 };

		(void)snprintf(card.handle, sizeof(card.handle), "rngd%zu", i);
		card_uuid(&sim, &card, uuids[i]);
		assert_int_equal(regexec(&form, uuids[i], 0, NULL, 0), 0);
	}
	regfree(&form);
	qsort(uuids, N_CARDS, sizeof(uuids[0]), compare_uuids);
	for (size_t i = 1; i < N_CARDS; i++)
		assert_string_not_equal(uuids[i - 1], uuids[i]);
}

static void test_numa_is_dealt_in_turn(void **state)
{
	static const int32_t expected[] = { 0, 1, 3, 0, 1 };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct card card = { .ordinal = i };

		assert_int_equal(card_numa(&sim, &card), expected[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid_is_stable),
		cmocka_unit_test(test_uuid_zero),
		cmocka_unit_test(test_uuids_are_unique_and_well_formed),
		cmocka_unit_test(test_numa_is_dealt_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
