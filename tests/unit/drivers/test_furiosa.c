/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated cards: attributes as in the vendor's test data, device files as
 * links to /dev/null.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"
#include "tests/unit/drivers/tree.h"
#include "tests/unit/inventory/memory.h"

#define PROFILES_MAX 128 /* bytes of a line of profiles */
#define RNGD "sys/class/rngd_mgmt/rngd!npu0mgmt/"
#define WARBOY "sys/class/npu_mgmt/npu0_mgmt/"
#define RNGD_BDF "0000:27:00.0"
#define WARBOY_BDF "0000:6d:00.0"
#define RNGD_UUID "82540B87-1055-48C6-AAB1-C4CC84672C71"
#define ALL_CORE_RANGES "0,1,2,3,4,5,6,7,0-1,2-3,4-5,6-7,0-3,4-7"

struct file {
	const char *path;
	const char *text;
};

static const struct file rngd_files[] = {
	{ RNGD "platform_type", "FuriosaAI\n" },
	{ RNGD "device_type", "RNGD\n" },
	{ RNGD "busname", RNGD_BDF },
	{ RNGD "device_uuid", RNGD_UUID "\n" },
	{ RNGD "device_sn", "RNGD000206\n" },
	{ RNGD "device_state", "1\n" },
	{ RNGD "fw_version", "1.7.0, 4dfed1852e7b\n" },
	{ RNGD "version", "2025.4.0-dev2+0e9e56a\n" },
	{ RNGD "cur_pe_ids", ALL_CORE_RANGES "\n" },
};

static const struct file warboy_files[] = {
	{ WARBOY "platform_type", "FuriosaAI\n" },
	{ WARBOY "device_type", "Warboy\n" },
	{ WARBOY "busname", WARBOY_BDF "\n" },
	{ WARBOY "device_uuid", "A1B2C3D4-0000-1111-2222-333344445555\n" },
	{ WARBOY "device_sn", "WBYB0000000000000\n" },
	{ WARBOY "alive", "1\n" },
	{ WARBOY "fw_version", "1.6.0, c1bebfd\n" },
	{ WARBOY "version", "1.0.0, 0000000\n" },
};

/* In order of the device; "*" is shared by all partitions. */
static const char rngd_nodes[] =
	"/dev/rngd/npu0mgmt * /dev/rngd/npu0bar0 * /dev/rngd/npu0bar2 * /dev/rngd/npu0bar4 * "
	"/dev/rngd/npu0dmar * "
	"/dev/rngd/npu0ch0 * /dev/rngd/npu0ch1 * /dev/rngd/npu0ch2 * /dev/rngd/npu0ch3 * "
	"/dev/rngd/npu0ch4 * /dev/rngd/npu0ch5 * /dev/rngd/npu0ch6 * /dev/rngd/npu0ch7 * "
	"/dev/rngd/npu0ch0r * /dev/rngd/npu0ch1r * /dev/rngd/npu0ch2r * /dev/rngd/npu0ch3r * "
	"/dev/rngd/npu0ch4r * /dev/rngd/npu0ch5r * /dev/rngd/npu0ch6r * /dev/rngd/npu0ch7r * "
	"/dev/rngd/npu0pe0 0-0 /dev/rngd/npu0pe1 1-1 /dev/rngd/npu0pe2 2-2 /dev/rngd/npu0pe3 3-3 "
	"/dev/rngd/npu0pe4 4-4 /dev/rngd/npu0pe5 5-5 /dev/rngd/npu0pe6 6-6 /dev/rngd/npu0pe7 7-7 "
	"/dev/rngd/npu0pe0-1 0-1 /dev/rngd/npu0pe2-3 2-3 /dev/rngd/npu0pe4-5 4-5 "
	"/dev/rngd/npu0pe6-7 6-7 /dev/rngd/npu0pe0-3 0-3 /dev/rngd/npu0pe4-7 4-7 ";

static const char warboy_nodes[] =
	"/dev/npu0_mgmt * /dev/npu0ch0 * /dev/npu0ch1 * /dev/npu0ch2 * /dev/npu0ch3 * "
	"/dev/npu0pe0 0-0 /dev/npu0pe1 1-1 /dev/npu0pe0-1 0-1 /dev/npu0 0-1 ";

/* --- hooks into the code under test --- */

/* Called when the device files of a card are looked at, that is in mid-scan. */
static void (*on_node_check)(const struct tree *tree);
static const struct tree *hooked_tree;

int __real_file_is_char_device(int dirfd, const char *path);
int __wrap_file_is_char_device(int dirfd, const char *path);

int __wrap_file_is_char_device(int dirfd, const char *path)
{
	if (on_node_check)
		on_node_check(hooked_tree);
	return __real_file_is_char_device(dirfd, path);
}

/* --- trees --- */

/* "0000:27:00.0" on a bus with one bridge. */
static void add_pci(const struct tree *tree, const char *bdf, const char *device)
{
	const struct file attributes[] = {
		{ "vendor", "0x1ed2\n" },
		{ "device", device },
		{ "subsystem_vendor", "0x1ed2\n" },
		{ "subsystem_device", "0x0000\n" },
		{ "class", "0x120000\n" },
		{ "revision", "0x01\n" },
		{ "numa_node", "1\n" },
	};
	char path[256], target[256];

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		(void)snprintf(path, sizeof(path), "sys/devices/pci0000:16/%s/%s", bdf,
			       attributes[i].path);
		tree_puts(tree, path, attributes[i].text);
	}
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", bdf);
	(void)snprintf(target, sizeof(target), "../../../devices/pci0000:16/%s", bdf);
	tree_link(tree, path, target);
}

static void add_nodes(const struct tree *tree, const char *nodes)
{
	char text[4096];
	char *rest = text;

	assert_true(strlen(nodes) < sizeof(text));
	memcpy(text, nodes, strlen(nodes) + 1);
	for (const char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
		if (word[0] == '/')
			tree_link(tree, word + 1, "/dev/null");
}

static void add_files(const struct tree *tree, const struct file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tree_puts(tree, files[i].path, files[i].text);
}

static void add_rngd(const struct tree *tree)
{
	add_files(tree, rngd_files, ARRAY_SIZE(rngd_files));
	add_nodes(tree, rngd_nodes);
	add_pci(tree, RNGD_BDF, "0x0001\n");
}

static void add_warboy(const struct tree *tree)
{
	add_files(tree, warboy_files, ARRAY_SIZE(warboy_files));
	add_nodes(tree, warboy_nodes);
	add_pci(tree, WARBOY_BDF, "0x0000\n");
}

static void reset(const struct tree *tree)
{
	tree_remove(tree, "sys");
	tree_remove(tree, "dev");
}

/* Replaces the contents of a file; NULL removes it. */
static void set_file(const struct tree *tree, const char *path, const char *text)
{
	tree_remove(tree, path);
	if (text)
		tree_puts(tree, path, text);
}

static void scan(const struct tree *tree, struct device_list *list)
{
	struct error err = { 0 };
	int r = furiosa_driver.scan(&furiosa_driver, &tree->host, list, &err);

	if (r < 0)
		fail_msg("scan: %s", error_text(&err, r));
	assert_int_equal(err.code, 0);
}

static const struct device *scan_one(const struct tree *tree, struct device_list *list)
{
	device_list_done(list);
	scan(tree, list);
	assert_int_equal(list->n, 1);
	return list->devices[0];
}

/* "0,1,0-1" */
static void print_core_ranges(const struct device *device, struct strbuf *text)
{
	strbuf_clear(text);
	for (size_t i = 0; i < device->n_core_ranges; i++) {
		struct core_range range = device->core_ranges[i];

		strbuf_printf(text, "%s%u", i > 0 ? "," : "", range.first);
		if (range.first != range.last)
			strbuf_printf(text, "-%u", range.last);
	}
}

/* --- whole cards --- */

/* "1core.6gb*8 2core.12gb*4": profiles in order, and how many there are of each. */
static const char *print_profiles(const struct device *device, char *buf)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0, n; i < device->n_partitions; i += n) {
		const char *profile = device->partitions[i].profile;

		for (n = 1; i + n < device->n_partitions; n++)
			if (strcmp(device->partitions[i + n].profile, profile) != 0)
				break;
		len += (size_t)snprintf(buf + len, PROFILES_MAX - len, "%s%s*%zu", i > 0 ? " " : "",
					profile, n);
		assert_true(len < PROFILES_MAX);
	}
	return buf;
}

static void test_rngd(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(8192);
	const struct device *device;
	char profiles[PROFILES_MAX];

	add_rngd(tree);
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("furiosa"));
	assert_string_equal(device->name, "rngd/npu0");
	assert_string_equal(device->sysfs_path, "sys/class/rngd_mgmt/rngd!npu0mgmt");
	assert_string_equal(device->bdf, RNGD_BDF);
	assert_string_equal(device->uuid, RNGD_UUID);
	assert_string_equal(device->serial, "RNGD000206");
	assert_string_equal(device->architecture, "rngd");
	assert_string_equal(device->product, "rngd");
	assert_string_equal(device->driver_version, "2025.4.0-dev2+0e9e56a");
	assert_string_equal(device->firmware_version, "1.7.0, 4dfed1852e7b");
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->pci.vendor, 0x1ed2);
	assert_int_equal(device->pci.class, 0x120000);
	assert_string_equal(device->pci.path, "pci0000:16/" RNGD_BDF);
	assert_int_equal(device->cores, 8);
	assert_true(device->memory_bytes == UINT64_C(48) << 30);
	assert_string_equal(print_profiles(device, profiles),
			    "1core.6gb*8 2core.12gb*4 4core.24gb*2");
	print_core_ranges(device, &text);
	assert_string_equal(strbuf_str(&text), ALL_CORE_RANGES);
	assert_int_equal(device->n_nodes, 35);
	card_print_nodes(device, &text);
	assert_string_equal(strbuf_str(&text), rngd_nodes);
}

static void test_warboy(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(8192);
	const struct device *device;
	char profiles[PROFILES_MAX];

	add_warboy(tree);
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->name, "npu0");
	assert_string_equal(device->sysfs_path, "sys/class/npu_mgmt/npu0_mgmt");
	assert_string_equal(device->bdf, WARBOY_BDF);
	assert_string_equal(device->serial, "WBYB0000000000000");
	assert_string_equal(device->architecture, "warboy");
	assert_string_equal(device->product, "warboy");
	assert_string_equal(device->driver_version, "1.0.0, 0000000");
	assert_string_equal(device->firmware_version, "1.6.0, c1bebfd");
	assert_int_equal(device->cores, 2);
	assert_true(device->memory_bytes == UINT64_C(16) << 30);
	assert_string_equal(print_profiles(device, profiles), "1core.8gb*2 2core.16gb*1");
	print_core_ranges(device, &text);
	assert_string_equal(strbuf_str(&text), "0,1,0-1");
	assert_int_equal(device->n_nodes, 9);
	card_print_nodes(device, &text);
	assert_string_equal(strbuf_str(&text), warboy_nodes);
}

static void test_nothing(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	scan(tree, &list);
	assert_int_equal(list.n, 0);
	tree_mkdir(tree, "sys/class/rngd_mgmt");
	scan(tree, &list);
	assert_int_equal(list.n, 0);
}

/* A class that cannot be looked at is an error: nobody knows what is there. */
static void test_class_unreadable(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };

	tree_puts(tree, "sys/class/rngd_mgmt", "");
	assert_int_equal(furiosa_driver.scan(&furiosa_driver, &tree->host, &list, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "sys/class/rngd_mgmt"));
}

/* --- class entries --- */

static const struct {
	const char *class_dir;
	const char *entry;
	const char *expected; /* name; NULL when it is no card */
} entry_cases[] = {
	{ "sys/class/rngd_mgmt", "rngd!npu3mgmt", "rngd/npu3" },
	{ "sys/class/rngd_mgmt", "rngd!npu3_mgmt", "rngd/npu3" },
	{ "sys/class/rngd_mgmt", "rngd!npu65535mgmt", "rngd/npu65535" },
	{ "sys/class/rngd_mgmt", "rngd!npu65536mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu4294967296mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu99999999999999999999999mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu03mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu-3mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npumgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3mgmt2", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3__mgmt", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3pe0", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3pe0-1", NULL },
	{ "sys/class/rngd_mgmt", "rngd!npu3ch0r", NULL },
	{ "sys/class/rngd_mgmt", "npu3_mgmt", NULL },
	{ "sys/class/rngd_mgmt", "\xff\xfe", NULL },
	{ "sys/class/npu_mgmt", "npu12_mgmt", "npu12" },
	{ "sys/class/npu_mgmt", "npu12mgmt", NULL },
	{ "sys/class/npu_mgmt", "npu12pe0", NULL },
	{ "sys/class/npu_mgmt", "rngd!npu12mgmt", NULL },
};

static void test_entries(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(entry_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		char path[256];

		reset(tree);
		(void)snprintf(path, sizeof(path), "%s/%s/platform_type", entry_cases[i].class_dir,
			       entry_cases[i].entry);
		tree_puts(tree, path, "FuriosaAI\n");
		scan(tree, &list);
		if (list.n != (entry_cases[i].expected ? 1 : 0))
			fail_msg("'%s' gives %zu devices", entry_cases[i].entry, list.n);
		if (entry_cases[i].expected)
			assert_string_equal(list.devices[0]->name, entry_cases[i].expected);
	}
}

/* Entries lie in directories of their own; a file with such a name is ignored. */
static void test_entry_is_a_file(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_rngd(tree);
	tree_puts(tree, "sys/class/rngd_mgmt/rngd!npu1mgmt", "");
	assert_string_equal(scan_one(tree, &list)->name, "rngd/npu0");
}

/* Both spellings of one card: the newer one, unless it is not ours. */
static const struct {
	const char *newer;
	const char *older;
	const char *expected;
} spelling_cases[] = {
	{ "FuriosaAI", "FuriosaAI", "sys/class/rngd_mgmt/rngd!npu0mgmt" },
	{ "VITIS", "FuriosaAI", "sys/class/rngd_mgmt/rngd!npu0_mgmt" },
	{ "FuriosaAI", "VITIS", "sys/class/rngd_mgmt/rngd!npu0mgmt" },
};

static void test_both_spellings(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(spelling_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };

		set_file(tree, RNGD "platform_type", spelling_cases[i].newer);
		set_file(tree, "sys/class/rngd_mgmt/rngd!npu0_mgmt/platform_type",
			 spelling_cases[i].older);
		assert_string_equal(scan_one(tree, &list)->sysfs_path, spelling_cases[i].expected);
	}
}

/* Neither dense nor in the order of the directory. */
static void test_order(void **state)
{
	static const char *const expected[] = { "rngd/npu0", "rngd/npu2", "rngd/npu11",
						"rngd/npu100" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	tree_puts(tree, "sys/class/rngd_mgmt/rngd!npu11mgmt/platform_type", "FuriosaAI");
	tree_puts(tree, "sys/class/rngd_mgmt/rngd!npu100_mgmt/platform_type", "FuriosaAI");
	tree_puts(tree, "sys/class/rngd_mgmt/rngd!npu2mgmt/platform_type", "FuriosaAI");
	tree_puts(tree, "sys/class/rngd_mgmt/rngd!npu0mgmt/platform_type", "FuriosaAI");
	scan(tree, &list);
	assert_int_equal(list.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(list.devices[i]->name, expected[i]);
}

static const struct {
	const char *platform; /* NULL: no such attribute */
	size_t expected;
} platform_cases[] = {
	{ "FuriosaAI", 1 },  { "FuriosaAI\n", 1 },  { " \tFuriosaAI \n\n", 1 },
	{ "VITIS\n", 0 },    { "furiosaai\n", 0 },  { "FuriosaAI2\n", 0 },
	{ "", 0 },	     { "\xff\x01\x80", 0 }, { "FuriosaAI\nFuriosaAI\n", 0 },
	{ "FuriosaA\n", 0 }, { NULL, 0 },
};

static void test_platform(void **state)
{
	const struct tree *tree = *state;

	add_rngd(tree);
	for (size_t i = 0; i < ARRAY_SIZE(platform_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };

		set_file(tree, RNGD "platform_type", platform_cases[i].platform);
		scan(tree, &list);
		if (list.n != platform_cases[i].expected)
			fail_msg("'%s' gives %zu devices", platform_cases[i].platform, list.n);
	}
}

/* --- facts --- */

#define FACT(field) offsetof(struct device, field)
#define X8 "xxxxxxxx"
#define X48 X8 X8 X8 X8 X8 X8
#define GARBAGE "\x7f\x45\x4c\x46\x02\x01\x80\xff"

static const struct {
	const char *attribute;
	const char *text; /* NULL: no such attribute */
	size_t fact;
	const char *expected;
} fact_cases[] = {
	{ "device_uuid", "82540b87-1055-48c6-aab1-c4cc84672c71", FACT(uuid),
	  "82540b87-1055-48c6-aab1-c4cc84672c71" },
	{ "device_uuid", "00000000-0000-0000-0000-000000000000\n", FACT(uuid),
	  "00000000-0000-0000-0000-000000000000" },
	{ "device_uuid", "NPU-82540B87-1055-48C6-AAB1-C4CC84672C71", FACT(uuid),
	  "NPU-82540B87-1055-48C6-AAB1-C4CC84672C71" },
	{ "device_uuid", "82540B87-1055-48C6-AAB1", FACT(uuid), "82540B87-1055-48C6-AAB1" },
	{ "device_uuid", "not a uuid", FACT(uuid), "" },
	{ "device_uuid", "a/b", FACT(uuid), "" },
	{ "device_uuid", "a\nb", FACT(uuid), "" },
	{ "device_uuid", X48, FACT(uuid), "" },
	{ "device_uuid", "", FACT(uuid), "" },
	{ "device_uuid", "\n", FACT(uuid), "" },
	{ "device_uuid", GARBAGE, FACT(uuid), "" },
	{ "device_uuid", NULL, FACT(uuid), "" },
	{ "device_sn", "RNGD000206", FACT(serial), "RNGD000206" },
	{ "device_sn", "  RNGD000206\n\n", FACT(serial), "RNGD000206" },
	{ "device_sn", "", FACT(serial), "" },
	{ "device_sn", "\n", FACT(serial), "" },
	{ "device_sn", "to be filled", FACT(serial), "" },
	{ "device_sn", "RNGD\xc3\xa9", FACT(serial), "" },
	{ "device_sn", X48, FACT(serial), "" },
	{ "device_sn", NULL, FACT(serial), "" },
	{ "version", "1.0.0, 0abcdef", FACT(driver_version), "1.0.0, 0abcdef" },
	{ "version", "1.7.0, 4dfed1852e7b\n", FACT(driver_version), "1.7.0, 4dfed1852e7b" },
	{ "version", "2025.1.0+696efad\n", FACT(driver_version), "2025.1.0+696efad" },
	{ "version", "2025.4.0-dev2+0e9e56a", FACT(driver_version), "2025.4.0-dev2+0e9e56a" },
	{ "version", "2026.1.0-rc.1", FACT(driver_version), "2026.1.0-rc.1" },
	{ "version", "2026.1.0", FACT(driver_version), "2026.1.0" },
	{ "version", "999999999.0.0", FACT(driver_version), "999999999.0.0" },
	{ "version", "9999999999.0.0", FACT(driver_version), "" },
	{ "version", "1.0", FACT(driver_version), "" },
	{ "version", "1.0.0.0", FACT(driver_version), "" },
	{ "version", "v1.0.0", FACT(driver_version), "" },
	{ "version", "1.0.x", FACT(driver_version), "" },
	{ "version", "1..0", FACT(driver_version), "" },
	{ "version", "1.0.0,0abcdef", FACT(driver_version), "" },
	{ "version", "1.0.0, ", FACT(driver_version), "" },
	{ "version", "1.0.0, a b", FACT(driver_version), "" },
	{ "version", "1.0.0-", FACT(driver_version), "" },
	{ "version", "1.0.0-+abc", FACT(driver_version), "" },
	{ "version", "1.0.0+", FACT(driver_version), "" },
	{ "version", "1.0.0+a+b", FACT(driver_version), "" },
	{ "version", "1.0.0-dev_1", FACT(driver_version), "" },
	{ "version", "1.0.0+" X48 X8 X8, FACT(driver_version), "" },
	{ "version", "", FACT(driver_version), "" },
	{ "version", GARBAGE, FACT(driver_version), "" },
	{ "version", NULL, FACT(driver_version), "" },
	{ "fw_version", "1.6.0, c1bebfd\n", FACT(firmware_version), "1.6.0, c1bebfd" },
	{ "fw_version", "2025.1.0+696efad", FACT(firmware_version), "2025.1.0+696efad" },
	{ "fw_version", "", FACT(firmware_version), "" },
	{ "fw_version", "unknown", FACT(firmware_version), "" },
	{ "fw_version", NULL, FACT(firmware_version), "" },
	{ "busname", RNGD_BDF "\n", FACT(bdf), RNGD_BDF },
	{ "busname", "27:00.0", FACT(bdf), RNGD_BDF },
	{ "busname", "0000:27:00.0", FACT(fault), "" },
	{ "busname", "0000:27:00.9", FACT(bdf), "" },
	{ "busname", "0000:27:00.9", FACT(fault), "busname '0000:27:00.9' is not a PCI address" },
	{ "busname", "", FACT(fault), "busname '' is not a PCI address" },
	{ "busname", GARBAGE, FACT(fault),
	  "busname cannot be read: 'busname' has byte 0x7f at offset 0" },
	{ "busname", RNGD_BDF "\n" RNGD_BDF, FACT(fault),
	  "busname cannot be read: 'busname' has more than one line" },
	{ "busname", X48 X48 X48 X48 X48 X48, FACT(fault),
	  "busname cannot be read: 'busname' is longer than 255 bytes" },
	{ "busname", NULL, FACT(bdf), "" },
	{ "busname", NULL, FACT(fault), "busname is missing" },
	{ "busname", "0000:99:00.0", FACT(fault), "" },		 /* not shown on the bus */
	{ "device_type", "Something\n", FACT(product), "rngd" }, /* the PCI id knows better */
};

static void test_facts(void **state)
{
	const struct tree *tree = *state;

	add_rngd(tree);
	for (size_t i = 0; i < ARRAY_SIZE(fact_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const char *fact;
		char path[256];

		add_files(tree, rngd_files, ARRAY_SIZE(rngd_files));
		(void)snprintf(path, sizeof(path), RNGD "%s", fact_cases[i].attribute);
		set_file(tree, path, fact_cases[i].text);
		fact = (const char *)scan_one(tree, &list) + fact_cases[i].fact;
		if (strcmp(fact, fact_cases[i].expected) != 0)
			fail_msg("%s '%s' gives '%s'", fact_cases[i].attribute, fact_cases[i].text,
				 fact);
	}
}

/* A zero byte ends no text: it makes garbage of it. */
static void test_zero_byte(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_rngd(tree);
	tree_write(tree, RNGD "device_uuid", "abc\0def", 7);
	assert_string_equal(scan_one(tree, &list)->uuid, "");
}

/* Whatever bytes an attribute holds, the scan goes on; only busname is vital. */
static void test_garbage_everywhere(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} garbage[] = {
		{ "", 0 },
		{ "\0", 1 },
		{ "\0\0\0\0\0\0\0\0", 8 },
		{ GARBAGE, 8 },
		{ "\n\n\n", 3 },
		{ "%s%n%d", 6 },
		{ ",,,---", 6 },
		{ X48 X48 X48 X48 X48 X48, 6 * 48 },
	};
	const struct tree *tree = *state;

	add_rngd(tree);
	for (size_t i = 0; i < ARRAY_SIZE(rngd_files); i++) {
		bool is_gate = strcmp(rngd_files[i].path, RNGD "platform_type") == 0;
		bool is_vital = strcmp(rngd_files[i].path, RNGD "busname") == 0;

		for (size_t j = 0; j < ARRAY_SIZE(garbage); j++) {
			_cleanup_device_list_ struct device_list list = { 0 };

			add_files(tree, rngd_files, ARRAY_SIZE(rngd_files));
			tree_write(tree, rngd_files[i].path, garbage[j].bytes, garbage[j].len);
			scan(tree, &list);
			assert_int_equal(list.n, is_gate ? 0 : 1);
			if (!is_gate)
				assert_int_equal(list.devices[0]->fault[0] != '\0', is_vital);
			if (!is_gate)
				assert_int_equal(list.devices[0]->n_nodes, 35);
		}
	}
}

static const struct {
	const char *pci_device;	 /* NULL: no PCI bus is shown */
	const char *device_type; /* NULL: no such attribute */
	const char *expected;
} product_cases[] = {
	{ "0x0001\n", "RNGD", "rngd" },
	{ "0x0002\n", "RNGD", "rngd-plus" },
	{ "0x2222\n", "RNGD", "rngd-s" },
	{ "0x0003\n", "RNGD-MAX\n", "rngd-max" },
	{ "0x0003\n", NULL, "rngd" },
	{ NULL, "RNGD\n", "rngd" },
	{ NULL, "RNGD-S", "rngd-s" },
	{ NULL, "RNGD S", "rngd" },
	{ NULL, "", "rngd" },
	{ NULL, GARBAGE, "rngd" },
	{ NULL, X48 X48, "rngd" },
	{ NULL, NULL, "rngd" },
};

static void test_product(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(product_cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		reset(tree);
		add_rngd(tree);
		tree_remove(tree, "sys/bus");
		tree_remove(tree, "sys/devices");
		if (product_cases[i].pci_device)
			add_pci(tree, RNGD_BDF, product_cases[i].pci_device);
		set_file(tree, RNGD "device_type", product_cases[i].device_type);
		device = scan_one(tree, &list);
		assert_string_equal(device->product, product_cases[i].expected);
		assert_string_equal(device->fault, "");
		assert_int_equal(device->numa_node,
				 product_cases[i].pci_device ? 1 : DEVICE_NUMA_UNKNOWN);
	}
}

static void test_numa_unknown(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	add_rngd(tree);
	tree_puts(tree, "sys/devices/pci0000:16/" RNGD_BDF "/numa_node", "-1\n");
	device = scan_one(tree, &list);
	assert_int_equal(device->numa_node, DEVICE_NUMA_UNKNOWN);
	assert_string_equal(device->fault, "");
}

static const struct {
	const char *text; /* NULL: no such attribute */
	const char *expected;
	size_t n_nodes;
} core_cases[] = {
	{ ALL_CORE_RANGES "\n", ALL_CORE_RANGES, 35 },
	{ "0,1,0-1", "0,1,0-1", 24 },
	{ "7", "7", 22 },
	{ "4-7,0-3", "4-7,0-3", 23 },
	{ "0,0,0-1,0-1", "0,0-1", 23 },
	{ "0-7", "0-7", 22 },
	{ "", ALL_CORE_RANGES, 35 },
	{ NULL, ALL_CORE_RANGES, 35 },
	{ "8", ALL_CORE_RANGES, 35 },
	{ "0,1,256", ALL_CORE_RANGES, 35 },
	{ "3-2", ALL_CORE_RANGES, 35 },
	{ "0-8", ALL_CORE_RANGES, 35 },
	{ "0,", ALL_CORE_RANGES, 35 },
	{ ",0", ALL_CORE_RANGES, 35 },
	{ "0-", ALL_CORE_RANGES, 35 },
	{ "-0", ALL_CORE_RANGES, 35 },
	{ "0-1-2", ALL_CORE_RANGES, 35 },
	{ "0 1 2", ALL_CORE_RANGES, 35 },
	{ "pe0", ALL_CORE_RANGES, 35 },
	{ GARBAGE, ALL_CORE_RANGES, 35 },
	/* All 36 there can be are above the maximum of 32. */
	{ "0,1,2,3,4,5,6,7,0-1,0-2,0-3,0-4,0-5,0-6,0-7,1-2,1-3,1-4,1-5,1-6,1-7,2-3,2-4,2-5,2-6,2-7,"
	  "3-4,3-5,3-6,3-7,4-5,4-6,4-7,5-6,5-7,6-7",
	  ALL_CORE_RANGES, 35 },
};

static void test_core_ranges(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(8192);

	add_rngd(tree);
	tree_link(tree, "dev/rngd/npu0pe0-7", "/dev/null"); /* made by no driver we know */
	for (size_t i = 0; i < ARRAY_SIZE(core_cases); i++) {
		const struct device *device;

		set_file(tree, RNGD "cur_pe_ids", core_cases[i].text);
		device = scan_one(tree, &list);
		print_core_ranges(device, &text);
		if (strcmp(strbuf_str(&text), core_cases[i].expected) != 0 ||
		    device->n_nodes != core_cases[i].n_nodes || device->fault[0] != '\0')
			fail_msg("'%s' gives '%s', %zu nodes, '%s'", core_cases[i].text,
				 strbuf_str(&text), device->n_nodes, device->fault);
	}
}

/* Warboy has no such attribute, and does not look at one. */
static void test_core_ranges_warboy(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_warboy(tree);
	tree_puts(tree, WARBOY "cur_pe_ids", "0");
	assert_int_equal(scan_one(tree, &list)->n_core_ranges, 3);
}

/* --- device files --- */

enum damage {
	REMOVED,
	REGULAR_FILE,
	DANGLING_LINK,
};

static const struct {
	void (*add_card)(const struct tree *tree);
	const char *node;
	enum damage damage;
	const char *fault;
	size_t n_nodes;
} node_cases[] = {
	{ add_rngd, "dev/rngd/npu0mgmt", REMOVED, "device node '/dev/rngd/npu0mgmt' is missing",
	  35 },
	{ add_rngd, "dev/rngd/npu0mgmt", REGULAR_FILE,
	  "device node '/dev/rngd/npu0mgmt' is not a character device", 35 },
	{ add_rngd, "dev/rngd/npu0pe0-3", REMOVED, "device node '/dev/rngd/npu0pe0-3' is missing",
	  35 },
	{ add_rngd, "dev/rngd/npu0ch7r", REMOVED, "device node '/dev/rngd/npu0ch7r' is missing",
	  35 },
	{ add_rngd, "dev/rngd/npu0bar4", REGULAR_FILE,
	  "device node '/dev/rngd/npu0bar4' is not a character device", 35 },
	{ add_rngd, "dev/rngd/npu0dmar", DANGLING_LINK,
	  "device node '/dev/rngd/npu0dmar' is missing", 35 },
	{ add_rngd, "dev/rngd", REMOVED, "device node '/dev/rngd/npu0mgmt' is missing", 35 },
	{ add_warboy, "dev/npu0_mgmt", REMOVED, "device node '/dev/npu0_mgmt' is missing", 9 },
	{ add_warboy, "dev/npu0pe1", REMOVED, "device node '/dev/npu0pe1' is missing", 9 },
	/* Its driver may no longer make the node of all cores. */
	{ add_warboy, "dev/npu0", REMOVED, "", 8 },
	{ add_warboy, "dev/npu0", REGULAR_FILE, "", 8 },
};

static void test_nodes(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(node_cases); i++) {
		const struct device *device;

		reset(tree);
		node_cases[i].add_card(tree);
		tree_remove(tree, node_cases[i].node);
		if (node_cases[i].damage == REGULAR_FILE)
			tree_puts(tree, node_cases[i].node, "");
		else if (node_cases[i].damage == DANGLING_LINK)
			tree_link(tree, node_cases[i].node, "/nowhere");
		device = scan_one(tree, &list);
		assert_string_equal(device->fault, node_cases[i].fault);
		assert_int_equal(device->n_nodes, node_cases[i].n_nodes);
	}
}

static void test_mgmt_node_spelling(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	add_rngd(tree);
	tree_remove(tree, "dev/rngd/npu0mgmt");
	tree_link(tree, "dev/rngd/npu0_mgmt", "/dev/null");
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "");
	assert_int_equal(device->n_nodes, 35);
	assert_string_equal(device->nodes[0].path, "/dev/rngd/npu0_mgmt");
	assert_true(device->nodes[0].shared);
}

static void test_p2pmem(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	add_rngd(tree);
	tree_puts(tree, "dev/rngd/npu0p2pmem", "");
	device = scan_one(tree, &list);
	assert_int_equal(device->n_nodes, 35);
	assert_string_equal(device->fault, "");

	tree_remove(tree, "dev/rngd/npu0p2pmem");
	tree_link(tree, "dev/rngd/npu0p2pmem", "/dev/null");
	device = scan_one(tree, &list);
	assert_int_equal(device->n_nodes, 36);
	assert_string_equal(device->nodes[35].path, "/dev/rngd/npu0p2pmem");
	assert_true(device->nodes[35].shared);
}

/* --- what goes wrong in the middle --- */

static void remove_entry(const struct tree *tree)
{
	tree_remove(tree, RNGD);
}

/* Another card takes the name: what was read is partly of the one before. */
static void replace_entry(const struct tree *tree)
{
	char old[128], aside[128];

	on_node_check = NULL;
	(void)snprintf(old, sizeof(old), "%s/" RNGD, tree->root);
	(void)snprintf(aside, sizeof(aside), "%s/aside", tree->root);
	assert_int_equal(rename(old, aside), 0);
	tree_puts(tree, RNGD "platform_type", "FuriosaAI");
	tree_puts(tree, RNGD "device_uuid", "11111111-0000-0000-0000-000000000000");
}

static void test_vanished(void **state)
{
	static void (*const hooks[])(const struct tree *) = { remove_entry, replace_entry };
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };

		reset(tree);
		add_rngd(tree);
		add_warboy(tree);
		hooked_tree = tree;
		on_node_check = hooks[i];
		scan(tree, &list);
		on_node_check = NULL;
		assert_int_equal(list.n, 1);
		assert_string_equal(list.devices[0]->architecture, "warboy");
	}
}

/* The link of the class is still there, the device behind it is not. */
static void test_vanished_before(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	tree_link(tree, "sys/class/rngd_mgmt/rngd!npu0mgmt",
		  "../../devices/virtual/rngd_mgmt/rngd!npu0mgmt");
	scan(tree, &list);
	assert_int_equal(list.n, 0);
}

/* A want of descriptors fails the scan; it never takes facts away from a card. */
static void test_descriptors_run_out(void **state)
{
	const struct tree *tree = *state;
	int lowest = dup(tree->host.root_fd); /* the first one that a scan gets */
	struct rlimit before, few;
	int n_failed = 0;
	int r = -1;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	add_rngd(tree);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t n = 0; r < 0 && n < 16; n++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct error err = { 0 };

		few = (struct rlimit) { (rlim_t)lowest + n, before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = furiosa_driver.scan(&furiosa_driver, &tree->host, &list, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_true(r == 0 || r == -EMFILE);
		assert_int_equal(list.n, r == 0 ? 1 : 0);
		if (r == 0) {
			assert_string_equal(list.devices[0]->uuid, RNGD_UUID);
			assert_string_equal(list.devices[0]->fault, "");
			assert_int_equal(list.devices[0]->numa_node, 1);
		}
		n_failed += r < 0;
	}
	assert_int_equal(r, 0);
	assert_in_range(n_failed, 2, 15); /* opening the class, and an attribute */
}

/* Every allocation fails once; the sanitizer sees what is not released. */
static void test_memory_runs_out(void **state)
{
	const struct tree *tree = *state;
	int n_failed = 0;
	int r = -1;

	add_rngd(tree);
	add_warboy(tree);
	for (int n = 0; r < 0 && n < 1000; n++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct error err = { 0 };

		memory_fail_after((size_t)n);
		r = furiosa_driver.scan(&furiosa_driver, &tree->host, &list, &err);
		(void)memory_restore();
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(err.code, -r);
		n_failed += r < 0;
	}
	assert_int_equal(r, 0);
	assert_in_range(n_failed, 5, 999);
}

/* --- probe --- */

static const struct {
	void (*add_card)(const struct tree *tree);
	const char *path;
	const char *text; /* NULL: removed */
	int expected;
	const char *reason;
} probe_cases[] = {
	{ add_rngd, RNGD "device_state", "1\n", 0, "" },
	{ add_rngd, RNGD "device_state", "1", 0, "" },
	{ add_rngd, RNGD "device_state", "3\n", -EIO, "device_state is '3', expected '1'" },
	{ add_rngd, RNGD "device_state", "0", -EIO, "device_state is '0', expected '1'" },
	{ add_rngd, RNGD "device_state", "11", -EIO, "device_state is '11', expected '1'" },
	{ add_rngd, RNGD "device_state", "", -EIO, "device_state is '', expected '1'" },
	{ add_rngd, RNGD "device_state", NULL, -ENOENT, "device_state is missing" },
	{ add_rngd, RNGD "device_state", GARBAGE, -EILSEQ,
	  "device_state cannot be read: '" RNGD "device_state' has byte 0x7f at offset 0" },
	{ add_rngd, RNGD "device_state", "1\n1\n", -EILSEQ,
	  "device_state cannot be read: '" RNGD "device_state' has more than one line" },
	{ add_rngd, RNGD "busname", "0000:28:00.0", -ENODEV,
	  "busname is '0000:28:00.0', expected '0000:27:00.0'" },
	{ add_rngd, RNGD "busname", "", -EINVAL, "busname '' is not a PCI address" },
	{ add_rngd, RNGD "busname", NULL, -ENOENT, "busname is missing" },
	{ add_rngd, "sys/class/rngd_mgmt/rngd!npu0mgmt", NULL, -ENODEV, "gone from sysfs" },
	{ add_rngd, "sys/class", NULL, -ENODEV, "gone from sysfs" },
	{ add_rngd, RNGD "device_uuid", NULL, 0, "" },
	{ add_warboy, WARBOY "alive", "1\n", 0, "" },
	{ add_warboy, WARBOY "alive", "0\n", -EIO, "alive is '0', expected '1'" },
	{ add_warboy, WARBOY "alive", NULL, -ENOENT, "alive is missing" },
	{ add_warboy, WARBOY "busname", RNGD_BDF, -ENODEV,
	  "busname is '0000:27:00.0', expected '0000:6d:00.0'" },
};

static void test_probe(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(probe_cases); i++) {
		const struct device *device;
		struct error err = { 0 };
		int r;

		reset(tree);
		probe_cases[i].add_card(tree);
		device = scan_one(tree, &list);
		assert_int_equal(device->driver->probe(&tree->host, device, NULL), 0);
		set_file(tree, probe_cases[i].path, probe_cases[i].text);
		r = device->driver->probe(&tree->host, device, &err);
		if (r != probe_cases[i].expected || strcmp(err.msg, probe_cases[i].reason) != 0)
			fail_msg("%s '%s': %d, '%s'", probe_cases[i].path, probe_cases[i].text, r,
				 err.msg);
	}
}

/* A card whose address was not known at the scan gets one: time to scan again. */
static void test_probe_unknown_bdf(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	struct error err = { 0 };

	add_rngd(tree);
	set_file(tree, RNGD "busname", NULL);
	device = scan_one(tree, &list);
	assert_string_equal(device->bdf, "");
	set_file(tree, RNGD "busname", RNGD_BDF);
	assert_int_equal(device->driver->probe(&tree->host, device, &err), -ENODEV);
	assert_string_equal(err.msg, "busname is '0000:27:00.0', expected ''");
}

static void test_probe_foreign_device(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(device_cleanupp) struct device *device = device_new(driver_find("furiosa"));
	struct error err = { 0 };

	assert_int_equal(device->driver->probe(&tree->host, device, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "no Furiosa device"));
}

/* --- load --- */

static void test_measure(void **state)
{
	static const struct {
		const char *occupancy; /* NULL: no such file */
		double ratio;
	} cases[] = {
		{ "0\n0\n0\n0\n0\n0\n0\n0\n", 0 },
		{ "1\n0\n0\n0\n0\n0\n1\n0\n", 0.25 },
		{ "1\n", 1 },
		{ "2\n0\n", -1 },
		{ "", -1 },
		{ GARBAGE, -1 },
		{ NULL, -1 },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;

	add_rngd(tree);
	(void)scan_one(tree, &list);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_file(tree, RNGD "pe_occupancy", cases[i].occupancy);
		assert_int_equal(
			furiosa_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
		assert_true(readings.utilization_ratio == cases[i].ratio);
		assert_true(readings.temperature_celsius < 0 && readings.power_watts < 0);
	}
	set_file(tree, "sys/bus/pci/devices/" RNGD_BDF "/hwmon/hwmon3/temp1_input", "45500\n");
	set_file(tree, "sys/bus/pci/devices/" RNGD_BDF "/hwmon/hwmon3/power1_average",
		 "61000000\n");
	assert_int_equal(furiosa_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.temperature_celsius > 45.4 && readings.temperature_celsius < 45.6);
	assert_true(readings.power_watts > 60.9 && readings.power_watts < 61.1);
	/* Another card has taken the name. */
	set_file(tree, RNGD "busname", "0000:28:00.0");
	assert_int_equal(furiosa_driver.measure(&tree->host, list.devices[0], &readings, NULL),
			 -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_rngd),
		TREE_TEST(test_warboy),
		TREE_TEST(test_nothing),
		TREE_TEST(test_class_unreadable),
		TREE_TEST(test_entries),
		TREE_TEST(test_entry_is_a_file),
		TREE_TEST(test_both_spellings),
		TREE_TEST(test_order),
		TREE_TEST(test_platform),
		TREE_TEST(test_facts),
		TREE_TEST(test_zero_byte),
		TREE_TEST(test_garbage_everywhere),
		TREE_TEST(test_product),
		TREE_TEST(test_numa_unknown),
		TREE_TEST(test_core_ranges),
		TREE_TEST(test_core_ranges_warboy),
		TREE_TEST(test_nodes),
		TREE_TEST(test_mgmt_node_spelling),
		TREE_TEST(test_p2pmem),
		TREE_TEST(test_vanished),
		TREE_TEST(test_vanished_before),
		TREE_TEST(test_descriptors_run_out),
		TREE_TEST(test_memory_runs_out),
		TREE_TEST(test_probe),
		TREE_TEST(test_probe_unknown_bdf),
		TREE_TEST(test_probe_foreign_device),
		TREE_TEST(test_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
