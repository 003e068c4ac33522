/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One resource name: its units as of the newest snapshot, and the endpoints that
 * offer them to the kubelet.
 *
 * Source: k8s.io/kubelet pkg/apis/deviceplugin/v1beta1, service DevicePlugin
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "device-plugin/endpoint.h"
#include "drivers/host.h"
#include "inventory/unit.h"

struct resource;

struct resource_setup {
	struct loop *loop;
	struct rpc *rpc;
	const struct host *host;       /* borrowed */
	const struct unit_rule *rules; /* all rules of the node; borrowed */
	size_t n_rules;
	size_t rule;		 /* number of this resource's rule */
	const char *classic_dir; /* directory for classic registration, or NULL */
	const char *watcher_dir; /* directory for the plugin watcher, or NULL */
	/* Asks for a rescan: a request has met a device that is not as listed.
	 * Context: gRPC's thread. */
	void (*suspect)(void *ctx);
	void *ctx;
};

/**
 * resource_new() - Make a resource without units.
 * @setup: copied
 * @ret: the resource, to be released with resource_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int resource_new(const struct resource_setup *setup, struct resource **ret, struct error *err);

/**
 * resource_stop() - End the resource's streams and sockets.
 * @resource: resource; only resource_free() may follow
 */
void resource_stop(struct resource *resource);

/**
 * resource_free() - Release a resource.
 * @resource: stopped resource or NULL; the rpc must have been freed
 */
void resource_free(struct resource *resource);
DEFINE_CLEANUP(struct resource, resource_free);

/**
 * resource_update() - Take over a new snapshot of the node.
 * @resource: resource
 * @snapshot: snapshot; a reference is taken
 *
 * The kubelet is told if what it sees has changed.  A list that would not fit a
 * message for the kubelet is refused, and the one of before stays.
 *
 * Context: the loop's thread.
 */
void resource_update(struct resource *resource, struct snapshot *snapshot);

/**
 * resource_check() - Look whether the sockets are still what they were.
 * @resource: resource
 *
 * A resource that has never had a unit is not offered and does nothing.
 */
void resource_check(struct resource *resource);

/**
 * resource_dir_event() - Take note of a change in a directory of sockets.
 * @resource: resource
 * @path: which way to the kubelet the directory belongs to
 * @name: name of the entry that changed
 * @mask: inotify event bits
 */
void resource_dir_event(struct resource *resource, enum lifecycle_path path, const char *name,
			uint32_t mask);

/**
 * resource_units() - The current units.
 * @resource: resource
 *
 * Context: any thread.
 * Return: a new reference, to be given back with unit_set_unref(); NULL before
 *   the first resource_update().
 */
struct unit_set *resource_units(struct resource *resource);
