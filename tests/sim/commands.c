/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "tests/sim/card.h"
#include "tests/sim/escape.h"
#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"
#include "tests/sim/state.h"
#include "tests/sim/tree.h"

#define VALUE_MAX (64 * 1024) /* sixteen times an attribute of the kernel: tests overdo it */

static const char *const top_dirs[] = { "sys", "proc", "dev" };

static int attach(const struct sim *sim, const struct card *card, struct error *err)
{
	int r = pci_plug(sim, card, err);

	if (r == 0)
		r = card->layout->create(sim, card, err);
	return r < 0 ? error_wrap(err, r, "plug '%s'", card->handle) : 0;
}

static int detach(const struct sim *sim, const struct card *card, struct error *err)
{
	int r = card->layout->remove(sim, card, err);

	if (r == 0)
		r = pci_unplug(sim, card, err);
	return r < 0 ? error_wrap(err, r, "unplug '%s'", card->handle) : 0;
}

/* Families of one class have the same lines. */
static bool has_chrdev(const struct sim *sim, size_t n_families, unsigned int major)
{
	for (size_t i = 0; i < n_families; i++) {
		const struct layout *layout = sim->description.families[i].layout;

		for (size_t k = 0; k < layout->n_chrdevs; k++)
			if (layout->chrdevs[k].major == major)
				return true;
	}
	return false;
}

/* What a family's driver makes when it is loaded: also where there is no card. */
static int load_driver(const struct sim *sim, size_t family, struct strbuf *proc, struct error *err)
{
	const struct layout *layout = sim->description.families[family].layout;
	struct tree_path class, devices;
	int r;

	for (size_t i = 0; i < layout->n_chrdevs; i++)
		if (!has_chrdev(sim, family, layout->chrdevs[i].major))
			strbuf_printf(proc, "%3u %s\n", layout->chrdevs[i].major,
				      layout->chrdevs[i].name);
	if (!layout->class_name)
		return 0;
	class = tree_path("sys/class/%s", layout->class_name);
	devices = tree_path("sys/devices/virtual/%s", layout->class_name);
	r = tree_mkdirs(sim->root_fd, class.text, err);
	return r < 0 ? r : tree_mkdirs(sim->root_fd, devices.text, err);
}

static int load_drivers(const struct sim *sim, struct error *err)
{
	_cleanup_strbuf_ struct strbuf proc = STRBUF_INIT(VALUE_MAX);
	int r = 0;

	strbuf_puts(&proc, "Character devices:\n  1 mem\n  5 /dev/tty\n");
	for (size_t i = 0; r == 0 && i < sim->description.n_families; i++)
		r = load_driver(sim, i, &proc, err);
	if (r < 0)
		return r;
	strbuf_puts(&proc, "\nBlock devices:\n259 blkext\n");
	r = strbuf_error(&proc);
	if (r < 0)
		return error_set(err, -r, "proc/devices: %s", strerror(-r));
	return tree_puts(sim->root_fd, "proc/devices", proc.data, err);
}

static int build(const struct sim *sim, struct error *err)
{
	int r = pci_create(sim, err);

	if (r == 0)
		r = load_drivers(sim, err);
	for (size_t i = 0; r == 0 && i < sim->n_cards; i++)
		r = attach(sim, &sim->cards[i], err);
	return r < 0 ? r : state_save(sim, err);
}

/* Nothing that was there before is touched, or removed when the build fails. */
static int check_empty(const struct sim *sim, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(top_dirs); i++)
		if (faccessat(sim->root_fd, top_dirs[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return error_set(err, EEXIST, "there is a '%s' already", top_dirs[i]);
	return 0;
}

static enum node_kind choose_node_kind(const struct sim *sim, enum nodes_option option)
{
	if (option == NODES_AUTO)
		return nodes_probe(sim->root_fd);
	return option == NODES_REAL ? NODE_KIND_REAL : NODE_KIND_LINKS;
}

int command_create(const struct request *request, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	int r = state_new(&sim, request->dir, request->args[0], err);

	if (r < 0)
		return r;
	r = check_empty(&sim, err);
	if (r < 0)
		return r;
	sim.node_kind = choose_node_kind(&sim, request->nodes);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(top_dirs); i++)
		r = tree_mkdir(sim.root_fd, top_dirs[i], err);
	if (r >= 0)
		r = build(&sim, err);
	if (r >= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(top_dirs); i++)
		(void)tree_remove(sim.root_fd, top_dirs[i], NULL);
	return r;
}

/* Opens the node of @request and finds the card that its first argument names. */
static int open_card(const struct request *request, struct sim *sim, struct card **ret,
		     struct error *err)
{
	int r = state_open(sim, request->dir, err);

	return r < 0 ? r : state_find_card(sim, request->args[0], ret, err);
}

static int open_present_card(const struct request *request, struct sim *sim, struct card **ret,
			     struct error *err)
{
	int r = open_card(request, sim, ret, err);

	if (r == 0 && !(*ret)->present)
		return error_set(err, ENODEV, "'%s' is unplugged", (*ret)->handle);
	return r;
}

static int change_health(const struct request *request, bool failed, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	struct card *card;
	int r = open_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	card->failed = failed;
	if (card->present)
		r = card->layout->set_state(&sim, card, err);
	return r < 0 ? r : state_save(&sim, err);
}

int command_fail(const struct request *request, struct error *err)
{
	return change_health(request, true, err);
}

int command_recover(const struct request *request, struct error *err)
{
	return change_health(request, false, err);
}

int command_unplug(const struct request *request, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	struct card *card;
	int r = open_present_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	r = detach(&sim, card, err);
	if (r < 0)
		return r;
	card->present = false;
	return state_save(&sim, err);
}

static int check_index(const struct sim *sim, const struct card *card, uint32_t index,
		       struct error *err)
{
	for (size_t i = 0; i < sim->n_cards; i++) {
		const struct card *other = &sim->cards[i];

		if (other != card && other->present &&
		    layout_shares_numbers(other->layout, card->layout) &&
		    index < other->index + layout_numbers(other->layout) &&
		    other->index < index + layout_numbers(card->layout))
			return error_set(err, EEXIST, "index %" PRIu32 " is taken by '%s'", index,
					 other->handle);
	}
	return 0;
}

int command_plug(const struct request *request, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	struct card *card;
	int r = open_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	if (card->present)
		return error_set(err, EEXIST, "'%s' is plugged in", card->handle);
	r = check_index(&sim, card, card->index, err);
	if (r < 0)
		return r;
	r = attach(&sim, card, err);
	if (r < 0)
		return r;
	card->present = true;
	return state_save(&sim, err);
}

/* The PCI device stays: a driver that is loaded again does not move the card. */
static int rebind(const struct sim *sim, struct card *card, uint32_t index, struct error *err)
{
	int r = card->layout->remove(sim, card, err);

	card->index = index;
	return r < 0 ? r : card->layout->create(sim, card, err);
}

int command_renumber(const struct request *request, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	struct card *card;
	uint32_t index;
	int r = open_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	r = parse_u32(request->args[1], SIM_INDEX_MAX, &index);
	if (r < 0)
		return error_set(err, -r, "'%s' is no index from 0 to %u", request->args[1],
				 SIM_INDEX_MAX);
	r = check_index(&sim, card, index, err);
	if (r < 0)
		return r;
	if (!card->present)
		card->index = index;
	else
		r = rebind(&sim, card, index, err);
	return r < 0 ? r : state_save(&sim, err);
}

static int attribute_path(const struct sim *sim, const struct card *card, const char *attribute,
			  struct tree_path *ret, struct error *err)
{
	const char *pci = str_starts_with(attribute, "pci/");
	const char *name = pci ? pci : attribute;
	struct tree_path dir =
		pci ? pci_card_dir(sim, card) : card->layout->attribute_dir(sim, card);

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
		return error_set(err, EINVAL, "'%s' is no name of an attribute", attribute);
	*ret = tree_path("%s/%s", dir.text, name);
	if (faccessat(sim->root_fd, ret->text, F_OK, 0) < 0)
		return error_set(err, errno, "attribute '%s' of '%s': %s", attribute, card->handle,
				 strerror(errno));
	return 0;
}

int command_set(const struct request *request, struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(VALUE_MAX);
	_cleanup_sim_ struct sim sim = SIM_INIT;
	struct tree_path path;
	struct card *card;
	int r = open_present_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	r = escape_decode(request->args[2], &value, err);
	if (r < 0)
		return r;
	r = attribute_path(&sim, card, request->args[1], &path, err);
	if (r < 0)
		return r;
	if (request->in_place)
		return tree_overwrite(sim.root_fd, path.text, strbuf_str(&value), value.len, err);
	return tree_replace(sim.root_fd, path.text, strbuf_str(&value), value.len, err);
}

typedef int (*node_fn)(const struct sim *sim, const struct card *card,
		       const struct node_template *node, struct error *err);

static int change_node(const struct request *request, node_fn change, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	const struct node_template *node;
	struct card *card;
	int r = open_present_card(request, &sim, &card, err);

	if (r < 0)
		return r;
	r = node_find(&sim, card, request->args[1], &node, err);
	return r < 0 ? r : change(&sim, card, node, err);
}

int command_remove_node(const struct request *request, struct error *err)
{
	return change_node(request, node_remove, err);
}

int command_restore_node(const struct request *request, struct error *err)
{
	return change_node(request, node_restore, err);
}

int command_break_node(const struct request *request, struct error *err)
{
	return change_node(request, node_break, err);
}

static const char *card_state(const struct card *card)
{
	if (!card->present)
		return "unplugged";
	return card->failed ? "failed" : "healthy";
}

static void print_card(FILE *output, const struct sim *sim, const struct card *card)
{
	struct tree_path name = tree_path("%s%" PRIu32, card->layout->device_name, card->index);
	char bdf[PCI_BDF_MAX];
	char uuid[SIM_UUID_MAX];

	pci_card_bdf(sim, card, bdf);
	card_uuid(sim, card, uuid);
	(void)fprintf(output, "%-11s %-13s %-12s %4" PRId32 "  %s  %s\n", card->handle, name.text,
		      bdf, card_numa(sim, card), uuid, card_state(card));
}

int command_list(const struct request *request, struct error *err)
{
	_cleanup_sim_ struct sim sim = SIM_INIT;
	int r = state_open(&sim, request->dir, err);

	if (r < 0)
		return r;
	(void)fprintf(request->output, "%-11s %-13s %-12s %4s  %-36s  %s\n", "CARD", "NAME", "BDF",
		      "NUMA", "UUID", "STATE");
	for (size_t i = 0; i < sim.n_cards; i++)
		print_card(request->output, &sim, &sim.cards[i]);
	if (fflush(request->output) != 0)
		return error_set(err, errno, "write the list: %s", strerror(errno));
	return 0;
}
