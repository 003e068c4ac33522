/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cards of the descriptions that Silica brings along.
 *
 * What is known of them is little: where a device file is known, and nothing of
 * sysfs, the entry that any character device has stands below the PCI device,
 *
 *	sys/devices/pci.../0000:19:00.0/ipu/ipu0/dev
 *	sys/devices/pci.../0000:19:00.0/ipu/ipu0/device -> ../../../0000:19:00.0
 *	sys/dev/char/243:0 -> ../../devices/pci.../ipu/ipu0
 *	sys/class/ipu/ipu0 -> ../../devices/pci.../ipu/ipu0
 *
 * and the name of the class is chosen here.  RDUs and Sapeon cards are PCI
 * devices without an entry; all RDUs share two device files.  As no attribute is
 * known by which a card shows that it has failed, a failed one is as if it had
 * fallen off its driver, or off the bus: what announces it is gone.
 *
 * Source: pci.ids; Hyper-Accel/go-halib, cdi/cdi.go and its test data, for the LPU;
 * the names of the other device files are known from third parties.  Linux
 * drivers/base/core.c, device_add(), for the links of a character device
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/sim/card.h"
#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

struct declared {
	bool has_entry;		   /* of a class; else a PCI device is all */
	bool has_serial;	   /* attribute `serial` of the entry */
	const char *const *shared; /* device files of all cards; NULL for none */
};

static const struct declared *family_of(const struct card *card)
{
	return card->layout->vendor;
}

/* --- entries of a class --- */

static struct tree_path entry_name(const struct card *card)
{
	return tree_path("%s%" PRIu32 "%s", card->layout->device_name, card->index,
			 card->layout->nodes[0].suffix);
}

static struct tree_path class_dir(const struct sim *sim, const struct card *card)
{
	struct tree_path pci = pci_card_dir(sim, card);

	return tree_path("%s/%s", pci.text, card->layout->class_name);
}

static struct tree_path entry_dir(const struct sim *sim, const struct card *card)
{
	struct tree_path dir = class_dir(sim, card);
	struct tree_path name = entry_name(card);

	return tree_path("%s/%s", dir.text, name.text);
}

static struct tree_path class_link(const struct card *card)
{
	struct tree_path name = entry_name(card);

	return tree_path("sys/class/%s/%s", card->layout->class_name, name.text);
}

static struct tree_path char_link(const struct card *card)
{
	return tree_path("sys/dev/char/%u:%" PRIu32, card->layout->chrdevs[0].major,
			 card->index * SIM_MINORS_PER_CARD);
}

static int write_line(const struct sim *sim, const char *dir, const char *name, const char *text,
		      struct error *err)
{
	struct tree_path path = tree_path("%s/%s", dir, name);
	struct tree_path line = tree_path("%s%s", text, sim->description.newlines ? "\n" : "");

	return tree_puts(sim->root_fd, path.text, line.text, err);
}

static int write_serial(const struct sim *sim, const struct card *card, const char *dir,
			struct error *err)
{
	struct tree_path text = tree_path("HA%08" PRIX64, card_hash(card, 4) >> 32);

	if (!family_of(card)->has_serial || sim->description.serial == SERIAL_RULE_NONE)
		return 0;
	return write_line(sim, dir, "serial",
			  sim->description.serial == SERIAL_RULE_EMPTY ? "" : text.text, err);
}

static int write_entry(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = entry_dir(sim, card);
	struct tree_path parent = tree_path("%s/device", dir.text);
	struct tree_path number = tree_path("%u:%" PRIu32, card->layout->chrdevs[0].major,
					    card->index * SIM_MINORS_PER_CARD);
	struct tree_path target;
	char bdf[PCI_BDF_MAX];
	int r;

	r = tree_mkdirs(sim->root_fd, dir.text, err);
	if (r < 0)
		return r;
	r = write_line(sim, dir.text, "dev", number.text, err);
	if (r == 0)
		r = write_serial(sim, card, dir.text, err);
	if (r < 0)
		return r;
	pci_card_bdf(sim, card, bdf);
	target = tree_path("../../../%s", bdf);
	return tree_link(target.text, sim->root_fd, parent.text, err);
}

static int announce_entry(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = entry_dir(sim, card);
	struct tree_path class_target = tree_path("../../%s", dir.text + strlen("sys/"));
	struct tree_path char_link_path = char_link(card);
	struct tree_path link = class_link(card);
	int r;

	r = tree_mkdirs(sim->root_fd, "sys/dev/char", err);
	if (r == 0)
		r = nodes_create(sim, card, err);
	if (r == 0)
		r = tree_link(class_target.text, sim->root_fd, char_link_path.text, err);
	return r < 0 ? r : tree_link(class_target.text, sim->root_fd, link.text, err);
}

static int retract_entry(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path char_link_path = char_link(card);
	struct tree_path link = class_link(card);
	int r;

	r = tree_remove(sim->root_fd, link.text, err);
	if (r == 0)
		r = tree_remove(sim->root_fd, char_link_path.text, err);
	return r < 0 ? r : nodes_remove(sim, card, err);
}

/* --- PCI devices, and files that all cards share --- */

static struct tree_path bus_link(const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX];

	pci_card_bdf(sim, card, bdf);
	return tree_path("sys/bus/pci/devices/%s", bdf);
}

static int announce_pci(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path target = tree_path("../../../%s", dir.text + strlen("sys/"));
	struct tree_path link = bus_link(sim, card);

	if (faccessat(sim->root_fd, link.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return tree_link(target.text, sim->root_fd, link.text, err);
}

static int make_shared(const struct sim *sim, const struct card *card, unsigned int place,
		       struct error *err)
{
	const char *path = family_of(card)->shared[place];
	dev_t dev = makedev(card->layout->chrdevs[0].major, place);

	if (faccessat(sim->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (sim->node_kind == NODE_KIND_LINKS)
		return tree_link("/dev/null", sim->root_fd, path, err);
	if (mknodat(sim->root_fd, path, S_IFCHR | 0666, dev) < 0)
		return error_set(err, errno, "make device file '%s': %s", path, strerror(errno));
	return 0;
}

static int create_shared(const struct sim *sim, const struct card *card, struct error *err)
{
	const char *const *shared = family_of(card)->shared;
	int r = 0;

	for (unsigned int i = 0; r == 0 && shared && shared[i]; i++)
		r = make_shared(sim, card, i, err);
	return r;
}

/* The last card takes them along. */
static int remove_shared(const struct sim *sim, const struct card *card, struct error *err)
{
	const char *const *shared = family_of(card)->shared;
	int r = 0;

	for (size_t i = 0; i < sim->n_cards; i++)
		if (&sim->cards[i] != card && sim->cards[i].present &&
		    sim->cards[i].layout == card->layout)
			return 0;
	for (size_t i = 0; r == 0 && shared && shared[i]; i++)
		r = tree_remove(sim->root_fd, shared[i], err);
	return r;
}

/* --- struct layout --- */

static int set_state(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path link;
	int r;

	if (family_of(card)->has_entry) {
		/* Twice told is as good as once. */
		r = retract_entry(sim, card, err);
		return r < 0 || card->failed ? r : announce_entry(sim, card, err);
	}
	link = bus_link(sim, card);
	return card->failed ? tree_remove(sim->root_fd, link.text, err)
			    : announce_pci(sim, card, err);
}

static int create(const struct sim *sim, const struct card *card, struct error *err)
{
	int r = family_of(card)->has_entry ? write_entry(sim, card, err)
					   : create_shared(sim, card, err);

	return r < 0 ? r : set_state(sim, card, err);
}

static int remove_card(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir;
	int r;

	if (!family_of(card)->has_entry)
		return remove_shared(sim, card, err);
	r = retract_entry(sim, card, err);
	dir = class_dir(sim, card);
	return r < 0 ? r : tree_remove(sim->root_fd, dir.text, err);
}

static struct tree_path attribute_dir(const struct sim *sim, const struct card *card)
{
	return family_of(card)->has_entry ? entry_dir(sim, card) : pci_card_dir(sim, card);
}

static const struct declared plain = { .has_entry = true };
static const struct declared lpu = { .has_entry = true, .has_serial = true };
static const struct declared rdu = {
	.shared = (const char *const[]) { "dev/rdu", "dev/rdu_mem_map", NULL },
};
static const struct declared sapeon = { 0 };

static const struct node_template ipu_nodes[] = { { "ipu", "", NULL, false } };
static const struct node_template lpu_nodes[] = { { "ha", "", NULL, false } };
static const struct node_template tsp_nodes[] = { { "groq", ".pci", NULL, false } };

static const struct chrdev ipu_chrdevs[] = { { 243, "ipu" } };
static const struct chrdev lpu_chrdevs[] = { { 511, "ha" } };
static const struct chrdev rdu_chrdevs[] = { { 245, "rdu" } };
static const struct chrdev tsp_chrdevs[] = { { 244, "groq" } };

#define FUNCTIONS                                                        \
	.create = create, .remove = remove_card, .set_state = set_state, \
	.attribute_dir = attribute_dir

const struct layout layout_ipu = {
	.name = "ipu",
	.pci = { 0x1d95, 0x0001, 0x1d95, 0x0001, 0x120000, 0x00 },
	.class_name = "ipu",
	.device_name = "ipu",
	.chrdevs = ipu_chrdevs,
	.n_chrdevs = ARRAY_SIZE(ipu_chrdevs),
	.nodes = ipu_nodes,
	.n_nodes = ARRAY_SIZE(ipu_nodes),
	.vendor = &plain,
	FUNCTIONS,
};

const struct layout layout_lpu = {
	.name = "lpu",
	.pci = { 0x20fb, 0x0010, 0x20fb, 0x0010, 0x120000, 0x00 },
	.class_name = "ha",
	.device_name = "ha",
	.chrdevs = lpu_chrdevs,
	.n_chrdevs = ARRAY_SIZE(lpu_chrdevs),
	.nodes = lpu_nodes,
	.n_nodes = ARRAY_SIZE(lpu_nodes),
	.vendor = &lpu,
	FUNCTIONS,
};

const struct layout layout_rdu = {
	.name = "rdu",
	.pci = { 0x1e0d, 0x0001, 0x1e0d, 0x0001, 0x120000, 0x00 },
	.class_name = "rdu_class",
	.device_name = "rdu",
	.chrdevs = rdu_chrdevs,
	.n_chrdevs = ARRAY_SIZE(rdu_chrdevs),
	.vendor = &rdu,
	FUNCTIONS,
};

const struct layout layout_sapeon = {
	.name = "sapeon",
	.pci = { 0x1f56, 0x0001, 0x1f56, 0x0001, 0x120000, 0x00 },
	.device_name = "sapeon",
	.vendor = &sapeon,
	FUNCTIONS,
};

const struct layout layout_tsp = {
	.name = "tsp",
	.pci = { 0x1de0, 0x0000, 0x1de0, 0x0000, 0x120000, 0x00 },
	.class_name = "groq",
	.device_name = "groq",
	.chrdevs = tsp_chrdevs,
	.n_chrdevs = ARRAY_SIZE(tsp_chrdevs),
	.nodes = tsp_nodes,
	.n_nodes = ARRAY_SIZE(tsp_nodes),
	.vendor = &plain,
	FUNCTIONS,
};
