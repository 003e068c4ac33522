/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/below_pci.h"

#include <inttypes.h>
#include <string.h>

#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"

static struct tree_path entry_name(const struct card *card, const struct entry_template *entry)
{
	return tree_path("%s%" PRIu32, entry->name, card->index + entry->offset);
}

/* Where the entry hangs. */
static struct tree_path parent_dir(const struct sim *sim, const struct card *card,
				   const struct entry_template *entry)
{
	const struct below_pci *family = card->layout->vendor;

	return entry->part == 0 ? pci_card_dir(sim, card) : family->part_dir(card, entry->part);
}

static struct tree_path class_dir(const struct sim *sim, const struct card *card,
				  const struct entry_template *entry)
{
	struct tree_path parent = parent_dir(sim, card, entry);

	return tree_path("%s/%s", parent.text, card->layout->class_name);
}

/* "device" leads back to the device, and the class to the entry, which comes last. */
static int link_entry(const struct sim *sim, const struct card *card,
		      const struct entry_template *entry, struct error *err)
{
	struct tree_path parent = parent_dir(sim, card, entry);
	struct tree_path dir = class_dir(sim, card, entry);
	struct tree_path name = entry_name(card, entry);
	struct tree_path target = tree_path("../../../%s", strrchr(parent.text, '/') + 1);
	struct tree_path path = tree_path("%s/%s/device", dir.text, name.text);
	int r = tree_link(target.text, sim->root_fd, path.text, err);

	if (r < 0)
		return r;
	target = tree_path("../../%s/%s", dir.text + strlen("sys/"), name.text);
	path = tree_path("sys/class/%s/%s", card->layout->class_name, name.text);
	return tree_link(target.text, sim->root_fd, path.text, err);
}

static int create_entry(const struct sim *sim, const struct card *card, size_t row,
			struct error *err)
{
	const struct below_pci *family = card->layout->vendor;
	const struct entry_template *entry = &family->entries[row];
	struct tree_path dir = class_dir(sim, card, entry);
	struct tree_path name = entry_name(card, entry);
	struct tree_path path = tree_path("%s/%s", dir.text, name.text);
	int r = tree_mkdirs(sim->root_fd, path.text, err);

	if (r == 0 && row == 0)
		r = attributes_write(sim, card, path.text, family->entry_attributes,
				     family->n_entry_attributes, err);
	return r < 0 ? r : link_entry(sim, card, entry, err);
}

static int remove_entry(const struct sim *sim, const struct card *card,
			const struct entry_template *entry, struct error *err)
{
	struct tree_path name = entry_name(card, entry);
	struct tree_path path = tree_path("sys/class/%s/%s", card->layout->class_name, name.text);
	/* A part has a device of its own, which goes with it. */
	struct tree_path dir =
		entry->part == 0 ? class_dir(sim, card, entry) : parent_dir(sim, card, entry);
	int r = tree_remove(sim->root_fd, path.text, err);

	return r < 0 ? r : tree_remove(sim->root_fd, dir.text, err);
}

/* Relative links, from ten levels down at most. */
static int bind_driver(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct below_pci *family = card->layout->vendor;
	struct tree_path driver = tree_path("sys/bus/pci/drivers/%s", family->kernel_driver);
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path link = tree_path("%s/driver", dir.text);
	struct tree_path target = tree_path("%s", "");
	int r = tree_mkdirs(sim->root_fd, driver.text, err);

	if (r < 0)
		return r;
	for (const char *slash = strchr(dir.text, '/'); slash; slash = strchr(slash + 1, '/'))
		target = tree_path("../%s", target.text);
	target = tree_path("%sbus/pci/drivers/%s", target.text, family->kernel_driver);
	return tree_link(target.text, sim->root_fd, link.text, err);
}

int below_pci_create(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct below_pci *family = card->layout->vendor;
	struct tree_path dir = pci_card_dir(sim, card);
	int r = nodes_create(sim, card, err);

	if (r >= 0)
		r = bind_driver(sim, card, err);
	if (r >= 0)
		r = attributes_write(sim, card, dir.text, family->attributes, family->n_attributes,
				     err);
	if (r >= 0)
		r = below_pci_set_state(sim, card, err);
	for (size_t i = family->n_entries; r >= 0 && i > 0; i--)
		r = create_entry(sim, card, i - 1, err);
	return r;
}

int below_pci_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct below_pci *family = card->layout->vendor;
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path driver = tree_path("%s/driver", dir.text);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < family->n_entries; i++)
		r = remove_entry(sim, card, &family->entries[i], err);
	if (r >= 0)
		r = attributes_remove(sim, dir.text, family->attributes, family->n_attributes, err);
	if (r >= 0)
		r = tree_remove(sim->root_fd, driver.text, err);
	return r < 0 ? r : nodes_remove(sim, card, err);
}

int below_pci_set_state(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct below_pci *family = card->layout->vendor;
	const char *value = card->failed ? family->failed : family->healthy;
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path path;

	if (!family->state_attribute)
		return pci_set_answer(sim, card, err);
	path = tree_path("%s/%s", dir.text, family->state_attribute);
	return tree_replace(sim->root_fd, path.text, value,
			    strlen(value) - !sim->description.newlines, err);
}
