/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "drivers/driver.h"
#include "policy/terms.h"
#include "tests/test.h"

static void the_weakest_of_what_applies(_unused_ void **state)
{
	static const struct {
		enum unit_kind kind;
		unsigned int shares;
		const char *mps;
		enum driver_isolation isolation;
		const char *tier;
	} cases[] = {
		{ UNIT_WHOLE, 0, "", DRIVER_ISOLATION_NONE, "hardware" },
		{ UNIT_PARTITION, 0, "", DRIVER_ISOLATION_NONE, "none" },
		{ UNIT_PARTITION, 0, "", DRIVER_ISOLATION_COOPERATIVE, "cooperative" },
		{ UNIT_PARTITION, 0, "", DRIVER_ISOLATION_DRIVER, "driver" },
		{ UNIT_PARTITION, 0, "", DRIVER_ISOLATION_HARDWARE, "hardware" },
		{ UNIT_WHOLE, 2, "", DRIVER_ISOLATION_HARDWARE, "none" },
		{ UNIT_PARTITION, 2, "", DRIVER_ISOLATION_HARDWARE, "none" },
		{ UNIT_WHOLE, 2, "/run/mps", DRIVER_ISOLATION_NONE, "cooperative" },
		{ UNIT_PARTITION, 2, "/run/mps", DRIVER_ISOLATION_HARDWARE, "cooperative" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct driver driver = { .partition_isolation = cases[i].isolation };
		const struct device device = { .driver = &driver };
		const struct unit_rule rule = { .kind = cases[i].kind, .shares = cases[i].shares };
		struct terms terms = { .ways = TERMS_ENV };

		(void)snprintf(terms.mps_pipe_dir, sizeof(terms.mps_pipe_dir), "%s", cases[i].mps);
		assert_string_equal(terms_tier_name(terms_tier(&terms, &rule, &device)),
				    cases[i].tier);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_weakest_of_what_applies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
