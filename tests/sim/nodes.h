/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device files of the cards: dev/<device name><index><suffix>.
 *
 * They get the permissions 0666, less the umask of the process.  Like devtmpfs, a
 * directory below dev comes with its first file and goes with its last one.
 *
 * Source: mknod(2); Linux drivers/base/devtmpfs.c for the directories
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "tests/sim/sim.h"

/**
 * nodes_probe() - Whether character devices can be made here.
 * @root_fd: root of the simulated node
 *
 * Return: NODE_KIND_REAL if so, else NODE_KIND_LINKS.
 */
enum node_kind nodes_probe(int root_fd);

/**
 * node_suffix() - How a device file is spelled on this node.
 * @sim: simulated node, whose description may ask for the old spelling
 * @node: row of the family's table
 *
 * Return: what stands behind the card's name; static.
 */
const char *node_suffix(const struct sim *sim, const struct node_template *node);

/**
 * node_find() - Look a device file up by its name on the command line.
 * @sim: simulated node
 * @card: card
 * @name: as in "pe0"
 * @ret: the row; static
 * @err: set on failure; names what is known
 *
 * Return: 0, or -ENOENT.
 */
int node_find(const struct sim *sim, const struct card *card, const char *name,
	      const struct node_template **ret, struct error *err);

/**
 * node_make() - Make a device file that is in no table.
 * @sim: simulated node
 * @dev: its number; of no matter where device files are links
 * @path: relative to the root
 * @err: set on failure
 *
 * Return: 0, or -EEXIST, or -errno as mknod(2) and symlink(2) leave it.
 */
int node_make(const struct sim *sim, dev_t dev, const char *path, struct error *err);

/**
 * nodes_create() - Make all device files of a card.
 * @sim: simulated node
 * @card: card that has none
 * @err: set on failure
 *
 * Return: 0, or -EEXIST, or -errno as mknod(2) and symlink(2) leave it.
 */
int nodes_create(const struct sim *sim, const struct card *card, struct error *err);

/**
 * nodes_remove() - Remove all device files of a card.
 * @sim: simulated node
 * @card: card
 * @err: set on failure
 *
 * Return: 0, or -errno as unlink(2) leaves it.
 */
int nodes_remove(const struct sim *sim, const struct card *card, struct error *err);

/**
 * node_remove() - Remove one device file.
 * @sim: simulated node
 * @card: card
 * @node: row of the family's table
 * @err: set on failure
 *
 * Return: 0, or -errno as unlink(2) leaves it.
 */
int node_remove(const struct sim *sim, const struct card *card, const struct node_template *node,
		struct error *err);

/**
 * node_restore() - Put one device file back, in place of whatever is there.
 * @sim: simulated node
 * @card: card
 * @node: row of the family's table
 * @err: set on failure
 *
 * Return: 0, or -errno as mknod(2), symlink(2) and rename(2) leave it.
 */
int node_restore(const struct sim *sim, const struct card *card, const struct node_template *node,
		 struct error *err);

/**
 * node_break() - Put a regular file in the place of one device file.
 * @sim: simulated node
 * @card: card
 * @node: row of the family's table
 * @err: set on failure
 *
 * Return: 0, or -errno as open(2) and rename(2) leave it.
 */
int node_break(const struct sim *sim, const struct card *card, const struct node_template *node,
	       struct error *err);
