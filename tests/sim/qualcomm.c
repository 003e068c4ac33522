/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qualcomm Cloud AI AIC100, as the kernel driver qaic shows it.
 *
 * A chip that has failed is offline: its class entry and device file stay, and
 * the control channel on its MHI bus is gone.  Chosen here: the subsystem ids
 * (the chip's own).
 *
 * Source: Linux drivers/accel/qaic/qaic_drv.c, drivers/bus/mhi/host/main.c,
 * drivers/accel/drm_accel.c (the major number)
 */
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "tests/sim/class_family.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

static const struct node_template nodes[] = {
	{ "accel", "", NULL, false },
};

static const struct class_attribute attributes[] = {
	{ "dev", .print = class_family_print_dev },
};

static const struct class_family family = {
	.entry_name = "accel",
	.attributes = attributes,
	.n_attributes = ARRAY_SIZE(attributes),
};

static struct tree_path mhi_dir(const struct sim *sim, const struct card *card)
{
	struct tree_path pci = pci_card_dir(sim, card);

	return tree_path("%s/mhi%" PRIu32, pci.text, card->ordinal);
}

static int set_state(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path mhi = mhi_dir(sim, card);
	struct tree_path channel =
		tree_path("%s/mhi%" PRIu32 "_QAIC_CONTROL", mhi.text, card->ordinal);

	if (card->failed)
		return tree_remove(sim->root_fd, channel.text, err);
	return tree_mkdirs(sim->root_fd, channel.text, err);
}

/* Below the PCI device, which lies deeper or less deep with the bridges above it. */
static int link_driver(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path pci = pci_card_dir(sim, card);
	struct tree_path link = tree_path("%s/driver", pci.text);
	struct tree_path target = tree_path("bus/pci/drivers/qaic");

	for (const char *slash = strchr(pci.text, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct tree_path shorter = target;

		target = tree_path("../%s", shorter.text);
	}
	return tree_link(target.text, sim->root_fd, link.text, err);
}

static int create(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path mhi = mhi_dir(sim, card);
	int r;

	r = tree_mkdirs(sim->root_fd, "sys/bus/pci/drivers/qaic", err);
	if (r < 0)
		return r;
	r = tree_mkdirs(sim->root_fd, mhi.text, err);
	if (r < 0)
		return r;
	r = link_driver(sim, card, err);
	if (r < 0)
		return r;
	r = set_state(sim, card, err);
	return r < 0 ? r : class_family_create(sim, card, err);
}

static int detach(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path pci = pci_card_dir(sim, card);
	struct tree_path link = tree_path("%s/driver", pci.text);
	struct tree_path mhi = mhi_dir(sim, card);
	int r;

	r = class_family_remove(sim, card, err);
	if (r < 0)
		return r;
	r = tree_remove(sim->root_fd, link.text, err);
	return r < 0 ? r : tree_remove(sim->root_fd, mhi.text, err);
}

static const struct chrdev chrdevs[] = {
	{ 261, "accel" },
};

const struct layout layout_aic = {
	.name = "aic",
	.pci = { 0x17cb, 0xa100, 0x17cb, 0xa100, 0x120000, 0x00 },
	.class_name = "accel",
	.device_name = "accel/accel",
	.chrdevs = chrdevs,
	.n_chrdevs = ARRAY_SIZE(chrdevs),
	.nodes = nodes,
	.n_nodes = ARRAY_SIZE(nodes),
	.vendor = &family,
	.create = create,
	.remove = detach,
	.set_state = set_state,
	.attribute_dir = class_family_attribute_dir,
};
