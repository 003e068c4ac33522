/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/drivers/class_card.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/test.h"

#define PATH_BYTES 256 /* of what tests name */
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define DESCRIPTORS_MAX 24 /* more than a scan holds at a time */

struct card_path {
	char text[PATH_BYTES];
};

static _printf_(1, 2) struct card_path make_path(const char *fmt, ...)
{
	struct card_path path;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path.text, sizeof(path.text), fmt, args);
	va_end(args);
	assert_in_range(len, 1, sizeof(path.text) - 1);
	return path;
}

static struct card_path entry_dir(const struct class_card *card)
{
	if (!card->bdf)
		return make_path("sys/devices/virtual/%s/%s", card->class_name, card->entry);
	return make_path("sys/devices/pci0000:16/%s/%s/%s", card->bdf, card->class_name,
			 card->entry);
}

static struct card_path entry_link(const struct class_card *card)
{
	return make_path("sys/class/%s/%s", card->class_name, card->entry);
}

static void puts_hex(const struct tree *tree, const struct class_card *card, const char *name,
		     unsigned int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "0x%04x\n", value);
	class_card_set_pci(tree, card, name, text);
}

static void add_pci(const struct tree *tree, const struct class_card *card)
{
	struct card_path link = make_path("sys/bus/pci/devices/%s", card->bdf);
	struct card_path target = make_path("../../../devices/pci0000:16/%s", card->bdf);

	puts_hex(tree, card, "vendor", card->pci_vendor);
	puts_hex(tree, card, "device", card->pci_device);
	puts_hex(tree, card, "subsystem_vendor", card->pci_vendor);
	puts_hex(tree, card, "subsystem_device", card->subsystem);
	class_card_set_pci(tree, card, "class", "0x120000\n");
	class_card_set_pci(tree, card, "numa_node", "1\n");
	tree_link(tree, link.text, target.text);
}

void class_card_add(const struct tree *tree, const struct class_card *card)
{
	struct card_path dir = entry_dir(card);
	struct card_path link = entry_link(card);
	struct card_path target = make_path("../../../%s", dir.text);
	struct card_path parent = make_path("%s/device", dir.text);

	tree_mkdir(tree, dir.text);
	tree_link(tree, link.text, target.text);
	if (card->bdf) {
		add_pci(tree, card);
		target = make_path("../../../%s", card->bdf);
		tree_link(tree, parent.text, target.text);
	}
	for (size_t i = 0; i < card->n_attributes; i++)
		class_card_set(tree, card, card->attributes[i].path, card->attributes[i].text);
	tree_remove(tree, card->node);
	tree_link(tree, card->node, "/dev/null");
}

void class_card_reset(const struct tree *tree, const struct class_card *card)
{
	tree_remove(tree, "sys");
	tree_remove(tree, "dev");
	class_card_add(tree, card);
}

static void set_file(const struct tree *tree, const char *path, const char *text)
{
	tree_remove(tree, path);
	if (text)
		tree_puts(tree, path, text);
}

void class_card_set(const struct tree *tree, const struct class_card *card, const char *name,
		    const char *text)
{
	struct card_path dir = entry_dir(card);
	struct card_path path = make_path("%s/%s", dir.text, name);

	set_file(tree, path.text, text);
}

void class_card_set_pci(const struct tree *tree, const struct class_card *card, const char *name,
			const char *text)
{
	struct card_path path = make_path("sys/devices/pci0000:16/%s/%s", card->bdf, name);

	set_file(tree, path.text, text);
}

void class_card_remove(const struct tree *tree, const struct class_card *card)
{
	struct card_path dir = entry_dir(card);
	struct card_path link = entry_link(card);

	tree_remove(tree, link.text);
	tree_remove(tree, dir.text);
}

void class_card_scan(const struct tree *tree, const struct driver *driver, struct device_list *list)
{
	struct error err = { 0 };
	int r;

	device_list_done(list);
	r = driver->scan(driver, &tree->host, list, &err);
	if (r < 0)
		fail_msg("scan: %s", error_text(&err, r));
	assert_int_equal(err.code, 0);
}

const struct device *class_card_scan_one(const struct tree *tree, const struct driver *driver,
					 struct device_list *list)
{
	class_card_scan(tree, driver, list);
	if (list->n != 1)
		fail_msg("%zu devices, expected one", list->n);
	return list->devices[0];
}

void class_card_check_probe(const struct tree *tree, const struct device *device, int expected,
			    const char *reason)
{
	struct error err = { 0 };
	int r = device->driver->probe(&tree->host, device, &err);

	if (r != expected || strcmp(err.msg, reason) != 0)
		fail_msg("probe gives %d, '%s'; expected %d, '%s'", r, err.msg, expected, reason);
	assert_int_equal(device->driver->probe(&tree->host, device, NULL), expected);
}

/* A directory in the place of a file reads as an error that is none of the others. */
static void set_garbage(const struct tree *tree, const struct class_card *card, const char *name,
			const char *text)
{
	struct card_path dir = entry_dir(card);
	struct card_path path = make_path("%s/%s", dir.text, name);

	if (text) {
		set_file(tree, path.text, text);
		return;
	}
	tree_remove(tree, path.text);
	tree_mkdir(tree, path.text);
}

void class_card_check_garbage(const struct tree *tree, const struct class_card *card)
{
	static const char *const garbage[] = {
		"",
		"\n",
		"\x7f\x45\x4c\x46\x80\xff",
		"a\nb\n",
		"%s%n",
		"-1",
		"9/../..",
		",,,--",
		"18446744073709551616",
		X64 X64 X64 X64 X64,
		NULL,
	};

	class_card_reset(tree, card);
	for (size_t i = 0; i < card->n_attributes; i++) {
		const char *name = card->attributes[i].path;

		for (size_t k = 0; k < ARRAY_SIZE(garbage); k++) {
			_cleanup_device_list_ struct device_list list = { 0 };
			const struct device *device;

			set_garbage(tree, card, name, garbage[k]);
			device = class_card_scan_one(tree, card->driver, &list);
			assert_string_equal(device->bdf, card->bdf ? card->bdf : "");
			assert_string_equal(device->fault, "");
			assert_true(device->n_nodes >= 1);
		}
		class_card_set(tree, card, name, NULL);
		class_card_set(tree, card, name, card->attributes[i].text);
	}
}

void class_card_check_vendor(const struct tree *tree, const struct class_card *card, bool own_class)
{
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_reset(tree, card);
	(void)class_card_scan_one(tree, card->driver, &list);
	class_card_set_pci(tree, card, "vendor", "0x10de\n");
	class_card_scan(tree, card->driver, &list);
	assert_int_equal(list.n, 0);
	tree_remove(tree, "sys/bus");
	class_card_scan(tree, card->driver, &list);
	assert_int_equal(list.n, own_class ? 1 : 0);
}

void class_card_check_functions(const struct tree *tree, const struct class_card *card,
				const struct class_card *vf)
{
	static const char *const unfit[] = { "0\n", "", "many\n", "-1\n", NULL };
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_reset(tree, card);
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		class_card_set_pci(tree, card, "sriov_numvfs", unfit[i]);
		(void)class_card_scan_one(tree, card->driver, &list);
	}
	class_card_set_pci(tree, card, "sriov_numvfs", "1\n");
	class_card_scan(tree, card->driver, &list);
	assert_int_equal(list.n, 0);
	class_card_add(tree, vf);
	assert_string_equal(class_card_scan_one(tree, card->driver, &list)->bdf, vf->bdf);
	class_card_set_pci(tree, card, "sriov_numvfs", "0\n");
	class_card_scan(tree, card->driver, &list);
	assert_int_equal(list.n, 2);
}

void class_card_check_places(const struct tree *tree, const struct class_card *card)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	struct class_card other = *card;
	const struct device *device;

	other.bdf = "0000:c3:00.0";
	class_card_reset(tree, card);
	device = class_card_scan_one(tree, card->driver, &list);
	class_card_check_probe(tree, device, 0, "");
	class_card_remove(tree, card);
	class_card_check_probe(tree, device, -ENODEV, "gone from sysfs");
	class_card_add(tree, &other);
	assert_int_equal(device->driver->probe(&tree->host, device, NULL), -ENODEV);
	class_card_remove(tree, &other);
	class_card_reset(tree, card);
	class_card_check_probe(tree, device, 0, "");
}

void class_card_check_bus(const struct tree *tree, const struct class_card *card)
{
	static const char ones[] = "\xff\xff\xff\xff\xff\xff\xff\xff"
				   "\xff\xff\xff\xff\xff\xff\xff\xff";
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	char expected[PATH_BYTES];

	(void)snprintf(expected, sizeof(expected), "PCI device '%s' does not answer", card->bdf);
	class_card_reset(tree, card);
	device = class_card_scan_one(tree, card->driver, &list);
	class_card_set_pci(tree, card, "config", ones);
	class_card_check_probe(tree, device, -EIO, expected);
	class_card_set_pci(tree, card, "config", "\xff\xff\xff\xff\x06\x04\x10\x10\x01");
	class_card_check_probe(tree, device, 0, "");
}

void class_card_check_node(const struct tree *tree, const struct class_card *card)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	char expected[PATH_BYTES + 64];

	class_card_reset(tree, card);
	assert_string_equal(class_card_scan_one(tree, card->driver, &list)->fault, "");
	tree_remove(tree, card->node);
	(void)snprintf(expected, sizeof(expected), "device node '/%s' is missing", card->node);
	assert_string_equal(class_card_scan_one(tree, card->driver, &list)->fault, expected);
	tree_puts(tree, card->node, "");
	(void)snprintf(expected, sizeof(expected), "device node '/%s' is not a character device",
		       card->node);
	assert_string_equal(class_card_scan_one(tree, card->driver, &list)->fault, expected);
	tree_remove(tree, card->node);
	tree_link(tree, card->node, "/dev/null");
	assert_string_equal(class_card_scan_one(tree, card->driver, &list)->fault, "");
}

/* With a different limit each time, until the scan succeeds. */
static int scan_with(const struct tree *tree, const struct driver *driver, rlim_t limit,
		     struct device_list *list)
{
	struct rlimit before, few;
	struct error err = { 0 };
	int r;

	device_list_done(list);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit) { limit, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = driver->scan(driver, &tree->host, list, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(r == 0 || r == -EMFILE);
	assert_int_equal(err.code, -r);
	return r;
}

void class_card_check_descriptors(const struct tree *tree, const struct class_card *card)
{
	_cleanup_device_list_ struct device_list whole = { 0 };
	_cleanup_device_list_ struct device_list list = { 0 };
	int lowest = dup(tree->host.root_fd); /* the first one that a scan gets */
	int n_failed = 0;
	int r = -1;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	class_card_reset(tree, card);
	(void)class_card_scan_one(tree, card->driver, &whole);
	for (int n = 0; r < 0 && n < DESCRIPTORS_MAX; n++) {
		r = scan_with(tree, card->driver, (rlim_t)lowest + (rlim_t)n, &list);
		n_failed += r < 0;
	}
	assert_int_equal(r, 0);
	assert_in_range(n_failed, 1, DESCRIPTORS_MAX - 1);
	assert_int_equal(list.n, 1);
	assert_true(device_equal(list.devices[0], whole.devices[0]));
}

void class_card_check_common(const struct tree *tree, const struct class_card *card,
			     const struct class_card *vf, bool own_class)
{
	class_card_check_garbage(tree, card);
	class_card_check_vendor(tree, card, own_class);
	class_card_check_functions(tree, card, vf);
	class_card_check_places(tree, card);
	class_card_check_bus(tree, card);
	class_card_check_node(tree, card);
	class_card_check_descriptors(tree, card);
}
