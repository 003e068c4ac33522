/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/absent.h"

#include <inttypes.h>
#include <stdio.h>

#include "reservoir/store/digest.h"
#include "tests/test.h"

#define NAMES 20000
#define ROOM 4096 /* names that the table has room for */

static void knows_what_was_noted(_unused_ void **state)
{
	_cleanup_free_ struct absent *absent = absent_new();
	int64_t when = 0;

	assert_non_null(absent);
	assert_false(absent_find(absent, "r", "a", &when));
	absent_note(absent, "r", "a", 5);
	assert_true(absent_find(absent, "r", "a", &when));
	assert_int_equal(when, 5);
	assert_false(absent_find(absent, "s", "a", &when));
	assert_false(absent_find(absent, "r", "b", &when));
	assert_false(absent_find(absent, "ra", "", &when));
	absent_note(absent, "r", "a", 7);
	assert_true(absent_find(absent, "r", "a", &when));
	assert_int_equal(when, 7);
	absent_forget(absent, "r", "a");
	assert_false(absent_find(absent, "r", "a", &when));
	absent_forget(absent, "r", "a");
}

static void has_room_for_so_many(_unused_ void **state)
{
	_cleanup_free_ struct absent *absent = absent_new();
	char path[32];
	size_t found = 0;
	int64_t when;

	assert_non_null(absent);
	for (int i = 1; i <= NAMES; i++) {
		(void)snprintf(path, sizeof(path), "name-%d", i);
		absent_note(absent, "r", path, i);
		assert_true(absent_find(absent, "r", path, &when));
	}
	for (int i = 1; i <= NAMES; i++) {
		(void)snprintf(path, sizeof(path), "name-%d", i);
		found += absent_find(absent, "r", path, &when);
	}
	assert_in_range(found, ROOM / 2, ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_was_noted),
		cmocka_unit_test(has_room_for_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
