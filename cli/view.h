/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node as a command sees it: its configuration, devices, what is offered of
 * them and who holds it.
 *
 * It is what the device plugin would make of the node at this moment.  Health is
 * that of one look, without the memory of earlier ones that the plugin has.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/kubelet/podresources.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "cli/settings.h"
#include "drivers/host.h"
#include "inventory/snapshot.h"
#include "inventory/unit.h"
#include "policy/node.h"
#include "policy/policy.h"

struct view {
	struct node_identity node;
	struct host host;
	struct policy *policy;
	struct snapshot *snapshot;
	struct offer offer;
	struct unit_set **sets;		 /* of each resource of the offer; after view_build() */
	struct error scan_error;	 /* a driver could not look; the rest is shown */
	const struct settings *settings; /* borrowed */
};
#define VIEW_INIT ((struct view) { .host.root_fd = -1 })
#define VIEW_NOTES_MAX ((size_t)64 * 1024) /* bytes: some twenty texts of errors, escaped */

/**
 * view_open() - Look at the node.
 * @view: VIEW_INIT; to be released with view_close(), on failure too
 * @settings: which node; borrowed
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  the configuration is refused
 *   -E2BIG   it makes too many resources
 *   -ENOMEM  no memory
 *   -errno   as open(2) leaves it
 */
int view_open(struct view *view, const struct settings *settings, struct error *err);

/**
 * view_build() - Make the units of all resources.
 * @view: opened view
 * @held: who holds what; NULL when it is not known
 * @err: set on failure
 *
 * As the plugin does it, units that overlap a held one are hidden.
 *
 * Return: 0, or
 *   -E2BIG   a resource has too many units
 *   -ENOMEM  no memory
 */
int view_build(struct view *view, const struct podresources *held, struct error *err);

/**
 * view_find_set() - The units of a resource.
 * @view: built view
 * @resource: its name
 *
 * Return: the set, borrowed, or NULL if the node offers no such resource.
 */
const struct unit_set *view_find_set(const struct view *view, const char *resource);

/**
 * view_print_notes() - Write what went wrong without being the end to standard error.
 * @view: opened view
 */
void view_print_notes(const struct view *view);

/**
 * view_close() - Release a view.
 * @view: view
 */
void view_close(struct view *view);
#define _cleanup_view_ _cleanup_(view_close)
