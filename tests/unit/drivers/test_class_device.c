/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part that drivers of numbered class entries share, with a driver of the
 * test's own.
 */
#include "drivers/class_device.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "tests/test.h"
#include "tests/unit/drivers/class_card.h"

static const struct class_product products[] = {
	{ 0x0001, 0x0007, "one-seven", "first" },
	{ 0x0001, 0, "one", "first" },
	{ 0x0002, 0, NULL, "second" },
	{ 0 },
};

/* What the next call of read_card() returns. */
static int read_result = 1;

static int read_card(const struct class_entry *entry, struct device *device, struct error *err)
{
	assert_true(entry->dirfd >= 0);
	assert_non_null(entry->pci);
	if (read_result < 0)
		return error_set(err, -read_result, "no");
	(void)str_copy(device->product, sizeof(device->product), "card");
	return read_result;
}

static const struct class_device own_class = {
	.class_dir = "sys/class/some",
	.entry_prefix = "some!",
	.name_prefix = "some/",
	.pci_vendor = 0x1234,
	.own_class = true,
	.read = read_card,
};

static const struct class_device shared_class = {
	.class_dir = "sys/class/some",
	.entry_prefix = "some!",
	.name_prefix = "some/",
	.pci_vendor = 0x1234,
	.read = read_card,
};

static int scan_some(const struct driver *driver, const struct host *host, struct device_list *list,
		     struct error *err)
{
	return class_device_scan(driver->data, driver, host, list, err);
}

static int probe_some(const struct host *host, const struct device *device, struct error *err)
{
	return class_device_probe(host, device, "state", "up", err);
}

static const struct driver own_driver = {
	.name = "own",
	.data = &own_class,
	.scan = scan_some,
	.probe = probe_some,
};

static const struct driver shared_driver = {
	.name = "shared",
	.data = &shared_class,
	.scan = scan_some,
	.probe = probe_some,
};

static const struct card_file attributes[] = { { "state", "up\n" } };

#define CARD(DRIVER, ENTRY, BDF)                                                                 \
	{                                                                                        \
		.driver = &(DRIVER), .class_name = "some", .entry = "some!" ENTRY, .bdf = BDF,   \
		.pci_vendor = 0x1234, .pci_device = 1, .subsystem = 7, .attributes = attributes, \
		.n_attributes = ARRAY_SIZE(attributes), .node = "dev/some/" ENTRY,               \
	}

static const struct class_card card = CARD(own_driver, "3", "0000:27:00.0");
static const struct class_card shared_card = CARD(shared_driver, "3", "0000:27:00.0");
static const struct class_card second_card = CARD(own_driver, "12", "0000:27:00.1");

static int setup(void **state)
{
	read_result = 1;
	return tree_setup(state);
}

static void test_found(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &second_card);
	class_card_add(tree, &card);
	class_card_scan(tree, &own_driver, &list);
	assert_int_equal(list.n, 2);
	device = list.devices[0];
	assert_ptr_equal(device->driver, &own_driver);
	assert_string_equal(device->name, "some/3");
	assert_string_equal(device->sysfs_path, "sys/class/some/some!3");
	assert_int_equal(device->index, 3);
	assert_string_equal(device->bdf, "0000:27:00.0");
	assert_string_equal(device->pci.path, "pci0000:16/0000:27:00.0");
	assert_int_equal(device->pci.vendor, 0x1234);
	assert_int_equal(device->numa_node, 1);
	assert_string_equal(device->product, "card");
	assert_string_equal(list.devices[1]->name, "some/12");
}

static void test_nothing(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };

	class_card_scan(tree, &own_driver, &list);
	assert_int_equal(list.n, 0);
	tree_mkdir(tree, "sys/class/some/other0");
	tree_mkdir(tree, "sys/class/some/some!03");
	tree_puts(tree, "sys/class/some/some!4", "");
	class_card_scan(tree, &own_driver, &list);
	assert_int_equal(list.n, 0);
	tree_remove(tree, "sys/class/some");
	tree_puts(tree, "sys/class/some", "");
	assert_int_equal(own_driver.scan(&own_driver, &tree->host, &list, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "sys/class/some"));
}

static void test_read_decides(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };

	class_card_add(tree, &card);
	read_result = 0;
	class_card_scan(tree, &own_driver, &list);
	assert_int_equal(list.n, 0);
	read_result = -EMFILE;
	assert_int_equal(own_driver.scan(&own_driver, &tree->host, &list, &err), -EMFILE);
	assert_string_equal(err.msg, "no");
}

static void test_vendor(void **state)
{
	class_card_check_vendor(*state, &card, true);
	class_card_check_vendor(*state, &shared_card, false);
}

static void test_functions(void **state)
{
	class_card_check_functions(*state, &card, &second_card);
}

static void test_places(void **state)
{
	class_card_check_places(*state, &card);
}

static void test_bus(void **state)
{
	class_card_check_bus(*state, &card);
}

static void test_descriptors(void **state)
{
	class_card_check_descriptors(*state, &card);
	class_card_check_descriptors(*state, &shared_card);
}

/* As of the partitions of a GPU in /sys/class/drm: their parent is no PCI device. */
static void test_without_pci(void **state)
{
	static const struct {
		const struct driver *driver;
		size_t expected;
	} cases[] = { { &own_driver, 1 }, { &shared_driver, 0 } };
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct class_card parentless = card;

		parentless.driver = cases[i].driver;
		parentless.bdf = NULL;
		class_card_reset(tree, &parentless);
		class_card_scan(tree, cases[i].driver, &list);
		assert_int_equal(list.n, cases[i].expected);
	}
}

static void test_probe(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	class_card_add(tree, &card);
	device = class_card_scan_one(tree, &own_driver, &list);
	class_card_check_probe(tree, device, 0, "");
	class_card_set(tree, &card, "state", "down\n");
	class_card_check_probe(tree, device, -EIO, "state is 'down', expected 'up'");
	class_card_set(tree, &card, "state", NULL);
	class_card_check_probe(tree, device, -ENOENT, "state is missing");
	class_card_set(tree, &card, "state", " up \n");
	class_card_check_probe(tree, device, 0, "");
}

static void test_open(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device *device;
	struct error err = { 0 };
	int fd;

	class_card_add(tree, &card);
	(void)class_card_scan_one(tree, &own_driver, &list);
	device = list.devices[0];
	fd = class_device_open(&tree->host, device, &err);
	assert_true(fd >= 0);
	cleanup_closep(&fd);
	class_card_remove(tree, &card);
	assert_int_equal(class_device_open(&tree->host, device, &err), -ENODEV);
	assert_string_equal(err.msg, "gone from sysfs");
	/* One whose address is not known has only its entry to be missed by. */
	device->bdf[0] = '\0';
	assert_int_equal(class_device_open(&tree->host, device, &err), -ENODEV);
}

static void test_products(void **state)
{
	static const struct {
		uint16_t device;
		uint16_t subsystem;
		const char *architecture; /* NULL: unknown */
		const char *product;
	} cases[] = {
		{ 1, 7, "first", "one-seven" }, { 1, 8, "first", "one" }, { 1, 0, "first", "one" },
		{ 2, 7, "second", NULL },	{ 0, 0, NULL, NULL },	  { 3, 7, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device_pci pci = { .device = cases[i].device,
						.subsystem_device = cases[i].subsystem };
		const struct class_product *product = class_product_find(products, &pci);

		assert_int_equal(product != NULL, cases[i].architecture != NULL);
		if (!product)
			continue;
		assert_string_equal(product->architecture, cases[i].architecture);
		if (cases[i].product)
			assert_string_equal(product->product, cases[i].product);
		else
			assert_null(product->product);
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *text;
		bool expected;
	} cases[] = {
		{ "RBLN-CA22", true }, { "n150", true }, { "a.b_c", true },	 { "", false },
		{ "a b", false },      { "a/b", false }, { "a\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(class_device_is_word(cases[i].text), cases[i].expected);
}

#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(test_found),	      SCAN_TEST(test_nothing),
		SCAN_TEST(test_read_decides), SCAN_TEST(test_vendor),
		SCAN_TEST(test_functions),    SCAN_TEST(test_places),
		SCAN_TEST(test_bus),	      SCAN_TEST(test_descriptors),
		SCAN_TEST(test_without_pci),  SCAN_TEST(test_probe),
		SCAN_TEST(test_open),	      cmocka_unit_test(test_products),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
