/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated chips: attributes as the vendor's own readers expect them. */
#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

#define ENTRY "sys/class/rebellions/rbln0"

static const struct card_file attributes[] = {
	{ "status", "0\n" },	 { "kernel_version", "1.2.92-6d00b56\n" },
	{ "fw_ver", "1.2.3\n" }, { "dram_total", "17179869184\n" },
	{ "dram_used", "0\n" },	 { "group_id", "0\n" },
};

#define CARD(INDEX, BDF, DEVICE)                                                                  \
	{                                                                                         \
		.driver = &rebellions_driver, .class_name = "rebellions", .entry = "rbln" INDEX,  \
		.bdf = BDF, .pci_vendor = 0x1eff, .pci_device = DEVICE, .attributes = attributes, \
		.n_attributes = ARRAY_SIZE(attributes), .node = "dev/rbln" INDEX,                 \
	}

static const struct class_card card = CARD("0", "0000:27:00.0", 0x1220);
static const struct class_card vf = CARD("1", "0000:27:00.1", 0x1221);

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &rebellions_driver, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("rebellions"));
	assert_string_equal(device->name, "rbln0");
	assert_string_equal(device->sysfs_path, ENTRY);
	assert_int_equal(device->index, 0);
	assert_string_equal(device->bdf, "0000:27:00.0");
	assert_string_equal(device->uuid, "");
	assert_string_equal(device->serial, "");
	assert_string_equal(device->architecture, "ATOM");
	assert_string_equal(device->product, "RBLN-CA22");
	assert_string_equal(device->driver_version, "1.2.92-6d00b56");
	assert_string_equal(device->firmware_version, "1.2.3");
	assert_true(device->memory_bytes == UINT64_C(17179869184));
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->cores, 0);
	assert_int_equal(device->n_nodes, 1);
	assert_string_equal(device->nodes[0].path, "/dev/rbln0");
	assert_true(device->nodes[0].shared);
}

static void test_unfit_facts(void **state)
{
	static const struct {
		const char *attribute;
		const char *text; /* NULL: no such attribute */
	} cases[] = {
		{ "kernel_version", NULL },    { "kernel_version", "" },
		{ "kernel_version", "1.2 3" }, { "fw_ver", NULL },
		{ "fw_ver", "a/b" },	       { "dram_total", NULL },
		{ "dram_total", "16GiB" },     { "dram_total", "99999999999999999999" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;
		int known;

		class_card_reset(tree, &card);
		class_card_set(tree, &card, cases[i].attribute, cases[i].text);
		device = class_card_scan_one(tree, &rebellions_driver, &list);
		known = (device->driver_version[0] != '\0') +
			(device->firmware_version[0] != '\0') + (device->memory_bytes != 0);
		assert_int_equal(known, 2);
		assert_string_equal(device->fault, "");
	}
}

static void test_product(void **state)
{
	static const struct {
		uint16_t pci_device;
		const char *card_name; /* NULL: no such attribute */
		const char *product;
		const char *architecture;
	} cases[] = {
		{ 0x1020, NULL, "RBLN-CA2", "ATOM" },
		{ 0x1121, NULL, "RBLN-CA12", "ATOM" },
		{ 0x1150, NULL, "RBLN-CA15", "ATOM" },
		{ 0x1250, "RBLN-CA99", "RBLN-CA25", "ATOM" }, /* the PCI id knows better */
		{ 0x2130, NULL, "RBLN-CR13", "REBEL" },
		{ 0x2231, NULL, "RBLN-CR23", "REBEL" },
		{ 0x9999, " RBLN-CR33\n", "RBLN-CR33", "REBEL" },
		{ 0x9999, "RBLN-CA33", "RBLN-CA33", "ATOM" },
		{ 0x9999, "RBLN-X1", "RBLN-X1", "" },
		{ 0x9999, "two words", "", "" },
		{ 0x9999, "", "", "" },
		{ 0x9999, NULL, "", "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct class_card other = card;
		const struct device *device;

		other.pci_device = cases[i].pci_device;
		class_card_reset(tree, &other);
		class_card_set(tree, &other, "card_name", cases[i].card_name);
		device = class_card_scan_one(tree, &rebellions_driver, &list);
		assert_string_equal(device->product, cases[i].product);
		assert_string_equal(device->architecture, cases[i].architecture);
	}
}

/* /dev/rsdG is handed out if the group is known and its file is there. */
static void test_group(void **state)
{
	static const struct {
		const char *group_id; /* NULL: no such attribute */
		const char *expected; /* NULL: no file of a group */
	} cases[] = {
		{ "0\n", "/dev/rsd0" }, { "12", "/dev/rsd12" }, { "3\n", NULL }, { "-1\n", NULL },
		{ "65536\n", NULL },	{ "", NULL },		{ NULL, NULL },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		class_card_reset(tree, &card);
		tree_link(tree, "dev/rsd0", "/dev/null");
		tree_link(tree, "dev/rsd12", "/dev/null");
		tree_puts(tree, "dev/rsd3", "");
		class_card_set(tree, &card, "group_id", cases[i].group_id);
		device = class_card_scan_one(tree, &rebellions_driver, &list);
		assert_string_equal(device->fault, "");
		assert_int_equal(device->n_nodes, cases[i].expected ? 2 : 1);
		if (cases[i].expected)
			assert_string_equal(device->nodes[1].path, cases[i].expected);
	}
}

/* Only 0 has the same meaning in all releases; what cannot be read is not well. */
static void test_probe(void **state)
{
	static const struct {
		const char *status; /* NULL: no such attribute */
		int expected;
		const char *reason;
	} cases[] = {
		{ "0", 0, "" },
		{ "1\n", -EIO, "status is '1', expected '0'" },
		{ "2\n", -EIO, "status is '2', expected '0'" },
		{ "3\n", -EIO, "status is '3', expected '0'" },
		{ "00\n", -EIO, "status is '00', expected '0'" },
		{ "", -EIO, "status is '', expected '0'" },
		{ "ready\n", -EIO, "status is 'ready', expected '0'" },
		{ "0\n0\n", -EILSEQ,
		  "status cannot be read: '" ENTRY "/status' has more than one line" },
		{ NULL, -ENOENT, "status is missing" },
		{ "0\n", 0, "" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &rebellions_driver, &list);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		class_card_set(tree, &card, "status", cases[i].status);
		class_card_check_probe(tree, device, cases[i].expected, cases[i].reason);
	}
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings = device_readings_none();
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &rebellions_driver, &list);
	class_card_set(tree, &card, "dram_used", "13461618688\n");
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.memory_used_bytes == 13461618688.0);
	assert_true(readings.temperature_celsius < 0);
	class_card_set(tree, &card, "dram_used", "much\n");
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.memory_used_bytes < 0);
	class_card_remove(tree, &card);
	assert_int_equal(device->driver->measure(&tree->host, device, &readings, NULL), -ENODEV);
}

static void test_common(void **state)
{
	class_card_check_common(*state, &card, &vf, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts),	TREE_TEST(test_unfit_facts), TREE_TEST(test_product),
		TREE_TEST(test_group),	TREE_TEST(test_probe),	     TREE_TEST(test_measure),
		TREE_TEST(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
