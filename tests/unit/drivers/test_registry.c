/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"

static bool is_short_lower_case(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz");

	return len > 0 && len < 16 && name[len] == '\0';
}

static void test_rows_are_complete(void **state)
{
	size_t n;
	const struct driver *const *drivers = driver_registry(&n);

	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(is_short_lower_case(drivers[i]->name));
		assert_non_null(drivers[i]->vendor);
		assert_non_null(drivers[i]->scan);
		assert_non_null(drivers[i]->probe);
		assert_non_null(drivers[i]->node_dirs);
		assert_non_null(drivers[i]->subsystems);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(drivers[i]->name, drivers[j]->name);
	}
}

/* They are joined to the host root, so none may begin with a slash. */
static void test_directories_are_relative(void **state)
{
	size_t n;
	const struct driver *const *drivers = driver_registry(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (const char *const *dir = drivers[i]->node_dirs; *dir; dir++)
			assert_int_equal(strncmp(*dir, "dev", 3), 0);
}

static void test_find(void **state)
{
	size_t n;
	const struct driver *const *drivers = driver_registry(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(driver_find(drivers[i]->name), drivers[i]);
	assert_non_null(driver_find("furiosa"));
	assert_null(driver_find(""));
	assert_null(driver_find("furios"));
	assert_null(driver_find("Furiosa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_directories_are_relative),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
