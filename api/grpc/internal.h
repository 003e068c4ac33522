/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share.
 *
 * Source: grpc/grpc.h of gRPC C-core 1.51
 */
#pragma once

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdbool.h>

#include "api/grpc/rpc.h"

#define RPC_TARGET_MAX 128 /* bytes with the NUL: "unix:" and a socket address */

/* What waits in the completion queue.  It is embedded in the object that waits. */
struct rpc_tag {
	void (*complete)(struct rpc_tag *tag, bool ok);
};

/* The object that @tag is the member of. */
#define TAG_OWNER(tag, type, member) ((type *)(void *)((char *)(tag)-offsetof(type, member)))

struct rpc {
	grpc_completion_queue *queue;
	pthread_t thread;
	pthread_mutex_t lock;	     /* guards all state of servers, calls and streams */
	pthread_cond_t idle;	     /* signalled when n_active becomes 0 */
	unsigned int n_active;	     /* servers and client calls that have not ended */
	struct client_call *calls;   /* list of client calls that have not ended */
	struct rpc_server *stopping; /* list of servers that wait for their calls */
};

/**
 * rpc_lock() - Take the lock of a runtime.
 * @rpc: runtime
 */
static inline void rpc_lock(struct rpc *rpc)
{
	(void)pthread_mutex_lock(&rpc->lock);
}

/**
 * rpc_unlock() - Release the lock of a runtime.
 * @rpc: runtime
 */
static inline void rpc_unlock(struct rpc *rpc)
{
	(void)pthread_mutex_unlock(&rpc->lock);
}

/**
 * rpc_int_arg() - Make an argument of a channel or server.
 * @key: one of the GRPC_ARG_ names; borrowed
 * @value: its value
 *
 * Return: the argument.
 */
static inline grpc_arg rpc_int_arg(const char *key, int value)
{
	return (grpc_arg) { .type = GRPC_ARG_INTEGER,
			    .key = (char *)(uintptr_t)key,
			    .value = { .integer = value } };
}

/**
 * rpc_activate() - Count a server or call that rpc_free() must wait for.
 * @rpc: runtime, locked
 */
void rpc_activate(struct rpc *rpc);

/**
 * rpc_deactivate() - Count it out again.
 * @rpc: runtime, locked
 */
void rpc_deactivate(struct rpc *rpc);

/**
 * rpc_target() - The gRPC target of a unix socket.
 * @path: path of the socket
 * @buf: buffer of @size bytes for the target
 * @size: size of @buf
 * @err: set on failure
 *
 * Return: 0, or -ENAMETOOLONG when @path does not fit a socket address.
 */
int rpc_target(const char *path, char *buf, size_t size, struct error *err);

/**
 * rpc_slice_from_message() - Turn a message into a slice without a copy.
 * @message: its bytes are taken over; left empty
 *
 * Return: the slice, owned by the caller.
 */
grpc_slice rpc_slice_from_message(struct rpc_message *message);

/**
 * rpc_slice_text() - The text of a slice, NUL-terminated.
 * @slice: slice; borrowed
 * @buf: buffer of @size bytes; longer texts are cut
 * @size: size of @buf, at least 1
 */
void rpc_slice_text(grpc_slice slice, char *buf, size_t size);

/**
 * rpc_calls_cancel() - Cancel every client call that has not ended.
 * @rpc: runtime, locked
 */
void rpc_calls_cancel(struct rpc *rpc);

/**
 * rpc_servers_expire() - Cancel what keeps stopping servers beyond their grace.
 * @rpc: runtime, locked
 *
 * Return: when to look again, in the clock of gpr_inf_future() if never.
 */
gpr_timespec rpc_servers_expire(struct rpc *rpc);
