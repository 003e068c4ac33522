/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Lease: which of several replicas may do what only one may.  No I/O.
 *
 * Source: kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1
 */
#pragma once

#include <stdint.h>

#include "api/kubernetes/kube_object.h"
#include "base/error.h"

#define KUBE_LEASE_HOLDER_SIZE 256 /* bytes with the NUL: a host name and a random number */

struct kube_lease {
	char holder[KUBE_LEASE_HOLDER_SIZE]; /* "" when nobody holds it */
	uint32_t duration_s;		     /* for how long, from the moment it was renewed */
	int64_t acquired_us;		     /* microseconds since 1970; 0 when it does not say */
	int64_t renewed_us;
	uint32_t transitions; /* how often it went from one holder to another */
};

/**
 * kube_lease_read() - Read the spec of a lease.
 * @object: lease
 * @ret: what it says; what is missing is "" or 0
 * @err: set on failure
 *
 * Return: 0, or -EBADMSG when the holder's name is too long, or a number is out of range.
 */
int kube_lease_read(const struct json_t *object, struct kube_lease *ret, struct error *err);

/**
 * kube_lease_create() - The body that makes a lease.
 * @namespace_: its namespace
 * @name: its name
 * @lease: its spec
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent with POST to kube_path_lease() without a name.
 *
 * Return: 0, or
 *   -EINVAL  a text is not UTF-8, or a time is out of range
 *   -ENOMEM  no memory
 */
int kube_lease_create(const char *namespace_, const char *name, const struct kube_lease *lease,
		      char **ret, struct error *err);

/**
 * kube_lease_update() - The body that replaces a lease that was read.
 * @object: lease as read; the server refuses with 409 if it is another one by now
 * @lease: its new spec; whatever else @object has stays
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent with PUT to kube_path_lease() with its name.
 *
 * Return: 0, or
 *   -EINVAL   a text is not UTF-8, or a time is out of range
 *   -EBADMSG  @object has no resource version
 *   -ENOMEM   no memory
 */
int kube_lease_update(const struct json_t *object, const struct kube_lease *lease, char **ret,
		      struct error *err);
