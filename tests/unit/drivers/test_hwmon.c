/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hwmon.h"

#include <errno.h>

#include "base/cleanup.h"
#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define DIR "sys/devices/some"
#define SENSORS DIR "/hwmon/hwmon4/"

static void assert_near(double value, double expected)
{
	if (value < expected - 1e-6 || value > expected + 1e-6)
		fail_msg("%f, expected %f", value, expected);
}

static void test_open(void **state)
{
	const struct tree *tree = *state;
	_cleanup_close_ int fd = -1;
	double value = 0;

	assert_int_equal(hwmon_open(&tree->host, DIR, NULL), -ENOENT);
	tree_mkdir(tree, DIR "/hwmon");
	tree_mkdir(tree, DIR "/hwmon/power");
	assert_int_equal(hwmon_open(&tree->host, DIR, NULL), -ENOENT);
	tree_puts(tree, DIR "/hwmon/hwmon11/temp1_input", "2000\n");
	tree_puts(tree, SENSORS "temp1_input", "1000\n");
	fd = hwmon_open(&tree->host, DIR, NULL);
	assert_true(fd >= 0);
	assert_int_equal(hwmon_read(fd, "temp1_input", HWMON_MILLIDEGREE, &value, NULL), 1);
	assert_near(value, 1.0);
}

static void test_read(void **state)
{
	static const struct {
		const char *text; /* NULL: no such attribute */
		int expected;
		double value;
	} cases[] = {
		{ "45000\n", 1, 45.0 },	     { "0", 1, 0.0 },
		{ "-89700\n", 1, -89.7 },    { "1000000000000", 1, 1e9 },
		{ "1000000000001", 0, 0 },   { "99999999999999999999999", 0, 0 },
		{ "-99999999999999", 0, 0 }, { "", 0, 0 },
		{ "hot\n", 0, 0 },	     { "45000 mC\n", 0, 0 },
		{ "0x10\n", 0, 0 },	     { NULL, 0, 0 },
	};
	const struct tree *tree = *state;

	tree_mkdir(tree, SENSORS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_close_ int fd = hwmon_open(&tree->host, DIR, NULL);
		double value = -7;

		tree_remove(tree, SENSORS "temp1_input");
		if (cases[i].text)
			tree_puts(tree, SENSORS "temp1_input", cases[i].text);
		assert_int_equal(hwmon_read(fd, "temp1_input", HWMON_MILLIDEGREE, &value, NULL),
				 cases[i].expected);
		assert_near(value, cases[i].expected ? cases[i].value : -7);
	}
}

static void test_load(void **state)
{
	const struct tree *tree = *state;
	struct device_readings readings = device_readings_none();

	assert_int_equal(hwmon_read_load(&tree->host, DIR, &readings, NULL), 0);
	assert_near(readings.temperature_celsius, -1);
	tree_puts(tree, SENSORS "temp1_input", "41000\n");
	tree_puts(tree, SENSORS "temp2_input", "72500\n");
	tree_puts(tree, SENSORS "temp3_input", "none\n");
	tree_puts(tree, SENSORS "power1_input", "95000000\n");
	assert_int_equal(hwmon_read_load(&tree->host, DIR, &readings, NULL), 0);
	assert_near(readings.temperature_celsius, 72.5);
	assert_near(readings.power_watts, 95);
	tree_puts(tree, SENSORS "power1_average", "90000000\n");
	assert_int_equal(hwmon_read_load(&tree->host, DIR, &readings, NULL), 0);
	assert_near(readings.power_watts, 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_open),
		TREE_TEST(test_read),
		TREE_TEST(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
