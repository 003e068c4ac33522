/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition AcceleratorsHealthy of a Node.  No I/O.
 *
 * Source: Kubernetes API conventions, "Typical status properties"; the condition is
 * Silica's own, in the polarity of Ready: True is good
 */
#pragma once

#include <stdint.h>

#include "api/kubernetes/kube_node.h"
#include "node-labeller/picture.h"

#define CONDITION_TYPE "AcceleratorsHealthy"

enum condition_change {
	CONDITION_SAME,
	CONDITION_WRITE,
	CONDITION_REMOVE,
};

/**
 * condition_plan() - Say what the condition of a node shall be.
 * @node: node as read
 * @picture: what shall be on it
 * @now_s: time in seconds since 1970
 * @ret: the condition, borrowed from @picture; when it is to be written
 *
 * Return: what is to be done about it.
 */
enum condition_change condition_plan(const struct json_t *node, const struct picture *picture,
				     int64_t now_s, struct kube_condition *ret);
