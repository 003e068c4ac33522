/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards of both generations of the kernel driver habanalabs, device files as links.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"

#define BDF "0000:27:00.0"
#define PCI "sys/devices/pci0000:16/" BDF "/"
#define HL "sys/devices/virtual/habanalabs/hl0/"
#define ACCEL_NODES "/dev/accel/accel0 * /dev/accel/accel_controlD0 * "
#define HL_NODES "/dev/hl0 * /dev/hl_controlD0 * "

static const struct card_pci gaudi2 = { BDF, "0x1da3", "0x1020", "0x120000", "habanalabs" };

/* A newer driver: in the class accel, attributes at the PCI device. */
static void add_accel(const struct tree *tree)
{
	card_add_pci(tree, &gaudi2);
	card_add_entry(tree, "pci0000:16/" BDF, "accel", "accel0");
	card_set(tree, PCI "device_type", "GAUDI2\n");
	card_set(tree, PCI "status", "Operational\n");
	card_set(tree, PCI "pci_addr", BDF "\n");
	card_set(tree, PCI "cpucp_ver", "hl-gaudi2-1.16.0-fw-50.1.2-sec-9\n");
	card_set(tree, "sys/module/habanalabs/version", "1.16.0-94aac46\n");
	card_add_nodes(tree, ACCEL_NODES);
}

/* An older driver: a virtual device of a class of its own. */
static void add_hl(const struct tree *tree)
{
	card_add_pci(tree, &gaudi2);
	card_set(tree, HL "device_type", "GAUDI2\n");
	card_set(tree, HL "status", "Operational\n");
	card_set(tree, HL "pci_addr", BDF "\n");
	card_set(tree, HL "cpucp_ver", "hl-gaudi2-1.16.0-fw-50.1.2-sec-9\n");
	tree_link(tree, "sys/class/habanalabs/hl0", "../../devices/virtual/habanalabs/hl0");
	card_add_nodes(tree, HL_NODES);
}

static const struct {
	void (*add)(const struct tree *tree);
	const char *name;
	const char *sysfs_path;
	const char *driver_version;
	const char *nodes;
} generations[] = {
	{ add_accel, "accel/accel0", "sys/class/accel/accel0", "1.16.0-94aac46", ACCEL_NODES },
	{ add_hl, "hl0", "sys/class/habanalabs/hl0", "", HL_NODES },
};

static void test_card(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_SIZE(generations); i++) {
		const struct device *device;

		card_reset(tree);
		generations[i].add(tree);
		device = class_card_scan_one(tree, &habana_driver, &list);
		assert_string_equal(device->fault, "");
		assert_string_equal(device->name, generations[i].name);
		assert_string_equal(device->sysfs_path, generations[i].sysfs_path);
		assert_string_equal(device->bdf, BDF);
		assert_string_equal(device->uuid, "");
		assert_string_equal(device->serial, "");
		assert_string_equal(device->architecture, "gaudi2");
		assert_string_equal(device->product, "gaudi2");
		assert_string_equal(device->firmware_version, "hl-gaudi2-1.16.0-fw-50.1.2-sec-9");
		assert_string_equal(device->driver_version, generations[i].driver_version);
		assert_int_equal(device->numa_node, 1);
		assert_int_equal(device->pci.vendor, 0x1da3);
		assert_int_equal(device->index, 0);
		assert_int_equal(device->cores, 0);
		card_print_nodes(device, &text);
		assert_string_equal(strbuf_str(&text), generations[i].nodes);
	}
}

static void test_nothing(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_scan(tree, &habana_driver, &list);
	assert_int_equal(list.n, 0);
	tree_mkdir(tree, "sys/class/accel");
	tree_mkdir(tree, "sys/class/habanalabs");
	class_card_scan(tree, &habana_driver, &list);
	assert_int_equal(list.n, 0);
}

/* The class accel has cards of other vendors; without a vendor an entry is nobody's. */
static void test_other_vendors(void **state)
{
	static const char *const vendors[] = { "0x17cb", "0x8086", "", NULL, CARD_GARBAGE };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_accel(tree);
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		card_set(tree, PCI "vendor", vendors[i]);
		class_card_scan(tree, &habana_driver, &list);
		assert_int_equal(list.n, 0);
	}
}

/* The old class has control devices beside the cards. */
static void test_other_entries(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_hl(tree);
	tree_puts(tree, "sys/class/habanalabs/hl_controlD0/dev", "508:1\n");
	tree_puts(tree, "sys/class/habanalabs/hl01/dev", "508:2\n");
	assert_string_equal(class_card_scan_one(tree, &habana_driver, &list)->name, "hl0");
}

static const struct {
	const char *pci_device;
	const char *type; /* NULL: no such attribute */
	const char *architecture;
	const char *product;
} product_cases[] = {
	{ "0x1020", "GAUDI2\n", "gaudi2", "gaudi2" },
	{ "0x1020", "GAUDI2D\n", "gaudi2", "gaudi2d" },
	{ "0x1010", "GAUDI SEC\n", "gaudi", "gaudi-sec" },
	{ "0x1060", "GAUDI3\n", "gaudi3", "gaudi3" },
	{ "0x0001", "GOYA", "goya", "goya" },
	{ "0x9999", "GAUDI3", "gaudi3", "gaudi3" },
	{ "0x9999", "FALCON", "habana", "falcon" },
	{ "0x1060", NULL, "gaudi3", "gaudi3" },
	{ "0x1063", NULL, "gaudi3", "gaudi3" },
	{ "0x1000", NULL, "gaudi", "gaudi" },
	{ "0x1010", "", "gaudi", "gaudi-sec" },
	{ "0x0030", CARD_GARBAGE, "greco", "greco" },
	{ "0x1020", CARD_HUGE, "gaudi2", "gaudi2" },
	{ "0x1020", "GAUDI2/../..", "gaudi2", "gaudi2" },
	{ "0x1020", "seventy characters, which is more than a product may have in its name, so",
	  "gaudi2", "gaudi2" },
	{ "0x9999", NULL, "habana", "habana" },
};

static void test_product(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_accel(tree);
	for (size_t i = 0; i < ARRAY_SIZE(product_cases); i++) {
		const struct device *device;

		card_set(tree, PCI "device", product_cases[i].pci_device);
		card_set(tree, PCI "device_type", product_cases[i].type);
		device = class_card_scan_one(tree, &habana_driver, &list);
		assert_string_equal(device->architecture, product_cases[i].architecture);
		assert_string_equal(device->product, product_cases[i].product);
		assert_string_equal(device->fault, "");
	}
}

/* A version that cannot be used is not known; the card is none the worse. */
static void test_versions(void **state)
{
	static const char *const unfit[] = { NULL, "", CARD_GARBAGE, CARD_HUGE, "1\n2" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_accel(tree);
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		const struct device *device;

		card_set(tree, PCI "cpucp_ver", unfit[i]);
		card_set(tree, "sys/module/habanalabs/version", unfit[i]);
		device = class_card_scan_one(tree, &habana_driver, &list);
		assert_string_equal(device->firmware_version, "");
		assert_string_equal(device->driver_version, "");
		assert_string_equal(device->fault, "");
	}
}

/* The old class gives no other place to look for the address. */
static void test_hl_address(void **state)
{
	static const char *const unfit[] = { NULL, "", "27:00", CARD_GARBAGE, CARD_HUGE };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_hl(tree);
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		const struct device *device;

		card_set(tree, HL "pci_addr", unfit[i]);
		device = class_card_scan_one(tree, &habana_driver, &list);
		assert_string_equal(device->bdf, "");
		assert_string_equal(device->fault, "pci_addr is not a PCI address");
	}
	card_set(tree, HL "pci_addr", BDF);
	assert_string_equal(class_card_scan_one(tree, &habana_driver, &list)->fault, "");
}

static void test_nodes(void **state)
{
	static const struct {
		void (*add)(const struct tree *tree);
		const char *node;
		const char *fault;
	} cases[] = {
		{ add_accel, "dev/accel/accel0", "device node '/dev/accel/accel0' is missing" },
		{ add_accel, "dev/accel/accel_controlD0",
		  "device node '/dev/accel/accel_controlD0' is missing" },
		{ add_hl, "dev/hl0", "device node '/dev/hl0' is missing" },
		{ add_hl, "dev/hl_controlD0", "device node '/dev/hl_controlD0' is missing" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_reset(tree);
		cases[i].add(tree);
		tree_remove(tree, cases[i].node);
		assert_string_equal(class_card_scan_one(tree, &habana_driver, &list)->fault,
				    cases[i].fault);
	}
}

static const struct card_probe_case accel_probes[] = {
	{ { PCI "status", "Operational" }, 0, "" },
	{ { PCI "status", "In reset\n" }, -EIO, "status is 'In reset', expected 'Operational'" },
	{ { PCI "status", "In reset after device release\n" }, -EIO, "status is 'In reset after" },
	{ { PCI "status", "In device creation\n" }, -EIO, "status is 'In device creation'" },
	{ { PCI "status", "Malfunction\n" }, -EIO, "status is 'Malfunction'" },
	{ { PCI "status", "operational\n" }, -EIO, "status is 'operational'" },
	{ { PCI "status", "" }, -EIO, "status is ''" },
	{ { PCI "status", NULL }, -ENOENT, "device/status is missing" },
	{ { PCI "status", CARD_GARBAGE }, -EILSEQ, "device/status cannot be read" },
	{ { PCI "status", CARD_HUGE }, -EFBIG, "device/status cannot be read" },
	{ { PCI "config", "\xff\xff\xff\xff" }, -EIO, "PCI device '" BDF "' does not answer" },
	{ { "sys/class/accel/accel0", NULL }, -ENODEV, "gone from sysfs" },
};

static const struct card_probe_case hl_probes[] = {
	{ { HL "status", "Operational\n" }, 0, "" },
	{ { HL "status", "Needs reset\n" }, -EIO, "status is 'Needs reset'" },
	{ { HL "status", NULL }, -ENOENT, "status is missing" },
	{ { HL "pci_addr", "0000:28:00.0" }, -ENODEV, "pci_addr is '0000:28:00.0', expected" },
	{ { HL "pci_addr", "x" }, -EINVAL, "pci_addr 'x' is not a PCI address" },
	{ { "sys/class/habanalabs/hl0", NULL }, -ENODEV, "gone from sysfs" },
};

static void test_probe(void **state)
{
	card_check_probe(*state, &habana_driver, add_accel, accel_probes, ARRAY_SIZE(accel_probes));
	card_check_probe(*state, &habana_driver, add_hl, hl_probes, ARRAY_SIZE(hl_probes));
}

/* The entry is another card's now: the old device is gone, a scan finds both. */
static void test_renumbered(void **state)
{
	static const struct card_pci other = { "0000:28:00.0", "0x1da3", "0x1020", "0x120000",
					       "habanalabs" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list before = { 0 };
	_cleanup_device_list_ struct device_list after = { 0 };
	const struct device *device;
	struct error err = { 0 };

	add_accel(tree);
	device = class_card_scan_one(tree, &habana_driver, &before);
	tree_remove(tree, "sys/class/accel/accel0");
	card_add_pci(tree, &other);
	card_add_entry(tree, "pci0000:16/0000:28:00.0", "accel", "accel0");
	card_add_entry(tree, "pci0000:16/" BDF, "accel", "accel1");
	assert_int_equal(habana_driver.probe(&tree->host, device, &err), -ENODEV);
	assert_string_equal(err.msg, "belongs to '0000:28:00.0' now, expected '" BDF "'");
	class_card_scan(tree, &habana_driver, &after);
	assert_int_equal(after.n, 2);
	assert_string_equal(after.devices[1]->bdf, BDF);
	assert_string_equal(after.devices[1]->name, "accel/accel1");
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;
	const struct device *device;

	add_accel(tree);
	device = class_card_scan_one(tree, &habana_driver, &list);
	assert_int_equal(habana_driver.measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius < 0 && readings.power_watts < 0);
	card_set(tree, PCI "hwmon/hwmon3/temp1_input", "41000\n");
	card_set(tree, PCI "hwmon/hwmon3/power1_input", "95000000\n");
	assert_int_equal(habana_driver.measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius == 41 && readings.power_watts == 95);
	assert_true(readings.utilization_ratio < 0 && readings.memory_used_bytes < 0);
	tree_remove(tree, "sys/class/accel/accel0");
	assert_int_equal(habana_driver.measure(&tree->host, device, &readings, NULL), -ENODEV);
}

static void test_descriptors_run_out(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(generations); i++) {
		card_reset(*state);
		generations[i].add(*state);
		card_check_descriptors(*state, &habana_driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_card),	       TREE_TEST(test_nothing),
		TREE_TEST(test_other_vendors), TREE_TEST(test_other_entries),
		TREE_TEST(test_product),       TREE_TEST(test_versions),
		TREE_TEST(test_hl_address),    TREE_TEST(test_nodes),
		TREE_TEST(test_probe),	       TREE_TEST(test_renumbered),
		TREE_TEST(test_measure),       TREE_TEST(test_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
