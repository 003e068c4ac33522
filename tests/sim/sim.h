/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated node: a directory that stands for the root of a host with
 * accelerators, and the cards in it.
 *
 *	description.c  what the node shall have, from a line of text
 *	state.c        which card is where now, kept in DIR/.silica-sim
 *	tree.c         files, links and directories below DIR
 *	pci.c          the PCI hierarchy, common to all vendors
 *	nodes.c        device files, common to all vendors
 *	attributes.c   files of sysfs from a table
 *	below_pci.c    class entries below PCI devices, common to several vendors
 *	furiosa.c      one file per vendor: its rows of struct layout
 *	class_family.c what vendors share whose cards are entries of a class
 *	layout.c       the list of all rows; a new vendor is added there
 *	commands.c     what the command line can do
 *
 * Nothing stays in memory between two runs of silica-sim.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst for how the trees
 * hang together
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tests/sim/description.h"
#include "tests/sim/tree.h"

#define SIM_HANDLE_MAX 24      /* "mi300x-cpx8191" and the NUL, and room for longer families */
#define SIM_UUID_MAX 37	       /* 36 characters and the NUL */
#define SIM_MINORS_PER_CARD 64 /* more than any family has device files */
/* The largest index: 2^20 minors, see MINORBITS in Linux include/linux/kdev_t.h. */
#define SIM_INDEX_MAX ((1U << 20) / SIM_MINORS_PER_CARD - 1)

struct layout;

/* How device files are made; the first needs CAP_MKNOD. */
enum node_kind {
	NODE_KIND_REAL,	 /* character devices */
	NODE_KIND_LINKS, /* symbolic links to /dev/null */
	_NODE_KIND_MAX,
};

struct card {
	const struct layout *layout;
	char handle[SIM_HANDLE_MAX]; /* "rngd0", "mi210-0": family and number at creation */
	uint32_t ordinal;	     /* place among all cards of the node; decides the slot */
	uint32_t index;		     /* the kernel's number now; the first of several */
	bool present;
	bool failed;
};

struct sim {
	int root_fd; /* locked for as long as it is open */
	char text[DESCRIPTION_TEXT_MAX];
	struct description description; /* of @text */
	enum node_kind node_kind;
	struct card *cards; /* in the order of the description */
	size_t n_cards;
};

struct pci_identity {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem_device;
	uint32_t class; /* 24 bits */
	uint8_t revision;
};

/* A device file of a card; its minor number is its place in the table. */
struct node_template {
	const char *name;	/* on the command line, as in "mgmt" */
	const char *suffix;	/* behind the card's name in /dev, as in "_mgmt" */
	const char *old_suffix; /* with `spelling old`; NULL when nothing changes */
	bool p2pmem;		/* only with `p2pmem` */
};

/* How a device file is numbered and named that does not begin as its family's do. */
struct node_place {
	const char *device_name; /* NULL: the family's */
	uint32_t offset;	 /* of its number from the card's index, as in renderD128 */
	bool common;		 /* one for all cards, and without a number; it stays */
};

/* A line of /proc/devices. */
struct chrdev {
	unsigned int major;
	const char *name;
};

/* What a family of cards looks like to Linux: one row per family. */
struct layout {
	const char *name; /* of the family, as in "rngd" */
	struct pci_identity pci;
	const char *class_name; /* directory in sys/class; NULL for none */
	/* In /dev, without the index, as in "rngd/npu".  Families that have the same
	 * are numbered together. */
	const char *device_name;
	uint32_t numbers;	      /* that one card takes; 0 is 1 */
	const struct chrdev *chrdevs; /* the first one owns the device files */
	size_t n_chrdevs;
	const struct node_template *nodes;
	const struct node_place *places; /* as many as nodes; NULL where none differs */
	size_t n_nodes;
	const void *vendor; /* for the functions below */

	/* Makes the device files, then everything in sysfs but the PCI device; what
	 * announces the card comes last.  Returns 0 or a negative errno. */
	int (*create)(const struct sim *sim, const struct card *card, struct error *err);

	/* Undoes create(), backwards.  Returns 0 or a negative errno. */
	int (*remove)(const struct sim *sim, const struct card *card, struct error *err);

	/* Makes the card look as card->failed says.  Returns 0 or a negative errno. */
	int (*set_state)(const struct sim *sim, const struct card *card, struct error *err);

	/* Directory of the card's attributes, relative to the root of the sim. */
	struct tree_path (*attribute_dir)(const struct sim *sim, const struct card *card);
};

/**
 * layout_table() - All families.
 * @ret_n: number of families
 *
 * Return: array of @ret_n pointers to constant rows; static.
 */
const struct layout *const *layout_table(size_t *ret_n);

/**
 * layout_numbers() - How many of the kernel's numbers a card takes.
 * @layout: family
 *
 * Return: at least 1.
 */
uint32_t layout_numbers(const struct layout *layout);

/**
 * layout_shares_numbers() - Whether cards of two families are numbered together.
 * @a: family
 * @b: family
 *
 * Return: true if their device files would have the same names.
 */
bool layout_shares_numbers(const struct layout *a, const struct layout *b);

/**
 * layout_find() - Look a family up.
 * @name: its name, as in "rngd"
 *
 * Return: its row, or NULL if there is none of that name.
 */
const struct layout *layout_find(const char *name);

/* The rows of furiosa.c. */
extern const struct layout layout_rngd;
extern const struct layout layout_warboy;

/* The rows of amd.c. */
extern const struct layout layout_mi210;
extern const struct layout layout_mi300x;
extern const struct layout layout_mi300x_cpx;

/* The rows of habana.c. */
extern const struct layout layout_gaudi2;

/* The rows of nvidia.c. */
extern const struct layout layout_h200;
extern const struct layout layout_h200_mig;

/* The rows of intel.c. */
extern const struct layout layout_flex170;
extern const struct layout layout_npu;

/* Those of coral.c, neuron.c, qualcomm.c, rebellions.c and tenstorrent.c. */
extern const struct layout layout_edgetpu;
extern const struct layout layout_trainium;
extern const struct layout layout_aic;
extern const struct layout layout_atom;
extern const struct layout layout_wormhole;
extern const struct layout layout_blackhole;

/* Those of declared.c. */
extern const struct layout layout_ipu;
extern const struct layout layout_lpu;
extern const struct layout layout_rdu;
extern const struct layout layout_sapeon;
extern const struct layout layout_tsp;
