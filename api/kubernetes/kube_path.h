/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of requests.  Names are checked, and nothing is pasted raw.  No I/O.
 *
 * Source: kubernetes.io/docs/concepts/overview/working-with-objects/names;
 *	kubernetes.io/docs/reference/using-api/server-side-apply; RFC 3986 section 2
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

#define KUBE_PATH_MAX 2048   /* bytes: two names of 253 bytes and a manager of 128, encoded */
#define KUBE_MANAGER_MAX 128 /* bytes of a field manager, by the server's rule */

/**
 * kube_name_check() - Whether a text can be the name of a node, as DNS-1123 subdomain.
 * @what: what it names, for the error
 * @name: text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL if it can not.
 */
int kube_name_check(const char *what, const char *name, struct error *err);

/**
 * kube_path_node() - The path of a node.
 * @name: its name
 * @subresource: "status", or NULL for the node itself
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a name is none
 *   -ENOMEM  no memory
 */
int kube_path_node(const char *name, const char *subresource, struct strbuf *ret,
		   struct error *err);

/**
 * kube_path_apply() - The path that applies to a node.
 * @name: its name
 * @subresource: "status", or NULL for the node itself
 * @manager: field manager
 * @force: take over what others have applied
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a name or @manager is none
 *   -ENOMEM  no memory
 */
int kube_path_apply(const char *name, const char *subresource, const char *manager, bool force,
		    struct strbuf *ret, struct error *err);

/**
 * kube_path_one_node() - The collection of nodes cut down to one, to list or watch it.
 * @name: its name
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  the name is none
 *   -ENOMEM  no memory
 */
int kube_path_one_node(const char *name, struct strbuf *ret, struct error *err);

/**
 * kube_path_nodes() - All nodes, a part of the list at a time.
 * @limit: how many of them
 * @next: kube_list_continue() of the part before, or NULL for the first
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int kube_path_nodes(unsigned int limit, const char *next, struct strbuf *ret, struct error *err);

/**
 * kube_path_event() - The path of an event, or of all events of a namespace.
 * @namespace_: namespace
 * @name: name of the event, or NULL
 * @manager: field manager of a patch or a create, or NULL
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a name or @manager is none
 *   -ENOMEM  no memory
 */
int kube_path_event(const char *namespace_, const char *name, const char *manager,
		    struct strbuf *ret, struct error *err);

/**
 * kube_path_lease() - The path of a lease, or of all leases of a namespace.
 * @namespace_: namespace
 * @name: name of the lease, or NULL
 * @ret: initialised with KUBE_PATH_MAX; replaced
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a name is none
 *   -ENOMEM  no memory
 */
int kube_path_lease(const char *namespace_, const char *name, struct strbuf *ret,
		    struct error *err);
