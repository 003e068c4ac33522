/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote procedure calls over unix sockets: the narrow face of gRPC.
 *
 * Nothing outside this folder includes gRPC.  Messages cross as bytes; what they
 * mean is known to api/kubelet.
 *
 * A `struct rpc` is one completion queue with one thread.  That thread runs
 * every handler and callback of every server and call made with it, one at a
 * time; they must not block for long.
 *
 * Source: grpc/grpc.h of gRPC C-core 1.51; status codes of
 * grpc/grpc:doc/statuscodes.md
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Bounds what is received: GetPreferredAllocation for 60,000 units is 3 MiB, and
 * PodResources says some 80 bytes of each of 65,536 shares, 5 MiB. */
#define RPC_MESSAGE_MAX (16 * 1024 * 1024)
/* How long a stopping server waits for its calls before it cancels them. */
#define RPC_STOP_GRACE_MS 1000

struct rpc;

enum rpc_status {
	RPC_STATUS_OK = 0,
	RPC_STATUS_CANCELLED = 1,
	RPC_STATUS_UNKNOWN = 2,
	RPC_STATUS_INVALID_ARGUMENT = 3,
	RPC_STATUS_DEADLINE_EXCEEDED = 4,
	RPC_STATUS_NOT_FOUND = 5,
	RPC_STATUS_PERMISSION_DENIED = 7,
	RPC_STATUS_RESOURCE_EXHAUSTED = 8,
	RPC_STATUS_FAILED_PRECONDITION = 9,
	RPC_STATUS_UNIMPLEMENTED = 12,
	RPC_STATUS_INTERNAL = 13,
	RPC_STATUS_UNAVAILABLE = 14,
};

/* A message that somebody owns; released with free(). */
struct rpc_message {
	uint8_t *data;
	size_t len; /* bytes */
};

/**
 * rpc_new() - Start the thread that serves calls.
 * @ret: the runtime, to be released with rpc_free()
 * @err: set on failure
 *
 * Context: once per process, after signals are blocked, which the thread
 *   inherits.  A process must not fork without exec afterwards.
 * Return: 0, or -ENOMEM, or -EAGAIN when no thread can be made.
 */
int rpc_new(struct rpc **ret, struct error *err);

/**
 * rpc_free() - Cancel pending calls, wait for stopping servers, stop the thread.
 * @rpc: runtime or NULL; every server must have been given to rpc_server_stop()
 *
 * Takes little more than RPC_STOP_GRACE_MS at most.
 */
void rpc_free(struct rpc *rpc);
DEFINE_CLEANUP(struct rpc, rpc_free);

/**
 * rpc_message_done() - Release a message.
 * @message: message, all-zero when empty
 */
void rpc_message_done(struct rpc_message *message);
#define _cleanup_rpc_message_ _cleanup_(rpc_message_done)

/**
 * rpc_status_from_errno() - The status that tells a client of a failure.
 * @r: negative errno, or 0
 *
 * Return: -EINVAL is INVALID_ARGUMENT, -ENOENT and -ENODEV are NOT_FOUND,
 *   -E2BIG and -ENOMEM are RESOURCE_EXHAUSTED, -EIO and -EAGAIN are
 *   UNAVAILABLE, -ENOSYS is UNIMPLEMENTED, any other failure is INTERNAL.
 */
enum rpc_status rpc_status_from_errno(int r);

/**
 * rpc_status_name() - The name of a status, for logs.
 * @status: any number a peer has sent
 *
 * Return: as in "UNAVAILABLE", or "UNKNOWN" for other numbers; static.
 */
const char *rpc_status_name(int status);
