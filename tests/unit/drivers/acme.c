/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/drivers/acme.h"

#include <stdio.h>

#include "base/macro.h"

struct file {
	const char *path;
	const char *text;
};

void acme_spec(struct declared_spec *ret)
{
	*ret = (struct declared_spec) {
		.name = "acme",
		.vendor = "Acme",
		.match = {
			.pci_vendor = ACME_PCI_VENDOR,
			.pci_class = 0x120000,
			.pci_class_mask = 0xffff00,
			.class_name = "acme",
			.prefix = "acme!card",
		},
		.nodes = {
			{ .path = "/dev/{name}" },
			{ .path = "/dev/acme/ctl", .optional = true },
		},
		.n_nodes = 2,
		.attributes = {
			[DECLARED_UUID] = "uuid",
			[DECLARED_SERIAL] = "serial",
			[DECLARED_PRODUCT] = "card_name",
			[DECLARED_DRIVER_VERSION] = "version",
			[DECLARED_FIRMWARE_VERSION] = "firmware/version",
		},
		.product = "a100",
		.memory_bytes = UINT64_C(16) << 30,
		.cores = 4,
		.health = { .attribute = "status", .test = DECLARED_TEST_EQUALS, .value = "0" },
		.temperature = "device/hwmon/*/temp1_input",
		.temperature_milli = true,
		.env = { { .name = "ACME_VISIBLE_DEVICES", .value = DRIVER_ENV_INDEX } },
		.n_env = 1,
		.mounts = { { .path = "/opt/acme", .read_only = true } },
		.n_mounts = 1,
		.evidence = "none; the card is invented",
	};
}

static void put(const struct tree *tree, const char *dir, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	tree_puts(tree, path, text);
}

void acme_add_pci(const struct tree *tree, const char *bdf, const char *vendor, const char *device,
		  const char *class)
{
	const struct file attributes[] = {
		{ "vendor", vendor },
		{ "device", device },
		{ "subsystem_vendor", "0x0000\n" },
		{ "subsystem_device", "0x0000\n" },
		{ "class", class },
		{ "revision", "0x01\n" },
		{ "numa_node", "1\n" },
		{ "hwmon/hwmon3/temp1_input", "41500\n" },
		{ "hwmon/hwmon3/temp1_max", "95000\n" },
	};
	char path[128], target[128];

	(void)snprintf(path, sizeof(path), "sys/devices/pci0000:16/%s", bdf);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		put(tree, path, attributes[i].path, attributes[i].text);
	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", bdf);
	(void)snprintf(target, sizeof(target), "../../../devices/pci0000:16/%s", bdf);
	tree_link(tree, path, target);
}

void acme_add_card(const struct tree *tree, unsigned int index, const char *bdf)
{
	char dir[128], path[256], text[128];

	acme_add_pci(tree, bdf, "0xacce\n", "0x0001\n", "0x120000\n");
	(void)snprintf(dir, sizeof(dir), "sys/devices/pci0000:16/%s/acme/acme!card%u", bdf, index);
	(void)snprintf(text, sizeof(text), "ACME-%s\n", bdf);
	put(tree, dir, "uuid", text);
	(void)snprintf(text, sizeof(text), "S-%s\n", bdf);
	put(tree, dir, "serial", text);
	put(tree, dir, "card_name", "Acme A100\n");
	put(tree, dir, "version", "1.2.3\n");
	put(tree, dir, "firmware/version", "7.8");
	put(tree, dir, "status", "0\n");
	(void)snprintf(path, sizeof(path), "%s/device", dir);
	(void)snprintf(text, sizeof(text), "../../../%s", bdf);
	tree_link(tree, path, text);
	(void)snprintf(path, sizeof(path), "sys/class/acme/acme!card%u", index);
	(void)snprintf(text, sizeof(text), "../../devices/pci0000:16/%s/acme/acme!card%u", bdf,
		       index);
	tree_link(tree, path, text);
	(void)snprintf(path, sizeof(path), "dev/acme/card%u", index);
	tree_link(tree, path, "/dev/null");
}
