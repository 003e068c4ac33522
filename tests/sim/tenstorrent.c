/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenstorrent Wormhole (n150) and Blackhole (p150a), as their kernel driver shows
 * them.
 *
 * Names of attributes and the form of their contents are the driver's.  Chosen
 * here: the readings, the versions, and the number of the character device.
 * `tt_heartbeat` stands still, as nothing runs.
 *
 * Source: tenstorrent/tt-kmd at 4af7192, docs/sysfs-attributes.md, wormhole.c,
 * blackhole.c, hwmon.c; pci.ids, vendor 1e52
 */
#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "tests/sim/card.h"
#include "tests/sim/class_family.h"
#include "tests/sim/sim.h"

static const struct node_template nodes[] = {
	{ "chip", "", NULL, false },
};

/* The number of the ASIC takes the place of a UUID. */
static bool print_asic_id(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	uint64_t id = sim->description.uuid == UUID_RULE_ZERO ? 0 : card_hash(card, 1);

	strbuf_printf(sb, "%016" PRIX64 "\n", id);
	return true;
}

/* The upper half has the type of the card, 4 bits from its end. */
static bool print_serial(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	if (sim->description.serial == SERIAL_RULE_UNIQUE)
		strbuf_printf(sb, "%08X%08" PRIX64 "\n",
			      0x01000000u | (unsigned int)card->layout->pci.subsystem_device << 4,
			      card_hash(card, 2) & 0xffffffff);
	return sim->description.serial != SERIAL_RULE_NONE;
}

#define COMMON_ATTRIBUTES                                                                         \
	{ "dev", .print = class_family_print_dev }, { "tt_aiclk", .value = "500\n" },             \
		{ "tt_axiclk", .value = "900\n" }, { "tt_arcclk", .value = "540\n" },             \
		{ "tt_serial", .print = print_serial }, { "tt_asic_id", .print = print_asic_id }, \
		{ "tt_fw_bundle_ver", .value = "80.17.0.0\n" },                                   \
		{ "tt_m3app_fw_ver", .value = "5.12.0.0\n" },                                     \
	{                                                                                         \
		"tt_heartbeat", .value = "4711\n"                                                 \
	}

static const struct class_attribute wormhole_attributes[] = {
	COMMON_ATTRIBUTES,
	{ "tt_card_type", .value = "n150\n" },
	{ "tt_arc_fw_ver", .value = "2.33.0.0\n" },
	{ "tt_eth_fw_ver", .value = "6.14.0\n" },
};

static const struct class_attribute blackhole_attributes[] = {
	COMMON_ATTRIBUTES,
	{ "tt_card_type", .value = "p150a\n" },
	{ "tt_therm_trip_count", .value = "0\n" },
};

#define SENSORS(NAME)                                                              \
	{ "hwmon/hwmon0/name", .value = NAME "\n" },                               \
		{ "hwmon/hwmon0/temp1_label", .value = "asic_temp\n" },            \
		{ "hwmon/hwmon0/temp1_input", .print = class_family_print_state }, \
		{ "hwmon/hwmon0/temp1_max", .value = "75000\n" },                  \
	{                                                                          \
		"hwmon/hwmon0/power1_input", .value = "31000000\n"                 \
	}

static const struct class_attribute wormhole_sensors[] = { SENSORS("wormhole") };
static const struct class_attribute blackhole_sensors[] = { SENSORS("blackhole") };

#define FAMILY(NAME)                                                                             \
	{                                                                                        \
		.entry_name = "tenstorrent!", .attributes = NAME##_attributes,                   \
		.n_attributes = ARRAY_SIZE(NAME##_attributes), .pci_attributes = NAME##_sensors, \
		.n_pci_attributes = ARRAY_SIZE(NAME##_sensors),                                  \
		.state_attribute = "hwmon/hwmon0/temp1_input", .state_is_pci = true,             \
		.healthy = "45000\n", .failed = "81000\n", .module = "tenstorrent",              \
		.module_version = "2.0.0\n",                                                     \
	}

static const struct class_family wormhole = FAMILY(wormhole);
static const struct class_family blackhole = FAMILY(blackhole);

static const struct chrdev chrdevs[] = {
	{ 241, "tenstorrent" },
};

#define LAYOUT(NAME, DEVICE, SUBSYSTEM)                                                           \
	{                                                                                         \
		.name = #NAME, .pci = { 0x1e52, DEVICE, 0x1e52, SUBSYSTEM, 0x120000, 0x00 },      \
		.class_name = "tenstorrent", .device_name = "tenstorrent/", .chrdevs = chrdevs,   \
		.n_chrdevs = ARRAY_SIZE(chrdevs), .nodes = nodes, .n_nodes = ARRAY_SIZE(nodes),   \
		.vendor = &(NAME), .create = class_family_create, .remove = class_family_remove,  \
		.set_state = class_family_set_state, .attribute_dir = class_family_attribute_dir, \
	}

const struct layout layout_wormhole = LAYOUT(wormhole, 0x401e, 0x0018);
const struct layout layout_blackhole = LAYOUT(blackhole, 0xb140, 0x0040);
