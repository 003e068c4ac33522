/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated chips: attributes as the vendor's kernel driver prints them. */
#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

static const struct card_file attributes[] = {
	{ "status", "ALIVE\n" },
	{ "driver_version", "1.1\n" },
	{ "temp", "41800\n" },
};

#define CARD(INDEX, BDF)                                                                           \
	{                                                                                          \
		.driver = &coral_driver, .class_name = "apex", .entry = "apex_" INDEX, .bdf = BDF, \
		.pci_vendor = 0x1ac1, .pci_device = 0x089a, .attributes = attributes,              \
		.n_attributes = ARRAY_SIZE(attributes), .node = "dev/apex_" INDEX,                 \
	}

static const struct class_card card = CARD("0", "0000:27:00.0");
static const struct class_card vf = CARD("1", "0000:27:00.1");

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &coral_driver, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("coral"));
	assert_string_equal(device->name, "apex_0");
	assert_string_equal(device->sysfs_path, "sys/class/apex/apex_0");
	assert_int_equal(device->index, 0);
	assert_string_equal(device->bdf, "0000:27:00.0");
	assert_string_equal(device->product, "edge-tpu");
	assert_string_equal(device->architecture, "edge-tpu");
	assert_string_equal(device->driver_version, "1.1");
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->n_nodes, 1);
	assert_string_equal(device->nodes[0].path, "/dev/apex_0");
}

static void test_other_chip(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct class_card other = card;

	other.pci_device = 0x089b;
	class_card_add(tree, &other);
	class_card_scan(tree, &coral_driver, &list);
	assert_int_equal(list.n, 0);
}

static void test_unfit_version(void **state)
{
	static const char *const texts[] = { "", "1.1 beta\n", "v1\n", NULL };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_add(tree, &card);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		class_card_set(tree, &card, "driver_version", texts[i]);
		assert_string_equal(class_card_scan_one(tree, &coral_driver, &list)->driver_version,
				    "");
	}
}

static void test_probe(void **state)
{
	static const struct {
		const char *status; /* NULL: no such attribute */
		int expected;
		const char *reason;
	} cases[] = {
		{ "ALIVE", 0, "" },
		{ "DEAD\n", -EIO, "status is 'DEAD', expected 'ALIVE'" },
		{ "LAMED\n", -EIO, "status is 'LAMED', expected 'ALIVE'" },
		{ "DRIVER_EXITING\n", -EIO, "status is 'DRIVER_EXITING', expected 'ALIVE'" },
		{ "", -EIO, "status is '', expected 'ALIVE'" },
		{ NULL, -ENOENT, "status is missing" },
		{ "ALIVE\n", 0, "" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &coral_driver, &list);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		class_card_set(tree, &card, "status", cases[i].status);
		class_card_check_probe(tree, device, cases[i].expected, cases[i].reason);
	}
}

/* A chip that sleeps has its sensor off, which reads as far below any frost. */
static void test_measure(void **state)
{
	static const struct {
		const char *temp;
		double low;
		double high;
	} cases[] = {
		{ "41800\n", 41.7, 41.9 }, { "-5000\n", -5.1, -4.9 }, { "-89700\n", -1, -1 },
		{ "warm\n", -1, -1 },	   { NULL, -1, -1 },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &coral_driver, &list);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct device_readings readings = { 0 };

		class_card_set(tree, &card, "temp", cases[i].temp);
		assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
		assert_true(readings.temperature_celsius >= cases[i].low);
		assert_true(readings.temperature_celsius <= cases[i].high);
		assert_true(readings.power_watts < 0);
	}
	class_card_remove(tree, &card);
	assert_int_equal(
		device->driver->measure(&tree->host, device, &(struct device_readings) { 0 }, NULL),
		-ENODEV);
}

static void test_common(void **state)
{
	class_card_check_common(*state, &card, &vf, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts), TREE_TEST(test_other_chip), TREE_TEST(test_unfit_version),
		TREE_TEST(test_probe), TREE_TEST(test_measure),	   TREE_TEST(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
