/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unary call to a gRPC server on a unix socket.
 *
 * Source: grpc/grpc.h of gRPC C-core 1.51
 */
#pragma once

#include <stdint.h>

#include "api/grpc/rpc.h"

/**
 * typedef rpc_result_fn - Called once with the outcome of a call.
 * @ctx: as given to rpc_call()
 * @status: status that the server or the transport gave
 * @text: its message, "" when OK; borrowed
 * @reply: answer of the server, @len bytes; borrowed; NULL unless OK
 * @len: length of @reply
 *
 * Context: the thread of the rpc.
 */
typedef void (*rpc_result_fn)(void *ctx, int status, const char *text, const uint8_t *reply,
			      size_t len);

/**
 * rpc_call() - Begin a unary call.
 * @rpc: runtime
 * @socket: path of the server's socket
 * @method: as in "/v1beta1.Registration/Register"
 * @request: message to send, copied
 * @timeout_ms: deadline of the whole call from now, in milliseconds
 * @fn: called when the call has ended, unless this returns an error
 * @ctx: passed to @fn
 * @err: set on failure
 *
 * Every call makes a connection of its own: one that was refused must not delay
 * the next by its backoff.
 *
 * Context: any thread.
 * Return: 0, or -ENOMEM, or -ENAMETOOLONG.
 */
int rpc_call(struct rpc *rpc, const char *socket, const char *method,
	     const struct rpc_message *request, uint32_t timeout_ms, rpc_result_fn fn, void *ctx,
	     struct error *err);
