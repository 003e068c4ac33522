/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resources of the node by name.  A new offer changes what has changed: a
 * resource that stays keeps its sockets, its registration and its streams.
 *
 * Source: Kubernetes pkg/kubelet/cm/devicemanager: a stream that ends takes the
 * resource's devices from the node, so a resource that goes says so first
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "device-plugin/resource.h"
#include "policy/policy.h"

struct catalog;

/**
 * catalog_new() - Make a catalog without resources.
 * @setup: what each resource is made with; copied
 *
 * Return: the catalog, to be released with catalog_free(), or NULL without memory.
 */
struct catalog *catalog_new(const struct resource_setup *setup);

/**
 * catalog_apply() - Bring the resources in line with an offer.
 * @catalog: catalog
 * @offer: what the node offers
 * @plan: devices of the node, and who holds what; its rules are the offer's
 *
 * What cannot be made for lack of memory is logged, and made by a later call.
 *
 * Context: the loop's thread.
 */
void catalog_apply(struct catalog *catalog, const struct offer *offer,
		   const struct unit_plan *plan);

/**
 * catalog_is_made() - Whether there has been an offer.
 * @catalog: catalog
 *
 * Return: true after the first catalog_apply().
 */
bool catalog_is_made(const struct catalog *catalog);

/**
 * catalog_hides() - Whether claims hide units.
 * @catalog: catalog
 *
 * Return: true if a unit that is offered overlaps one that somebody holds.
 */
bool catalog_hides(const struct catalog *catalog);

/**
 * catalog_check() - Look after sockets, and release resources that have gone.
 * @catalog: catalog
 *
 * For the start, and from time to time.
 */
void catalog_check(struct catalog *catalog);

/**
 * catalog_dir_event() - Take note of a change in a directory of sockets.
 * @catalog: catalog
 * @path: which way to the kubelet the directory belongs to
 * @name: name of the entry that changed
 * @mask: inotify event bits
 */
void catalog_dir_event(struct catalog *catalog, enum lifecycle_path path, const char *name,
		       uint32_t mask);

/**
 * catalog_count() - How many resources there are.
 * @catalog: catalog
 *
 * Return: number of resources, without those that are going.
 */
size_t catalog_count(const struct catalog *catalog);

/**
 * catalog_get() - One of the resources.
 * @catalog: catalog
 * @i: number below catalog_count()
 *
 * Return: the resource; borrowed until the catalog is changed.
 */
struct resource *catalog_get(const struct catalog *catalog, size_t i);

/**
 * catalog_stop() - Stop all resources.
 * @catalog: catalog; only catalog_free() may follow, once the rpc was freed
 */
void catalog_stop(struct catalog *catalog);

/**
 * catalog_free() - Release a catalog.
 * @catalog: stopped catalog or NULL; the rpc must have been freed
 */
void catalog_free(struct catalog *catalog);
DEFINE_CLEANUP(struct catalog, catalog_free);
