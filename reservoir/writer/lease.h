/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes part in an election by a Lease of the API server, from a program's event loop.
 *
 * Source: reservoir/writer/election.h, kubernetes.io/docs/concepts/architecture/leases
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/kubernetes/kube_client.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

#define LEASE_DURATION_S 15U	  /* as components of Kubernetes have it */
#define LEASE_DURATION_MIN_S 3U	  /* a renewal is tried several times within it */
#define LEASE_DURATION_MAX_S 600U /* nobody writes for so long after a machine is lost */

struct lease;

struct lease_setup {
	struct loop *loop;
	struct kube_client *client; /* must outlive the lease */
	const char *namespace_;	    /* strings must, too */
	const char *name;
	const char *identity; /* that no other replica has */
	uint32_t duration_s;

	/* Whether this replica leads, when that changes.  When it ends, writing must have
	 * ended before the function returns, or within a quarter of the duration. */
	void (*changed)(void *ctx, bool leading);
	/* What keeps the lease from being read or written, once until it changes. */
	void (*problem)(void *ctx, const char *text);
	void *ctx;
};

/**
 * lease_new() - Begin to take part.
 * @setup: what to do; copied
 * @ret: the lease, to be released with lease_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  namespace or name are none, or the identity is too long
 *   -ENOMEM  no memory
 *   -errno   as loop_add_timer() leaves it
 */
int lease_new(const struct lease_setup *setup, struct lease **ret, struct error *err);

/**
 * lease_free() - Take part no longer; the lease is held until it runs out.
 * @lease: lease or NULL
 */
void lease_free(struct lease *lease);
DEFINE_CLEANUP(struct lease, lease_free);

/**
 * lease_release() - Give the lease back, and take part no longer.
 * @lease: lease; @setup.changed is not called any more
 * @done: called once from the loop when the server knows, or is away
 *
 * Call it when nothing writes any more.
 */
void lease_release(struct lease *lease, void (*done)(void *ctx));
