/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting objects anew that are damaged or missing: from where the upstream of their
 * repository has them; and what this site has made itself by making it again.
 *
 * Source: reservoir/store/scrub.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/command/settings.h"
#include "reservoir/store/scrub.h"

#define REPAIR_ITEMS_MAX ((size_t)200000) /* some 30 MB; the rest is for another run */

struct repair_item {
	struct digest digest;
	uint64_t size; /* 0 if it is not known */
	char *repository;
	char *path; /* NULL of a manifest */
	char *url;  /* where it can be fetched; NULL for nowhere */
	bool asked, done;
	char *why; /* it was not had; NULL otherwise */
};

struct repair_list {
	struct repair_item *items;
	size_t n;
	size_t cap;
};

/**
 * repair_add() - Note what is to be had anew.
 * @list: all-zero at first
 * @finding: something missing that has a repository
 * @err: set on failure
 *
 * Return: 0, -ENOMEM or -E2BIG.
 */
int repair_add(struct repair_list *list, const struct scrub_finding *finding, struct error *err);

/**
 * repair_done() - Release a list.
 * @list: list
 */
void repair_done(struct repair_list *list);
#define _cleanup_repair_list_ _cleanup_(repair_done)

/**
 * repair_all() - Get all that can be had.
 * @settings: command line: the store and the configuration
 * @list: what is to be had; sorted, and each marked done or told why not
 * @ret_done: how many objects were had
 * @err: set on failure
 *
 * Return: 0, also when some could not be had; or
 *   -EBUSY  somebody else writes
 *   negative errno
 */
int repair_all(const struct settings *settings, struct repair_list *list, uint64_t *ret_done,
	       struct error *err);
