/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shall be on the Node object: everything of it that is Silica's.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "drivers/host.h"
#include "inventory/snapshot.h"
#include "node-labeller/label_set.h"
#include "policy/policy.h"

#define PICTURE_MESSAGE_MAX 1024 /* bytes with the NUL of a condition's message */

struct picture {
	struct label_set labels;
	struct label_set annotations;
	const char **resources; /* that have devices on this node; in @arena */
	size_t n_resources;
	bool remove_startup_taints;
	bool exclusive_taints;
	bool condition;			   /* is to be kept; else none is */
	size_t n_devices;		   /* listed, gone ones among them */
	size_t n_unhealthy;		   /* of them */
	char message[PICTURE_MESSAGE_MAX]; /* of the condition */
	struct arena arena;
};

/**
 * picture_make() - Say what shall be on the node.
 * @policy: configuration applied to the node
 * @snapshot: its devices
 * @host: where the names of the machine are read
 * @ret: the picture, to be released with picture_done()
 * @err: set on failure
 *
 * Return: 0, or as policy_offer() and labels_make().
 */
int picture_make(const struct policy *policy, struct snapshot *snapshot, const struct host *host,
		 struct picture *ret, struct error *err);

/**
 * picture_empty() - The picture of a node on which nothing is Silica's.
 * @ret: the picture, to be released with picture_done()
 */
void picture_empty(struct picture *ret);

/**
 * picture_move() - Put a picture in the place of another.
 * @to: picture; released before
 * @from: picture; empty afterwards
 */
void picture_move(struct picture *to, struct picture *from);

/**
 * picture_done() - Release a picture.
 * @picture: picture, or all-zero
 */
void picture_done(struct picture *picture);
#define _cleanup_picture_ _cleanup_(picture_done)
