/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/state.h"
#include "tests/test.h"
#include "tests/unit/sim/node.h"

#define MGMT0 "sys/class/rngd_mgmt/rngd!npu0mgmt"
#define MGMT5 "sys/class/rngd_mgmt/rngd!npu5mgmt"
#define PCI0 "sys/bus/pci/devices/0000:19:00.0"

typedef int (*command_fn)(const struct request *request, struct error *err);

static int run(const struct node *node, command_fn command, const char *card, const char *second,
	       const char *third)
{
	struct request request = { .dir = node->dir, .args = { card, second, third } };

	return command(&request, NULL);
}

static void test_fail_and_recover(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x2, warboy x1");
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_fail, "warboy0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_state", "3\n");
	assert_contents(node, "sys/class/rngd_mgmt/rngd!npu1mgmt/device_state", "1\n");
	assert_contents(node, "sys/class/npu_mgmt/npu0_mgmt/alive", "0\n");
	assert_int_equal(run(node, command_recover, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_recover, "warboy0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_state", "1\n");
	assert_contents(node, "sys/class/npu_mgmt/npu0_mgmt/alive", "1\n");
}

static void test_fail_without_newlines(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1, newlines off");
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_state", "3");
}

static void test_unplug_and_plug(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x2");
	assert_int_equal(run(node, command_unplug, "rngd0", NULL, NULL), 0);
	assert_false(node_exists(node, MGMT0));
	assert_false(node_exists(node, "sys/devices/virtual/rngd_mgmt/rngd!npu0mgmt"));
	assert_false(node_exists(node, PCI0));
	assert_int_equal(node_count(node, "sys/class/rngd_mgmt", "rngd!npu0"), 0);
	assert_int_equal(node_count(node, "dev/rngd", "npu0"), 0);
	assert_int_equal(node_count(node, "dev/rngd", "npu1"), 35);
	assert_int_equal(run(node, command_unplug, "rngd0", NULL, NULL), -ENODEV);

	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_uuid", "A957913B-95C1-4AE4-A19A-517D5BC943D9\n");
	assert_contents(node, PCI0 "/vendor", "0x1ed2\n");
	assert_int_equal(node_count(node, "dev/rngd", "npu0"), 35);
	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), -EEXIST);
}

/* As in devtmpfs. */
static void test_empty_device_directory_goes(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1");
	assert_int_equal(run(node, command_unplug, "rngd0", NULL, NULL), 0);
	assert_false(node_exists(node, "dev/rngd"));
	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), 0);
	assert_int_equal(node_count(node, "dev/rngd", ""), 35);
}

/* The whole tree comes back as it was, so nothing was left behind or lost. */
static void test_round_trip_restores_the_state_file(void **state)
{
	static const struct {
		command_fn command;
		const char *second;
	} steps[] = {
		{ command_fail, NULL },	   { command_renumber, "5" },
		{ command_unplug, NULL },  { command_plug, NULL },
		{ command_recover, NULL }, { command_remove_node, "pe0" },
		{ command_renumber, "0" },
	};
	const struct node *node = *state;
	char before[NODE_VALUE_MAX];

	node_create(node, "rngd x2, warboy x1, numa 0/1");
	assert_true(file_read(node->root_fd, STATE_FILE, before, sizeof(before), NULL) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_int_equal(run(node, steps[i].command, "rngd0", steps[i].second, NULL), 0);
	assert_contents(node, STATE_FILE, before);
	assert_int_equal(node_count(node, "dev/rngd", ""), 70);
	assert_int_equal(node_count(node, "sys/class/rngd_mgmt", ""), 18);
	assert_int_equal(node_count(node, "sys/devices/virtual/rngd_mgmt", ""), 18);
	assert_int_equal(node_count(node, "sys/bus/pci/devices", ""), 11);
}

static void test_failure_outlasts_unplugging(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1");
	assert_int_equal(run(node, command_unplug, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_state", "3\n");
}

static void test_renumber(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x2, warboy x1");
	assert_int_equal(run(node, command_renumber, "rngd0", "5", NULL), 0);
	assert_false(node_exists(node, MGMT0));
	assert_contents(node, MGMT5 "/device_uuid", "A957913B-95C1-4AE4-A19A-517D5BC943D9\n");
	assert_contents(node, MGMT5 "/busname", "0000:19:00.0");
	assert_contents(node, MGMT5 "/dev", "235:320\n");
	assert_int_equal(node_count(node, "dev/rngd", "npu0"), 0);
	assert_int_equal(node_count(node, "dev/rngd", "npu5"), 35);
	/* The handle stays, and so does the PCI device. */
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), 0);
	assert_contents(node, MGMT5 "/device_state", "3\n");
	assert_true(node_exists(node, PCI0));
}

static void test_swap_by_unplugging(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x2");
	assert_int_equal(run(node, command_renumber, "rngd0", "1", NULL), -EEXIST);
	assert_int_equal(run(node, command_unplug, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_renumber, "rngd1", "0", NULL), 0);
	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), -EEXIST);
	assert_int_equal(run(node, command_renumber, "rngd0", "1", NULL), 0);
	assert_int_equal(run(node, command_plug, "rngd0", NULL, NULL), 0);
	assert_contents(node, MGMT0 "/device_uuid", "86FEFAB1-E1AE-4D88-99A4-CDBB205BFA73\n");
	assert_contents(node, MGMT0 "/busname", "0000:1a:00.0");
}

static void test_set(void **state)
{
	static const struct {
		const char *attribute;
		const char *value;
		const char *path;
		const char *bytes;
	} cases[] = {
		{ "device_uuid", "", MGMT0 "/device_uuid", "" },
		{ "device_uuid", " x\\n\\n", MGMT0 "/device_uuid", " x\n\n" },
		{ "version", "\\xff\\x7f", MGMT0 "/version", "\xff\x7f" },
		{ "pci/numa_node", "-1\\n", PCI0 "/numa_node", "-1\n" },
	};
	const struct node *node = *state;

	node_create(node, "rngd x1");
	for (int in_place = 0; in_place < 2; in_place++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct request request = {
				.dir = node->dir,
				.args = { "rngd0", cases[i].attribute, cases[i].value },
				.in_place = in_place,
			};

			assert_int_equal(command_set(&request, NULL), 0);
			assert_contents(node, cases[i].path, cases[i].bytes);
		}
	}
	assert_int_equal(node_count(node, MGMT0, ""), 16);
}

/* A reader that has the old file open keeps it: that is what a rename gives. */
static void test_set_is_atomic(void **state)
{
	const struct node *node = *state;
	char value[16] = "";
	int fd;

	node_create(node, "rngd x1");
	fd = openat(node->root_fd, MGMT0 "/device_state", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(run(node, command_set, "rngd0", "device_state", "4321\\n"), 0);
	assert_int_equal(read(fd, value, sizeof(value)), 2);
	assert_string_equal(value, "1\n");
	assert_int_equal(close(fd), 0);
	assert_contents(node, MGMT0 "/device_state", "4321\n");
}

static void test_device_files(void **state)
{
	static const struct {
		const char *card;
		const char *name;
		const char *path;
	} cases[] = {
		{ "rngd0", "pe0", "dev/rngd/npu0pe0" },
		{ "rngd0", "mgmt", "dev/rngd/npu0mgmt" },
		{ "rngd0", "pe4-7", "dev/rngd/npu0pe4-7" },
		{ "warboy0", "mgmt", "dev/npu0_mgmt" },
		{ "warboy0", "npu", "dev/npu0" },
	};
	const struct node *node = *state;

	node_create(node, "rngd x1, warboy x1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *card = cases[i].card;
		const char *name = cases[i].name;

		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), 0);
		assert_int_equal(run(node, command_remove_node, card, name, NULL), 0);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), -ENOENT);
		assert_int_equal(run(node, command_restore_node, card, name, NULL), 0);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), 0);
		assert_int_equal(run(node, command_break_node, card, name, NULL), 0);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), -ENODEV);
		assert_int_equal(run(node, command_restore_node, card, name, NULL), 0);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), 0);
	}
	assert_int_equal(node_count(node, "dev/rngd", ""), 35);
}

static void test_refused(void **state)
{
	static const struct {
		command_fn command;
		const char *args[3];
		int r;
	} cases[] = {
		{ command_fail, { "rngd1" }, -ENOENT },
		{ command_recover, { "" }, -ENOENT },
		{ command_plug, { "rngd" }, -ENOENT },
		{ command_plug, { "rngd0" }, -EEXIST },
		{ command_renumber, { "rngd0", "" }, -EINVAL },
		{ command_renumber, { "rngd0", "-1" }, -EINVAL },
		{ command_renumber, { "rngd0", "16384" }, -ERANGE },
		{ command_set, { "rngd0", "no_such_attribute", "1" }, -ENOENT },
		{ command_set, { "rngd0", "", "1" }, -EINVAL },
		{ command_set, { "rngd0", "..", "1" }, -EINVAL },
		{ command_set, { "rngd0", "../rngd!npu0pe0/alloc_status", "1" }, -EINVAL },
		{ command_set, { "rngd0", "pci/", "1" }, -EINVAL },
		{ command_set, { "rngd0", "version", "\\q" }, -EINVAL },
		{ command_remove_node, { "rngd0", "pe8" }, -ENOENT },
		{ command_restore_node, { "rngd0", "p2pmem" }, -ENOENT },
		{ command_break_node, { "rngd0", "" }, -ENOENT },
		{ command_remove_node, { "warboy0", "pe0" }, -ENODEV },
		{ command_restore_node, { "warboy0", "pe0" }, -ENODEV },
		{ command_set, { "warboy0", "alive", "1" }, -ENODEV },
	};
	const struct node *node = *state;

	node_create(node, "rngd x1, warboy x1");
	assert_int_equal(run(node, command_unplug, "warboy0", NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(run(node, cases[i].command, cases[i].args[0], cases[i].args[1],
				     cases[i].args[2]),
				 cases[i].r);
}

static void test_create_touches_nothing_that_is_there(void **state)
{
	const struct node *node = *state;

	assert_int_equal(mkdirat(node->root_fd, "dev", 0755), 0);
	assert_int_equal(run(node, command_create, "rngd x1", NULL, NULL), -EEXIST);
	assert_true(node_exists(node, "dev"));
	assert_false(node_exists(node, "sys"));
	assert_int_equal(unlinkat(node->root_fd, "dev", AT_REMOVEDIR), 0);
	node_create(node, "rngd x1");
	assert_int_equal(run(node, command_create, "rngd x1", NULL, NULL), -EEXIST);
	assert_true(node_exists(node, MGMT0));
}

static void test_create_refuses_a_bad_description(void **state)
{
	const struct node *node = *state;

	assert_int_equal(run(node, command_create, "rngd x1, colour red", NULL, NULL), -EINVAL);
	assert_int_equal(node_count(node, ".", ""), 0);
}

static void test_damaged_state(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 0 present healthy\n", 0 },
		{ "", -EINVAL },
		{ "silica-sim 2\ndescription rngd x1\nnodes links\nrngd0 0 present healthy\n",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x\nnodes links\n", -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes many\nrngd0 0 present healthy\n",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\n", -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 0 present\n", -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 0 present well\n",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd1 0 present healthy\n",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 16384 present healthy\n",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 0 present healthy",
		  -EINVAL },
		{ "silica-sim 1\ndescription rngd x1\nnodes links\nrngd0 0 present healthy\nx\n",
		  -EINVAL },
	};
	const struct node *node = *state;

	node_create(node, "rngd x1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim sim = SIM_INIT;

		assert_int_equal(tree_replace(node->root_fd, STATE_FILE, cases[i].text,
					      strlen(cases[i].text), NULL),
				 0);
		assert_int_equal(state_open(&sim, node->dir, NULL), cases[i].r);
		state_done(&sim);
	}
	assert_int_equal(unlinkat(node->root_fd, STATE_FILE, 0), 0);
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), -ENOENT);
}

static void test_list(void **state)
{
	static const char expected[] =
		"CARD        NAME          BDF          NUMA  UUID                               "
		"   STATE\n"
		"rngd0       rngd/npu5     0000:19:00.0    0  A957913B-95C1-4AE4-A19A-517D5BC943D9"
		"  failed\n"
		"rngd1       rngd/npu1     0000:9a:00.0    1  86FEFAB1-E1AE-4D88-99A4-CDBB205BFA73"
		"  unplugged\n"
		"warboy0     npu0          0000:1a:00.0    0  6FA6A9F0-972B-40AC-8907-135E24670A37"
		"  healthy\n";
	const struct node *node = *state;
	struct request request = { .dir = node->dir };
	char text[NODE_VALUE_MAX] = "";

	node_create(node, "rngd x2, warboy x1, numa 0/1");
	assert_int_equal(run(node, command_renumber, "rngd0", "5", NULL), 0);
	assert_int_equal(run(node, command_fail, "rngd0", NULL, NULL), 0);
	assert_int_equal(run(node, command_unplug, "rngd1", NULL, NULL), 0);
	request.output = fmemopen(text, sizeof(text), "w");
	assert_non_null(request.output);
	assert_int_equal(command_list(&request, NULL), 0);
	assert_int_equal(fclose(request.output), 0);
	assert_string_equal(text, expected);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, node_setup, node_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_fail_and_recover),
		NODE_TEST(test_fail_without_newlines),
		NODE_TEST(test_unplug_and_plug),
		NODE_TEST(test_empty_device_directory_goes),
		NODE_TEST(test_round_trip_restores_the_state_file),
		NODE_TEST(test_failure_outlasts_unplugging),
		NODE_TEST(test_renumber),
		NODE_TEST(test_swap_by_unplugging),
		NODE_TEST(test_set),
		NODE_TEST(test_set_is_atomic),
		NODE_TEST(test_device_files),
		NODE_TEST(test_refused),
		NODE_TEST(test_create_touches_nothing_that_is_there),
		NODE_TEST(test_create_refuses_a_bad_description),
		NODE_TEST(test_damaged_state),
		NODE_TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
