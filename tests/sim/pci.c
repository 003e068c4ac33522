/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/pci.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/sim/card.h"
#include "tests/sim/tree.h"

#define CONFIG_SIZE 256
#define HEADER_TYPE_ENDPOINT 0
#define HEADER_TYPE_BRIDGE 1

/* Two roots share the 256 buses of a domain, as on two-socket machines. */
static const uint8_t root_buses[] = { 0x16, 0x97 };
#define ROOT_BUSES 104 /* below the smaller of the two: 0x98 to 0xff */
#define ROOT_PORTS 31  /* device numbers 1 to 31 of the root's own bus */
/* A switch takes the bus above its upstream port, the one inside it, and one per card. */
#define SWITCH_BUSES 2

/* Common parts of real machines, by pci.ids: a root port of Intel Skylake-E, a
 * PEX 8747 switch, an Intel X710. */
static const struct pci_identity root_port = { 0x8086, 0x2030, 0, 0, 0x060400, 0x04 };
static const struct pci_identity switch_port = { 0x10b5, 0x8747, 0, 0, 0x060400, 0xca };
static const struct pci_identity nic = { 0x8086, 0x1572, 0x8086, 0x0001, 0x020000, 0x02 };

/* Where a card sits. */
struct place {
	uint32_t domain;
	uint32_t root_bus;
	uint32_t root_port; /* device number on @root_bus */
	uint32_t up_bus;    /* has the upstream port of the switch */
	uint32_t slot;	    /* device number of the downstream port */
	uint32_t last_bus;  /* of this switch */
};

/* One entry of sys/bus/pci/devices. */
struct function {
	const struct pci_identity *identity;
	uint32_t domain;
	uint32_t bus;
	uint32_t device;
	uint32_t secondary;   /* bridges: the bus below, 0 for endpoints */
	uint32_t subordinate; /* bridges: the last bus below */
};

static struct place find_place(const struct sim *sim, const struct card *card)
{
	uint32_t per_switch = sim->description.cards_per_switch;
	uint32_t n_numa = (uint32_t)sim->description.n_numa;
	uint32_t buses = SWITCH_BUSES + per_switch;
	uint32_t switches = MIN((uint32_t)ROOT_BUSES / buses, (uint32_t)ROOT_PORTS);
	uint32_t slot = card->ordinal / n_numa; /* among the cards of its NUMA node */
	uint32_t nth_switch = slot / per_switch;
	uint32_t root = nth_switch / switches * n_numa + card->ordinal % n_numa;
	uint32_t root_bus = root_buses[root % ARRAY_SIZE(root_buses)];
	uint32_t up_bus = root_bus + 1 + nth_switch % switches * buses;

	return (struct place) {
		.domain = root / (uint32_t)ARRAY_SIZE(root_buses),
		.root_bus = root_bus,
		.root_port = 1 + nth_switch % switches,
		.up_bus = up_bus,
		.slot = slot % per_switch,
		.last_bus = up_bus + buses - 1,
	};
}

static uint32_t card_bus(const struct place *place)
{
	return place->up_bus + SWITCH_BUSES + place->slot;
}

static void format_bdf(const struct function *function, char *ret)
{
	(void)snprintf(ret, PCI_BDF_MAX, "%04" PRIx32 ":%02" PRIx32 ":%02" PRIx32 ".0",
		       function->domain & 0xffff, function->bus & 0xff, function->device & 0x1f);
}

static void put_u16(uint8_t *bytes, unsigned int value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static void fill_config(const struct function *function, uint8_t config[CONFIG_SIZE])
{
	const struct pci_identity *identity = function->identity;

	memset(config, 0, CONFIG_SIZE);
	put_u16(config + 0x00, identity->vendor);
	put_u16(config + 0x02, identity->device);
	config[0x08] = identity->revision;
	config[0x09] = (uint8_t)identity->class;
	put_u16(config + 0x0a, identity->class >> 8);
	if (function->secondary != 0) {
		config[0x0e] = HEADER_TYPE_BRIDGE;
		config[0x18] = (uint8_t)function->bus;
		config[0x19] = (uint8_t)function->secondary;
		config[0x1a] = (uint8_t)function->subordinate;
	} else {
		config[0x0e] = HEADER_TYPE_ENDPOINT;
		put_u16(config + 0x2c, identity->subsystem_vendor);
		put_u16(config + 0x2e, identity->subsystem_device);
	}
}

/* Six base addresses and the ROM, none of them assigned. */
static int write_resource(int fd, struct error *err)
{
	static const char line[] = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
	char text[7 * (sizeof(line) - 1) + 1] = "";

	for (size_t i = 0; i < 7; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line));
	return tree_puts(fd, "resource", text, err);
}

static int write_attributes(int fd, const struct function *function, int32_t numa,
			    struct error *err)
{
	const struct pci_identity *identity = function->identity;
	const struct {
		const char *name;
		int digits; /* hexadecimal; 0 is a decimal number */
		int32_t value;
	} rows[] = {
		{ "vendor", 4, identity->vendor },
		{ "device", 4, identity->device },
		{ "subsystem_vendor", 4, identity->subsystem_vendor },
		{ "subsystem_device", 4, identity->subsystem_device },
		{ "class", 6, (int32_t)identity->class },
		{ "revision", 2, identity->revision },
		{ "numa_node", 0, numa },
		{ "irq", 0, 0 },
	};
	char text[16];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].digits > 0)
			(void)snprintf(text, sizeof(text), "0x%0*" PRIx32 "\n", rows[i].digits,
				       (uint32_t)rows[i].value);
		else
			(void)snprintf(text, sizeof(text), "%" PRId32 "\n", rows[i].value);
		r = tree_puts(fd, rows[i].name, text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_function(const struct sim *sim, const char *dir, const struct function *function,
			 int32_t numa, struct error *err)
{
	_cleanup_close_ int fd = tree_open(sim->root_fd, dir, err);
	uint8_t config[CONFIG_SIZE];
	int r;

	if (fd < 0)
		return fd;
	r = write_attributes(fd, function, numa, err);
	if (r < 0)
		return r;
	r = write_resource(fd, err);
	if (r < 0)
		return r;
	fill_config(function, config);
	return tree_write(fd, "config", config, sizeof(config), err);
}

/* Makes @function below @parent, unless it is there; @parent then grows by its name. */
static int add_function(const struct sim *sim, struct tree_path *parent,
			const struct function *function, int32_t numa, struct error *err)
{
	char bdf[PCI_BDF_MAX];
	struct tree_path dir;
	struct tree_path link;
	struct tree_path target;
	int r;

	format_bdf(function, bdf);
	*parent = tree_path("%s/%s", parent->text, bdf);
	dir = tree_path("sys/devices/%s", parent->text);
	r = tree_mkdir(sim->root_fd, dir.text, err);
	if (r <= 0)
		return r;
	r = fill_function(sim, dir.text, function, numa, err);
	if (r < 0)
		return r;
	target = tree_path("../../../devices/%s", parent->text);
	link = tree_path("sys/bus/pci/devices/%s", bdf);
	return tree_link(target.text, sim->root_fd, link.text, err);
}

/* Root, root port, both sides of the switch, card: the chain that leads to a card. */
#define CHAIN_LENGTH 4

static void card_chain(const struct card *card, const struct place *place,
		       struct function chain[CHAIN_LENGTH])
{
	uint32_t domain = place->domain;
	uint32_t inner = place->up_bus + 1;
	uint32_t bus = card_bus(place);
	uint32_t last = place->last_bus;

	chain[0] = (struct function) { &root_port,	 domain,	place->root_bus,
				       place->root_port, place->up_bus, last };
	chain[1] = (struct function) { &switch_port, domain, place->up_bus, 0, inner, last };
	chain[2] = (struct function) { &switch_port, domain, inner, place->slot, bus, bus };
	chain[3] = (struct function) { &card->layout->pci, domain, bus, 0, 0, 0 };
}

static struct tree_path root_name(const struct place *place)
{
	return tree_path("pci%04" PRIx32 ":%02" PRIx32, place->domain, place->root_bus);
}

void pci_card_bdf(const struct sim *sim, const struct card *card, char *ret)
{
	struct place place = find_place(sim, card);
	struct function function = { .domain = place.domain, .bus = card_bus(&place) };

	format_bdf(&function, ret);
}

uint32_t pci_card_location(const struct sim *sim, const struct card *card, uint32_t *ret_domain)
{
	struct place place = find_place(sim, card);

	*ret_domain = place.domain;
	return card_bus(&place) << 8;
}

struct tree_path pci_card_dir(const struct sim *sim, const struct card *card)
{
	struct place place = find_place(sim, card);
	struct function chain[CHAIN_LENGTH];
	struct tree_path path = root_name(&place);
	char bdf[PCI_BDF_MAX];

	card_chain(card, &place, chain);
	for (size_t i = 0; i < CHAIN_LENGTH; i++) {
		format_bdf(&chain[i], bdf);
		path = tree_path("%s/%s", path.text, bdf);
	}
	return tree_path("sys/devices/%s", path.text);
}

int pci_create(const struct sim *sim, struct error *err)
{
	static const struct card first = { .ordinal = 0 };
	struct place place = find_place(sim, &first);
	struct tree_path path = root_name(&place);
	struct function function = { &nic, place.domain, place.root_bus, 0, 0, 0 };
	struct tree_path dir = tree_path("sys/devices/%s", path.text);
	int r;

	r = tree_mkdirs(sim->root_fd, "sys/bus/pci/devices", err);
	if (r < 0)
		return r;
	r = tree_mkdirs(sim->root_fd, dir.text, err);
	if (r < 0)
		return r;
	return add_function(sim, &path, &function, sim->description.numa[0], err);
}

int pci_plug(const struct sim *sim, const struct card *card, struct error *err)
{
	struct place place = find_place(sim, card);
	struct tree_path path = root_name(&place);
	struct tree_path root = tree_path("sys/devices/%s", path.text);
	struct function chain[CHAIN_LENGTH];
	int r;

	r = tree_mkdir(sim->root_fd, root.text, err);
	card_chain(card, &place, chain);
	for (size_t i = 0; r >= 0 && i < CHAIN_LENGTH; i++)
		r = add_function(sim, &path, &chain[i], card_numa(sim, card), err);
	return r < 0 ? r : 0;
}

int pci_unplug(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path link;
	char bdf[PCI_BDF_MAX];
	int r;

	pci_card_bdf(sim, card, bdf);
	link = tree_path("sys/bus/pci/devices/%s", bdf);
	r = tree_remove(sim->root_fd, link.text, err);
	if (r < 0)
		return r;
	return tree_remove(sim->root_fd, dir.text, err);
}

int pci_set_answer(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = pci_card_dir(sim, card);
	struct tree_path path = tree_path("%s/config", dir.text);
	struct place place = find_place(sim, card);
	struct function chain[CHAIN_LENGTH];
	uint8_t config[CONFIG_SIZE];

	card_chain(card, &place, chain);
	fill_config(&chain[CHAIN_LENGTH - 1], config);
	if (card->failed)
		memset(config, 0xff, sizeof(config));
	return tree_replace(sim->root_fd, path.text, config, sizeof(config), err);
}
