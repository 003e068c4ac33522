/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Node: reading it, and the bodies of the requests that change it.  No I/O.
 *
 * Labels, annotations and conditions are applied: the server remembers what is ours,
 * leaves alone what is not, and removes what we apply no longer.  For a server that
 * answers 415 there is a merge patch.  The list of taints has no owners by key (it is
 * atomic), so a JSON Patch replaces it if it still is what was read.
 *
 * Source: kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1;
 *	kubernetes.io/docs/reference/using-api/server-side-apply; RFC 6902, RFC 7396
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/kubernetes/kube_object.h"
#include "base/error.h"

#define KUBE_TAINTS_MAX 256 /* entries; a node has a handful */

struct kube_taint {
	const char *key;
	const char *value;	/* NULL or "" for none */
	const char *effect;	/* NoSchedule, PreferNoSchedule or NoExecute */
	const char *time_added; /* as the server wrote it, or NULL */
};

struct kube_condition {
	const char *type;
	const char *status; /* "True", "False" or "Unknown" */
	const char *reason; /* one word in CamelCase */
	const char *message;
	int64_t heartbeat_s;  /* seconds since 1970; 0 when there is none */
	int64_t transition_s; /* when @status changed last; 0 when there is none */
};

/**
 * kube_node_taints() - Read the taints of a node.
 * @node: node
 * @ret: array of KUBE_TAINTS_MAX entries, borrowed from @node
 * @ret_n: number of taints
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  a taint without key or effect
 *   -EFBIG    more than KUBE_TAINTS_MAX
 */
int kube_node_taints(const struct json_t *node, struct kube_taint *ret, size_t *ret_n,
		     struct error *err);

/**
 * kube_node_condition() - Read a condition of a node.
 * @node: node
 * @type: its type
 * @ret: the condition, borrowed from @node
 *
 * Return: 0, or -ENOENT when the node has none of this type.
 */
int kube_node_condition(const struct json_t *node, const char *type, struct kube_condition *ret);

/**
 * kube_node_capacity() - How much of a resource a node has, used or not.
 * @node: node
 * @resource: name of the resource
 *
 * Return: a quantity as text, borrowed from @node; or NULL.
 */
const char *kube_node_capacity(const struct json_t *node, const char *resource);

/**
 * kube_node_apply_maps() - The body that applies labels and annotations.
 * @name: name of the node
 * @labels: all labels that shall be ours
 * @annotations: all annotations that shall be ours
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent as KUBE_APPLY_PATCH to kube_path_apply().
 *
 * Return: 0, or
 *   -EINVAL  a text is not UTF-8, or a value is NULL
 *   -ENOMEM  no memory
 */
int kube_node_apply_maps(const char *name, struct kube_pairs labels, struct kube_pairs annotations,
			 char **ret, struct error *err);

/**
 * kube_node_merge_maps() - The body that changes labels and annotations where nothing is applied.
 * @labels: labels to set, and with the value NULL to remove
 * @annotations: annotations, likewise
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent as KUBE_MERGE_PATCH to kube_path_node().
 *
 * Return: 0, or
 *   -EINVAL  a text is not UTF-8
 *   -ENOMEM  no memory
 */
int kube_node_merge_maps(struct kube_pairs labels, struct kube_pairs annotations, char **ret,
			 struct error *err);

/**
 * kube_node_patch_taints() - The body that replaces the taints that were read by others.
 * @node: node as read: the server refuses with 422 if its taints are others by now, or,
 *	when it had none, if anything of it has changed
 * @taints: the new list
 * @n: number of taints, at most KUBE_TAINTS_MAX
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent as KUBE_JSON_PATCH to kube_path_node().  What @taints has in common with
 * those of @node should have their time_added.
 *
 * Return: 0, or
 *   -EINVAL   a text is not UTF-8, or a taint has no key or effect
 *   -EBADMSG  @node has no resource version
 *   -EFBIG    more than KUBE_TAINTS_MAX
 *   -ENOMEM   no memory
 */
int kube_node_patch_taints(const struct json_t *node, const struct kube_taint *taints, size_t n,
			   char **ret, struct error *err);

/**
 * kube_node_apply_condition() - The body that applies a condition.
 * @name: name of the node
 * @condition: the condition; NULL applies none, which removes ours
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent as KUBE_APPLY_PATCH to kube_path_apply() with the subresource "status",
 * or, unless it is NULL, to a server without as KUBE_STRATEGIC_PATCH to kube_path_node().
 *
 * Return: 0, or
 *   -EINVAL  a text is not UTF-8, NULL, or a time is out of range
 *   -ENOMEM  no memory
 */
int kube_node_apply_condition(const char *name, const struct kube_condition *condition, char **ret,
			      struct error *err);
