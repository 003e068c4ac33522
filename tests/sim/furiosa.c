/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FuriosaAI: RNGD and Warboy.
 *
 * Each card has an entry "mgmt" in its class directory, with the attributes,
 * and one per core; all of them are virtual devices, without a PCI parent:
 *
 *	sys/class/rngd_mgmt/rngd!npu0mgmt -> ../../devices/virtual/rngd_mgmt/rngd!npu0mgmt
 *
 * Names, values and final newlines are those of the vendor's own test data and
 * documentation.  Not documented there, and chosen here: the subsystem ids (the
 * chip's own), the number of the Warboy's character device, and that one
 * character device owns all files of a card.
 *
 * Source: furiosa-ai/device-api at bc3cabc, test_data/test-0 and test-1;
 * FuriosaAI documentation v2026.3.0, cloud_native_toolkit/container.rst; pci.ids
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "tests/sim/attributes.h"
#include "tests/sim/card.h"
#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

struct furiosa {
	const char *entry_name; /* in the class directory, without the index */
	const struct attribute *attributes;
	size_t n_attributes;
	const char *state_attribute;
	const char *healthy; /* its values */
	const char *failed;
	const char *const *cores; /* suffixes of entries of single cores; NULL ends */
	struct attribute core_attribute;
};

/* The first row of each table of device files is the one that the class entry
 * with the attributes stands for. */
static const struct node_template rngd_nodes[] = {
	{ "mgmt", "mgmt", "_mgmt", false }, { "bar0", "bar0", NULL, false },
	{ "bar2", "bar2", NULL, false },    { "bar4", "bar4", NULL, false },
	{ "dmar", "dmar", NULL, false },    { "ch0", "ch0", NULL, false },
	{ "ch1", "ch1", NULL, false },	    { "ch2", "ch2", NULL, false },
	{ "ch3", "ch3", NULL, false },	    { "ch4", "ch4", NULL, false },
	{ "ch5", "ch5", NULL, false },	    { "ch6", "ch6", NULL, false },
	{ "ch7", "ch7", NULL, false },	    { "ch0r", "ch0r", NULL, false },
	{ "ch1r", "ch1r", NULL, false },    { "ch2r", "ch2r", NULL, false },
	{ "ch3r", "ch3r", NULL, false },    { "ch4r", "ch4r", NULL, false },
	{ "ch5r", "ch5r", NULL, false },    { "ch6r", "ch6r", NULL, false },
	{ "ch7r", "ch7r", NULL, false },    { "pe0", "pe0", NULL, false },
	{ "pe1", "pe1", NULL, false },	    { "pe2", "pe2", NULL, false },
	{ "pe3", "pe3", NULL, false },	    { "pe4", "pe4", NULL, false },
	{ "pe5", "pe5", NULL, false },	    { "pe6", "pe6", NULL, false },
	{ "pe7", "pe7", NULL, false },	    { "pe0-1", "pe0-1", NULL, false },
	{ "pe2-3", "pe2-3", NULL, false },  { "pe4-5", "pe4-5", NULL, false },
	{ "pe6-7", "pe6-7", NULL, false },  { "pe0-3", "pe0-3", NULL, false },
	{ "pe4-7", "pe4-7", NULL, false },  { "p2pmem", "p2pmem", NULL, true },
};

static const struct node_template warboy_nodes[] = {
	{ "mgmt", "_mgmt", NULL, false },  { "npu", "", NULL, false },
	{ "pe0", "pe0", NULL, false },	   { "pe1", "pe1", NULL, false },
	{ "pe0-1", "pe0-1", NULL, false }, { "ch0", "ch0", NULL, false },
	{ "ch1", "ch1", NULL, false },	   { "ch2", "ch2", NULL, false },
	{ "ch3", "ch3", NULL, false },
};
static_assert(ARRAY_SIZE(rngd_nodes) <= SIM_MINORS_PER_CARD, "a minor number for every file");

static bool print_bdf(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX];

	pci_card_bdf(sim, card, bdf);
	strbuf_puts(sb, bdf);
	return true;
}

static bool print_bdf_line(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)print_bdf(sb, sim, card);
	strbuf_puts(sb, "\n");
	return true;
}

static bool print_dev(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)sim;
	strbuf_printf(sb, "%u:%" PRIu32 "\n", card->layout->chrdevs[0].major,
		      card->index * SIM_MINORS_PER_CARD);
	return true;
}

static bool print_uuid(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	char uuid[SIM_UUID_MAX];

	card_uuid(sim, card, uuid);
	strbuf_printf(sb, "%s\n", uuid);
	return true;
}

/* The number of a card in its family, from 1: the last digits of its serial. */
static uint32_t serial_number(const struct card *card)
{
	const char *digits = card->handle + strlen(card->layout->name);
	uint32_t number = 0;

	for (; *digits; digits++)
		number = number * 10 + (uint32_t)(*digits - '0');
	return number + 1;
}

static bool print_rngd_serial(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	if (sim->description.serial == SERIAL_RULE_UNIQUE)
		strbuf_printf(sb, "RNGD%06" PRIu32 "\n", serial_number(card));
	return sim->description.serial != SERIAL_RULE_NONE;
}

static bool print_warboy_serial(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	if (sim->description.serial == SERIAL_RULE_UNIQUE)
		strbuf_printf(sb, "WBYB%013" PRIu32 "\n", serial_number(card));
	return sim->description.serial != SERIAL_RULE_NONE;
}

static bool print_soc_uid(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	uint64_t hash = card_hash(card, 3);

	(void)sim;
	strbuf_printf(sb, "%08" PRIX64 "-%08" PRIX64 "\n", hash >> 32, hash & 0xffffffff);
	return true;
}

static bool print_state(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	const struct furiosa *family = card->layout->vendor;

	(void)sim;
	strbuf_puts(sb, card->failed ? family->failed : family->healthy);
	return true;
}

/* Without the final newline, which only the Warboy's has. */
#define ATR_ERROR                 \
	"AXI Post Error: 0\n"     \
	"AXI Fetch Error: 0\n"    \
	"AXI Discard Error: 0\n"  \
	"AXI Doorbell done: 0\n"  \
	"PCIe Post Error: 0\n"    \
	"PCIe Fetch Error: 0\n"   \
	"PCIe Discard Error: 0\n" \
	"PCIe Doorbell done: 0\n" \
	"Device Error: 0"

static const struct attribute rngd_attributes[] = {
	{ "platform_type", .value = "FuriosaAI\n" },
	{ "device_type", .value = "RNGD\n" },
	{ "busname", .print = print_bdf },
	{ "dev", .print = print_dev },
	{ "device_uuid", .print = print_uuid },
	{ "device_sn", .print = print_rngd_serial },
	{ "device_state", .print = print_state },
	{ "heartbeat", .value = "0\n" },
	{ "fw_version", .value = "2025.1.0+696efad\n" },
	{ "version", .value = "2025.4.0-dev2+0e9e56a\n" },
	{ "cur_pe_ids", .value = "0,1,2,3,4,5,6,7,0-1,2-3,4-5,6-7,0-3,4-7" },
	{ "npu_clocks", .value = "0\n0\n0\n0\n0\n0\n0\n0\n" },
	{ "pe_occupancy", .value = "0\n0\n0\n0\n0\n0\n0\n0\n" },
	{ "atr_error", .value = ATR_ERROR },
	{ "soc_id", .value = "00000000-AAAAAAAA\n" },
	{ "board_revision", .value = "BD_REV_INIT\n" },
};

/* The last three can be written to; what they hold is not documented. */
static const struct attribute warboy_attributes[] = {
	{ "platform_type", .value = "FuriosaAI\n" },
	{ "device_type", .value = "Warboy\n" },
	{ "busname", .print = print_bdf_line },
	{ "dev", .print = print_dev },
	{ "device_uuid", .print = print_uuid },
	{ "device_sn", .print = print_warboy_serial },
	{ "alive", .print = print_state },
	{ "heartbeat", .value = "42\n" },
	{ "fw_version", .value = "1.6.0, c1bebfd" },
	{ "version", .value = "1.0.0, 0000000\n" },
	{ "soc_rev", .value = "B0\n" },
	{ "soc_uid", .print = print_soc_uid },
	{ "performance_mode", .value = "4 (FULL 1)\n" },
	{ "ne_clk_freq_info", .value = "ne tensor (MHz): 2000\nne memory (MHz): 1000\n"
				       "ne operation (MHz): 1000\ndram (MT/s): 4266\n" },
	{ "atr_error", .value = ATR_ERROR "\n" },
	{ "performance_level", .value = "" },
	{ "ne_dtm_policy", .value = "" },
	{ "device_led", .value = "" },
};

static struct tree_path entry_name(const struct card *card, const char *suffix)
{
	const struct furiosa *family = card->layout->vendor;

	return tree_path("%s%" PRIu32 "%s", family->entry_name, card->index, suffix);
}

static struct tree_path device_dir(const struct card *card, const char *suffix)
{
	struct tree_path name = entry_name(card, suffix);

	return tree_path("sys/devices/virtual/%s/%s", card->layout->class_name, name.text);
}

/* Shows a device, whose directory is complete, in the class directory. */
static int link_entry(const struct sim *sim, const struct card *card, const char *suffix,
		      struct error *err)
{
	const char *class_name = card->layout->class_name;
	struct tree_path name = entry_name(card, suffix);
	struct tree_path target = tree_path("../../devices/virtual/%s/%s", class_name, name.text);
	struct tree_path link = tree_path("sys/class/%s/%s", class_name, name.text);

	return tree_link(target.text, sim->root_fd, link.text, err);
}

static int remove_entry(const struct sim *sim, const struct card *card, const char *suffix,
			struct error *err)
{
	struct tree_path name = entry_name(card, suffix);
	struct tree_path link = tree_path("sys/class/%s/%s", card->layout->class_name, name.text);
	struct tree_path dir = device_dir(card, suffix);
	int r = tree_remove(sim->root_fd, link.text, err);

	return r < 0 ? r : tree_remove(sim->root_fd, dir.text, err);
}

static int create_core(const struct sim *sim, const struct card *card, const char *suffix,
		       struct error *err)
{
	const struct furiosa *family = card->layout->vendor;
	struct tree_path dir = device_dir(card, suffix);
	int r = tree_mkdir(sim->root_fd, dir.text, err);

	if (r < 0)
		return r;
	r = attributes_write(sim, card, dir.text, &family->core_attribute, 1, err);
	if (r < 0)
		return r;
	return link_entry(sim, card, suffix, err);
}

static int create_mgmt(const struct sim *sim, const struct card *card, struct error *err)
{
	const char *suffix = node_suffix(sim, &card->layout->nodes[0]);
	const struct furiosa *family = card->layout->vendor;
	struct tree_path dir = device_dir(card, suffix);
	int r;

	r = tree_mkdir(sim->root_fd, dir.text, err);
	if (r < 0)
		return r;
	r = attributes_write(sim, card, dir.text, family->attributes, family->n_attributes, err);
	if (r < 0)
		return r;
	return link_entry(sim, card, suffix, err);
}

static int furiosa_create(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct furiosa *family = card->layout->vendor;
	int r = nodes_create(sim, card, err);

	if (sim->description.pe_entries)
		for (size_t i = 0; r >= 0 && family->cores[i]; i++)
			r = create_core(sim, card, family->cores[i], err);
	return r < 0 ? r : create_mgmt(sim, card, err);
}

static int furiosa_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct furiosa *family = card->layout->vendor;
	int r = remove_entry(sim, card, node_suffix(sim, &card->layout->nodes[0]), err);

	for (size_t i = 0; r >= 0 && family->cores[i]; i++)
		r = remove_entry(sim, card, family->cores[i], err);
	return r < 0 ? r : nodes_remove(sim, card, err);
}

static struct tree_path furiosa_attribute_dir(const struct sim *sim, const struct card *card)
{
	return device_dir(card, node_suffix(sim, &card->layout->nodes[0]));
}

static int furiosa_set_state(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct furiosa *family = card->layout->vendor;
	struct tree_path dir = furiosa_attribute_dir(sim, card);
	struct tree_path path = tree_path("%s/%s", dir.text, family->state_attribute);
	const char *value = card->failed ? family->failed : family->healthy;
	size_t len = strlen(value) - !sim->description.newlines;

	return tree_replace(sim->root_fd, path.text, value, len, err);
}

/* Values of device_state other than 1 are not documented; 3 is one of them. */
static const struct furiosa rngd = {
	.entry_name = "rngd!npu",
	.attributes = rngd_attributes,
	.n_attributes = ARRAY_SIZE(rngd_attributes),
	.state_attribute = "device_state",
	.healthy = "1\n",
	.failed = "3\n",
	.cores = (const char *const[]) { "pe0", "pe1", "pe2", "pe3", "pe4", "pe5", "pe6", "pe7",
					 NULL },
	.core_attribute = { "alloc_status", .value = "" },
};

static const struct furiosa warboy = {
	.entry_name = "npu",
	.attributes = warboy_attributes,
	.n_attributes = ARRAY_SIZE(warboy_attributes),
	.state_attribute = "alive",
	.healthy = "1\n",
	.failed = "0\n",
	.cores = (const char *const[]) { "pe0", "pe1", "pe0-1", NULL },
	.core_attribute = { "perf_regs", .value = "CycleCount: 0x0\nCycleCountHigh: 0x0\n" },
};

static const struct chrdev rngd_chrdevs[] = {
	{ 235, "rngd_mgmt" },
	{ 510, "rngd_pdma" },
	{ 511, "rngd!ttyNPU" },
};

static const struct chrdev warboy_chrdevs[] = {
	{ 236, "npu_mgmt" },
};

const struct layout layout_rngd = {
	.name = "rngd",
	.pci = { 0x1ed2, 0x0001, 0x1ed2, 0x0001, 0x120000, 0x01 },
	.class_name = "rngd_mgmt",
	.device_name = "rngd/npu",
	.chrdevs = rngd_chrdevs,
	.n_chrdevs = ARRAY_SIZE(rngd_chrdevs),
	.nodes = rngd_nodes,
	.n_nodes = ARRAY_SIZE(rngd_nodes),
	.vendor = &rngd,
	.create = furiosa_create,
	.remove = furiosa_remove,
	.set_state = furiosa_set_state,
	.attribute_dir = furiosa_attribute_dir,
};

const struct layout layout_warboy = {
	.name = "warboy",
	.pci = { 0x1ed2, 0x0000, 0x1ed2, 0x0000, 0x120000, 0x01 },
	.class_name = "npu_mgmt",
	.device_name = "npu",
	.chrdevs = warboy_chrdevs,
	.n_chrdevs = ARRAY_SIZE(warboy_chrdevs),
	.nodes = warboy_nodes,
	.n_nodes = ARRAY_SIZE(warboy_nodes),
	.vendor = &warboy,
	.create = furiosa_create,
	.remove = furiosa_remove,
	.set_state = furiosa_set_state,
	.attribute_dir = furiosa_attribute_dir,
};
