/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration means for this node: which drivers look for devices, and
 * how the devices that are found become resources.
 *
 *	config ---policy_new()---> policy ---policy_offer(snapshot)---> offer
 *
 * Names with placeholders become as many resources as the node has kinds of
 * devices, so an offer is made anew for every snapshot.
 *
 * Source: names by MIG profile and by partition type are those of the plugins of
 * NVIDIA ("mixed") and AMD; nodes by name those of Furiosa's configuration
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/config/config.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/driver.h"
#include "inventory/inventory.h"
#include "inventory/unit.h"
#include "policy/terms.h"

#define POLICY_LABELS_MAX 1024	 /* of a node; what etcd takes ends it earlier */
#define POLICY_RESOURCES_MAX 256 /* of a node: each has a socket, and 64 can be configured */

struct policy;

struct policy_label {
	const char *key;
	const char *value;
};

/* The node that the configuration is applied to. */
struct policy_node {
	const char *name; /* "" when not known */
	const struct policy_label *labels;
	size_t n_labels;
};

/* A resource that the node offers, or would if it had devices for it. */
struct offer_resource {
	const char *name;
	size_t rule; /* number of its rule */
	struct terms terms;
};

/* All of it lies in @arena, but what the policy owns. */
struct offer {
	struct unit_rule *rules; /* in order of precedence */
	size_t n_rules;
	struct offer_resource *resources;
	size_t n_resources;
	bool overlap;	       /* units of several resources may overlap */
	const char **problems; /* for the log: names that could not be made */
	size_t n_problems;
	struct arena arena;
};

/**
 * policy_new() - Apply a configuration to a node.
 * @config: taken over; all-zero afterwards, on failure too
 * @node: node; borrowed during the call
 * @ret: the policy, to be released with policy_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a driver is named that there is not, or that is off; or a description
 *            of cards is refused
 *   -EEXIST, -ENOENT, -E2BIG  the same, as declared_from_config()
 *   -ENOMEM  no memory
 */
int policy_new(struct config *config, const struct policy_node *node, struct policy **ret,
	       struct error *err);

/**
 * policy_free() - Release a policy.
 * @policy: policy or NULL; its offers and whoever uses its drivers must be gone,
 *	but not their devices
 */
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy, policy_free);

/**
 * policy_config() - The configuration of a policy.
 * @policy: policy
 *
 * Return: the configuration; borrowed.
 */
const struct config *policy_config(const struct policy *policy);

/**
 * policy_drivers() - The drivers that look for devices.
 * @policy: policy
 * @ret_n: number of drivers
 *
 * Return: array of @ret_n drivers; borrowed.
 */
const struct driver *const *policy_drivers(const struct policy *policy, size_t *ret_n);

/**
 * policy_inventory() - How the inventory is to watch the devices.
 * @policy: policy
 *
 * Return: limits of health and of memory for what is gone.
 */
struct inventory_policy policy_inventory(const struct policy *policy);

/**
 * policy_offer() - Make the resources of a node.
 * @policy: policy; must outlive the offer
 * @snapshot: devices of the node, by which placeholders are filled
 * @ret: the offer, to be released with offer_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -E2BIG   more than POLICY_RESOURCES_MAX resources
 *   -ENOMEM  no memory
 */
int policy_offer(const struct policy *policy, const struct snapshot *snapshot, struct offer *ret,
		 struct error *err);

/**
 * offer_done() - Release an offer.
 * @offer: offer, or all-zero
 */
void offer_done(struct offer *offer);
#define _cleanup_offer_ _cleanup_(offer_done)
