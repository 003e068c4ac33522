/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/pci.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define BDF "0000:27:00.0"
#define DEVICES "sys/devices/pci0000:16/0000:16:01.0/"
#define DEVICE DEVICES BDF "/"

static const struct {
	const char *name;
	const char *value;
} attributes[] = {
	{ "vendor", "0x1ed2\n" },
	{ "device", "0x2222\n" },
	{ "subsystem_vendor", "0x1ed3\n" },
	{ "subsystem_device", "0x0004\n" },
	{ "class", "0x120001\n" },
	{ "revision", "0x01\n" },
	{ "numa_node", "1\n" },
};

static void add_device(const struct tree *tree)
{
	char path[256];

	tree_remove(tree, "sys");
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		(void)snprintf(path, sizeof(path), DEVICE "%s", attributes[i].name);
		tree_puts(tree, path, attributes[i].value);
	}
	tree_link(tree, "sys/bus/pci/devices/" BDF,
		  "../../../devices/pci0000:16/0000:16:01.0/" BDF);
}

static int read_device(const struct tree *tree, const char *bdf, struct device_pci *pci, int *numa)
{
	_cleanup_(pci_reader_freep) struct pci_reader *reader = NULL;

	assert_int_equal(pci_reader_new(&tree->host, &reader, NULL), 0);
	return pci_read(reader, bdf, pci, numa, NULL);
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	struct device_pci pci;
	int numa;

	add_device(tree);
	assert_int_equal(read_device(tree, BDF, &pci, &numa), 0);
	assert_int_equal(pci.vendor, 0x1ed2);
	assert_int_equal(pci.device, 0x2222);
	assert_int_equal(pci.subsystem_vendor, 0x1ed3);
	assert_int_equal(pci.subsystem_device, 0x0004);
	assert_int_equal(pci.class, 0x120001);
	assert_string_equal(pci.path, "pci0000:16/0000:16:01.0/" BDF);
	assert_int_equal(numa, 1);
}

static const struct {
	const char *bdf;
	int expected;
} absent_cases[] = {
	{ "0000:28:00.0", -ENOENT },
	{ "0000:27:00.1", -ENOENT },
	{ "../../../", -EINVAL },
	{ "", -EINVAL },
};

static void test_absent(void **state)
{
	const struct tree *tree = *state;
	struct device_pci pci = { .vendor = 7 };
	int numa = 7;

	add_device(tree);
	for (size_t i = 0; i < ARRAY_SIZE(absent_cases); i++)
		assert_int_equal(read_device(tree, absent_cases[i].bdf, &pci, &numa),
				 absent_cases[i].expected);
	tree_remove(tree, "sys");
	assert_int_equal(read_device(tree, BDF, &pci, &numa), -ENOENT);
	assert_int_equal(pci.vendor, 7); /* outputs are written only on success */
	assert_int_equal(numa, 7);
}

static const struct {
	const char *text; /* NULL: no such file */
	int expected;
} numa_cases[] = {
	{ "0\n", 0 },
	{ "1\n", 1 },
	{ "7", 7 },
	{ "1023", 1023 },
	{ "1024", DEVICE_NUMA_UNKNOWN },
	{ "-1\n", DEVICE_NUMA_UNKNOWN },
	{ "-2147483649", DEVICE_NUMA_UNKNOWN },
	{ "99999999999999999999", DEVICE_NUMA_UNKNOWN },
	{ "", DEVICE_NUMA_UNKNOWN },
	{ "none\n", DEVICE_NUMA_UNKNOWN },
	{ "1 1\n", DEVICE_NUMA_UNKNOWN },
	{ "\x01\x80\n", DEVICE_NUMA_UNKNOWN },
	{ NULL, DEVICE_NUMA_UNKNOWN },
};

static void test_numa_node(void **state)
{
	const struct tree *tree = *state;

	add_device(tree);
	for (size_t i = 0; i < ARRAY_SIZE(numa_cases); i++) {
		struct device_pci pci;
		int numa = 7777;

		tree_remove(tree, DEVICE "numa_node");
		if (numa_cases[i].text)
			tree_puts(tree, DEVICE "numa_node", numa_cases[i].text);
		assert_int_equal(read_device(tree, BDF, &pci, &numa), 0);
		assert_int_equal(numa, numa_cases[i].expected);
	}
}

/* Which facts are lost with an attribute; the others stay. */
static const struct {
	const char *attribute;
	bool ids;
	bool subsystem;
	bool class;
} loss_cases[] = {
	{ "vendor", .subsystem = true, .class = true },
	{ "device", .subsystem = true, .class = true },
	{ "class", .ids = true, .subsystem = true },
	{ "subsystem_vendor", .ids = true, .class = true },
	{ "subsystem_device", .ids = true, .class = true },
	{ "revision", .ids = true, .subsystem = true, .class = true },
};

static void check_loss(const struct tree *tree, size_t i, const char *how)
{
	struct device_pci pci;
	int numa;

	assert_int_equal(read_device(tree, BDF, &pci, &numa), 0);
	if ((pci.vendor == 0x1ed2) != loss_cases[i].ids ||
	    (pci.device == 0x2222) != loss_cases[i].ids ||
	    (pci.class == 0x120001) != loss_cases[i].class)
		fail_msg("%s %s: %04x:%04x class %06x", loss_cases[i].attribute, how, pci.vendor,
			 pci.device, pci.class);
	if (!loss_cases[i].ids) {
		assert_int_equal(pci.vendor, 0);
		assert_int_equal(pci.device, 0);
	}
	if (loss_cases[i].subsystem)
		assert_int_equal(pci.subsystem_vendor, 0x1ed3);
	assert_int_equal(numa, 1);
	assert_string_equal(pci.path, "pci0000:16/0000:16:01.0/" BDF);
}

static void test_missing_attributes(void **state)
{
	const struct tree *tree = *state;
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(loss_cases); i++) {
		add_device(tree);
		(void)snprintf(path, sizeof(path), DEVICE "%s", loss_cases[i].attribute);
		tree_remove(tree, path);
		check_loss(tree, i, "missing");
	}
}

/* There to access(2), but not to be read: what makes libpci give up. */
static void test_unreadable_attributes(void **state)
{
	const struct tree *tree = *state;
	char path[256];

	for (size_t i = 0; i < 3; i++) {
		add_device(tree);
		(void)snprintf(path, sizeof(path), DEVICE "%s", loss_cases[i].attribute);
		tree_remove(tree, path);
		tree_mkdir(tree, path);
		check_loss(tree, i, "unreadable");
	}
}

static void test_endless_attribute(void **state)
{
	static char endless[4096];
	const struct tree *tree = *state;

	add_device(tree);
	memset(endless, '1', sizeof(endless));
	tree_write(tree, DEVICE "class", endless, sizeof(endless));
	check_loss(tree, 2, "too long");
}

/* After libpci has given up for one device the reader serves the next. */
static void test_reader_survives(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(pci_reader_freep) struct pci_reader *reader = NULL;
	struct device_pci pci;
	int numa;

	add_device(tree);
	tree_mkdir(tree, "sys/bus/pci/devices/0000:28:00.0/vendor");
	tree_puts(tree, "sys/bus/pci/devices/0000:28:00.0/device", "0x0001\n");
	assert_int_equal(pci_reader_new(&tree->host, &reader, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pci_read(reader, "0000:28:00.0", &pci, &numa, NULL), 0);
		assert_int_equal(pci.vendor, 0);
		assert_int_equal(pci_read(reader, BDF, &pci, &numa, NULL), 0);
		assert_int_equal(pci.vendor, 0x1ed2);
	}
}

static void test_no_descriptor_left(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(pci_reader_freep) struct pci_reader *reader = NULL;
	struct rlimit before, none;
	struct device_pci pci;
	int numa;
	int r;

	add_device(tree);
	assert_int_equal(pci_reader_new(&tree->host, &reader, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit) { .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = pci_read(reader, BDF, &pci, &numa, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
}

static const struct {
	const char *target; /* NULL: a plain directory */
	const char *expected;
} path_cases[] = {
	{ NULL, "" },
	{ "../../../devices/pci0000:16/" BDF, "pci0000:16/" BDF },
	{ "../../../devices/pci\x01/" BDF, "" },
	{ "../../../devices/pci0000:16/0000:16:01.0/0000:17:00.0/0000:18:00.0/0000:19:00.0/"
	  "0000:20:00.0/0000:21:00.0/0000:22:00.0/0000:23:00.0/0000:24:00.0/" BDF,
	  "" },
	{ "../../../elsewhere/" BDF, "" },
};

static void test_path(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(path_cases); i++) {
		char real[512] = "sys/bus/pci/devices/" BDF;
		struct device_pci pci;
		int numa;

		tree_remove(tree, "sys");
		if (path_cases[i].target) {
			(void)snprintf(real, sizeof(real), "sys/%s",
				       path_cases[i].target + strlen("../../../"));
			tree_link(tree, "sys/bus/pci/devices/" BDF, path_cases[i].target);
		}
		tree_mkdir(tree, real);
		assert_int_equal(read_device(tree, BDF, &pci, &numa), 0);
		assert_string_equal(pci.path, path_cases[i].expected);
	}
}

static const struct {
	const char *text;
	const char *expected; /* NULL: refused */
} bdf_cases[] = {
	{ "0000:27:00.0", "0000:27:00.0" },
	{ "0000:6D:1F.7", "0000:6d:1f.7" },
	{ "27:00.0", "0000:27:00.0" },
	{ "10000:01:00.0", "10000:01:00.0" },
	{ "00000000:27:00.0", "0000:27:00.0" },
	{ "FFFFFFFF:ff:1f.7", "ffffffff:ff:1f.7" },
	{ "", NULL },
	{ "0000:27:00", NULL },
	{ "0000:27:00.", NULL },
	{ "0000:27:00.8", NULL },
	{ "0000:27:00.00", NULL },
	{ "0000:27:20.0", NULL },
	{ "0000:27:0.0", NULL },
	{ "000:27:00.0", NULL },
	{ "0000:127:00.0", NULL },
	{ "100000000:27:00.0", NULL },
	{ "0000:27:00.0 ", NULL },
	{ " 0000:27:00.0", NULL },
	{ "0000:27:00.0/..", NULL },
	{ "0x00:27:00.0", NULL },
	{ "0000:0x:00.0", NULL },
	{ "0000:27:00:0", NULL },
	{ ":27:00.0", NULL },
	{ "::", NULL },
	{ "....", NULL },
	{ "\xff\xfe", NULL },
};

static void test_bdf_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bdf_cases); i++) {
		char bdf[DEVICE_BDF_MAX] = "untouched";
		int r = pci_bdf_parse(bdf_cases[i].text, bdf);
		const char *expected = bdf_cases[i].expected ? bdf_cases[i].expected : "untouched";

		if (r != (bdf_cases[i].expected ? 0 : -EINVAL) || strcmp(bdf, expected) != 0)
			fail_msg("'%s': %d, '%s'", bdf_cases[i].text, r, bdf);
	}
}

static void *read_often(void *ctx)
{
	const struct tree *tree = ctx;
	size_t n_good = 0;

	for (size_t i = 0; i < 200; i++) {
		struct device_pci pci;
		int numa;

		if (read_device(tree, BDF, &pci, &numa) == 0 && pci.vendor == 0 &&
		    pci.class == 0x120001)
			n_good++;
	}
	return n_good == 200 ? ctx : NULL;
}

/* Two threads in which libpci gives up at the same time. */
static void test_threads(void **state)
{
	struct tree *tree = *state;
	pthread_t threads[2];

	add_device(tree);
	tree_remove(tree, DEVICE "device");
	tree_mkdir(tree, DEVICE "device");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, tree), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result = NULL;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_non_null(result);
	}
}

/* --- vendor --- */

static const struct {
	const char *vendor; /* NULL: there is no such attribute */
	int expected;
} vendor_cases[] = {
	{ "0x1ed2\n", 1 }, { "1ed2", 1 },    { "0x11ed2", 0 },
	{ "", 0 },	   { "furiosa", 0 }, { NULL, 0 },
};

static void test_vendor(void **state)
{
	struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(vendor_cases); i++) {
		const char *text = vendor_cases[i].vendor;
		uint16_t vendor = 0;
		int r;

		add_device(tree);
		if (text)
			tree_write(tree, DEVICE "vendor", text, strlen(text));
		else
			tree_remove(tree, DEVICE "vendor");
		r = pci_vendor(&tree->host, BDF, &vendor, NULL);
		if (r != vendor_cases[i].expected || vendor != (r > 0 ? 0x1ed2 : 0))
			fail_msg("'%s': %d, %04x", text ? text : "none", r, vendor);
	}
	assert_int_equal(pci_vendor(&tree->host, "0000:28:00.0", &(uint16_t) { 0 }, NULL), 0);
}

/* --- driver and presence --- */

static void test_driver(void **state)
{
	static const char *const known[] = { "i915", "xe", NULL };
	static const struct {
		const char *target; /* of the link; NULL: nothing is bound */
		const char *expected;
	} cases[] = {
		{ "../../../bus/pci/drivers/i915", "i915" },
		{ "../../../bus/pci/drivers/xe", "xe" },
		{ "xe", "xe" },
		{ "../../../bus/pci/drivers/vfio-pci", NULL },
		{ "../../../bus/pci/drivers/i915x", NULL },
		{ NULL, NULL },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *driver = "unset";

		add_device(tree);
		if (cases[i].target)
			tree_link(tree, DEVICE "driver", cases[i].target);
		assert_int_equal(pci_driver(&tree->host, BDF, known, &driver, NULL), 0);
		if (cases[i].expected)
			assert_string_equal(driver, cases[i].expected);
		else
			assert_null(driver);
	}
}

static const struct {
	const char *bdf;
	const char *config; /* NULL: there is none */
	const char *status; /* of power management */
	int expected;
	const char *reason;
} probe_cases[] = {
	{ BDF, "\xd2\x1e\x22\x22 and so on", NULL, 0, "" },
	{ BDF, "\xff\xff\xff\xff\xff\xff", NULL, -EIO, "PCI device '" BDF "' does not answer" },
	{ BDF, "\xff\xff\xff\xff", "active\n", -EIO, "PCI device '" BDF "' does not answer" },
	{ BDF, "\xff\xff\xff\xff", "suspended\n", 0, "" },
	{ BDF, "\xff\xff\xff\x22", NULL, 0, "" },
	{ BDF, "\xff\xff\xff", NULL, 0, "" },
	/* A virtual function: no ids, but a command, and the class 0x120001. */
	{ BDF, "\xff\xff\xff\xff\x06\x04\x10\x01\x02\x01\x01\x12", NULL, 0, "" },
	{ BDF, "", NULL, 0, "" },
	{ BDF, NULL, NULL, 0, "" },
	{ "0000:28:00.0", NULL, NULL, 0, "" },
	{ "", NULL, NULL, 0, "" },
};

static void test_probe(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(probe_cases); i++) {
		struct error err = { 0 };

		add_device(tree);
		if (probe_cases[i].config)
			tree_puts(tree, DEVICE "config", probe_cases[i].config);
		if (probe_cases[i].status)
			tree_puts(tree, DEVICE "power/runtime_status", probe_cases[i].status);
		assert_int_equal(pci_probe(&tree->host, probe_cases[i].bdf, NULL, &err),
				 probe_cases[i].expected);
		assert_string_equal(err.msg, probe_cases[i].reason);
	}
}

static void test_probe_driver(void **state)
{
	static const char *const known[] = { "amdgpu", NULL };
	const struct tree *tree = *state;
	struct error err = { 0 };

	add_device(tree);
	assert_int_equal(pci_probe(&tree->host, BDF, NULL, NULL), 0);
	assert_int_equal(pci_probe(&tree->host, BDF, known, &err), -ENODEV);
	assert_string_equal(err.msg, "kernel driver 'amdgpu' is not bound to '" BDF "'");
	tree_link(tree, DEVICE "driver", "../../../bus/pci/drivers/amdgpu");
	assert_int_equal(pci_probe(&tree->host, BDF, known, NULL), 0);
	assert_int_equal(pci_probe(&tree->host, "", known, NULL), 0);
}

/* No descriptor is no news of the device. */
static void test_probe_without_descriptors(void **state)
{
	const struct tree *tree = *state;
	int lowest = dup(tree->host.root_fd);
	struct rlimit before, few;
	int r;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	add_device(tree);
	tree_puts(tree, DEVICE "config", "\xff\xff\xff\xff");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit) { (rlim_t)lowest, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = pci_probe(&tree->host, BDF, NULL, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_read),
		TREE_TEST(test_absent),
		TREE_TEST(test_numa_node),
		TREE_TEST(test_missing_attributes),
		TREE_TEST(test_unreadable_attributes),
		TREE_TEST(test_endless_attribute),
		TREE_TEST(test_reader_survives),
		TREE_TEST(test_no_descriptor_left),
		TREE_TEST(test_path),
		cmocka_unit_test(test_bdf_parse),
		TREE_TEST(test_threads),
		TREE_TEST(test_vendor),
		TREE_TEST(test_driver),
		TREE_TEST(test_probe),
		TREE_TEST(test_probe_driver),
		TREE_TEST(test_probe_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
