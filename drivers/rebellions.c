/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rebellions NPUs: ATOM and REBEL.
 *
 * A chip is an entry /sys/class/rebellions/rblnN below its PCI device and the
 * device file /dev/rblnN; a card may carry several chips.  Sysfs has no UUID and
 * no serial number (the vendor's tool asks the firmware for them), so the PCI
 * address is the identity.
 *
 * Chips that work on one model are in one group, whose device file is /dev/rsdG.
 * Making a group for the chips of a container needs the vendor's command line
 * tool and changes the state of the host, so a chip is handed out with the file
 * of the group that it is in.
 *
 * `status` is 0 when a chip is ready.  The other numbers differ between releases
 * of the kernel driver, so none of them is given a meaning.  The vendor's plugin
 * takes a chip whose status cannot be read for healthy, lest a passing error
 * drain the node.  Here it is unhealthy: a chip that cannot be asked would fail
 * the pod that gets it, and it comes back by itself with the first good answers.
 *
 * Source: RBLN-SW/k8s-device-plugin at 4a9b9ad, status.go and plugin.go;
 * RBLN-SW/rbln-npu-feature-discovery at 93d8982, device.go; RBLN-SW/vllm-rbln
 * for the unit of dram_used; pci.ids, vendor 1eff
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/nodes.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_REBELLIONS 0x1eff
#define GROUP_MAX SYSFS_INDEX_MAX /* a group has a chip, and chips are numbered up to there */

/* Physical and virtual functions; 115x is from the vendor's code, not in pci.ids. */
static const struct class_product products[] = {
	{ 0x1020, 0, "RBLN-CA2", "ATOM" },
	{ 0x1021, 0, "RBLN-CA2", "ATOM" },
	{ 0x1110, 0, "RBLN-CA11", "ATOM" },
	{ 0x1111, 0, "RBLN-CA11", "ATOM" },
	{ 0x1120, 0, "RBLN-CA12", "ATOM" },
	{ 0x1121, 0, "RBLN-CA12", "ATOM" },
	{ 0x1150, 0, "RBLN-CA15", "ATOM" },
	{ 0x1151, 0, "RBLN-CA15", "ATOM" },
	{ 0x1210, 0, "RBLN-CA21", "ATOM" },
	{ 0x1211, 0, "RBLN-CA21", "ATOM" },
	{ 0x1220, 0, "RBLN-CA22", "ATOM" },
	{ 0x1221, 0, "RBLN-CA22", "ATOM" },
	{ 0x1250, 0, "RBLN-CA25", "ATOM" },
	{ 0x1251, 0, "RBLN-CA25", "ATOM" },
	{ 0x2030, 0, "RBLN-CR03", "REBEL" },
	{ 0x2031, 0, "RBLN-CR03", "REBEL" },
	{ 0x2130, 0, "RBLN-CR13", "REBEL" },
	{ 0x2131, 0, "RBLN-CR13", "REBEL" },
	{ 0x2230, 0, "RBLN-CR23", "REBEL" },
	{ 0x2231, 0, "RBLN-CR23", "REBEL" },
	{ 0 },
};

/* What the vendor's own resource names go by. */
static const struct {
	const char *prefix; /* of a product */
	const char *architecture;
} families[] = {
	{ "RBLN-CA", "ATOM" },
	{ "RBLN-CR", "REBEL" },
};

static const struct {
	const char *attribute;
	size_t offset;
	size_t size;
} texts[] = {
	{ "kernel_version", offsetof(struct device, driver_version), DEVICE_VERSION_MAX },
	{ "fw_ver", offsetof(struct device, firmware_version), DEVICE_VERSION_MAX },
};

static bool is_version(const char *text)
{
	return sysfs_consists_of(text, SYSFS_LETTERS SYSFS_DIGITS ".-+_");
}

static const char *architecture_by_name(const char *product)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (str_starts_with(product, families[i].prefix))
			return families[i].architecture;
	return "";
}

/* A chip that is newer than the table may say by itself what it is. */
static int find_product(int dirfd, struct device *device, struct error *err)
{
	const struct class_product *product = class_product_find(products, &device->pci);
	int r;

	if (product) {
		device->architecture = product->architecture;
		return str_copy(device->product, sizeof(device->product), product->product);
	}
	r = sysfs_read_text(dirfd, "card_name", class_device_is_word, device->product,
			    sizeof(device->product), err);
	if (r > 0)
		device->architecture = architecture_by_name(device->product);
	return r < 0 ? r : 0;
}

static int read_facts(int dirfd, struct device *device, struct error *err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		r = sysfs_read_text(dirfd, texts[i].attribute, is_version,
				    (char *)device + texts[i].offset, texts[i].size, err);
		if (r < 0)
			return r;
	}
	r = sysfs_read_u64(dirfd, "dram_total", UINT64_MAX, &device->memory_bytes, err);
	return r < 0 ? r : 0;
}

static int find_nodes(const struct class_entry *entry, struct device *device, struct error *err)
{
	struct node_list list;
	uint64_t group;
	int r;

	node_list_init(&list, entry->host, device);
	node_list_need(&list, NULL, "/dev/%s", device->name);
	r = sysfs_read_u64(entry->dirfd, "group_id", GROUP_MAX, &group, err);
	if (r < 0)
		return r;
	if (r > 0)
		(void)node_list_take(&list, NULL, "/dev/rsd%" PRIu64, group);
	return node_list_finish(&list, err);
}

static int read_chip(const struct class_entry *entry, struct device *device, struct error *err)
{
	int r;

	r = read_facts(entry->dirfd, device, err);
	if (r < 0)
		return r;
	r = find_product(entry->dirfd, device, err);
	if (r < 0)
		return r;
	r = find_nodes(entry, device, err);
	return r < 0 ? r : 1;
}

static const struct class_device rebellions_class = {
	.class_dir = "sys/class/rebellions",
	.entry_prefix = "rbln",
	.name_prefix = "rbln",
	.pci_vendor = PCI_VENDOR_REBELLIONS,
	.own_class = true,
	.read = read_chip,
};

static int rebellions_scan(const struct driver *driver, const struct host *host,
			   struct device_list *list, struct error *err)
{
	return class_device_scan(&rebellions_class, driver, host, list, err);
}

static int rebellions_probe(const struct host *host, const struct device *device, struct error *err)
{
	return class_device_probe(host, device, "status", "0", err);
}

static int rebellions_measure(const struct host *host, const struct device *device,
			      struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	_cleanup_close_ int dirfd = class_device_open(host, device, err);
	uint64_t used;
	int r;

	if (dirfd < 0)
		return dirfd;
	r = sysfs_read_u64(dirfd, "dram_used", UINT64_MAX, &used, err);
	if (r < 0)
		return r;
	if (r > 0)
		readings.memory_used_bytes = (double)used;
	*ret = readings;
	return 0;
}

static const char *const rebellions_node_dirs[] = { "dev", NULL };
static const char *const rebellions_subsystems[] = { "rebellions", NULL };

const struct driver rebellions_driver = {
	.name = "rebellions",
	.vendor = "Rebellions",
	.doc = {
		.hardware = "ATOM (RBLN-CA2, CA11, CA12, CA15, CA21, CA22, CA25), REBEL "
			"(RBLN-CR03, CR13, CR23), their virtual functions",
		.reads = "`/sys/class/rebellions/rblnN` below a PCI device of vendor 1eff; a "
			"physical function with virtual functions is left out",
		.identity = "PCI address",
		.health = "`status` is `0`; one that cannot be read counts as unhealthy; it "
			"answers on the PCI bus; every device file is there",
		.nodes = "`/dev/rblnN`, and `/dev/rsdG` of the group that the chip is in",
		.evidence = "vendor source. Chips are not regrouped for a container, as the "
			"vendor's plugin does with its command line tool; UUID and card "
			"number (`sid`) in sysfs: not found",
	},
	.scan = rebellions_scan,
	.probe = rebellions_probe,
	.measure = rebellions_measure,
	.node_dirs = rebellions_node_dirs,
	.subsystems = rebellions_subsystems,
};
