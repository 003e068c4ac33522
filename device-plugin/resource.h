/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One resource name: its units as of the newest snapshot, and the endpoints that
 * offer them to the kubelet.
 *
 * Source: k8s.io/kubelet pkg/apis/deviceplugin/v1beta1, service DevicePlugin
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "device-plugin/claims.h"
#include "device-plugin/endpoint.h"
#include "device-plugin/telemetry.h"
#include "drivers/host.h"
#include "inventory/unit.h"
#include "policy/terms.h"

struct resource;

struct resource_setup {
	struct loop *loop;
	struct rpc *rpc;
	const struct host *host;     /* borrowed */
	struct claims *claims;	     /* of the node; borrowed */
	struct telemetry *telemetry; /* borrowed; NULL counts nothing */
	const char *classic_dir;     /* directory for classic registration, or NULL */
	const char *watcher_dir;     /* directory for the plugin watcher, or NULL */
	/* Asks for a rescan: a request has met a device that is not as listed.
	 * Context: gRPC's thread. */
	void (*suspect)(void *ctx);
	void *ctx;
};

/**
 * resource_new() - Make a resource without units.
 * @setup: copied
 * @name: name of the resource; copied
 * @ret: the resource, to be released with resource_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int resource_new(const struct resource_setup *setup, const char *name, struct resource **ret,
		 struct error *err);

/**
 * resource_stop() - End the streams with a status and unlink the sockets.
 * @resource: resource; only resource_is_idle() and resource_free() may follow
 */
void resource_stop(struct resource *resource);

/**
 * resource_is_idle() - Whether nothing refers to a stopped resource any more.
 * @resource: stopped resource
 *
 * Return: true once it can be freed while the rpc goes on.
 */
bool resource_is_idle(struct resource *resource);

/**
 * resource_free() - Release a resource.
 * @resource: stopped resource or NULL; it must be idle, or the rpc have been freed
 */
void resource_free(struct resource *resource);
DEFINE_CLEANUP(struct resource, resource_free);

/**
 * resource_name() - The name of a resource.
 * @resource: resource
 *
 * Return: its name; borrowed.
 */
const char *resource_name(const struct resource *resource);

/**
 * resource_update() - Take over a new picture of the node.
 * @resource: resource
 * @plan: node, rules and claims
 * @rule: number of the resource's rule in the plan
 * @terms: how its units are handed out; copied
 *
 * The kubelet is told if what it sees has changed.  A list that would not fit a
 * message for the kubelet is refused, and the one of before stays.
 *
 * Context: the loop's thread.
 */
void resource_update(struct resource *resource, const struct unit_plan *plan, size_t rule,
		     const struct terms *terms);

/**
 * resource_withdraw() - Offer nothing any more.
 * @resource: resource
 *
 * The kubelet is told of an empty list, so that the node shows none at once.
 *
 * Context: the loop's thread.
 */
void resource_withdraw(struct resource *resource);

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
 *	the first resource_update().
 */
struct unit_set *resource_units(struct resource *resource);

/**
 * resource_terms() - How the units are handed out now.
 * @resource: resource
 *
 * Context: any thread.
 * Return: a copy.
 */
struct terms resource_terms(struct resource *resource);

/**
 * resource_endpoint() - One of the ways to the kubelet.
 * @resource: resource
 * @path: which one
 *
 * Return: the endpoint, borrowed; NULL if that way is not used, or nothing is
 *   offered yet.
 */
const struct endpoint *resource_endpoint(const struct resource *resource, enum lifecycle_path path);
