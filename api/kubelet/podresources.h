/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds which device: the answers of the kubelet's PodResources API as flat
 * tables that own their text.
 *
 * The kubelet lists a device once for each of its NUMA nodes; here it is one row.
 * Kubelets before 1.34 also list pods that have ended, and none lists plain init
 * containers.
 *
 * Source: k8s.io/kubelet pkg/apis/podresources/v1/api.proto; what is listed:
 * kubernetes/kubernetes pkg/kubelet/apis/podresources/server_v1.go and
 * pkg/kubelet/cm/container_manager.go; limits of names: Kubernetes, "Object Names
 * and IDs" and "Labels and Selectors"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strindex.h"

/* A client's default is 4 MiB; the 65,536 shares of a full node take 5. */
#define PODRESOURCES_MESSAGE_MAX (16U * 1024 * 1024)
/* While a message is read; the shares of a full node take 20 MiB. */
#define PODRESOURCES_MEMORY_MAX (64U * 1024 * 1024)
/* The shares of a full node, and as many devices of other plugins. */
#define PODRESOURCES_HOLDINGS_MAX (2U * 65536)

#define PODRESOURCES_NAMESPACE_MAX 63 /* bytes of a DNS label */
#define PODRESOURCES_POD_MAX 253      /* of a DNS subdomain */
#define PODRESOURCES_CONTAINER_MAX 63
#define PODRESOURCES_RESOURCE_MAX (253 + 1 + 63) /* of a qualified name */
/* Of any plugin's: the kubelet sets no limit, and IDs are UUIDs and addresses. */
#define PODRESOURCES_DEVICE_ID_MAX 1024

/*
 * A device that a container holds.  Namespace, pod, container and resource are
 * printable ASCII without spaces; an ID is whatever its plugin has made of it.
 */
struct podresources_holding {
	const char *pod_namespace; /* "" in the table of allocatable devices */
	const char *pod_name;	   /* the same */
	const char *container;	   /* the same */
	const char *resource;
	const char *device_id;
	const char *key; /* of the index */
};

struct podresources {
	struct podresources_holding *holdings; /* in the kubelet's order */
	size_t n;
	struct strindex index; /* of @holdings by resource and device ID */
	struct arena text;     /* of @holdings */
};

/* One device, listed for two containers. */
struct podresources_conflict {
	const struct podresources_holding *first; /* whom podresources_find() finds */
	const struct podresources_holding *other;
};

/**
 * podresources_decode_list() - Read a ListPodResourcesResponse.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: table of who holds what, to be released with podresources_done(); it may
 *	be moved
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG   it is no such message, or a name in it can be none
 *   -EMSGSIZE  it is longer than PODRESOURCES_MESSAGE_MAX
 *   -E2BIG     it has more devices, a longer device ID, or needs more memory than
 *              is allowed
 *   -ENOMEM    no memory
 */
int podresources_decode_list(const uint8_t *data, size_t len, struct podresources *ret,
			     struct error *err);

/**
 * podresources_decode_allocatable() - Read an AllocatableResourcesResponse.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: table of the healthy devices, held or not, to be released with
 *	podresources_done()
 * @err: set on failure
 *
 * Return: as podresources_decode_list().
 */
int podresources_decode_allocatable(const uint8_t *data, size_t len, struct podresources *ret,
				    struct error *err);

/**
 * podresources_find() - Find who holds a device.
 * @table: decoded or all-zero table
 * @resource: name of the resource
 * @device_id: ID of the device
 *
 * Return: the first holding of it, owned by @table, or NULL.
 */
const struct podresources_holding *podresources_find(const struct podresources *table,
						     const char *resource, const char *device_id);

/**
 * podresources_next_conflict() - Find a device that two containers hold.
 * @table: decoded or all-zero table
 * @at: where to go on, 0 at first; moved behind what was found
 * @ret: the device's holdings, owned by @table
 *
 * A device of n containers is found n - 1 times.  Two pods of the same name count
 * as one: kubelets that list ended pods list the pod that came after as well.
 *
 * Return: whether another one was found.
 */
bool podresources_next_conflict(const struct podresources *table, size_t *at,
				struct podresources_conflict *ret);

/**
 * podresources_done() - Release a table.
 * @table: decoded or all-zero table
 */
void podresources_done(struct podresources *table);
#define _cleanup_podresources_ _cleanup_(podresources_done)
