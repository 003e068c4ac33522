/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC server on one unix socket.
 *
 * Unary methods are functions from bytes to bytes.  The one kind of stream is a
 * published value: every stream gets the newest message when it opens and again
 * when it changes.  Each stream has one send in flight; a reader that is slow
 * skips what was superseded meanwhile, so memory stays bounded.
 *
 * A method that is not in the table answers UNIMPLEMENTED at once, and any
 * :authority is accepted.
 *
 * Source: grpc/grpc.h of gRPC C-core 1.51
 */
#pragma once

#include <stdint.h>

#include "api/grpc/rpc.h"

struct rpc_server;

/**
 * typedef rpc_unary_fn - Answers a unary call.
 * @ctx: as given to rpc_server_new()
 * @request: message of the client, @len bytes; borrowed
 * @len: length of @request
 * @ret_reply: the answer
 * @err: set on failure; its text goes to the client
 *
 * Context: the thread of the rpc.
 * Return: 0, or a negative errno, which becomes the status
 *   (rpc_status_from_errno()).
 */
typedef int (*rpc_unary_fn)(void *ctx, const uint8_t *request, size_t len,
			    struct rpc_message *ret_reply, struct error *err);

/* A row of a table that ends with a NULL path. */
struct rpc_method {
	const char *path;   /* as in "/v1beta1.DevicePlugin/Allocate" */
	rpc_unary_fn unary; /* NULL: a stream of what rpc_server_publish() is given */
};

struct rpc_server_events {
	/* A client has opened a stream, or a stream has ended while the server was
	 * not stopping.  Streams are numbered from 1 as they open.  Context: the
	 * thread of the rpc. */
	void (*stream_opened)(void *ctx, uint64_t number);
	void (*stream_closed)(void *ctx, uint64_t number);
	/* The server has stopped, nothing will be called any more.  Context: the same. */
	void (*stopped)(void *ctx);
};

/**
 * rpc_server_new() - Bind a unix socket and serve it.
 * @rpc: runtime
 * @path: path of the socket, at most 107 bytes; a socket of that name is
 *	replaced.  Its permissions come from the umask.
 * @methods: table of methods; borrowed for good
 * @events: called with @ctx; borrowed for good; members may be NULL
 * @ctx: passed to handlers and events
 * @ret: the server, to be given to rpc_server_stop()
 * @err: set on failure
 *
 * The server is serving when this returns.
 *
 * Return: 0, or
 *   -ENAMETOOLONG  the path does not fit a socket address
 *   -EADDRNOTAVAIL the socket cannot be bound
 *   -ENOMEM        no memory
 */
int rpc_server_new(struct rpc *rpc, const char *path, const struct rpc_method *methods,
		   const struct rpc_server_events *events, void *ctx, struct rpc_server **ret,
		   struct error *err);

/**
 * rpc_server_publish() - Give all streams a new newest message.
 * @server: server
 * @message: its bytes are taken over; @message is left empty
 *
 * Context: any thread.
 */
void rpc_server_publish(struct rpc_server *server, struct rpc_message *message);

/**
 * rpc_server_stop() - End a server: no new calls, streams end with UNAVAILABLE.
 * @server: server or NULL; must not be used afterwards
 * @reason: text that streams end with; borrowed for good
 *
 * Returns at once; the socket is unlinked and `stopped` is called when all calls
 * have ended, at the latest after RPC_STOP_GRACE_MS.
 *
 * Context: any thread.
 */
void rpc_server_stop(struct rpc_server *server, const char *reason);
