/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards of several class entries in a tree, and what their kernel driver and their
 * PCI device show.  What goes wrong while they are made ends the test.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst for how the parts of
 * sysfs hang together
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "tests/unit/drivers/class_card.h"
#include "tests/unit/drivers/tree.h"

/* Longer than any attribute may be, and bytes that have no place in one. */
#define CARD_HUGE                                                      \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define CARD_GARBAGE "\x7f\x01\xff"

struct card_pci {
	const char *bdf;
	const char *vendor; /* as sysfs spells it, "0x1002" */
	const char *device;
	const char *class;
	const char *driver; /* kernel driver that is bound; NULL for none */
};

/**
 * card_add_pci() - Make a PCI device below the root 16, on NUMA node 1.
 * @tree: tree
 * @pci: device
 */
void card_add_pci(const struct tree *tree, const struct card_pci *pci);

/**
 * card_add_entry() - Make a class entry below a device.
 * @tree: tree
 * @parent: device, relative to sys/devices, as in "pci0000:16/0000:27:00.0"
 * @class_name: class, as in "drm"
 * @name: entry, as in "card0"
 */
void card_add_entry(const struct tree *tree, const char *parent, const char *class_name,
		    const char *name);

/**
 * card_set() - Write or remove a file.
 * @tree: tree
 * @path: relative to the root
 * @text: contents, or NULL to remove it
 */
void card_set(const struct tree *tree, const char *path, const char *text);

/**
 * card_set_all() - Write or remove several files.
 * @tree: tree
 * @files: array of @n files, relative to the root; without text to remove one
 * @n: number of files
 */
void card_set_all(const struct tree *tree, const struct card_file *files, size_t n);

/**
 * card_add_nodes() - Make device files, as links to /dev/null.
 * @tree: tree
 * @nodes: paths separated by spaces; a word that begins with no slash is passed over
 */
void card_add_nodes(const struct tree *tree, const char *nodes);

/**
 * card_reset() - Remove all that is in a tree.
 * @tree: tree
 */
void card_reset(const struct tree *tree);

/**
 * card_print_nodes() - Say which device files a device has.
 * @device: device
 * @text: gets "/dev/x * /dev/xpe0 0-0 "; a file that all partitions share has a '*'
 */
void card_print_nodes(const struct device *device, struct strbuf *text);

/* A change to a tree, and what the probe says then. */
struct card_probe_case {
	struct card_file change;
	int expected;
	const char *reason; /* begins so */
};

/**
 * card_check_probe() - Make a card, change it and see what its probe says; and that
 *	it recovers when the change is taken back.
 * @tree: tree
 * @driver: driver
 * @add: makes the only card of the tree
 * @cases: array of @n cases
 * @n: number of cases
 */
void card_check_probe(const struct tree *tree, const struct driver *driver,
		      void (*add)(const struct tree *tree), const struct card_probe_case *cases,
		      size_t n);

/**
 * card_check_descriptors() - Whether a scan that runs out of descriptors fails, with
 *	no device in want of a fact.
 * @tree: tree with one card that has no fault
 * @driver: driver
 */
void card_check_descriptors(const struct tree *tree, const struct driver *driver);
