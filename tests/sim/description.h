/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated node shall have, from one line of text such as
 * "rngd x2, warboy x1, numa 0/1".
 *
 * Parts are separated by commas and their order does not matter, except that
 * the families are dealt to slots in the order in which they are named.
 *
 * Source: the language is this project's own; the options stand for
 * differences between driver versions and between machines that are known
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define DESCRIPTION_TEXT_MAX 256     /* bytes with the NUL; ten times the usual line */
#define DESCRIPTION_CARDS_MAX 8192   /* 60,000 cores on cards of eight, with room */
#define DESCRIPTION_FAMILIES_MAX 8   /* named in one description */
#define DESCRIPTION_NUMA_MAX 16	     /* nodes to deal cards to */
#define DESCRIPTION_NUMA_ID_MAX 1023 /* Linux MAX_NUMNODES with NODES_SHIFT=10 */
#define DESCRIPTION_SWITCH_MAX 32    /* device numbers on one PCI bus */

struct layout;

enum spelling { SPELLING_NEW, SPELLING_OLD };
enum uuid_rule { UUID_RULE_UNIQUE, UUID_RULE_ZERO };
enum serial_rule { SERIAL_RULE_UNIQUE, SERIAL_RULE_EMPTY, SERIAL_RULE_NONE };

struct description {
	struct {
		const struct layout *layout;
		uint32_t count;
	} families[DESCRIPTION_FAMILIES_MAX];
	size_t n_families;
	int32_t numa[DESCRIPTION_NUMA_MAX]; /* -1: the machine has no NUMA */
	size_t n_numa;
	uint32_t cards_per_switch;
	/* Choices, as int for the table that fills them. */
	int spelling;	/* enum spelling */
	int newlines;	/* 1: attributes end with a newline where the driver's do */
	int p2pmem;	/* 1: the cards have that device file */
	int uuid;	/* enum uuid_rule */
	int serial;	/* enum serial_rule */
	int pe_entries; /* 1: the class directory has an entry per core as well */
};

/**
 * description_parse() - Read a description.
 * @text: the line; may be empty, which is a node without accelerators
 * @ret: the description, with defaults for what is not named
 * @err: set on failure; names the part, and what is known
 *
 * Return: 0, or
 *   -EINVAL  a part is unknown, malformed or given twice
 *   -E2BIG   more cards than DESCRIPTION_CARDS_MAX, or @text is too long
 */
int description_parse(const char *text, struct description *ret, struct error *err);

/**
 * description_help() - Say which parts are known.
 * @sb: string to append to, one line per part
 */
void description_help(struct strbuf *sb);
