/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "drivers/sysfs.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define CLASS "sys/class/some/"
#define BDF "0000:27:00.0"

static const struct driver some_driver = { .name = "some" };

/* Takes the process all descriptors that it has left. */
static void take_descriptors(const struct tree *tree, struct rlimit *ret_before)
{
	struct rlimit none;
	int next = openat(tree->host.root_fd, ".", O_PATH | O_CLOEXEC);

	assert_true(next >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_before), 0);
	none = *ret_before;
	none.rlim_cur = (rlim_t)next;
	(void)close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void give_descriptors(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

static void only_wants_of_the_process_are_shortages(_unused_ void **state)
{
	static const struct {
		int r;
		bool shortage;
	} cases[] = {
		{ -EMFILE, true }, { -ENFILE, true },  { -ENOMEM, true },
		{ 0, false },	   { -ENOENT, false }, { -EIO, false },
		{ EMFILE, false }, { -EACCES, false }, { -EILSEQ, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(sysfs_is_shortage(cases[i].r), cases[i].shortage);
}

static void identities_have_few_characters(_unused_ void **state)
{
	static const struct {
		const char *text;
		bool is_id;
	} cases[] = {
		{ "GPU-1a_B.c:2", true }, { "0", true },    { "", false },    { "a b", false },
		{ "a/b", false },	  { "a\n", false }, { "a+b", false }, { "\xc3\xa4", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(sysfs_is_id(cases[i].text), cases[i].is_id);
	assert_true(sysfs_consists_of("aab", "ab"));
	assert_false(sysfs_consists_of("aabc", "ab"));
	assert_false(sysfs_consists_of("", "ab"));
}

static void attributes_are_one_printable_line(void **state)
{
	static const struct {
		const char *text; /* NULL: there is no file */
		int code;
		const char *line;
	} cases[] = {
		{ "1\n", 0, "1" },
		{ "  a b \n\n", 0, "a b" },
		{ "", 0, "" },
		{ "a\nb\n", -EILSEQ, NULL },
		{ "a\x01", -EILSEQ, NULL },
		{ "\xff\xfe", -EILSEQ, NULL },
		{ NULL, -ENOENT, NULL },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[SYSFS_LINE_MAX], fact[SYSFS_LINE_MAX];

		tree_remove(tree, "a");
		if (cases[i].text)
			tree_puts(tree, "a", cases[i].text);
		assert_int_equal(sysfs_read_line(tree->host.root_fd, "a", line, NULL),
				 cases[i].code);
		/* What cannot be used is no failure when it is a fact. */
		assert_int_equal(sysfs_read_fact(tree->host.root_fd, "a", fact, NULL),
				 cases[i].code == 0);
		if (cases[i].line) {
			assert_string_equal(line, cases[i].line);
			assert_string_equal(fact, cases[i].line);
		}
	}
}

static void attributes_have_a_maximum(void **state)
{
	const struct tree *tree = *state;
	char text[SYSFS_LINE_MAX + 1] = { 0 };
	char line[SYSFS_LINE_MAX];

	memset(text, 'x', SYSFS_LINE_MAX - 1);
	tree_puts(tree, "a", text);
	assert_int_equal(sysfs_read_line(tree->host.root_fd, "a", line, NULL), 0);
	assert_string_equal(line, text);
	text[SYSFS_LINE_MAX - 1] = 'x';
	tree_puts(tree, "a", text);
	assert_int_equal(sysfs_read_line(tree->host.root_fd, "a", line, NULL), -EFBIG);
	assert_int_equal(sysfs_read_fact(tree->host.root_fd, "a", line, NULL), 0);
}

static void texts_that_do_not_fit_are_left_out(void **state)
{
	static const struct {
		const char *text;
		bool (*fits)(const char *text);
		int r;
		const char *field; /* afterwards */
	} cases[] = {
		{ "abc\n", NULL, 1, "abc" },	     { "a b\n", NULL, 1, "a b" },
		{ "abc\n", sysfs_is_id, 1, "abc" },  { "a b\n", sysfs_is_id, 0, "before" },
		{ "12345678\n", NULL, 0, "before" }, { "1234567\n", NULL, 1, "1234567" },
		{ "a\nb\n", NULL, 0, "before" },     { "\n", sysfs_is_id, 0, "before" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char field[8] = "before";

		tree_puts(tree, "a", cases[i].text);
		assert_int_equal(sysfs_read_text(tree->host.root_fd, "a", cases[i].fits, field,
						 sizeof(field), NULL),
				 cases[i].r);
		assert_string_equal(field, cases[i].field);
	}
}

static void numbers_are_decimal_and_bounded(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0\n", 0, 1, 0 },
		{ "17\n", 17, 1, 17 },
		{ "18\n", 17, 0, 0 },
		{ "18446744073709551615\n", UINT64_MAX, 1, UINT64_MAX },
		{ "18446744073709551616\n", UINT64_MAX, 0, 0 },
		{ "-1\n", UINT64_MAX, 0, 0 },
		{ "0x10\n", UINT64_MAX, 0, 0 },
		{ "1 2\n", UINT64_MAX, 0, 0 },
		{ "\n", UINT64_MAX, 0, 0 },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		tree_puts(tree, "a", cases[i].text);
		assert_int_equal(
			sysfs_read_u64(tree->host.root_fd, "a", cases[i].max, &value, NULL),
			cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void a_shortage_is_a_failure(void **state)
{
	const struct tree *tree = *state;
	struct sysfs_entries entries = { 0 };
	struct error errs[5] = { 0 };
	struct rlimit before;
	uint64_t value = 7;
	char text[SYSFS_LINE_MAX] = "before";
	int r[5];

	tree_puts(tree, "a", "1\n");
	take_descriptors(tree, &before);
	r[0] = sysfs_read_fact(tree->host.root_fd, "a", text, &errs[0]);
	r[1] = sysfs_read_text(tree->host.root_fd, "a", NULL, text, sizeof(text), &errs[1]);
	r[2] = sysfs_read_u64(tree->host.root_fd, "a", 9, &value, &errs[2]);
	r[3] = sysfs_open(&tree->host, ".", &errs[3]);
	r[4] = sysfs_list(&tree->host, ".", "a", (const char *const[]) { "", NULL }, &entries,
			  &errs[4]);
	give_descriptors(&before);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(r[i], -EMFILE);
		assert_non_null(strstr(errs[i].msg, "Too many open files"));
	}
	assert_int_equal(value, 7);
	sysfs_entries_done(&entries);
}

static void directories_are_opened_and_recognised(void **state)
{
	const struct tree *tree = *state;
	int fd;

	tree_mkdir(tree, CLASS "some0");
	tree_puts(tree, CLASS "file", "");
	fd = sysfs_open(&tree->host, CLASS "some0", NULL);
	assert_true(fd >= 0);
	assert_true(sysfs_is_still(&tree->host, CLASS "some0", fd));
	assert_false(sysfs_is_still(&tree->host, CLASS "some1", fd));
	/* While the first is open its number cannot be given to another. */
	tree_remove(tree, CLASS "some0");
	assert_false(sysfs_is_still(&tree->host, CLASS "some0", fd));
	tree_mkdir(tree, CLASS "some0");
	assert_false(sysfs_is_still(&tree->host, CLASS "some0", fd));
	(void)close(fd);
	assert_int_equal(sysfs_open(&tree->host, CLASS "none", NULL), -ENOENT);
	assert_int_equal(sysfs_open(&tree->host, CLASS "file", NULL), -ENOENT);
}

static void names_of_entries_are_taken_apart(_unused_ void **state)
{
	static const char *const suffixes[] = { "mgmt", "", "_mgmt", NULL };
	static const struct {
		const char *name;
		int r;
		uint32_t index;
		uint32_t suffix;
	} cases[] = {
		{ "some0mgmt", 0, 0, 0 },	 { "some0", 0, 0, 1 },
		{ "some12_mgmt", 0, 12, 2 },	 { "some65535", 0, 65535, 1 },
		{ "some65536", -EINVAL, 0, 0 },	 { "some123456789012", -EINVAL, 0, 0 },
		{ "some00", -EINVAL, 0, 0 },	 { "some01mgmt", -EINVAL, 0, 0 },
		{ "some", -EINVAL, 0, 0 },	 { "somemgmt", -EINVAL, 0, 0 },
		{ "some0mgmt2", -EINVAL, 0, 0 }, { "som0", -EINVAL, 0, 0 },
		{ "xsome0", -EINVAL, 0, 0 },	 { "some-1", -EINVAL, 0, 0 },
		{ "some 1", -EINVAL, 0, 0 },	 { "", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sysfs_entry entry = { 0 };

		assert_int_equal(sysfs_parse_entry(cases[i].name, "some", suffixes, &entry),
				 cases[i].r);
		assert_int_equal(entry.index, cases[i].index);
		assert_int_equal(entry.suffix, cases[i].suffix);
	}
}

static void entries_are_listed_in_order(void **state)
{
	static const char *const names[] = { "some10", "some2",	 "some2x", "some100",
					     "some0",  "other1", "some3y" };
	static const char *const suffixes[] = { "", "x", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(256);
	const struct tree *tree = *state;
	struct error err = { 0 };

	/* Without the driver there is no such class. */
	assert_int_equal(sysfs_list(&tree->host, CLASS, "some", suffixes, &entries, NULL), 0);
	assert_int_equal(entries.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), CLASS "%s", names[i]);
		tree_mkdir(tree, path);
	}
	assert_int_equal(sysfs_list(&tree->host, CLASS, "some", suffixes, &entries, NULL), 0);
	for (size_t i = 0; i < entries.n; i++)
		strbuf_printf(&text, "%u%s ", entries.entries[i].index,
			      suffixes[entries.entries[i].suffix]);
	assert_string_equal(strbuf_str(&text), "0 2 2x 10 100 ");
	sysfs_entries_done(&entries);
	tree_puts(tree, "file", "");
	assert_int_equal(sysfs_list(&tree->host, "file", "some", suffixes, &entries, &err),
			 -ENOTDIR);
	assert_string_equal(err.msg, "open 'file': Not a directory");
}

static void links_are_read_by_their_last_part(void **state)
{
	static const struct {
		const char *target;
		size_t size;
		int r;
		const char *name;
	} cases[] = {
		{ "../../devices/pci0000:16/" BDF, 32, 0, BDF },
		{ "plain", 32, 0, "plain" },
		{ "a/b/plain", 6, 0, "plain" },
		{ "a/b/plain", 5, -ENAMETOOLONG, NULL },
		{ "a/", 32, 0, "" },
	};
	const struct tree *tree = *state;
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_remove(tree, "link");
		tree_link(tree, "link", cases[i].target);
		assert_int_equal(sysfs_link_name(tree->host.root_fd, "link", name, cases[i].size),
				 cases[i].r);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
	}
	assert_int_equal(sysfs_link_name(tree->host.root_fd, "none", name, sizeof(name)), -ENOENT);
	tree_puts(tree, "file", "");
	assert_int_equal(sysfs_link_name(tree->host.root_fd, "file", name, sizeof(name)), -EINVAL);
}

static struct device *make_device(const char *bdf)
{
	struct device *device = device_new(&some_driver);

	assert_non_null(device);
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), CLASS "some0");
	(void)snprintf(device->bdf, sizeof(device->bdf), "%s", bdf);
	return device;
}

static void parents_are_pci_devices_or_not(void **state)
{
	static const struct {
		const char *target; /* NULL: there is no link */
		int r;
		const char *bdf;
	} cases[] = {
		{ "../../../devices/pci0000:16/" BDF, 1, BDF },
		{ "../platform/some.0", 0, "" },
		{ NULL, 0, "" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(device_cleanupp) struct device *device = make_device("");
		_cleanup_close_ int fd = -1;

		tree_remove(tree, CLASS "some0");
		tree_mkdir(tree, CLASS "some0");
		if (cases[i].target)
			tree_link(tree, CLASS "some0/device", cases[i].target);
		fd = sysfs_open(&tree->host, CLASS "some0", NULL);
		assert_int_equal(sysfs_read_parent(fd, device, NULL), cases[i].r);
		assert_string_equal(device->bdf, cases[i].bdf);
	}
}

static void devices_that_the_bus_does_not_show_have_no_place(void **state)
{
	_cleanup_(device_cleanupp) struct device *known = make_device(BDF);
	_cleanup_(device_cleanupp) struct device *missing = make_device("0000:28:00.0");
	_cleanup_(device_cleanupp) struct device *nowhere = make_device("");
	_cleanup_(pci_reader_freep) struct pci_reader *reader = NULL;
	const struct tree *tree = *state;

	tree_puts(tree, "sys/bus/pci/devices/" BDF "/vendor", "0x1ed2\n");
	tree_puts(tree, "sys/bus/pci/devices/" BDF "/device", "0x0001\n");
	tree_puts(tree, "sys/bus/pci/devices/" BDF "/class", "0x120000\n");
	tree_puts(tree, "sys/bus/pci/devices/" BDF "/numa_node", "1\n");
	known->numa_node = missing->numa_node = DEVICE_NUMA_UNKNOWN;
	assert_int_equal(pci_reader_new(&tree->host, &reader, NULL), 0);
	assert_int_equal(sysfs_join_pci(reader, known, NULL), 0);
	assert_int_equal(known->pci.vendor, 0x1ed2);
	assert_int_equal(known->numa_node, 1);
	assert_int_equal(sysfs_join_pci(reader, missing, NULL), 0);
	assert_int_equal(missing->pci.vendor, 0);
	assert_int_equal(missing->numa_node, DEVICE_NUMA_UNKNOWN);
	assert_int_equal(sysfs_join_pci(reader, nowhere, NULL), 0);
}

static void probes_say_what_is_wrong(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = make_device(BDF);
	const struct tree *tree = *state;
	char line[SYSFS_LINE_MAX];
	struct error err = { 0 };

	tree_puts(tree, CLASS "some0/alive", "1\n");
	assert_int_equal(sysfs_probe_line(&tree->host, device, "alive", line, NULL), 0);
	assert_string_equal(line, "1");
	tree_puts(tree, CLASS "some0/alive", "1\n2\n");
	assert_int_equal(sysfs_probe_line(&tree->host, device, "alive", line, &err), -EILSEQ);
	assert_non_null(strstr(err.msg, "alive cannot be read: "));
	tree_remove(tree, CLASS "some0/alive");
	assert_int_equal(sysfs_probe_line(&tree->host, device, "alive", line, &err), -ENOENT);
	assert_string_equal(err.msg, "alive is missing");
	tree_remove(tree, CLASS "some0");
	assert_int_equal(sysfs_probe_line(&tree->host, device, "alive", line, &err), -ENODEV);
	assert_string_equal(err.msg, "gone from sysfs");
}

static void another_device_in_the_place_is_noticed(void **state)
{
	static const struct {
		const char *target; /* NULL: there is no link */
		const char *text;   /* NULL: all is well */
	} cases[] = {
		{ "../pci/" BDF, NULL },
		{ "../pci/27:00.0", NULL },
		{ "../pci/0000:28:00.0", "belongs to '0000:28:00.0' now, expected '" BDF "'" },
		{ "../platform/x", "belongs to 'x' now, expected '" BDF "'" },
		{ NULL, "gone from sysfs" },
	};
	_cleanup_(device_cleanupp) struct device *device = make_device(BDF);
	_cleanup_(device_cleanupp) struct device *nowhere = make_device("");
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		tree_remove(tree, CLASS "some0");
		if (cases[i].target)
			tree_link(tree, CLASS "some0/device", cases[i].target);
		assert_int_equal(sysfs_probe_parent(&tree->host, device, &err),
				 cases[i].text ? -ENODEV : 0);
		assert_string_equal(err.msg, cases[i].text ? cases[i].text : "");
		assert_int_equal(sysfs_probe_parent(&tree->host, nowhere, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_wants_of_the_process_are_shortages),
		cmocka_unit_test(identities_have_few_characters),
		TREE_TEST(attributes_are_one_printable_line),
		TREE_TEST(attributes_have_a_maximum),
		TREE_TEST(texts_that_do_not_fit_are_left_out),
		TREE_TEST(numbers_are_decimal_and_bounded),
		TREE_TEST(a_shortage_is_a_failure),
		TREE_TEST(directories_are_opened_and_recognised),
		cmocka_unit_test(names_of_entries_are_taken_apart),
		TREE_TEST(entries_are_listed_in_order),
		TREE_TEST(links_are_read_by_their_last_part),
		TREE_TEST(parents_are_pci_devices_or_not),
		TREE_TEST(devices_that_the_bus_does_not_show_have_no_place),
		TREE_TEST(probes_say_what_is_wrong),
		TREE_TEST(another_device_in_the_place_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
