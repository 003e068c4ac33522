/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel Gaudi 2, as the kernel driver habanalabs shows it in the class accel, with
 * its attributes at the PCI device.
 *
 * Names and values are those of the kernel's source.  Chosen here: versions, and
 * what the sensors say.
 *
 * Source: Linux drivers/accel/habanalabs/common/sysfs.c;
 * HabanaAI/habanalabs-k8s-device-plugin at 6b77f8c; pci.ids
 */
#include <assert.h>
#include <inttypes.h>

#include "base/macro.h"
#include "tests/sim/attributes.h"
#include "tests/sim/below_pci.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"

static bool print_bdf(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX];

	pci_card_bdf(sim, card, bdf);
	strbuf_printf(sb, "%s\n", bdf);
	return true;
}

/* Where the module sits on its baseboard of eight. */
static bool print_module_id(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)sim;
	strbuf_printf(sb, "%" PRIu32 "\n", card->ordinal % 8);
	return true;
}

static const struct attribute gaudi2_attributes[] = {
	{ "device_type", .value = "GAUDI2\n" },
	{ "pci_addr", .print = print_bdf },
	{ "module_id", .print = print_module_id },
	{ "cpucp_ver", .value = "hl-gaudi2-1.16.0-fw-50.1.2-sec-9\n" },
	{ "hard_reset_cnt", .value = "0\n" },
	{ "security_enabled", .value = "1\n" },
	{ "max_power", .value = "600000\n" },
	{ "hwmon/hwmon2/name", .value = "habanalabs\n" },
	{ "hwmon/hwmon2/temp1_input", .value = "41000\n" },
	{ "hwmon/hwmon2/power1_input", .value = "95000000\n" },
};

static const struct entry_template gaudi2_entries[] = { { "accel", 0, 0 } };

static const struct node_template gaudi2_nodes[] = {
	{ "accel", "", NULL, false },
	{ "control", "", NULL, false },
};

static const struct node_place gaudi2_places[] = {
	{ NULL, 0, false },
	{ "accel/accel_controlD", 0, false },
};
static_assert(ARRAY_SIZE(gaudi2_places) == ARRAY_SIZE(gaudi2_nodes), "a place for every file");

static const struct chrdev accel_chrdevs[] = { { 261, "accel" } };

static const struct below_pci gaudi2 = {
	.kernel_driver = "habanalabs",
	.entries = gaudi2_entries,
	.n_entries = ARRAY_SIZE(gaudi2_entries),
	.attributes = gaudi2_attributes,
	.n_attributes = ARRAY_SIZE(gaudi2_attributes),
	.state_attribute = "status",
	.healthy = "Operational\n",
	.failed = "Malfunction\n",
};

const struct layout layout_gaudi2 = {
	.name = "gaudi2",
	.pci = { 0x1da3, 0x1020, 0x1da3, 0x1020, 0x120000, 0x01 },
	.class_name = "accel",
	.device_name = "accel/accel",
	.chrdevs = accel_chrdevs,
	.n_chrdevs = ARRAY_SIZE(accel_chrdevs),
	.nodes = gaudi2_nodes,
	.places = gaudi2_places,
	.n_nodes = ARRAY_SIZE(gaudi2_nodes),
	.vendor = &gaudi2,
	.create = below_pci_create,
	.remove = below_pci_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};
