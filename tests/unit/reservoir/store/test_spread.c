/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "reservoir/store/spread.h"

#define THINGS 1000

struct things {
	atomic_uint done[THINGS];
	size_t failing; /* from here on */
};

static int count(void *ctx, size_t i)
{
	struct things *things = ctx;

	things->done[i]++;
	return i >= things->failing ? -EIO : 0;
}

static void does_each_once(_unused_ void **state)
{
	static const struct {
		size_t n, ways, failing;
		int r;
	} cases[] = {
		{ 0, 16, THINGS, 0 },	     { 1, 16, THINGS, 0 },
		{ 7, 16, THINGS, 0 },	     { THINGS, 1, THINGS, 0 },
		{ THINGS, 0, THINGS, 0 },    { THINGS, 16, THINGS, 0 },
		{ THINGS, 1000, THINGS, 0 }, { THINGS, 16, THINGS - 1, -EIO },
		{ THINGS, 16, 0, -EIO },     { THINGS, 1, 3, -EIO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct things things = { .failing = cases[i].failing };

		assert_int_equal(spread(cases[i].n, cases[i].ways, count, &things), cases[i].r);
		for (size_t at = 0; at < THINGS; at++)
			assert_int_equal(things.done[at], at < cases[i].n ? 1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_each_once),
	};

	return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
