/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated chips in the class that several vendors' drivers share. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

#define CHANNEL "mhi0/mhi0_QAIC_CONTROL/modalias"

static const struct card_file attributes[] = {
	{ "dbc0_state", "0\n" },
};

#define CARD(INDEX, BDF)                                                                          \
	{                                                                                         \
		.driver = &qualcomm_driver, .class_name = "accel", .entry = "accel" INDEX,        \
		.bdf = BDF, .pci_vendor = 0x17cb, .pci_device = 0xa100, .attributes = attributes, \
		.n_attributes = ARRAY_SIZE(attributes), .node = "dev/accel/accel" INDEX,          \
	}

static const struct class_card card = CARD("0", "0000:27:00.0");
static const struct class_card vf = CARD("1", "0000:27:00.1");

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &qualcomm_driver, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("qualcomm"));
	assert_string_equal(device->name, "accel/accel0");
	assert_string_equal(device->sysfs_path, "sys/class/accel/accel0");
	assert_int_equal(device->index, DEVICE_INDEX_UNKNOWN);
	assert_string_equal(device->bdf, "0000:27:00.0");
	assert_string_equal(device->uuid, "");
	assert_string_equal(device->serial, "");
	assert_string_equal(device->product, "AIC100");
	assert_string_equal(device->architecture, "aic100");
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->n_nodes, 1);
	assert_string_equal(device->nodes[0].path, "/dev/accel/accel0");
}

/* The class has entries of other drivers, too, even of the same vendor's. */
static void test_product(void **state)
{
	static const struct {
		uint16_t pci_device;
		const char *kernel_driver; /* NULL: none is bound */
		const char *product;	   /* NULL: none of ours */
		const char *architecture;
	} cases[] = {
		{ 0xa100, "qaic", "AIC100", "aic100" }, { 0xa080, NULL, "AIC080", "aic080" },
		{ 0xa110, "qaic", "AIC200", "aic200" }, { 0xbeef, "qaic", "qaic", "" },
		{ 0xbeef, "other", NULL, NULL },	{ 0xbeef, NULL, NULL, NULL },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct class_card other = card;
		char target[64];

		other.pci_device = cases[i].pci_device;
		class_card_reset(tree, &other);
		if (cases[i].kernel_driver) {
			(void)snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s",
				       cases[i].kernel_driver);
			tree_link(tree, "sys/devices/pci0000:16/0000:27:00.0/driver", target);
		}
		class_card_scan(tree, &qualcomm_driver, &list);
		assert_int_equal(list.n, cases[i].product ? 1 : 0);
		if (!cases[i].product)
			continue;
		assert_string_equal(list.devices[0]->product, cases[i].product);
		assert_string_equal(list.devices[0]->architecture, cases[i].architecture);
	}
}

/* The channel is there while the chip is online; without the bus nothing is known. */
static void test_online(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &qualcomm_driver, &list);
	class_card_check_probe(tree, device, 0, "");
	class_card_set_pci(tree, &card, "mhi0/serial_number", "Serial Number: 1\n");
	class_card_check_probe(tree, device, -EIO, "offline: its control channel is missing");
	assert_string_equal(class_card_scan_one(tree, &qualcomm_driver, &list)->fault, "");
	device = list.devices[0];
	class_card_set_pci(tree, &card, CHANNEL, "mhi:QAIC_CONTROL\n");
	class_card_check_probe(tree, device, 0, "");
	class_card_set_pci(tree, &card, "mhi0/mhi0_QAIC_CONTROL", NULL);
	class_card_check_probe(tree, device, -EIO, "offline: its control channel is missing");
}

static void test_common(void **state)
{
	class_card_check_common(*state, &card, &vf, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts),
		TREE_TEST(test_product),
		TREE_TEST(test_online),
		TREE_TEST(test_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
