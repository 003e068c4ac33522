/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/drivers/card.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "tests/test.h"

#define PATH_BYTES 256
#define DESCRIPTORS_MAX 32 /* more than a scan has open at one time */

static void put(const struct tree *tree, const char *dir, const char *name, const char *text)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	tree_puts(tree, path, text);
}

static void link_driver(const struct tree *tree, const char *dir, const char *driver)
{
	char path[PATH_BYTES], target[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	tree_mkdir(tree, path);
	(void)snprintf(path, sizeof(path), "%s/driver", dir);
	(void)snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, path, target);
}

void card_add_pci(const struct tree *tree, const struct card_pci *pci)
{
	char dir[PATH_BYTES], path[PATH_BYTES], target[PATH_BYTES];

	(void)snprintf(dir, sizeof(dir), "sys/devices/pci0000:16/%s", pci->bdf);
	put(tree, dir, "vendor", pci->vendor);
	put(tree, dir, "device", pci->device);
	put(tree, dir, "subsystem_vendor", pci->vendor);
	put(tree, dir, "subsystem_device", "0x0001");
	put(tree, dir, "class", pci->class);
	put(tree, dir, "revision", "0x01");
	put(tree, dir, "numa_node", "1\n");
	put(tree, dir, "config", "1234 and so on");
	if (pci->driver)
		link_driver(tree, dir, pci->driver);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci->bdf);
	(void)snprintf(target, sizeof(target), "../../../devices/pci0000:16/%s", pci->bdf);
	tree_link(tree, path, target);
}

void card_add_entry(const struct tree *tree, const char *parent, const char *class_name,
		    const char *name)
{
	const char *slash = strrchr(parent, '/');
	char path[PATH_BYTES], target[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "sys/devices/%s/%s/%s/device", parent, class_name, name);
	(void)snprintf(target, sizeof(target), "../../../%s", slash ? slash + 1 : parent);
	tree_link(tree, path, target);
	(void)snprintf(path, sizeof(path), "sys/class/%s/%s", class_name, name);
	(void)snprintf(target, sizeof(target), "../../devices/%s/%s/%s", parent, class_name, name);
	tree_link(tree, path, target);
}

void card_set(const struct tree *tree, const char *path, const char *text)
{
	tree_remove(tree, path);
	if (text)
		tree_puts(tree, path, text);
}

void card_set_all(const struct tree *tree, const struct card_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		card_set(tree, files[i].path, files[i].text);
}

void card_add_nodes(const struct tree *tree, const char *nodes)
{
	char text[4096];
	char *rest = text;

	assert_int_equal(str_copy(text, sizeof(text), nodes), 0);
	for (const char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
		if (word[0] == '/')
			tree_link(tree, word + 1, "/dev/null");
}

void card_reset(const struct tree *tree)
{
	tree_remove(tree, "sys");
	tree_remove(tree, "dev");
}

void card_print_nodes(const struct device *device, struct strbuf *text)
{
	strbuf_clear(text);
	for (size_t i = 0; i < device->n_nodes; i++) {
		const struct device_node *node = &device->nodes[i];

		if (node->shared)
			strbuf_printf(text, "%s * ", node->path);
		else
			strbuf_printf(text, "%s %u-%u ", node->path, node->cores.first,
				      node->cores.last);
	}
}

static void check_probe(const struct tree *tree, const struct device *device,
			const struct card_probe_case *expected)
{
	struct error err = { 0 };
	int r = device->driver->probe(&tree->host, device, &err);

	if (r != expected->expected || !str_starts_with(err.msg, expected->reason))
		fail_msg("%s '%s': %d, '%s'", expected->change.path,
			 expected->change.text ? expected->change.text : "(removed)", r, err.msg);
}

void card_check_probe(const struct tree *tree, const struct driver *driver,
		      void (*add)(const struct tree *tree), const struct card_probe_case *cases,
		      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		card_reset(tree);
		add(tree);
		device = class_card_scan_one(tree, driver, &list);
		assert_int_equal(device->driver->probe(&tree->host, device, NULL), 0);
		card_set_all(tree, &cases[i].change, 1);
		check_probe(tree, device, &cases[i]);
		card_reset(tree);
		add(tree);
		assert_int_equal(device->driver->probe(&tree->host, device, NULL), 0);
	}
}

void card_check_descriptors(const struct tree *tree, const struct driver *driver)
{
	_cleanup_device_list_ struct device_list whole = { 0 };
	int lowest = dup(tree->host.root_fd); /* the first one that a scan gets */
	struct rlimit before, few;
	int n_failed = 0;
	int r = -1;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	(void)class_card_scan_one(tree, driver, &whole);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t n = 0; r < 0 && n < DESCRIPTORS_MAX; n++) {
		_cleanup_device_list_ struct device_list list = { 0 };

		few = (struct rlimit) { (rlim_t)lowest + n, before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = driver->scan(driver, &tree->host, &list, NULL);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_true(r == 0 || r == -EMFILE);
		assert_int_equal(list.n, r == 0 ? 1 : 0);
		if (r == 0)
			assert_true(device_equal(list.devices[0], whole.devices[0]));
		n_failed += r < 0;
	}
	assert_int_equal(r, 0);
	assert_in_range(n_failed, 2, DESCRIPTORS_MAX); /* the class, and an attribute */
}
