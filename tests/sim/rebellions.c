/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rebellions ATOM, as its kernel driver shows it.
 *
 * Names of attributes are those that the vendor's programs read.  Not documented
 * and chosen here: the contents of fw_ver and smc_ver, that the class entry lies
 * in a directory `rebellions` of the PCI device, as the kernel's own classes do,
 * and the number of the character device.  All chips are in group 0, whose
 * device file is there with the first chip and stays.
 *
 * Source: RBLN-SW/k8s-device-plugin at 4a9b9ad; RBLN-SW/rblnlib-go at f931004;
 * pci.ids, vendor 1eff
 */
#include <unistd.h>

#include "base/macro.h"
#include "tests/sim/class_family.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

#define GROUP_NODE "dev/rsd0"

static const struct node_template nodes[] = {
	{ "rbln", "", NULL, false },
};

static const struct class_attribute attributes[] = {
	{ "dev", .print = class_family_print_dev },
	{ "status", .print = class_family_print_state },
	{ "kernel_version", .value = "1.2.92-6d00b56\n" },
	{ "fw_ver", .value = "1.2.92\n" },
	{ "smc_ver", .value = "1.0.0\n" },
	{ "dram_total", .value = "17179869184\n" },
	{ "dram_used", .value = "0\n" },
	{ "group_id", .value = "0\n" },
};

static const struct class_family family = {
	.entry_name = "rbln",
	.attributes = attributes,
	.n_attributes = ARRAY_SIZE(attributes),
	.state_attribute = "status",
	.healthy = "0\n",
	.failed = "3\n", /* FAULT in today's driver */
};

/* A file of the whole node, not of a card: a link for both kinds of device files. */
static int create(const struct sim *sim, const struct card *card, struct error *err)
{
	int r = 0;

	if (faccessat(sim->root_fd, GROUP_NODE, F_OK, 0) < 0)
		r = tree_link("/dev/null", sim->root_fd, GROUP_NODE, err);
	return r < 0 ? r : class_family_create(sim, card, err);
}

static const struct chrdev chrdevs[] = {
	{ 240, "rebellions" },
};

const struct layout layout_atom = {
	.name = "atom",
	.pci = { 0x1eff, 0x1220, 0x1eff, 0x1220, 0x120000, 0x01 },
	.class_name = "rebellions",
	.device_name = "rbln",
	.chrdevs = chrdevs,
	.n_chrdevs = ARRAY_SIZE(chrdevs),
	.nodes = nodes,
	.n_nodes = ARRAY_SIZE(nodes),
	.vendor = &family,
	.create = create,
	.remove = class_family_remove,
	.set_state = class_family_set_state,
	.attribute_dir = class_family_attribute_dir,
};
