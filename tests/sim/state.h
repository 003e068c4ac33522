/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated node remembers between two runs of silica-sim: the file
 * .silica-sim in its root.
 *
 *	silica-sim 1
 *	description rngd x2, numa 0/1
 *	nodes links
 *	rngd0 0 present healthy
 *	rngd1 5 unplugged failed
 *
 * A card's line has its handle, index, presence and health; everything else
 * follows from the handle and the description.  The root is locked while it is
 * open, so runs on one node wait for each other.
 *
 * Source: flock(2)
 */
#pragma once

#include "base/error.h"
#include "tests/sim/sim.h"

#define STATE_FILE ".silica-sim"

/**
 * state_new() - Begin a simulated node in a directory that holds none.
 * @sim: filled on success; released with state_done()
 * @dir: directory; made if it is missing
 * @text: description, see description_parse()
 * @err: set on failure
 *
 * All cards are present, healthy and numbered from 0 among those that share numbers; how device
 * files are made is for the caller to decide.  Nothing is written but @dir.
 *
 * Return: 0, or
 *   -EEXIST  @dir holds a simulated node
 *   -EINVAL, -E2BIG  as description_parse()
 *   -ENOMEM, or -errno as mkdir(2) and open(2) leave it
 */
int state_new(struct sim *sim, const char *dir, const char *text, struct error *err);

/**
 * state_open() - Load the state of a simulated node.
 * @sim: filled on success; released with state_done()
 * @dir: its directory
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  @dir holds no simulated node
 *   -EINVAL  the state file is damaged
 *   -ENOMEM, or -errno as open(2) and flock(2) leave it
 */
int state_open(struct sim *sim, const char *dir, struct error *err);

/**
 * state_save() - Publish the state.
 * @sim: simulated node
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno as tree_replace().
 */
int state_save(const struct sim *sim, struct error *err);

/**
 * state_done() - Release and unlock a simulated node.
 * @sim: what state_new() or state_open() filled, or SIM_INIT
 */
void state_done(struct sim *sim);
#define SIM_INIT ((struct sim) { .root_fd = -1 })
#define _cleanup_sim_ _cleanup_(state_done)

/**
 * state_find_card() - Look a card up.
 * @sim: simulated node
 * @handle: as in "rngd0"
 * @ret: the card, owned by @sim
 * @err: set on failure
 *
 * Return: 0, or -ENOENT.
 */
int state_find_card(struct sim *sim, const char *handle, struct card **ret, struct error *err);
