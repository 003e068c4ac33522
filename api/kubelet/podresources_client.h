/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the kubelet who holds which device: from an event loop, or waiting.
 *
 * Every call makes a connection of its own, so a kubelet that has restarted is
 * found at its new socket.  Nothing is tried again here: the caller decides when.
 *
 * What can go wrong, of either kind of call:
 *   -ENOENT        there is no socket: the kubelet is down, older than 1.20, or has
 *                  another directory
 *   -EACCES        the user may not connect, or the kubelet refuses the caller
 *   -ECONNREFUSED  nobody listens on the socket: the kubelet is down
 *   -ECONNRESET    the connection broke
 *   -EAGAIN        the kubelet limits the rate: 100 calls a second of all clients,
 *                  10 at once; wait before the next call
 *   -ENOSYS        the kubelet does not have the call
 *   -ETIMEDOUT     no answer in time
 *   -EMSGSIZE      the answer is longer than PODRESOURCES_MESSAGE_MAX
 *   -E2BIG         it has more in it than podresources_decode_list() allows
 *   -EBADMSG       it is malformed
 *   -ECANCELED     the rpc was freed meanwhile
 *   -ENAMETOOLONG  the socket's path does not fit a socket address
 *   -ENOMEM        no memory
 *   -EIO           the kubelet has failed the call in another way
 *   -errno         as connect(2) or eventfd(2) leaves it
 *
 * Source: kubernetes/kubernetes pkg/kubelet/apis/grpc/ratelimit.go and
 * pkg/kubelet/apis/podresources/constants.go; Kubernetes, "Device Plugins",
 * monitoring device plugin resources; connect(2), eventfd(2)
 */
#pragma once

#include <stdint.h>

#include "api/grpc/rpc.h"
#include "api/kubelet/podresources.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

/* The kubelet answers from memory; this is for a node that is starved. */
#define PODRESOURCES_TIMEOUT_MS 10000

struct podresources_client;

/**
 * typedef podresources_fn - Called with the outcome of a call.
 * @ctx: as given in the setup
 * @r: 0, or a negative errno of those above
 * @table: who holds what, all-zero on failure; released after the call unless it
 *	was moved away
 * @err: what went wrong on failure; borrowed
 *
 * Context: the loop's thread.  The client may be asked again or freed from here.
 */
typedef void (*podresources_fn)(void *ctx, int r, struct podresources *table,
				const struct error *err);

struct podresources_client_setup {
	struct rpc *rpc;
	struct loop *loop;
	const char *kubelet_dir; /* need not live on */
	uint32_t timeout_ms;	 /* of a call, see PODRESOURCES_TIMEOUT_MS */
	podresources_fn fn;
	void *ctx; /* passed to @fn */
};

/**
 * podresources_client_new() - Make a client for an event loop.
 * @setup: what it needs; the loop must outlive the client, and the rpc may be freed
 *	before it when nothing will be asked any more
 * @ret: the client, to be released with podresources_client_free()
 * @err: set on failure
 *
 * Return: 0, or -ENAMETOOLONG, or -ENOMEM.
 */
int podresources_client_new(const struct podresources_client_setup *setup,
			    struct podresources_client **ret, struct error *err);

/**
 * podresources_client_list() - Ask who holds which device.
 * @client: client
 * @err: set on failure
 *
 * On success the function of the setup is called once, unless the client is freed
 * before.
 *
 * Context: the loop's thread.
 * Return: 0, or -EBUSY while a call is in flight, or -ENAMETOOLONG, or -ENOMEM, or
 *   -errno as eventfd(2) or epoll_ctl(2) leaves it.
 */
int podresources_client_list(struct podresources_client *client, struct error *err);

/**
 * podresources_client_free() - Release a client; a call in flight is forgotten.
 * @client: client or NULL
 *
 * Context: the loop's thread.
 */
void podresources_client_free(struct podresources_client *client);
DEFINE_CLEANUP(struct podresources_client, podresources_client_free);

/**
 * podresources_list() - Ask who holds which device, and wait for the answer.
 * @rpc: runtime
 * @kubelet_dir: the kubelet's directory
 * @timeout_ms: how long to wait, see PODRESOURCES_TIMEOUT_MS
 * @ret: who holds what, to be released with podresources_done()
 * @err: set on failure
 *
 * Context: any thread but the one of the rpc.
 * Return: 0, or a negative errno of those above.
 */
int podresources_list(struct rpc *rpc, const char *kubelet_dir, uint32_t timeout_ms,
		      struct podresources *ret, struct error *err);

/**
 * podresources_allocatable() - Ask for the healthy devices, and wait for the answer.
 * @rpc: runtime
 * @kubelet_dir: the kubelet's directory
 * @timeout_ms: how long to wait, see PODRESOURCES_TIMEOUT_MS
 * @ret: the devices, held or not, to be released with podresources_done()
 * @err: set on failure
 *
 * Context: any thread but the one of the rpc.
 * Return: 0, or a negative errno of those above; kubelets before 1.23 do not have
 *   this call by default and fail it with -ENOSYS or -EIO.
 */
int podresources_allocatable(struct rpc *rpc, const char *kubelet_dir, uint32_t timeout_ms,
			     struct podresources *ret, struct error *err);
