/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The taints that Silica removes from its node and keeps on it.  No I/O.
 *
 * A start-up taint "<domain>/not-ready" is put on by whoever makes the node, so that no
 * pod lands before the devices are there.  It goes once every resource of that domain
 * that has devices is in the node's capacity; where none has, it stays.
 *
 * An exclusive taint "<resource>=exclusive:NoSchedule" keeps pods away that do not ask
 * for the resource.  Which of them are Silica's is written into an annotation before they
 * are set, so none that an administrator has set is ever removed.
 *
 * Source: Kubernetes documentation, Concepts, Taints and Tolerations; start-up taints are
 * those of Karpenter and Cluster API
 */
#pragma once

#include <stddef.h>

#include "api/kubernetes/kube_node.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "node-labeller/picture.h"

#define TAINTS_STARTUP_NAME "not-ready"
#define TAINTS_EXCLUSIVE_VALUE "exclusive"
#define TAINTS_EXCLUSIVE_EFFECT "NoSchedule"
#define TAINTS_ANNOTATION "silica.dev/exclusive-taints" /* keys with ',' between them */

/**
 * taints_plan() - Say what the taints of a node shall be.
 * @node: node as read
 * @picture: what shall be on it
 * @ret: array of KUBE_TAINTS_MAX entries, borrowed from both
 * @ret_n: number of taints
 * @err: set on failure
 *
 * Return: 1 if they differ from those of the node, 0 if not, or
 *   -EFBIG    there would be more than KUBE_TAINTS_MAX
 *   -EBADMSG  as kube_node_taints()
 */
int taints_plan(const struct json_t *node, const struct picture *picture, struct kube_taint *ret,
		size_t *ret_n, struct error *err);

/**
 * taints_annotation() - Say which exclusive taints of a node are Silica's.
 * @node: node as read
 * @picture: what shall be on it
 * @ret: appended to: the value of the annotation; nothing where it shall not be there
 *
 * They are those that shall be there, and those of the annotation as it is that still are.
 */
void taints_annotation(const struct json_t *node, const struct picture *picture,
		       struct strbuf *ret);
