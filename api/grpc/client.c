/* SPDX-License-Identifier: Apache-2.0 */
#include "api/grpc/client.h"

#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

#include "api/grpc/internal.h"
#include "base/macro.h"

/* A call with its own channel, from rpc_call() until its one batch is done. */
struct client_call {
	struct rpc *rpc;
	struct rpc_tag done;
	rpc_result_fn fn;
	void *ctx;
	grpc_channel *channel;
	grpc_call *call;
	grpc_byte_buffer *request;
	grpc_byte_buffer *reply;
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_status_code status;
	grpc_slice details;
	struct client_call *next;
	struct client_call **link; /* the pointer that points here */
};

static void list_call(struct client_call *call)
{
	call->next = call->rpc->calls;
	call->link = &call->rpc->calls;
	if (call->next)
		call->next->link = &call->next;
	call->rpc->calls = call;
}

static void unlist_call(struct client_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
}

void rpc_calls_cancel(struct rpc *rpc)
{
	for (struct client_call *call = rpc->calls; call; call = call->next)
		(void)grpc_call_cancel(call->call, NULL);
}

static void client_call_free(struct client_call *call)
{
	if (call->call)
		grpc_call_unref(call->call);
	if (call->channel)
		grpc_channel_destroy(call->channel);
	if (call->request)
		grpc_byte_buffer_destroy(call->request);
	if (call->reply)
		grpc_byte_buffer_destroy(call->reply);
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_slice_unref(call->details);
	free(call);
}

/* A server may end a call with OK and no message at all. */
static void report_reply(struct client_call *call)
{
	grpc_byte_buffer_reader reader;
	grpc_slice reply;

	if (!call->reply || !grpc_byte_buffer_reader_init(&reader, call->reply)) {
		call->fn(call->ctx, RPC_STATUS_INTERNAL, "the answer carries no message", NULL, 0);
		return;
	}
	reply = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	call->fn(call->ctx, RPC_STATUS_OK, "", GRPC_SLICE_START_PTR(reply),
		 GRPC_SLICE_LENGTH(reply));
	grpc_slice_unref(reply);
}

static void on_done(struct rpc_tag *tag, _unused_ bool ok)
{
	struct client_call *call = TAG_OWNER(tag, struct client_call, done);
	struct rpc *rpc = call->rpc;
	char text[ERROR_TEXT_MAX];

	/* Also orders what start_call() has written before what is read here. */
	rpc_lock(rpc);
	unlist_call(call);
	rpc_unlock(rpc);
	rpc_slice_text(call->details, text, sizeof(text));
	if (call->status == GRPC_STATUS_OK)
		report_reply(call);
	else
		call->fn(call->ctx, (int)call->status, text, NULL, 0);
	client_call_free(call);
	rpc_lock(rpc);
	rpc_deactivate(rpc);
	rpc_unlock(rpc);
}

static grpc_channel *make_channel(const char *target)
{
	grpc_arg rows[] = {
		/* Not the process-wide pool: it would share the backoff of a refused
		 * connection between calls. */
		rpc_int_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
		rpc_int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_MESSAGE_MAX),
		rpc_int_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
	};
	const grpc_channel_args args = { ARRAY_SIZE(rows), rows };
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_channel *channel = grpc_channel_create(target, credentials, &args);

	grpc_channel_credentials_release(credentials);
	return channel;
}

static bool start_call(struct client_call *call)
{
	grpc_op ops[6] = { 0 };
	bool started;

	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = call->request;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
	ops[4].op = GRPC_OP_RECV_MESSAGE;
	ops[4].data.recv_message.recv_message = &call->reply;
	ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[5].data.recv_status_on_client.trailing_metadata = &call->trailing;
	ops[5].data.recv_status_on_client.status = &call->status;
	ops[5].data.recv_status_on_client.status_details = &call->details;
	rpc_lock(call->rpc);
	started = grpc_call_start_batch(call->call, ops, ARRAY_SIZE(ops), &call->done, NULL) ==
		  GRPC_CALL_OK;
	if (started) {
		rpc_activate(call->rpc);
		list_call(call);
	}
	rpc_unlock(call->rpc);
	return started;
}

int rpc_call(struct rpc *rpc, const char *socket, const char *method,
	     const struct rpc_message *request, uint32_t timeout_ms, rpc_result_fn fn, void *ctx,
	     struct error *err)
{
	gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					     gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
	struct client_call *call;
	char target[RPC_TARGET_MAX];
	grpc_slice slice;
	int r;

	r = rpc_target(socket, target, sizeof(target), err);
	if (r < 0)
		return r;
	call = calloc(1, sizeof(*call));
	if (!call)
		return error_set(err, ENOMEM, "no memory for a gRPC call");
	*call = (struct client_call) { .rpc = rpc, .done = { on_done }, .fn = fn, .ctx = ctx };
	call->details = grpc_empty_slice();
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	slice = grpc_slice_from_copied_buffer((const char *)request->data, request->len);
	call->request = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	call->channel = make_channel(target);
	slice = grpc_slice_from_copied_string(method);
	call->call = grpc_channel_create_call(call->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
					      rpc->queue, slice, NULL, deadline, NULL);
	grpc_slice_unref(slice);
	if (!start_call(call)) {
		client_call_free(call);
		return error_set(err, ENOMEM, "cannot start the call of %s", method);
	}
	return 0;
}
