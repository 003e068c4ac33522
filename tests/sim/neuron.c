/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Trainium (Trn1), as its kernel driver shows it.
 *
 * The entries have no PCI parent, so nothing in the tree joins them with the PCI
 * devices that the chips are.  Four chips make a ring, numbered in order.  Chosen
 * here: the subsystem ids (the chip's own) and the number of the character device.
 *
 * Source: aws-neuron/aws-neuron-driver at 6bbfbe2, neuron_cdev.c and
 * neuron_sysfs_metrics.c (names, contents, and which end with a newline); pci.ids
 */
#include <inttypes.h>

#include "base/macro.h"
#include "tests/sim/card.h"
#include "tests/sim/class_family.h"
#include "tests/sim/sim.h"

#define RING 4 /* chips */

static const struct node_template nodes[] = {
	{ "neuron", "", NULL, false },
};

static bool print_serial(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	if (sim->description.serial == SERIAL_RULE_UNIQUE)
		strbuf_printf(sb, "%016" PRIx64, card_hash(card, 1));
	strbuf_puts(sb, "\n");
	return sim->description.serial != SERIAL_RULE_NONE;
}

/* The chip before and the one behind in its ring. */
static bool print_neighbours(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	uint32_t first = card->index - card->index % RING;

	(void)sim;
	strbuf_printf(sb, "%" PRIu32 ", %" PRIu32 "\n", first + (card->index + RING - 1) % RING,
		      first + (card->index + 1) % RING);
	return true;
}

static const struct class_attribute attributes[] = {
	{ "dev", .print = class_family_print_dev },
	{ "core_count", .value = "2" },
	{ "connected_devices", .print = print_neighbours },
	{ "reset", .value = "1\n" },
	{ "info/serial_number", .print = print_serial },
	{ "info/architecture/arch_type", .value = "NDv2\n" },
	{ "info/architecture/device_name", .value = "Trainium1\n" },
	{ "info/architecture/instance_type", .value = "Trn1\n" },
	{ "stats/hardware/mem_ecc_uncorrected", .print = class_family_print_state },
	{ "stats/hardware/sram_ecc_uncorrected", .value = "0\n" },
	{ "neuron_core0/stats/memory_usage/device_mem/total", .value = "0\n" },
	{ "neuron_core1/stats/memory_usage/device_mem/total", .value = "0\n" },
};

static const struct class_family family = {
	.entry_name = "neuron",
	.is_virtual = true,
	.attributes = attributes,
	.n_attributes = ARRAY_SIZE(attributes),
	.state_attribute = "stats/hardware/mem_ecc_uncorrected",
	.healthy = "0\n",
	.failed = "1\n",
	.module = "neuron",
	.module_version = "2.19.64.0\n",
};

static const struct chrdev chrdevs[] = {
	{ 242, "neuron" },
};

const struct layout layout_trainium = {
	.name = "trainium",
	.pci = { 0x1d0f, 0x7164, 0x1d0f, 0x7164, 0x088000, 0x00 },
	.class_name = "neuron_device",
	.device_name = "neuron",
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
