/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a configuration file and a node's name to a policy.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "policy/policy.h"

/* What a command line says of it. */
struct policy_source {
	const char *config;	 /* file; NULL for the built-in defaults */
	const char *node_name;	 /* NULL takes the environment variable NODE_NAME */
	const char *node_labels; /* file, or NULL */
};

/**
 * typedef policy_warning_fn - Called for each thing that is worth a warning.
 * @ctx: as given to policy_warnings()
 * @text: one line; borrowed
 */
typedef void (*policy_warning_fn)(void *ctx, const char *text);

/**
 * policy_load() - Read a configuration and apply it to this node.
 * @source: where it is
 * @ret: the policy, to be released with policy_free()
 * @err: set on failure; names the file
 *
 * Return: 0, or as config_load(), node_identity_load() and policy_new().
 */
int policy_load(const struct policy_source *source, struct policy **ret, struct error *err);

/**
 * policy_warnings() - Tell what the log should say of a policy.
 * @policy: policy
 * @fn: called for each deprecated key, and each risk that a described driver takes
 * @ctx: passed to @fn
 */
void policy_warnings(const struct policy *policy, policy_warning_fn fn, void *ctx);

/**
 * policy_same_watch() - Whether two policies watch the devices in the same way.
 * @a: policy
 * @b: policy
 *
 * Return: true if drivers, health and intervals are equal.
 */
bool policy_same_watch(const struct policy *a, const struct policy *b);
