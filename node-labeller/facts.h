/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rows of several vendors say of a card; each is a label_fact_fn or a label_value_fn.
 *
 * Source: versions are those of semver.org 2.0.0, and older ones of FuriosaAI as in
 * "1.6.0, c1bebfd"
 */
#pragma once

#include "node-labeller/label_rows.h"

/* Parts of a version, for fact_driver_version() and fact_firmware_version(). */
enum version_part {
	VERSION_FULL = 0, /* "2025.4.0-dev2+0e9e56a"; what parts of it are a row's @also */
	VERSION_CORE,	  /* "2025.4.0", three numbers */
	VERSION_MAJOR,
	VERSION_MINOR,
	VERSION_PATCH,
	VERSION_REVISION,   /* the third number, or "" where there are two */
	VERSION_PRERELEASE, /* "dev2", or "" */
	VERSION_METADATA,   /* "0e9e56a", or "" */
	_VERSION_PART_MAX,
};

/**
 * label_printf() - Fill the text of a label.
 * @text: LABEL_TEXT_MAX bytes
 * @fmt: printf format
 *
 * Return: true if it fits and is not empty.
 */
bool label_printf(char *text, const char *fmt, ...) _printf_(2, 3);

/**
 * version_part() - Take a part of a version.
 * @version: as the driver of the card gives it
 * @part: which part
 * @text: LABEL_TEXT_MAX bytes, for the part
 *
 * Return: false if @version does not have it.
 */
bool version_part(const char *version, enum version_part part, char *text);

/**
 * fact_architecture() - The architecture, as in "rngd".
 * @item: card
 * @arg: not used
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_architecture(const struct label_item *item, int arg, char *text);

/**
 * fact_product() - The product, as in "rngd-s".
 * @item: card
 * @arg: not used
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_product(const struct label_item *item, int arg, char *text);

/**
 * fact_memory() - The memory in MiB, of a partition that of the partition.
 * @item: card or partition
 * @arg: not used
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_memory(const struct label_item *item, int arg, char *text);

/**
 * fact_driver_version() - The version of the kernel driver, or a part of it.
 * @item: card
 * @arg: enum version_part
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_driver_version(const struct label_item *item, int arg, char *text);

/**
 * fact_firmware_version() - The version of the firmware, or a part of it.
 * @item: card
 * @arg: enum version_part
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_firmware_version(const struct label_item *item, int arg, char *text);

/**
 * fact_pci_device() - The PCI device id, as in "740f".
 * @item: card
 * @arg: not used
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_pci_device(const struct label_item *item, int arg, char *text);

/**
 * fact_profile() - The profile of a partition, as names of resources have it: "1g.18gb".
 * @item: partition
 * @arg: not used
 * @text: as label_fact_fn
 *
 * Return: as label_fact_fn.
 */
bool fact_profile(const struct label_item *item, int arg, char *text);

/**
 * value_true() - "true" where there is a card.
 * @group: cards
 * @arg: not used
 * @text: as label_value_fn
 *
 * Return: as label_value_fn.
 */
bool value_true(const struct label_group *group, int arg, char *text);

/**
 * value_count() - How many there are; nothing on a node that never had a card.
 * @group: cards or partitions
 * @arg: not used
 * @text: as label_value_fn
 *
 * Return: as label_value_fn.
 */
bool value_count(const struct label_group *group, int arg, char *text);

/**
 * value_some() - How many there are, if there are any.
 * @group: cards or partitions
 * @arg: not used
 * @text: as label_value_fn
 *
 * Return: as label_value_fn.
 */
bool value_some(const struct label_group *group, int arg, char *text);

/**
 * select_part() - Takes partitions that the hardware has been cut into.
 * @item: card or partition
 *
 * Return: true for a partition.
 */
bool select_part(const struct label_item *item);
