/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated chips: attributes as the vendor's kernel driver prints them. */
#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

#define SENSORS "hwmon/hwmon2/"

static const struct card_file attributes[] = {
	{ "tt_asic_id", "0123456789ABCDEF\n" }, { "tt_serial", "0100014511703001\n" },
	{ "tt_card_type", "n300\n" },		{ "tt_fw_bundle_ver", "80.17.0.0\n" },
	{ "tt_heartbeat", "4711\n" },
};

#define CARD(INDEX, BDF)                                                                  \
	{                                                                                 \
		.driver = &tenstorrent_driver, .class_name = "tenstorrent",               \
		.entry = "tenstorrent!" INDEX, .bdf = BDF, .pci_vendor = 0x1e52,          \
		.pci_device = 0x401e, .subsystem = 0x0014, .attributes = attributes,      \
		.n_attributes = ARRAY_SIZE(attributes), .node = "dev/tenstorrent/" INDEX, \
	}

static const struct class_card card = CARD("0", "0000:27:00.0");
static const struct class_card vf = CARD("1", "0000:27:00.1");

static void add_sensors(const struct tree *tree)
{
	class_card_set_pci(tree, &card, SENSORS "temp1_input", "45000\n");
	class_card_set_pci(tree, &card, SENSORS "temp1_max", "75000\n");
	class_card_set_pci(tree, &card, SENSORS "power1_input", "31000000\n");
}

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	tree_puts(tree, "sys/module/tenstorrent/version", "2.0.0\n");
	device = class_card_scan_one(tree, &tenstorrent_driver, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("tenstorrent"));
	assert_string_equal(device->name, "tenstorrent/0");
	assert_string_equal(device->sysfs_path, "sys/class/tenstorrent/tenstorrent!0");
	assert_int_equal(device->index, 0);
	assert_string_equal(device->bdf, "0000:27:00.0");
	assert_string_equal(device->uuid, "0123456789ABCDEF");
	assert_string_equal(device->serial, "0100014511703001");
	assert_string_equal(device->architecture, "wormhole");
	assert_string_equal(device->product, "n300");
	assert_string_equal(device->driver_version, "2.0.0");
	assert_string_equal(device->firmware_version, "80.17.0.0");
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->n_nodes, 1);
	assert_string_equal(device->nodes[0].path, "/dev/tenstorrent/0");
}

/* Firmware that reports nothing leaves an entry without attributes. */
static void test_no_telemetry(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		class_card_set(tree, &card, attributes[i].path, NULL);
	device = class_card_scan_one(tree, &tenstorrent_driver, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->uuid, "");
	assert_string_equal(device->serial, "");
	assert_string_equal(device->firmware_version, "");
	assert_string_equal(device->driver_version, "");
	assert_string_equal(device->bdf, "0000:27:00.0");
	class_card_check_probe(tree, device, 0, "");
}

static void test_product(void **state)
{
	static const struct {
		uint16_t pci_device;
		uint16_t subsystem;
		const char *card_type; /* NULL: no such attribute */
		const char *product;
		const char *architecture;
	} cases[] = {
		{ 0x401e, 0x0018, "n150\n", "n150", "wormhole" },
		{ 0x401e, 0x0018, "galaxy-wormhole", "galaxy-wormhole", "wormhole" },
		{ 0x401e, 0x0018, NULL, "n150", "wormhole" },
		{ 0x401e, 0x0014, "unknown\n", "n300", "wormhole" },
		{ 0x401e, 0x0035, NULL, "wormhole", "wormhole" },
		{ 0xb140, 0x0046, "p300c\n", "p300c", "blackhole" },
		{ 0xb140, 0x0043, "", "p100a", "blackhole" },
		{ 0xb140, 0x0047, "unknown", "blackhole", "blackhole" },
		{ 0xfaca, 0x0003, NULL, "e150", "grayskull" },
		{ 0xfaca, 0x0007, "e75\n", "e75", "grayskull" },
		{ 0xffff, 0x0001, "x1\n", "x1", "" },
		{ 0xffff, 0x0001, "x 1\n", "", "" },
		{ 0xffff, 0x0001, NULL, "", "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct class_card other = card;
		const struct device *device;

		other.pci_device = cases[i].pci_device;
		other.subsystem = cases[i].subsystem;
		class_card_reset(tree, &other);
		class_card_set(tree, &other, "tt_card_type", cases[i].card_type);
		device = class_card_scan_one(tree, &tenstorrent_driver, &list);
		assert_string_equal(device->product, cases[i].product);
		assert_string_equal(device->architecture, cases[i].architecture);
	}
}

static void test_unfit_facts(void **state)
{
	static const struct {
		const char *attribute;
		const char *text;
	} cases[] = {
		{ "tt_asic_id", "" },
		{ "tt_asic_id", "not an id" },
		{ "tt_serial", "a/b" },
		{ "tt_serial", NULL },
		{ "tt_fw_bundle_ver", "80 17" },
		{ "tt_fw_bundle_ver", "v80" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		class_card_reset(tree, &card);
		class_card_set(tree, &card, cases[i].attribute, cases[i].text);
		device = class_card_scan_one(tree, &tenstorrent_driver, &list);
		assert_int_equal((device->uuid[0] != '\0') + (device->serial[0] != '\0') +
					 (device->firmware_version[0] != '\0'),
				 2);
	}
}

/* A sensor that is missing or says nonsense is no reason against the chip. */
static void test_temperature(void **state)
{
	static const struct {
		const char *input; /* NULL: no such attribute */
		const char *max;
		int expected;
		const char *reason;
	} cases[] = {
		{ "45000\n", "75000\n", 0, "" },
		{ "74999\n", "75000\n", 0, "" },
		{ "75000\n", "75000\n", -EIO, "temperature is 75 degrees Celsius, the limit 75" },
		{ "102400\n", "75000\n", -EIO, "temperature is 102 degrees Celsius, the limit 75" },
		{ "102400\n", NULL, 0, "" },
		{ "102400\n", "none\n", 0, "" },
		{ "", "75000\n", 0, "" },
		{ NULL, "75000\n", 0, "" },
		{ "-5000\n", "75000\n", 0, "" },
		{ "99999999999999999999999\n", "75000\n", 0, "" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &tenstorrent_driver, &list);
	class_card_check_probe(tree, device, 0, "");
	add_sensors(tree);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		class_card_set_pci(tree, &card, SENSORS "temp1_input", cases[i].input);
		class_card_set_pci(tree, &card, SENSORS "temp1_max", cases[i].max);
		class_card_check_probe(tree, device, cases[i].expected, cases[i].reason);
	}
}

/* Where no PCI address is known, the chip's own number says whether it is the same. */
static void test_probe_without_address(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	struct class_card bare = card;

	bare.bdf = NULL;
	class_card_add(tree, &bare);
	device = class_card_scan_one(tree, &tenstorrent_driver, &list);
	assert_string_equal(device->bdf, "");
	class_card_check_probe(tree, device, 0, "");
	class_card_set(tree, &bare, "tt_asic_id", "FEDCBA9876543210\n");
	class_card_check_probe(tree, device, -ENODEV,
			       "tt_asic_id is 'FEDCBA9876543210', expected '0123456789ABCDEF'");
	class_card_remove(tree, &bare);
	class_card_check_probe(tree, device, -ENODEV, "gone from sysfs");
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings = device_readings_none();
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &tenstorrent_driver, &list);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius < 0 && readings.power_watts < 0);
	add_sensors(tree);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius > 44.9 && readings.temperature_celsius < 45.1);
	assert_true(readings.power_watts > 30.9 && readings.power_watts < 31.1);
	class_card_remove(tree, &card);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), -ENODEV);
}

static void test_row(void **state)
{
	(void)state;
	assert_string_equal(tenstorrent_driver.env[0].name, "TT_VISIBLE_DEVICES");
	assert_int_equal(tenstorrent_driver.env[0].value, DRIVER_ENV_INDEX);
	assert_null(tenstorrent_driver.env[1].name);
	assert_string_equal(tenstorrent_driver.mounts[0].path, "/dev/hugepages-1G");
	assert_false(tenstorrent_driver.mounts[0].read_only);
	assert_null(tenstorrent_driver.mounts[1].path);
}

static void test_common(void **state)
{
	class_card_check_common(*state, &card, &vf, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts),	     TREE_TEST(test_no_telemetry),
		TREE_TEST(test_product),     TREE_TEST(test_unfit_facts),
		TREE_TEST(test_temperature), TREE_TEST(test_probe_without_address),
		TREE_TEST(test_measure),     cmocka_unit_test(test_row),
		TREE_TEST(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
