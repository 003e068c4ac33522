/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/sim.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/test.h"
#include "tests/unit/sim/node.h"

#define RNGD "sys/class/rngd_mgmt/rngd!npu0mgmt/"
#define WARBOY "sys/class/npu_mgmt/npu0_mgmt/"

/* The list is written out once more, in the vendor's order, so that a slip in the
 * table does not pass. */
static void test_rngd_device_files(void **state)
{
	static const char *const names[] = {
		"mgmt", "bar0", "bar2",	 "bar4",  "dmar",  "ch0",   "ch1",   "ch2",   "ch3",
		"ch4",	"ch5",	"ch6",	 "ch7",	  "ch0r",  "ch1r",  "ch2r",  "ch3r",  "ch4r",
		"ch5r", "ch6r", "ch7r",	 "pe0",	  "pe1",   "pe2",   "pe3",   "pe4",   "pe5",
		"pe6",	"pe7",	"pe0-1", "pe2-3", "pe4-5", "pe6-7", "pe0-3", "pe4-7",
	};
	const struct node *node = *state;

	assert_int_equal(ARRAY_SIZE(names), 35);
	node_create(node, "rngd x2");
	assert_int_equal(node_count(node, "dev/rngd", "npu0"), 35);
	assert_int_equal(node_count(node, "dev/rngd", "npu1"), 35);
	assert_int_equal(node_count(node, "dev/rngd", ""), 70);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct tree_path path = tree_path("dev/rngd/npu1%s", names[i]);

		assert_int_equal(file_is_char_device(node->root_fd, path.text), 0);
	}
}

static void test_warboy_device_files(void **state)
{
	static const char *const names[] = { "npu0",	"npu0_mgmt", "npu0pe0",
					     "npu0pe1", "npu0pe0-1", "npu0ch0",
					     "npu0ch1", "npu0ch2",   "npu0ch3" };
	const struct node *node = *state;

	node_create(node, "warboy x1");
	assert_int_equal(node_count(node, "dev", ""), 9);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct tree_path path = tree_path("dev/%s", names[i]);

		assert_int_equal(file_is_char_device(node->root_fd, path.text), 0);
	}
}

/* Every byte of every attribute, for each option that changes one. */
static void test_attributes(void **state)
{
	static const struct {
		const char *description;
		const char *path;
		const char *value; /* NULL: there is none */
	} cases[] = {
		{ "rngd x1", RNGD "platform_type", "FuriosaAI\n" },
		{ "rngd x1", RNGD "device_type", "RNGD\n" },
		{ "rngd x1", RNGD "busname", "0000:19:00.0" },
		{ "rngd x1", RNGD "dev", "235:0\n" },
		{ "rngd x1", RNGD "device_uuid", "A957913B-95C1-4AE4-A19A-517D5BC943D9\n" },
		{ "rngd x1", RNGD "device_sn", "RNGD000001\n" },
		{ "rngd x1", RNGD "device_state", "1\n" },
		{ "rngd x1", RNGD "heartbeat", "0\n" },
		{ "rngd x1", RNGD "fw_version", "2025.1.0+696efad\n" },
		{ "rngd x1", RNGD "version", "2025.4.0-dev2+0e9e56a\n" },
		{ "rngd x1", RNGD "cur_pe_ids", "0,1,2,3,4,5,6,7,0-1,2-3,4-5,6-7,0-3,4-7" },
		{ "rngd x1", RNGD "npu_clocks", "0\n0\n0\n0\n0\n0\n0\n0\n" },
		{ "rngd x1", RNGD "atr_error",
		  "AXI Post Error: 0\nAXI Fetch Error: 0\nAXI Discard Error: 0\n"
		  "AXI Doorbell done: 0\nPCIe Post Error: 0\nPCIe Fetch Error: 0\n"
		  "PCIe Discard Error: 0\nPCIe Doorbell done: 0\nDevice Error: 0" },
		{ "rngd x1", RNGD "soc_id", "00000000-AAAAAAAA\n" },
		{ "rngd x1", RNGD "board_revision", "BD_REV_INIT\n" },
		{ "rngd x1", RNGD "alive", NULL },
		{ "rngd x1", "sys/class/rngd_mgmt/rngd!npu0pe7/alloc_status", "" },
		{ "rngd x1, pe-entries off", "sys/class/rngd_mgmt/rngd!npu0pe7/alloc_status",
		  NULL },
		{ "rngd x1, newlines off", RNGD "device_state", "1" },
		{ "rngd x1, newlines off", RNGD "npu_clocks", "0\n0\n0\n0\n0\n0\n0\n0" },
		{ "rngd x1, newlines off", RNGD "busname", "0000:19:00.0" },
		{ "rngd x1, serial empty", RNGD "device_sn", "" },
		{ "rngd x1, serial none", RNGD "device_sn", NULL },
		{ "rngd x1, uuid zero", RNGD "device_uuid",
		  "00000000-0000-0000-0000-000000000000\n" },
		{ "rngd x1, spelling old", "sys/class/rngd_mgmt/rngd!npu0_mgmt/device_type",
		  "RNGD\n" },
		{ "rngd x1, spelling old", RNGD "device_type", NULL },
		{ "warboy x1", WARBOY "platform_type", "FuriosaAI\n" },
		{ "warboy x1", WARBOY "device_type", "Warboy\n" },
		{ "warboy x1", WARBOY "alive", "1\n" },
		{ "warboy x1", WARBOY "heartbeat", "42\n" },
		{ "warboy x1", WARBOY "busname", "0000:19:00.0\n" },
		{ "warboy x1", WARBOY "dev", "236:0\n" },
		{ "warboy x1", WARBOY "device_uuid", "6FA6A9F0-972B-40AC-8907-135E24670A37\n" },
		{ "warboy x1", WARBOY "device_sn", "WBYB0000000000001\n" },
		{ "warboy x1", WARBOY "fw_version", "1.6.0, c1bebfd" },
		{ "warboy x1", WARBOY "version", "1.0.0, 0000000\n" },
		{ "warboy x1", WARBOY "soc_rev", "B0\n" },
		{ "warboy x1", WARBOY "performance_mode", "4 (FULL 1)\n" },
		{ "warboy x1", WARBOY "device_state", NULL },
		{ "warboy x1, serial none", WARBOY "device_sn", NULL },
		{ "warboy x1", "proc/devices",
		  "Character devices:\n  1 mem\n  5 /dev/tty\n236 npu_mgmt\n\n"
		  "Block devices:\n259 blkext\n" },
	};
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		node_create(node, cases[i].description);
		assert_contents(node, cases[i].path, cases[i].value);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

static void test_class_entry_is_a_virtual_device(void **state)
{
	const struct node *node = *state;
	char target[128] = "";

	node_create(node, "rngd x1");
	assert_true(readlinkat(node->root_fd, "sys/class/rngd_mgmt/rngd!npu0mgmt", target,
			       sizeof(target) - 1) > 0);
	assert_string_equal(target, "../../devices/virtual/rngd_mgmt/rngd!npu0mgmt");
	assert_int_equal(node_count(node, "sys/class/rngd_mgmt", ""), 9);
	assert_int_equal(node_count(node, "sys/class/npu_mgmt", ""), 0);
}

static void test_old_spelling_of_the_device_file(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1, spelling old");
	assert_true(node_exists(node, "dev/rngd/npu0_mgmt"));
	assert_false(node_exists(node, "dev/rngd/npu0mgmt"));
	assert_int_equal(node_count(node, "dev/rngd", ""), 35);
}

static void test_p2pmem(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1, p2pmem");
	assert_true(node_exists(node, "dev/rngd/npu0p2pmem"));
	assert_int_equal(node_count(node, "dev/rngd", ""), 36);
}

/* A driver that is loaded and has found nothing is not the same as no driver. */
static void test_no_cards(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x0");
	assert_true(node_exists(node, "sys/class/rngd_mgmt"));
	assert_false(node_exists(node, "sys/class/npu_mgmt"));
	assert_false(node_exists(node, "dev/rngd"));
	assert_int_equal(node_count(node, "dev", ""), 0);
}

/* Needs CAP_MKNOD; the other kind of device files is covered by all other tests. */
static void test_real_device_files(void **state)
{
	const struct node *node = *state;
	struct request request = { .dir = node->dir, .args = { "rngd x2" }, .nodes = NODES_REAL };
	struct stat st;
	int r = command_create(&request, NULL);

	if (r == -EPERM) {
		assert_false(node_exists(node, "dev"));
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(fstatat(node->root_fd, "dev/rngd/npu1bar0", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(major(st.st_rdev), 235);
	assert_int_equal(minor(st.st_rdev), SIM_MINORS_PER_CARD + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rngd_device_files, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_warboy_device_files, node_setup,
						node_teardown),
		cmocka_unit_test_setup_teardown(test_attributes, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_class_entry_is_a_virtual_device, node_setup,
						node_teardown),
		cmocka_unit_test_setup_teardown(test_old_spelling_of_the_device_file, node_setup,
						node_teardown),
		cmocka_unit_test_setup_teardown(test_p2pmem, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_no_cards, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_real_device_files, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
