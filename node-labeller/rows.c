/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that are spelled alike for every vendor, and the list of all tables.
 */
#include "node-labeller/label_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "node-labeller/facts.h"
#include "policy/terms.h"

#define DOMAIN "silica.dev/"
#define VENDOR DOMAIN "{vendor}"

static bool value_healthy(const struct label_group *group, _unused_ int arg, char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < group->n; i++)
		n += group->items[i]->state->healthy;
	return group->view->n_cards > 0 && label_printf(text, "%zu", n);
}

static bool fact_health(const struct label_item *item, _unused_ int arg, char *text)
{
	return label_printf(text, "%s", item->state->healthy ? "healthy" : "unhealthy");
}

static bool fact_id(const struct label_item *item, _unused_ int arg, char *text)
{
	return label_printf(text, "%s", item->state->id);
}

static bool fact_cores(const struct label_item *item, _unused_ int arg, char *text)
{
	/* Those of a card that the hardware has cut are its partitions. */
	return item->device->cores > 0 && !item->device->partitioned &&
	       label_printf(text, "%u", item->device->cores);
}

static bool fact_pci_id(const struct label_item *item, _unused_ int arg, char *text)
{
	return item->device->pci.vendor != 0 &&
	       label_printf(text, "%04x-%04x", item->device->pci.vendor, item->device->pci.device);
}

/* --- topology --- */

/* How many of a group have something in common; more kinds than any node has are none. */
struct tally {
	struct {
		int node;
		const char *link;
		size_t n;
	} rows[LABEL_SPLIT_MAX];
	size_t n;
};

static bool count_in(struct tally *tally, int node, const char *link)
{
	for (size_t i = 0; i < tally->n; i++) {
		if (tally->rows[i].node != node || strcmp(tally->rows[i].link, link) != 0)
			continue;
		tally->rows[i].n++;
		return true;
	}
	if (tally->n == LABEL_SPLIT_MAX)
		return false;
	tally->rows[tally->n].node = node;
	tally->rows[tally->n].link = link;
	tally->rows[tally->n++].n = 1;
	return true;
}

static bool value_numa_nodes(const struct label_group *group, _unused_ int arg, char *text)
{
	struct tally tally = { .n = 0 };

	for (size_t i = 0; i < group->n; i++) {
		int node = group->items[i]->device->numa_node;

		if (node == DEVICE_NUMA_UNKNOWN || !count_in(&tally, node, ""))
			return false;
	}
	return tally.n > 0 && label_printf(text, "%zu", tally.n);
}

enum link_value {
	LINK_GROUPS,
	LINK_LARGEST, /* cards of the largest group */
};

static bool value_links(const struct label_group *group, int arg, char *text)
{
	struct tally tally = { .n = 0 };
	size_t groups = 0, largest = 0;

	for (size_t i = 0; i < group->n; i++) {
		const char *link = group->items[i]->device->link_group;

		if (link[0] != '\0' && !count_in(&tally, 0, link))
			return false;
	}
	for (size_t i = 0; i < tally.n; i++) {
		groups += tally.rows[i].n > 1;
		largest = MAX(largest, tally.rows[i].n);
	}
	return groups > 0 && label_printf(text, "%zu", arg == LINK_GROUPS ? groups : largest);
}

/* --- what is offered --- */

static bool value_mode(const struct label_group *group, int arg, char *text)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->items[i]->modes & (unsigned int)arg)
			return label_printf(text, "true");
	return false;
}

static bool value_tier(const struct label_group *group, _unused_ int arg, char *text)
{
	enum terms_tier tier = _TERMS_TIER_MAX;

	for (size_t i = 0; i < group->n; i++)
		tier = MIN(tier, group->items[i]->tier);
	return tier != _TERMS_TIER_MAX && label_printf(text, "%s", terms_tier_name(tier));
}

/* --- the table --- */

#define VERSION(KEY, FACT, PART, TEXT, EXAMPLE)                                                   \
	{                                                                                         \
		.key = VENDOR KEY, .fact = (FACT), .arg = (PART), .also = (FACT), .text = (TEXT), \
		.example = EXAMPLE                                                                \
	}

static const struct label_row rows[] = {
	{
		.key = DOMAIN "accelerator",
		.node = true,
		.value = value_true,
		.text = "The node has a card of any vendor.",
		.example = "true",
	},
	{
		.key = DOMAIN "accelerator.count",
		.node = true,
		.value = value_count,
		.text = "Number of cards of all vendors.",
		.example = "8",
	},
	{
		.key = DOMAIN "accelerator.healthy",
		.node = true,
		.value = value_healthy,
		.text = "Number of those that are healthy.",
		.example = "8",
	},
	{
		.key = VENDOR,
		.value = value_true,
		.text = "The node has a card of the vendor.",
		.example = "true",
	},
	{
		.key = VENDOR ".count",
		.value = value_count,
		.text = "Number of cards that are there, healthy or not; `0` while a card that was "
			"there is still remembered.",
		.example = "8",
	},
	{
		.key = VENDOR ".healthy",
		.value = value_healthy,
		.text = "Number of those that are healthy.",
		.example = "8",
	},
	{
		.key = VENDOR ".product",
		.fact = fact_product,
		.text = "Product.",
		.example = "rngd",
	},
	{
		.key = VENDOR ".product.{product}",
		.split = fact_product,
		.value = value_count,
		.text = "Number of cards of this product; one label for each product that the node "
			"has.",
		.example = "8",
	},
	{
		.key = VENDOR ".architecture",
		.fact = fact_architecture,
		.text = "Architecture, as selectors of the configuration have it.",
		.example = "rngd",
	},
	{
		.key = VENDOR ".memory",
		.fact = fact_memory,
		.text = "Memory of one card in MiB, a whole number that `Gt` and `Lt` compare.",
		.example = "49152",
	},
	{
		.key = VENDOR ".cores",
		.fact = fact_cores,
		.text = "Cores of one card, where the vendor's driver tells them apart.",
		.example = "8",
	},
	VERSION(".driver-version", fact_driver_version, VERSION_FULL,
		"Version of the kernel driver.", "2025.3.0-a1b2c3d"),
	VERSION(".driver-version.major", fact_driver_version, VERSION_MAJOR, "Its first number.",
		"2025"),
	VERSION(".driver-version.minor", fact_driver_version, VERSION_MINOR, "Its second number.",
		"3"),
	VERSION(".driver-version.patch", fact_driver_version, VERSION_PATCH, "Its third number.",
		"0"),
	VERSION(".firmware-version", fact_firmware_version, VERSION_FULL,
		"Version of the firmware, or of the video BIOS of a GPU.", "1.6.0-c1bebfd"),
	VERSION(".firmware-version.major", fact_firmware_version, VERSION_MAJOR,
		"Its first number.", "1"),
	VERSION(".firmware-version.minor", fact_firmware_version, VERSION_MINOR,
		"Its second number.", "6"),
	VERSION(".firmware-version.patch", fact_firmware_version, VERSION_PATCH,
		"Its third number.", "0"),
	{
		.key = VENDOR ".pci-device",
		.fact = fact_pci_id,
		.text = "PCI vendor and device id.",
		.example = "1ed2-0001",
	},
	{
		.key = VENDOR ".numa-nodes",
		.value = value_numa_nodes,
		.text = "Number of NUMA nodes that have cards; none where a card does not tell its "
			"own.",
		.example = "2",
	},
	{
		.key = VENDOR ".link-groups",
		.value = value_links,
		.arg = LINK_GROUPS,
		.text = "Number of groups of cards that are joined by links of the vendor's own.",
		.example = "1",
	},
	{
		.key = VENDOR ".link-group-size",
		.value = value_links,
		.arg = LINK_LARGEST,
		.text = "Cards of the largest of these groups.",
		.example = "8",
	},
	{
		.key = VENDOR ".profile.{profile}",
		.select = select_part,
		.split = fact_profile,
		.value = value_count,
		.text = "Number of partitions of this profile that the hardware has been cut into.",
		.example = "7",
	},
	{
		.key = VENDOR ".mode.whole",
		.value = value_mode,
		.arg = LABEL_MODE_WHOLE,
		.text = "A resource of the node offers whole cards.",
		.example = "true",
	},
	{
		.key = VENDOR ".mode.partition",
		.value = value_mode,
		.arg = LABEL_MODE_PARTITION,
		.text = "A resource of the node offers partitions.",
		.example = "true",
	},
	{
		.key = VENDOR ".mode.share",
		.value = value_mode,
		.arg = LABEL_MODE_SHARE,
		.text = "A resource of the node offers shares.",
		.example = "true",
	},
	{
		.key = VENDOR ".tier",
		.value = value_tier,
		.text = "What keeps a container within what it was given, the weakest of all "
			"resources of the vendor: `none`, `cooperative`, `driver` or `hardware`.",
		.example = "hardware",
	},
	{
		.key = VENDOR ".device.{device}",
		.split = fact_id,
		.fact = fact_health,
		.text = "`healthy` or `unhealthy`, for each card by its identity (UUID, else "
			"serial number, else PCI address).",
		.example = "healthy",
	},
};

const struct label_table label_table_neutral = {
	.title = "Every vendor",
	.text = "One spelling for all, so that a rule of the scheduler works across vendors.\n"
		"`<vendor>` is the name of the driver, as in [hardware](hardware.md); a card that\n"
		"is described in the configuration has labels of its own name.",
	.rows = rows,
	.n = ARRAY_SIZE(rows),
};

const struct label_table *const *label_tables(size_t *ret_n)
{
	static const struct label_table *const tables[] = {
		&label_table_neutral,	  &label_table_furiosa, &label_table_nvidia,
		&label_table_amd,	  &label_table_intel,	&label_table_rebellions,
		&label_table_tenstorrent,
	};

	*ret_n = ARRAY_SIZE(tables);
	return tables;
}
