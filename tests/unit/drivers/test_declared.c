/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers made of descriptions, over trees.  Device files are links to devices
 * that every machine has, as their numbers matter: /dev/null is 1:3, /dev/zero
 * is 1:5, /dev/full is 1:7.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/declared.h"
#include "drivers/sysfs.h"
#include "tests/test.h"
#include "tests/unit/drivers/acme.h"
#include "tests/unit/drivers/tree.h"

#define LISTING_MAX 4096

/* Changes a description, or a tree; NULL leaves it as it is. */
typedef void (*spec_fn)(struct declared_spec *spec);
typedef void (*tree_fn)(const struct tree *tree);

static struct driver *make_driver(spec_fn change)
{
	struct declared_spec spec;
	struct driver *driver = NULL;
	struct error err = { 0 };
	int r;

	acme_spec(&spec);
	if (change)
		change(&spec);
	r = declared_driver_new(&spec, &driver, &err);
	if (r < 0)
		fail_msg("declared_driver_new: %s", error_text(&err, r));
	return driver;
}

static void scan(const struct tree *tree, const struct driver *driver, struct device_list *list)
{
	struct error err = { 0 };
	int r;

	device_list_done(list);
	r = driver->scan(driver, &tree->host, list, &err);
	if (r < 0)
		fail_msg("scan: %s", error_text(&err, r));
	assert_int_equal(err.code, 0);
}

/* "name bdf uuid serial product nodes; fault" of each device, one per line. */
static void print_list(const struct device_list *list, struct strbuf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct device *device = list->devices[i];

		strbuf_printf(out, "%s|%s|%s|%s|%s|", device->name, device->bdf, device->uuid,
			      device->serial, device->product);
		for (size_t k = 0; k < device->n_nodes; k++)
			strbuf_printf(out, "%s%s", k > 0 ? "," : "", device->nodes[k].path);
		strbuf_printf(out, "|%s\n", device->fault);
	}
	assert_int_equal(strbuf_error(out), 0);
}

static void clear(const struct tree *tree)
{
	tree_remove(tree, "sys");
	tree_remove(tree, "dev");
}

static void set(const struct tree *tree, const char *path, const char *text)
{
	tree_remove(tree, path);
	if (text)
		tree_puts(tree, path, text);
}

/* --- facts of a card of a class --- */

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(NULL);
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	acme_add_card(tree, 0, ACME_BDF);
	tree_link(tree, "dev/acme/ctl", "/dev/null");
	scan(tree, driver, &list);
	assert_int_equal(list.n, 1);
	device = list.devices[0];
	assert_ptr_equal(device->driver, driver);
	assert_string_equal(device->name, "acme/card0");
	assert_string_equal(device->sysfs_path, ACME_ENTRY);
	assert_string_equal(device->bdf, ACME_BDF);
	assert_string_equal(device->uuid, "ACME-" ACME_BDF);
	assert_string_equal(device->serial, "S-" ACME_BDF);
	assert_string_equal(device->product, "Acme-A100");
	assert_string_equal(device->driver_version, "1.2.3");
	assert_string_equal(device->firmware_version, "7.8");
	assert_string_equal(device->architecture, "acme");
	assert_string_equal(device->pci.path, "pci0000:16/" ACME_BDF);
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->index, 0);
	assert_int_equal(device->cores, 4);
	assert_true(device->memory_bytes == UINT64_C(16) << 30);
	assert_int_equal(device->n_nodes, 2);
	assert_string_equal(device->nodes[0].path, "/dev/acme/card0");
	assert_string_equal(device->nodes[1].path, "/dev/acme/ctl");
	assert_true(device->nodes[1].shared);
	assert_string_equal(device->fault, "");
}

/* The driver lives as long as a device refers to it. */
static void test_lifetime(void **state)
{
	const struct tree *tree = *state;
	struct driver *driver = make_driver(NULL);
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };

	acme_add_card(tree, 0, ACME_BDF);
	scan(tree, driver, &list);
	declared_driver_free(driver);
	assert_string_equal(list.devices[0]->driver->name, "acme");
	assert_int_equal(driver->probe(&tree->host, list.devices[0], &err), 0);
	declared_driver_free(NULL);
}

/* --- what is found --- */

static void set_node(struct declared_spec *spec, const char *path)
{
	spec->nodes[0] = (struct declared_node) { 0 };
	(void)snprintf(spec->nodes[0].path, NODE_PATH_MAX, "%s", path);
	spec->n_nodes = 1;
}

/* What the card tells by itself, and what a class has. */
static void no_class(struct declared_spec *spec)
{
	memset(spec->match.class_name, 0, sizeof(spec->match.class_name));
	memset(spec->match.prefix, 0, sizeof(spec->match.prefix));
	memset(spec->attributes, 0, sizeof(spec->attributes));
	spec->health = (struct declared_health) { 0 };
	spec->n_env = 0;
	spec->n_nodes = 0;
}

static void by_pci(struct declared_spec *spec)
{
	no_class(spec);
	set_node(spec, "/dev/acme/{bdf}");
}

static void by_pci_shared(struct declared_spec *spec)
{
	no_class(spec);
	set_node(spec, "/dev/acme/ctl");
	spec->health = (struct declared_health) { .exists = "/sys/class/acme_ready" };
}

static void by_pci_vendor(struct declared_spec *spec)
{
	by_pci_shared(spec);
	spec->match.pci_class = 0;
	spec->match.pci_class_mask = 0;
}

static void without_nodes(struct declared_spec *spec)
{
	spec->n_nodes = 0;
}

static void by_file(struct declared_spec *spec)
{
	no_class(spec);
	(void)snprintf(spec->match.files[0], NODE_PATH_MAX, "/dev/acme{index}.pci");
	(void)snprintf(spec->match.files[1], NODE_PATH_MAX, "/dev/acme/a{index}");
	spec->match.n_files = 2;
}

static void by_file_index(struct declared_spec *spec)
{
	by_file(spec);
	spec->identity_by_index = true;
}

static void by_file_status(struct declared_spec *spec)
{
	by_file(spec);
	(void)snprintf(spec->attributes[DECLARED_SERIAL], DECLARED_ATTRIBUTE_MAX, "serial");
	spec->health = (struct declared_health) {
		.attribute = "status",
		.test = DECLARED_TEST_EQUALS,
		.value = "0",
	};
}

static void by_ids(struct declared_spec *spec)
{
	spec->match.ids[0] = (struct declared_id) { 0x0001, "a100" };
	spec->match.ids[1] = (struct declared_id) { 0x0002, "a200" };
	spec->match.n_ids = 2;
	spec->attributes[DECLARED_PRODUCT][0] = '\0';
}

static void by_bdf_attribute(struct declared_spec *spec)
{
	(void)snprintf(spec->attributes[DECLARED_BDF], DECLARED_ATTRIBUTE_MAX, "busname");
}

static void by_virtual_class(struct declared_spec *spec)
{
	spec->match.pci_vendor = 0;
	spec->match.pci_class = 0;
	spec->match.pci_class_mask = 0;
}

static void one_card(const struct tree *tree)
{
	acme_add_card(tree, 0, ACME_BDF);
}

static void two_cards(const struct tree *tree)
{
	acme_add_card(tree, 10, ACME_BDF_2);
	acme_add_card(tree, 2, ACME_BDF);
}

static void other_vendor(const struct tree *tree)
{
	one_card(tree);
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/vendor", "0x8086\n");
}

static void other_class(const struct tree *tree)
{
	one_card(tree);
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/class", "0x020000\n");
}

static void other_device(const struct tree *tree)
{
	two_cards(tree);
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/device", "0x0003\n");
	set(tree, "sys/bus/pci/devices/" ACME_BDF_2 "/device", "0x0002\n");
}

static void no_bus(const struct tree *tree)
{
	one_card(tree);
	tree_remove(tree, "sys/bus");
}

static void virtual_entry(const struct tree *tree)
{
	one_card(tree);
	tree_remove(tree, ACME_ENTRY "/device");
}

static void virtual_with_busname(const struct tree *tree)
{
	virtual_entry(tree);
	tree_puts(tree, ACME_ENTRY "/busname", ACME_BDF "\n");
}

static void virtual_functions(const struct tree *tree)
{
	two_cards(tree);
	tree_puts(tree, "sys/bus/pci/devices/" ACME_BDF "/sriov_numvfs", "4\n");
	tree_puts(tree, "sys/bus/pci/devices/" ACME_BDF_2 "/sriov_numvfs", "0\n");
}

static void no_facts(const struct tree *tree)
{
	one_card(tree);
	tree_remove(tree, ACME_ENTRY "/uuid");
	set(tree, ACME_ENTRY "/serial", "");
	set(tree, ACME_ENTRY "/card_name", "no/name\n");
}

static void garbage(const struct tree *tree)
{
	char huge[SYSFS_LINE_MAX + 2];

	one_card(tree);
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	set(tree, ACME_ENTRY "/uuid", huge);
	set(tree, ACME_ENTRY "/serial", "two\nlines\n");
	set(tree, ACME_ENTRY "/card_name", "\x01\xff");
	set(tree, ACME_ENTRY "/version", "");
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/numa_node", "many");
}

static void no_node(const struct tree *tree)
{
	one_card(tree);
	tree_remove(tree, "dev/acme/card0");
}

static void broken_node(const struct tree *tree)
{
	no_node(tree);
	tree_puts(tree, "dev/acme/card0", "");
}

static void strange_names(const struct tree *tree)
{
	tree_mkdir(tree, "sys/class/acme/acme!card");
	tree_mkdir(tree, "sys/class/acme/acme!card01");
	tree_mkdir(tree, "sys/class/acme/acme!card0mgmt");
	tree_mkdir(tree, "sys/class/acme/acme!card99999999999");
	tree_mkdir(tree, "sys/class/acme/ctl0");
	tree_puts(tree, "sys/class/acme/acme!card7", "no directory");
}

static void bridges(const struct tree *tree)
{
	acme_add_pci(tree, "0000:20:00.0", "0xacce\n", "0x0100\n", "0x060400\n");
	acme_add_pci(tree, "0000:21:00.0", "0x8086\n", "0x0001\n", "0x120000\n");
	acme_add_pci(tree, ACME_BDF_2, "0xacce\n", "0x0001\n", "0x020000\n");
	acme_add_pci(tree, ACME_BDF, "0xacce\n", "0x0002\n", "0x120000\n");
	tree_puts(tree, "sys/bus/pci/devices/0000:29:00.0/vendor", "none\n");
	tree_puts(tree, "sys/bus/pci/devices/29:00.0/vendor", "0xacce\n");
	tree_mkdir(tree, "sys/bus/pci/devices/0000:2a:00.0");
	tree_link(tree, "dev/acme/ctl", "/dev/null");
}

/* A device file, and its entry by number below the PCI device. */
static void add_file(const struct tree *tree, const char *path, const char *target,
		     const char *number, const char *name, const char *bdf)
{
	char entry[128], place[128], parent[64];

	tree_link(tree, path, target);
	(void)snprintf(place, sizeof(place), "sys/devices/pci0000:16/%s/acme/%s/status", bdf, name);
	tree_puts(tree, place, "0\n");
	(void)snprintf(place, sizeof(place), "sys/devices/pci0000:16/%s/acme/%s/serial", bdf, name);
	tree_puts(tree, place, name);
	(void)snprintf(place, sizeof(place), "sys/devices/pci0000:16/%s/acme/%s/device", bdf, name);
	(void)snprintf(parent, sizeof(parent), "../../../%s", bdf);
	tree_link(tree, place, parent);
	(void)snprintf(place, sizeof(place), "../../devices/pci0000:16/%s/acme/%s", bdf, name);
	(void)snprintf(entry, sizeof(entry), "sys/dev/char/%s", number);
	tree_link(tree, entry, place);
}

/* The numbers decide, not the order: acme0.pci belongs to the second card. */
static void numbered_files(const struct tree *tree)
{
	acme_add_pci(tree, ACME_BDF, "0xacce\n", "0x0001\n", "0x120000\n");
	acme_add_pci(tree, ACME_BDF_2, "0xacce\n", "0x0001\n", "0x120000\n");
	add_file(tree, "dev/acme0.pci", "/dev/zero", "1:5", "acme0.pci", ACME_BDF_2);
	add_file(tree, "dev/acme1.pci", "/dev/full", "1:7", "acme1.pci", ACME_BDF);
}

/* In a captured tree the numbers lead nowhere, and the names do. */
static void named_files(const struct tree *tree)
{
	acme_add_pci(tree, ACME_BDF, "0xacce\n", "0x0001\n", "0x120000\n");
	acme_add_pci(tree, ACME_BDF_2, "0xacce\n", "0x0001\n", "0x120000\n");
	add_file(tree, "dev/acme0.pci", "/dev/null", "240:0", "acme0.pci", ACME_BDF_2);
	add_file(tree, "dev/acme/a3", "/dev/null", "240:1", "acme!a3", ACME_BDF);
}

/* Two entries have the name: neither is taken. */
static void ambiguous_files(const struct tree *tree)
{
	named_files(tree);
	add_file(tree, "dev/acme0.pci.old", "/dev/null", "241:0", "acme0.pci", ACME_BDF);
}

static void lone_files(const struct tree *tree)
{
	tree_link(tree, "dev/acme0.pci", "/dev/null");
	tree_link(tree, "dev/acme/a12", "/dev/null");
	tree_link(tree, "dev/acme5", "/dev/null");
	tree_puts(tree, "dev/acme1.pci", "no device");
}

static void files_of_another(const struct tree *tree)
{
	numbered_files(tree);
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/vendor", "0x8086\n");
}

#define CARD(NAME, BDF) NAME "|" BDF "|ACME-" BDF "|S-" BDF "|Acme-A100|/dev/" NAME "|"
#define ONE_CARD CARD("acme/card0", ACME_BDF) "\n"

static const struct {
	const char *name;
	spec_fn spec;
	tree_fn tree;
	const char *listing;
} scans[] = {
	{ "no driver of the kernel", NULL, NULL, "" },
	{ "a card", NULL, one_card, ONE_CARD },
	{ "cards by number", NULL, two_cards,
	  CARD("acme/card2", ACME_BDF) "\n" CARD("acme/card10", ACME_BDF_2) "\n" },
	{ "another vendor's card in the class", NULL, other_vendor, "" },
	{ "another class of PCI devices", NULL, other_class, "" },
	{ "products by id, and an id that is not ours", by_ids, other_device,
	  "acme/card10|" ACME_BDF_2 "|ACME-" ACME_BDF_2 "|S-" ACME_BDF_2
	  "|a200|/dev/acme/card10|\n" },
	{ "the bus is not shown", NULL, no_bus, "" },
	{ "an entry without a PCI parent", NULL, virtual_entry, "" },
	{ "the same, and PCI is not asked for", by_virtual_class, virtual_entry,
	  "acme/card0||ACME-" ACME_BDF "|S-" ACME_BDF "|Acme-A100|/dev/acme/card0|\n" },
	{ "the same, and an attribute tells", by_bdf_attribute, virtual_with_busname, ONE_CARD },
	{ "virtual functions in use", NULL, virtual_functions,
	  CARD("acme/card10", ACME_BDF_2) "\n" },
	{ "no facts", NULL, no_facts, "acme/card0|" ACME_BDF "|||a100|/dev/acme/card0|\n" },
	{ "garbage", NULL, garbage, "acme/card0|" ACME_BDF "|||a100|/dev/acme/card0|\n" },
	{ "no device file", NULL, no_node,
	  CARD("acme/card0", ACME_BDF) "device node '/dev/acme/card0' is missing\n" },
	{ "a regular file instead", NULL, broken_node,
	  CARD("acme/card0",
	       ACME_BDF) "device node '/dev/acme/card0' is not a character device\n" },
	{ "no device files are known", without_nodes, one_card,
	  "acme/card0|" ACME_BDF "|ACME-" ACME_BDF "|S-" ACME_BDF
	  "|Acme-A100||no device files are declared\n" },
	{ "names that are no entries", NULL, strange_names, "" },
	{ "PCI devices of vendor and class", by_pci_shared, bridges,
	  ACME_BDF "|" ACME_BDF "|||a100|/dev/acme/ctl|\n" },
	{ "PCI devices of a vendor, less its bridges", by_pci_vendor, bridges,
	  ACME_BDF "|" ACME_BDF "|||a100|/dev/acme/ctl|\n" ACME_BDF_2 "|" ACME_BDF_2
		   "|||a100|/dev/acme/ctl|\n" },
	{ "a file per address", by_pci, bridges,
	  ACME_BDF "|" ACME_BDF "|||a100|/dev/acme/" ACME_BDF "|device node '/dev/acme/" ACME_BDF
		   "' is missing\n" },
	{ "PCI without a bus", by_pci, no_bus, "" },
	{ "files by number", by_file, numbered_files,
	  "acme0.pci|" ACME_BDF_2 "|||a100|/dev/acme0.pci|\n"
	  "acme1.pci|" ACME_BDF "|||a100|/dev/acme1.pci|\n" },
	{ "files by name", by_file, named_files,
	  "acme0.pci|" ACME_BDF_2 "|||a100|/dev/acme0.pci|\n"
	  "acme/a3|" ACME_BDF "|||a100|/dev/acme/a3|\n" },
	{ "a name that two entries have", by_file, ambiguous_files,
	  "acme0.pci||||a100|/dev/acme0.pci|\nacme/a3|" ACME_BDF "|||a100|/dev/acme/a3|\n" },
	{ "facts of a file's entry", by_file_status, named_files,
	  "acme0.pci|" ACME_BDF_2 "||acme0.pci|a100|/dev/acme0.pci|\n"
	  "acme/a3|" ACME_BDF "|||a100|/dev/acme/a3|\n" },
	{ "files that nothing joins", by_file, lone_files,
	  "acme0.pci||||a100|/dev/acme0.pci|\n"
	  "acme1.pci||||a100|/dev/acme1.pci|device node '/dev/acme1.pci' is not a character "
	  "device\n"
	  "acme/a12||||a100|/dev/acme/a12|\n" },
	{ "the same, known by name", by_file_index, lone_files,
	  "acme0.pci|||acme0.pci|a100|/dev/acme0.pci|\n"
	  "acme1.pci|||acme1.pci|a100|/dev/acme1.pci|device node '/dev/acme1.pci' is not a "
	  "character device\n"
	  "acme/a12|||acme-a12|a100|/dev/acme/a12|\n" },
	{ "an address is better than a name", by_file_index, numbered_files,
	  "acme0.pci|" ACME_BDF_2 "|||a100|/dev/acme0.pci|\n"
	  "acme1.pci|" ACME_BDF "|||a100|/dev/acme1.pci|\n" },
	{ "a file of another vendor", by_file, files_of_another,
	  "acme0.pci|" ACME_BDF_2 "|||a100|/dev/acme0.pci|\n" },
};

static void test_scans(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(scans); i++) {
		_cleanup_(declared_driver_freep) struct driver *driver = make_driver(scans[i].spec);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(LISTING_MAX);
		_cleanup_device_list_ struct device_list list = { 0 };

		clear(tree);
		if (scans[i].tree)
			scans[i].tree(tree);
		scan(tree, driver, &list);
		print_list(&list, &text);
		if (strcmp(strbuf_str(&text), scans[i].listing) != 0)
			fail_msg("%s: found\n%sexpected\n%s", scans[i].name, strbuf_str(&text),
				 scans[i].listing);
	}
}

/* --- health --- */

static void gone(const struct tree *tree)
{
	tree_remove(tree, ACME_ENTRY);
}

static void another_card(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/uuid", "ACME-other\n");
}

static void another_serial(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/serial", "S-other\n");
}

static void another_parent(const struct tree *tree)
{
	tree_remove(tree, ACME_ENTRY "/device");
	tree_link(tree, ACME_ENTRY "/device", "../../../" ACME_BDF_2);
}

static void another_busname(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/busname", ACME_BDF_2 "\n");
}

static void no_uuid(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/uuid", NULL);
}

static void bad_status(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/status", "3\n");
}

static void empty_status(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/status", "");
}

static void no_status(const struct tree *tree)
{
	set(tree, ACME_ENTRY "/status", NULL);
}

static void hot(const struct tree *tree)
{
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/hwmon/hwmon3/temp1_input", "95000\n");
}

static void frozen(const struct tree *tree)
{
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/hwmon/hwmon3/temp1_input", "-5000\n");
}

static void no_number(const struct tree *tree)
{
	set(tree, "sys/bus/pci/devices/" ACME_BDF "/hwmon/hwmon3/temp1_input", "warm\n");
}

static void no_hwmon(const struct tree *tree)
{
	tree_remove(tree, "sys/bus/pci/devices/" ACME_BDF "/hwmon");
}

static void two_hwmons(const struct tree *tree)
{
	tree_puts(tree, "sys/bus/pci/devices/" ACME_BDF "/hwmon/hwmon4/temp1_input", "1\n");
}

static void off_the_bus(const struct tree *tree)
{
	tree_remove(tree, "sys/bus/pci/devices/" ACME_BDF);
}

static void ready(const struct tree *tree)
{
	bridges(tree);
	tree_mkdir(tree, "sys/class/acme_ready");
}

static void not_ready(const struct tree *tree)
{
	tree_remove(tree, "sys/class/acme_ready");
}

static void other_file(const struct tree *tree)
{
	tree_remove(tree, "dev/acme0.pci");
	tree_link(tree, "dev/acme0.pci", "/dev/full");
}

static void no_file(const struct tree *tree)
{
	tree_remove(tree, "dev/acme0.pci");
}

static void bad_file_status(const struct tree *tree)
{
	set(tree, "sys/dev/char/1:5/status", "9\n");
}

static void not_equals(struct declared_spec *spec)
{
	spec->health.test = DECLARED_TEST_NOT_EQUALS;
	(void)snprintf(spec->health.value, DECLARED_VALUE_MAX, "3");
}

static void below_fixed(struct declared_spec *spec)
{
	spec->health = (struct declared_health) {
		.attribute = "device/hwmon/*/temp1_input",
		.test = DECLARED_TEST_LESS_THAN,
		.value = "95000",
	};
}

static void below_other(struct declared_spec *spec)
{
	below_fixed(spec);
	spec->health.value[0] = '\0';
	(void)snprintf(spec->health.other, DECLARED_ATTRIBUTE_MAX, "device/hwmon/*/temp1_max");
}

/* The device is listed, probed well, then the tree is changed: what is said then. */
static const struct {
	const char *name;
	spec_fn spec;
	tree_fn tree;
	tree_fn change;
	int result;
	const char *reason; /* NULL when well */
} probes[] = {
	{ "gone", NULL, one_card, gone, -ENODEV, "gone from sysfs" },
	{ "another UUID", NULL, one_card, another_card, -ENODEV,
	  "uuid is 'ACME-other', expected 'ACME-" ACME_BDF "'" },
	{ "another serial number", NULL, one_card, another_serial, -ENODEV,
	  "serial is 'S-other', expected 'S-" ACME_BDF "'" },
	{ "another PCI device", NULL, one_card, another_parent, -ENODEV,
	  "belongs to '" ACME_BDF_2 "' now, expected '" ACME_BDF "'" },
	{ "another PCI address", by_bdf_attribute, virtual_with_busname, another_busname, -ENODEV,
	  "busname is '" ACME_BDF_2 "', expected '" ACME_BDF "'" },
	{ "a UUID that cannot be read says nothing", NULL, one_card, no_uuid, 0, NULL },
	{ "a bad status", NULL, one_card, bad_status, -EIO, "status is '3', expected '0'" },
	{ "an empty status", NULL, one_card, empty_status, -EIO, "status is '', expected '0'" },
	{ "no status", NULL, one_card, no_status, -ENOENT, "status is missing" },
	{ "the one bad status", not_equals, one_card, bad_status, -EIO, "status is '3'" },
	{ "too hot", below_fixed, one_card, hot, -EIO,
	  "device/hwmon/*/temp1_input is 95000, expected less than 95000" },
	{ "too hot by its own limit", below_other, one_card, hot, -EIO,
	  "device/hwmon/*/temp1_input is 95000, expected less than 95000" },
	{ "below zero", below_other, one_card, frozen, 0, NULL },
	{ "no number", below_fixed, one_card, no_number, -EIO,
	  "device/hwmon/*/temp1_input is 'warm' and has to stay below '95000': no numbers" },
	{ "no sensor", below_fixed, one_card, no_hwmon, -ENOENT,
	  "device/hwmon/*/temp1_input is missing" },
	{ "a PCI device gone", by_pci_vendor, ready, off_the_bus, -ENODEV,
	  "gone from the PCI bus" },
	{ "not ready", by_pci_vendor, ready, not_ready, -EIO,
	  "'/sys/class/acme_ready' is missing" },
	{ "a file gone", by_file, numbered_files, no_file, -ENOENT,
	  "device node '/dev/acme0.pci' is missing" },
	{ "a file of another device", by_file, numbered_files, other_file, -ENODEV,
	  "'/dev/acme0.pci' is another device now" },
	{ "the status of a file's entry", by_file_status, numbered_files, bad_file_status, -EIO,
	  "status is '9', expected '0'" },
};

static void test_probes(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		_cleanup_(declared_driver_freep) struct driver *driver =
			make_driver(probes[i].spec);
		_cleanup_device_list_ struct device_list list = { 0 };
		struct error err = { 0 };
		int r;

		clear(tree);
		probes[i].tree(tree);
		scan(tree, driver, &list);
		assert_true(list.n > 0);
		r = driver->probe(&tree->host, list.devices[0], &err);
		if (r != 0)
			fail_msg("%s: at first: %s", probes[i].name, error_text(&err, r));
		probes[i].change(tree);
		r = driver->probe(&tree->host, list.devices[0], &err);
		if (r != probes[i].result)
			fail_msg("%s: %d (%s)", probes[i].name, r, error_text(&err, r));
		if (probes[i].reason)
			assert_string_equal(err.msg, probes[i].reason);
		clear(tree);
		probes[i].tree(tree);
		assert_int_equal(driver->probe(&tree->host, list.devices[0], NULL), 0);
	}
}

/* A rule about an attribute cannot hold for a file that sysfs does not know. */
static void test_rule_without_entry(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(by_file_status);
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };

	lone_files(tree);
	scan(tree, driver, &list);
	assert_int_equal(driver->probe(&tree->host, list.devices[0], &err), -ENOENT);
	assert_string_equal(err.msg, "status is missing: the device has no entry in sysfs");
}

/* --- readings --- */

static void in_celsius(struct declared_spec *spec)
{
	spec->temperature_milli = false;
}

static void no_temperature(struct declared_spec *spec)
{
	spec->temperature[0] = '\0';
}

static const struct {
	const char *name;
	spec_fn spec;
	tree_fn change;
	int result;
	double temperature;
} readings[] = {
	{ "hwmon", NULL, NULL, 0, 41.5 },	{ "whole degrees", in_celsius, NULL, 0, 41500 },
	{ "below zero", NULL, frozen, 0, -1 },	{ "no number", NULL, no_number, 0, -1 },
	{ "no sensor", NULL, no_hwmon, 0, -1 }, { "two sensors", NULL, two_hwmons, 0, -1 },
	{ "gone", NULL, gone, -ENODEV, 0 },
};

static void test_measure(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		_cleanup_(declared_driver_freep) struct driver *driver =
			make_driver(readings[i].spec);
		_cleanup_device_list_ struct device_list list = { 0 };
		struct device_readings found = { 0 };
		int r;

		clear(tree);
		one_card(tree);
		scan(tree, driver, &list);
		if (readings[i].change)
			readings[i].change(tree);
		r = driver->measure(&tree->host, list.devices[0], &found, NULL);
		assert_int_equal(r, readings[i].result);
		if (r < 0)
			continue;
		if (found.temperature_celsius < readings[i].temperature ||
		    found.temperature_celsius > readings[i].temperature)
			fail_msg("%s: %f", readings[i].name, found.temperature_celsius);
		assert_true(found.power_watts < 0);
	}
}

static void test_no_measure(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(no_temperature);

	(void)state;
	assert_null(driver->measure);
}

static void test_warning(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(by_file_index);

	(void)state;
	assert_non_null(strstr(declared_driver_warning(driver), "numbers them anew"));
	assert_string_equal(driver->doc.reads, "`/dev/acme{index}.pci`, `/dev/acme/a{index}`, "
					       "PCI vendor `acce`, PCI class `120000`");
	assert_string_equal(driver->doc.nodes, "the file that was found");
	assert_string_equal(driver->node_dirs[0], "dev");
	assert_string_equal(driver->node_dirs[1], "dev/acme");
	assert_null(driver->node_dirs[2]);
	assert_string_equal(driver->subsystems[0], "pci");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_facts),
		TREE_TEST(test_lifetime),
		TREE_TEST(test_scans),
		TREE_TEST(test_probes),
		TREE_TEST(test_rule_without_entry),
		TREE_TEST(test_measure),
		cmocka_unit_test(test_no_measure),
		cmocka_unit_test(test_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
