/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/null is 1:3 and /dev/zero is 1:5 on every machine. */
#include "drivers/char_device.h"

#include <errno.h>

#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static const struct {
	const char *name;
	int by_number; /* what char_device_entry() returns */
	int found;
	const char *entry; /* what char_devices_find() tells */
} cases[] = {
	{ "null", 0, 1, "sys/dev/char/1:3" },
	{ "acme/card0", -ENOENT, 1, "sys/dev/char/240:7" },
	{ "acme/card1", -ENOENT, 0, NULL },		      /* two entries have the name */
	{ "acme/card2", -ENOENT, 0, NULL },		      /* none has */
	{ "acme/missing", -ENOENT, 1, "sys/dev/char/241:1" }, /* an entry without a file */
	{ "regular", -ENODEV, 0, NULL },
	{ "plain", -ENOENT, 0, NULL },	  /* a directory instead of a link tells no name */
	{ "acme/odd", -ENOENT, 0, NULL }, /* an entry whose name is no number */
	{ "a-name-that-is-much-too-long-for-a-device", -ENOENT, 0, NULL },
};

static void add_entries(const struct tree *tree)
{
	tree_link(tree, "dev/null", "/dev/null");
	tree_link(tree, "dev/acme/card0", "/dev/zero");
	tree_link(tree, "dev/acme/card1", "/dev/zero");
	tree_link(tree, "dev/acme/card2", "/dev/zero");
	tree_link(tree, "dev/plain", "/dev/zero");
	tree_puts(tree, "dev/regular", "");
	tree_mkdir(tree, "sys/dev/char/1:3");
	tree_mkdir(tree, "sys/dev/char/240:9");
	tree_link(tree, "sys/dev/char/240:7", "../../devices/acme/acme!card0");
	tree_link(tree, "sys/dev/char/240:8", "../../devices/acme/acme!card1");
	tree_link(tree, "sys/dev/char/241:0", "../../devices/other/acme!card1");
	tree_link(tree, "sys/dev/char/241:1", "../../devices/other/acme!missing");
	tree_link(tree, "sys/dev/char/24\x1b:9", "../../devices/other/acme!odd");
	tree_link(tree, "sys/dev/char/a-number-that-is-much-too-long", "x/acme!card2");
}

static void test_find(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(char_devices_freep) struct char_devices *devices = NULL;

	add_entries(tree);
	assert_int_equal(char_devices_new(&tree->host, &devices, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char entry[DEVICE_PATH_MAX] = "";
		int r = char_device_entry(&tree->host, cases[i].name, entry);

		assert_int_equal(r, cases[i].by_number);
		r = char_devices_find(devices, cases[i].name, entry, NULL);
		assert_int_equal(r, cases[i].found);
		if (cases[i].entry)
			assert_string_equal(entry, cases[i].entry);
	}
}

static void test_no_sysfs(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(char_devices_freep) struct char_devices *devices = NULL;
	_cleanup_(char_devices_freep) struct char_devices *empty = NULL;
	char entry[DEVICE_PATH_MAX];

	tree_link(tree, "dev/null", "/dev/null");
	assert_int_equal(char_devices_new(&tree->host, &devices, NULL), 0);
	assert_int_equal(char_devices_find(devices, "null", entry, NULL), 0);
	tree_mkdir(tree, "sys/dev/char");
	assert_int_equal(char_devices_new(&tree->host, &empty, NULL), 0);
	assert_int_equal(char_devices_find(empty, "null", entry, NULL), 0);
	char_devices_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_find),
		TREE_TEST(test_no_sysfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
