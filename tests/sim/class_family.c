/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/class_family.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"
#include "tests/sim/tree.h"

#define ATTRIBUTE_MAX 4096 /* PAGE_SIZE: what sysfs gives one attribute */

static const struct class_family *family_of(const struct card *card)
{
	return card->layout->vendor;
}

/* A real driver's class entry is a file of the directory that its class has
 * below the PCI device. */
static struct tree_path class_dir(const struct sim *sim, const struct card *card)
{
	struct tree_path pci = pci_card_dir(sim, card);

	if (family_of(card)->is_virtual)
		return tree_path("sys/devices/virtual/%s", card->layout->class_name);
	return tree_path("%s/%s", pci.text, card->layout->class_name);
}

struct tree_path class_family_attribute_dir(const struct sim *sim, const struct card *card)
{
	struct tree_path dir = class_dir(sim, card);

	return tree_path("%s/%s%" PRIu32, dir.text, family_of(card)->entry_name, card->index);
}

static struct tree_path class_link(const struct card *card)
{
	return tree_path("sys/class/%s/%s%" PRIu32, card->layout->class_name,
			 family_of(card)->entry_name, card->index);
}

bool class_family_print_state(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)sim;
	strbuf_puts(sb, card->failed ? family_of(card)->failed : family_of(card)->healthy);
	return true;
}

bool class_family_print_dev(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)sim;
	strbuf_printf(sb, "%u:%" PRIu32 "\n", card->layout->chrdevs[0].major,
		      card->index * SIM_MINORS_PER_CARD);
	return true;
}

/* How much of a text is written: all of it, or all but the newline at the end. */
static size_t length(const struct sim *sim, const char *text)
{
	size_t len = strlen(text);

	return len - (!sim->description.newlines && len > 0 && text[len - 1] == '\n');
}

static int write_file(const struct sim *sim, const char *dir, const char *name, const char *text,
		      struct error *err)
{
	struct tree_path path = tree_path("%s/%s", dir, name);
	struct tree_path parent = path;
	int r;

	*strrchr(parent.text, '/') = '\0';
	r = tree_mkdirs(sim->root_fd, parent.text, err);
	if (r < 0)
		return r;
	return tree_write(sim->root_fd, path.text, text, length(sim, text), err);
}

static int write_attributes(const struct sim *sim, const struct card *card, const char *dir,
			    const struct class_attribute *attributes, size_t n, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ATTRIBUTE_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		strbuf_clear(&text);
		if (attributes[i].value)
			strbuf_puts(&text, attributes[i].value);
		else if (!attributes[i].print(&text, sim, card))
			continue;
		r = strbuf_error(&text);
		if (r < 0)
			return error_set(err, -r, "attribute '%s': %s", attributes[i].name,
					 strerror(-r));
		r = write_file(sim, dir, attributes[i].name, strbuf_str(&text), err);
	}
	return r;
}

/* The version of a kernel module is there once, and stays without a card. */
static int write_module(const struct sim *sim, const struct class_family *family, struct error *err)
{
	struct tree_path dir = tree_path("sys/module/%s", family->module ? family->module : "");
	struct tree_path path = tree_path("%s/version", dir.text);

	if (!family->module || faccessat(sim->root_fd, path.text, F_OK, 0) == 0)
		return 0;
	return write_file(sim, dir.text, "version", family->module_version, err);
}

/* Shows a device, whose directory is complete, in the class directory. */
static int link_entry(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = class_family_attribute_dir(sim, card);
	struct tree_path target = tree_path("../../%s", dir.text + strlen("sys/"));
	struct tree_path link = class_link(card);

	return tree_link(target.text, sim->root_fd, link.text, err);
}

static int link_parent(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = class_family_attribute_dir(sim, card);
	struct tree_path link = tree_path("%s/device", dir.text);
	struct tree_path target;
	char bdf[PCI_BDF_MAX];

	if (family_of(card)->is_virtual)
		return 0;
	pci_card_bdf(sim, card, bdf);
	target = tree_path("../../../%s", bdf);
	return tree_link(target.text, sim->root_fd, link.text, err);
}

static int write_card(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct class_family *family = family_of(card);
	struct tree_path dir = class_family_attribute_dir(sim, card);
	struct tree_path pci = pci_card_dir(sim, card);
	int r;

	r = tree_mkdirs(sim->root_fd, dir.text, err);
	if (r < 0)
		return r;
	r = write_attributes(sim, card, dir.text, family->attributes, family->n_attributes, err);
	if (r < 0)
		return r;
	return write_attributes(sim, card, pci.text, family->pci_attributes,
				family->n_pci_attributes, err);
}

int class_family_create(const struct sim *sim, const struct card *card, struct error *err)
{
	int r;

	r = nodes_create(sim, card, err);
	if (r < 0)
		return r;
	r = write_module(sim, family_of(card), err);
	if (r < 0)
		return r;
	r = write_card(sim, card, err);
	if (r < 0)
		return r;
	r = link_parent(sim, card, err);
	return r < 0 ? r : link_entry(sim, card, err);
}

/* Takes away what the driver has added to the PCI device: whole directories. */
static int remove_pci_attributes(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct class_family *family = family_of(card);
	struct tree_path pci = pci_card_dir(sim, card);
	int r = 0;

	for (size_t i = 0; r == 0 && i < family->n_pci_attributes; i++) {
		const char *name = family->pci_attributes[i].name;
		struct tree_path path =
			tree_path("%s/%.*s", pci.text, (int)strcspn(name, "/"), name);

		r = tree_remove(sim->root_fd, path.text, err);
	}
	return r;
}

int class_family_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path link = class_link(card);
	struct tree_path dir = family_of(card)->is_virtual ? class_family_attribute_dir(sim, card)
							   : class_dir(sim, card);
	int r;

	r = tree_remove(sim->root_fd, link.text, err);
	if (r < 0)
		return r;
	r = tree_remove(sim->root_fd, dir.text, err);
	if (r < 0)
		return r;
	r = remove_pci_attributes(sim, card, err);
	return r < 0 ? r : nodes_remove(sim, card, err);
}

int class_family_set_state(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct class_family *family = family_of(card);
	struct tree_path dir = family->state_is_pci ? pci_card_dir(sim, card)
						    : class_family_attribute_dir(sim, card);
	struct tree_path path = tree_path("%s/%s", dir.text, family->state_attribute);
	const char *text = card->failed ? family->failed : family->healthy;

	return tree_replace(sim->root_fd, path.text, text, length(sim, text), err);
}
