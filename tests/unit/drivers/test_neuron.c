/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated chips: attributes as the vendor's kernel driver prints them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

#define SERIAL "00a1b2c3d4e5f607"
#define CHIPS_MAX 8

static const struct card_file attributes[] = {
	{ "core_count", "2" },
	{ "connected_devices", "\n" },
	{ "info/serial_number", SERIAL "\n" },
	{ "info/architecture/arch_type", "NDv2\n" },
	{ "info/architecture/device_name", "Trainium1\n" },
	{ "info/architecture/instance_type", "Trn1\n" },
	{ "stats/hardware/mem_ecc_uncorrected", "0\n" },
	{ "stats/hardware/sram_ecc_uncorrected", "0\n" },
	{ "neuron_core0/stats/memory_usage/device_mem/total", "1000\n" },
	{ "neuron_core1/stats/memory_usage/device_mem/total", "24\n" },
};

#define CARD(INDEX)                                                                               \
	{                                                                                         \
		.driver = &neuron_driver, .class_name = "neuron_device", .entry = "neuron" INDEX, \
		.attributes = attributes, .n_attributes = ARRAY_SIZE(attributes),                 \
		.node = "dev/neuron" INDEX,                                                       \
	}

static const struct class_card card = CARD("0");

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	tree_puts(tree, "sys/module/neuron/version", "2.19.64.0\n");
	tree_puts(tree, "sys/class/neuron_device/node_id_4", "-1\n");
	device = class_card_scan_one(tree, &neuron_driver, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("neuron"));
	assert_string_equal(device->name, "neuron0");
	assert_string_equal(device->sysfs_path, "sys/class/neuron_device/neuron0");
	assert_int_equal(device->index, 0);
	assert_string_equal(device->bdf, "");
	assert_string_equal(device->uuid, "");
	assert_string_equal(device->serial, SERIAL);
	assert_string_equal(device->architecture, "trainium1");
	assert_string_equal(device->product, "Trainium1");
	assert_string_equal(device->driver_version, "2.19.64.0");
	assert_string_equal(device->link_group, "");
	assert_int_equal(device->numa_node, DEVICE_NUMA_UNKNOWN);
	assert_int_equal(device->n_nodes, 1);
	assert_string_equal(device->nodes[0].path, "/dev/neuron0");
	assert_true(device->nodes[0].shared);
	assert_string_equal(neuron_driver.env[0].name, "AWS_NEURON_VISIBLE_DEVICES");
	assert_int_equal(neuron_driver.env[0].value, DRIVER_ENV_INDEX);
}

/* A captured tree may lack the links of the class. */
static void test_without_class(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	tree_remove(tree, "sys/class");
	device = class_card_scan_one(tree, &neuron_driver, &list);
	assert_string_equal(device->sysfs_path, "sys/devices/virtual/neuron_device/neuron0");
	assert_string_equal(device->serial, SERIAL);
	class_card_check_probe(tree, device, 0, "");
}

static void test_cores(void **state)
{
	static const struct {
		const char *text; /* NULL: no such attribute */
		unsigned int cores;
		size_t partitions;
		size_t ranges;
	} cases[] = {
		{ "2", 2, 2, 3 },     { "4\n", 4, 4, 5 }, { "8", 8, 8, 9 },   { "1", 1, 1, 1 },
		{ "31", 31, 31, 32 }, { "32", 32, 0, 0 }, { "64", 64, 0, 0 }, { "65", 0, 0, 0 },
		{ "0", 0, 0, 0 },     { "-2", 0, 0, 0 },  { "", 0, 0, 0 },    { "two", 0, 0, 0 },
		{ NULL, 0, 0, 0 },
	};
	const struct tree *tree = *state;

	class_card_add(tree, &card);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		class_card_set(tree, &card, "core_count", cases[i].text);
		device = class_card_scan_one(tree, &neuron_driver, &list);
		assert_int_equal(device->cores, cases[i].cores);
		assert_int_equal(device->n_partitions, cases[i].partitions);
		assert_int_equal(device->n_core_ranges, cases[i].ranges);
		assert_false(device->partitioned);
		for (size_t k = 0; k < device->n_partitions; k++) {
			assert_string_equal(device->partitions[k].profile, "1core");
			assert_string_equal(device->partitions[k].id, "");
			assert_int_equal(device->partitions[k].cores.first, k);
			assert_int_equal(device->partitions[k].cores.last, k);
			assert_true(device_has_core_range(device, device->partitions[k].cores));
		}
		if (device->n_core_ranges > 1)
			assert_true(device_has_core_range(
				device, (struct core_range) { 0, (uint8_t)(cases[i].cores - 1) }));
	}
}

static void test_product(void **state)
{
	static const struct {
		const char *device_name; /* NULL: no such attribute */
		const char *product;
		const char *architecture;
	} cases[] = {
		{ "Inferentia\n", "Inferentia", "inferentia" },
		{ "Inferentia2\n", "Inferentia2", "inferentia2" },
		{ "Trainium2", "Trainium2", "trainium2" },
		{ "Trainium9\n", "Trainium9", "" },
		{ "Trainium 9\n", "", "" },
		{ "\n", "", "" },
		{ NULL, "", "" },
	};
	const struct tree *tree = *state;

	class_card_add(tree, &card);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		class_card_set(tree, &card, "info/architecture/device_name", cases[i].device_name);
		device = class_card_scan_one(tree, &neuron_driver, &list);
		assert_string_equal(device->product, cases[i].product);
		assert_string_equal(device->architecture, cases[i].architecture);
	}
}

/* The kernel driver prints an empty line for a serial number that it cannot read. */
static void test_serial(void **state)
{
	static const char *const texts[] = { "\n", "", "no number", "a/b", NULL };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_add(tree, &card);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		class_card_set(tree, &card, "info/serial_number", texts[i]);
		assert_string_equal(class_card_scan_one(tree, &neuron_driver, &list)->serial, "");
		class_card_check_probe(tree, list.devices[0], 0, "");
	}
}

/* --- links --- */

static const struct {
	const char *what;
	const char *connected[CHIPS_MAX]; /* of neuron0 on; NULL: no such attribute */
	size_t n;
	const char *groups[CHIPS_MAX];
} link_cases[] = {
	{ "ring of four",
	  { "1, 3\n", "0, 2\n", "1, 3\n", "2, 0\n" },
	  4,
	  { "neuron0", "neuron0", "neuron0", "neuron0" } },
	{ "two pairs", { "2", "3", "0", "1" }, 4, { "neuron0", "neuron1", "neuron0", "neuron1" } },
	{ "alone", { "\n", "", NULL }, 3, { "", "", "" } },
	{ "told by one end only", { "\n", "2\n", "\n" }, 3, { "", "neuron1", "neuron1" } },
	{ "joined late",
	  { "1", "0", "3", "2", "1, 2" },
	  5,
	  { "neuron0", "neuron0", "neuron0", "neuron0", "neuron0" } },
	{ "chips that are not there", { "7, 1", "9" }, 2, { "neuron0", "neuron0" } },
	{ "itself", { "0", "1, 1" }, 2, { "", "" } },
	{ "no list", { "1; 2", "two", "-1", "1,,2", "99999999999" }, 5, { "", "", "", "", "" } },
	{ "too many",
	  { "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "\n" },
	  2,
	  { "", "" } },
};

static void test_links(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(link_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };

		tree_remove(tree, "sys");
		for (size_t k = 0; k < link_cases[i].n; k++) {
			struct class_card other = card;
			char entry[32];

			(void)snprintf(entry, sizeof(entry), "neuron%zu", k);
			other.entry = entry;
			class_card_add(tree, &other);
			class_card_set(tree, &other, "connected_devices",
				       link_cases[i].connected[k]);
		}
		class_card_scan(tree, &neuron_driver, &list);
		assert_int_equal(list.n, link_cases[i].n);
		for (size_t k = 0; k < list.n; k++)
			if (strcmp(list.devices[k]->link_group, link_cases[i].groups[k]) != 0)
				fail_msg("%s: chip %zu is in '%s'", link_cases[i].what, k,
					 list.devices[k]->link_group);
	}
}

/* Devices that were listed before are another driver's. */
static void test_links_leave_others_alone(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device *other = device_new(driver_find("furiosa"));

	other->index = 1;
	assert_int_equal(device_list_add(&list, other), 0);
	class_card_add(tree, &card);
	class_card_set(tree, &card, "connected_devices", "1\n");
	assert_int_equal(neuron_driver.scan(&neuron_driver, &tree->host, &list, NULL), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.devices[0]->link_group, "");
	assert_string_equal(list.devices[1]->link_group, "");
}

/* --- probe and measure --- */

static void test_probe(void **state)
{
	static const struct {
		const char *attribute;
		const char *text; /* NULL: no such attribute */
		int expected;
		const char *reason;
	} cases[] = {
		{ "stats/hardware/mem_ecc_uncorrected", "1\n", -EIO,
		  "stats/hardware/mem_ecc_uncorrected is 1, expected 0" },
		{ "stats/hardware/sram_ecc_uncorrected", "65535\n", -EIO,
		  "stats/hardware/sram_ecc_uncorrected is 65535, expected 0" },
		/* What counts no errors says nothing. */
		{ "stats/hardware/mem_ecc_uncorrected", NULL, 0, "" },
		{ "stats/hardware/sram_ecc_uncorrected", "none\n", 0, "" },
		{ "info/serial_number", "1111111111111111\n", -ENODEV,
		  "serial number is '1111111111111111', expected '" SERIAL "'" },
		{ "info/serial_number", NULL, -ENOENT, "info/serial_number is missing" },
		{ "core_count", NULL, 0, "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		tree_remove(tree, "sys");
		class_card_add(tree, &card);
		device = class_card_scan_one(tree, &neuron_driver, &list);
		class_card_check_probe(tree, device, 0, "");
		class_card_set(tree, &card, cases[i].attribute, cases[i].text);
		class_card_check_probe(tree, device, cases[i].expected, cases[i].reason);
		tree_remove(tree, "sys");
		class_card_check_probe(tree, device, -ENODEV, "gone from sysfs");
		class_card_add(tree, &card);
		class_card_check_probe(tree, device, 0, "");
	}
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &neuron_driver, &list);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.memory_used_bytes == 1024.0);
	assert_true(readings.temperature_celsius < 0 && readings.utilization_ratio < 0);
	/* A sum without one of the cores would be wrong. */
	class_card_set(tree, &card, "neuron_core1/stats/memory_usage/device_mem/total", "?\n");
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.memory_used_bytes < 0);
	class_card_remove(tree, &card);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), -ENODEV);
}

static void test_common(void **state)
{
	const struct tree *tree = *state;

	class_card_check_garbage(tree, &card);
	class_card_check_node(tree, &card);
	class_card_check_descriptors(tree, &card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts),
		TREE_TEST(test_without_class),
		TREE_TEST(test_cores),
		TREE_TEST(test_product),
		TREE_TEST(test_serial),
		TREE_TEST(test_links),
		TREE_TEST(test_links_leave_others_alone),
		TREE_TEST(test_probe),
		TREE_TEST(test_measure),
		TREE_TEST(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
