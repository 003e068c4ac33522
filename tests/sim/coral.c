/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google Coral Edge TPU, as its kernel driver shows it.
 *
 * Source: google/gasket-driver at 5815ee3, apex_driver.c (the numbers, the
 * temperature points) and gasket_core.c (the attributes of every such driver)
 */
#include <inttypes.h>

#include "base/macro.h"
#include "tests/sim/class_family.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"

static const struct node_template nodes[] = {
	{ "apex", "", NULL, false },
};

static bool print_address(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX];

	pci_card_bdf(sim, card, bdf);
	strbuf_printf(sb, "%s\n", bdf);
	return true;
}

static const struct class_attribute attributes[] = {
	{ "dev", .print = class_family_print_dev }, { "status", .print = class_family_print_state },
	{ "device_type", .value = "apex\n" },	    { "driver_version", .value = "1.1\n" },
	{ "pci_address", .print = print_address },  { "temp", .value = "41800\n" },
	{ "trip_point0_temp", .value = "85000\n" },
};

static const struct class_family family = {
	.entry_name = "apex_",
	.attributes = attributes,
	.n_attributes = ARRAY_SIZE(attributes),
	.state_attribute = "status",
	.healthy = "ALIVE\n",
	.failed = "DEAD\n",
};

static const struct chrdev chrdevs[] = {
	{ 120, "apex" },
};

const struct layout layout_edgetpu = {
	.name = "edgetpu",
	.pci = { 0x1ac1, 0x089a, 0x1ac1, 0x089a, 0x088000, 0x00 },
	.class_name = "apex",
	.device_name = "apex_",
	.chrdevs = chrdevs,
	.n_chrdevs = ARRAY_SIZE(chrdevs),
	.nodes = nodes,
	.n_nodes = ARRAY_SIZE(nodes),
	.vendor = &family,
	.create = class_family_create,
	.remove = class_family_remove,
	.set_state = class_family_set_state,
	.attribute_dir = class_family_attribute_dir,
};
