/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What silica-sim can do; main.c has the table that names these on the command
 * line.  Each call opens the node, changes it, remembers and closes it.
 *
 * A card that is plugged in or renumbered gets fresh files, as from a driver
 * that was loaded again: what `set` and `remove-node` did to it is gone, while
 * a failure stays until it is told to recover.
 *
 * Source: the commands are this project's own; what they imitate is in furiosa.c
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

#define COMMAND_ARGS_MAX 3 /* after DIR, as in `set` */

enum nodes_option { NODES_AUTO, NODES_REAL, NODES_LINKS };

struct request {
	const char *dir;		    /* root of the simulated node */
	const char *args[COMMAND_ARGS_MAX]; /* what follows; NULL when fewer */
	enum nodes_option nodes;	    /* create: which device files; auto: real if possible */
	bool in_place;			    /* set: let readers see it half written */
	FILE *output;			    /* list: where to */
};

/**
 * command_create() - Build a node.
 * @request: args: description
 * @err: set on failure
 *
 * The directory is made if it is missing.  When the build fails, what it made
 * inside of the directory is removed.
 *
 * Return: 0, or
 *   -EINVAL, -E2BIG  the description, as description_parse()
 *   -EEXIST  the directory has sys, dev, proc or a simulated node already
 *   -errno of a call that failed
 */
int command_create(const struct request *request, struct error *err);

/**
 * command_fail() - Make a card look broken; it may be unplugged.
 * @request: args: card
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card, or -errno.
 */
int command_fail(const struct request *request, struct error *err);

/**
 * command_recover() - Make a card look well again.
 * @request: args: card
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card, or -errno.
 */
int command_recover(const struct request *request, struct error *err);

/**
 * command_unplug() - Take a card away: class entries, device files, PCI device.
 * @request: args: card
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card, -ENODEV if it is away already,
 *   or -errno.
 */
int command_unplug(const struct request *request, struct error *err);

/**
 * command_plug() - Bring a card back into its slot, with its UUID and index.
 * @request: args: card
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card, -EEXIST if it is there already
 *   or its index was taken, or -errno.
 */
int command_plug(const struct request *request, struct error *err);

/**
 * command_renumber() - Give a card another index; it may be unplugged.
 * @request: args: card, new index
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card, -EEXIST if a card that is
 *   there has the index, -EINVAL or -ERANGE if it is no index, or -errno.
 */
int command_renumber(const struct request *request, struct error *err);

/**
 * command_set() - Replace an attribute that is there.
 * @request: args: card, attribute, value with escapes; "pci/NAME" means an
 *	attribute of the card's PCI device
 * @err: set on failure
 *
 * The value is written as it is, without a newline of its own.
 *
 * Return: 0, or -ENOENT if there is no such card or attribute, -ENODEV if the
 *   card is unplugged, -EINVAL if name or value is malformed, or -errno.
 */
int command_set(const struct request *request, struct error *err);

/**
 * command_remove_node() - Remove one device file.
 * @request: args: card, name such as "pe0"
 * @err: set on failure
 *
 * Return: 0, or -ENOENT if there is no such card or file, -ENODEV if the card is
 *   unplugged, or -errno.
 */
int command_remove_node(const struct request *request, struct error *err);

/**
 * command_restore_node() - Put one device file back.
 * @request: args: card, name such as "pe0"
 * @err: set on failure
 *
 * Return: as command_remove_node().
 */
int command_restore_node(const struct request *request, struct error *err);

/**
 * command_break_node() - Put a regular file in the place of one device file.
 * @request: args: card, name such as "pe0"
 * @err: set on failure
 *
 * Return: as command_remove_node().
 */
int command_break_node(const struct request *request, struct error *err);

/**
 * command_list() - Print a table of the cards.
 * @request: output
 * @err: set on failure
 *
 * Return: 0, or -errno.
 */
int command_list(const struct request *request, struct error *err);
