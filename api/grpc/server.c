/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One grpc_server.
 *
 * For each method of the table, and once for any other name, a `struct call` is
 * always waiting to be filled by the next call (call_request()).  From there:
 *
 *	unary    requested -> handler -> call_finish() -> done
 *	unknown  requested -> call_finish(UNIMPLEMENTED) -> done
 *	stream   requested -> closed is armed; stream_pump() sends what is newest,
 *	         sent -> stream_pump() again; the server stops -> call_finish()
 *
 * A call is released when no batch of it is pending.  Calls hold the server; it
 * is destroyed when the last one has gone and gRPC says that it has shut down.
 */
#include "api/grpc/server.h"

#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <string.h>

#include "api/grpc/internal.h"
#include "base/macro.h"
#include "base/strbuf.h"

#define STATUS_TEXT_MAX ERROR_TEXT_MAX
#define METHODS_MAX 32

#define CONCURRENT_STREAMS_MAX 256 /* of one connection; the kubelet has two */

struct call {
	struct rpc_server *server;
	const struct rpc_method *method; /* NULL: any name that is not in the table */
	void *registered;		 /* gRPC's handle of @method */
	struct rpc_tag requested;
	struct rpc_tag done;
	struct rpc_tag sent;
	struct rpc_tag closed;
	unsigned int pending; /* batches in flight */
	grpc_call *call;
	grpc_call_details details; /* only for unknown methods */
	grpc_metadata_array metadata;
	gpr_timespec deadline;
	grpc_byte_buffer *payload;
	grpc_byte_buffer *sending; /* message in flight */
	int cancelled;
	/* Streams only. */
	struct call *next;
	struct call **link; /* the pointer that points here; NULL when not listed */
	uint64_t number;
	uint64_t version; /* of the newest message sent or in flight */
	bool has_metadata;
	bool finished;
};

struct rpc_server {
	struct rpc *rpc;
	grpc_server *server;
	void *ctx;
	const struct rpc_server_events *events;
	unsigned int refs; /* calls, and one until gRPC has shut the server down */
	struct call *streams;
	uint64_t n_streams;   /* opened so far */
	grpc_slice published; /* newest message */
	uint64_t version;     /* counts publications; 0 before the first */
	const char *reason;   /* not NULL while stopping */
	struct rpc_tag stopped;
	gpr_timespec deadline;
	bool expired;
	struct rpc_server *next_stopping;
};

static void call_request(struct rpc_server *server, const struct rpc_method *method,
			 void *registered);

static void server_unlist_stopping(struct rpc_server *server)
{
	struct rpc_server **link = &server->rpc->stopping;

	while (*link && *link != server)
		link = &(*link)->next_stopping;
	if (*link)
		*link = server->next_stopping;
}

/* Called with the lock held, and returns without it. */
static void server_unref_and_unlock(struct rpc_server *server)
{
	struct rpc *rpc = server->rpc;

	server->refs--;
	if (server->refs > 0) {
		rpc_unlock(rpc);
		return;
	}
	server_unlist_stopping(server);
	rpc_unlock(rpc);
	grpc_server_destroy(server->server);
	grpc_slice_unref(server->published);
	if (server->events->stopped)
		server->events->stopped(server->ctx);
	free(server);
	rpc_lock(rpc);
	rpc_deactivate(rpc);
	rpc_unlock(rpc);
}

static void call_free(struct call *call)
{
	if (call->call)
		grpc_call_unref(call->call);
	grpc_metadata_array_destroy(&call->metadata);
	grpc_call_details_destroy(&call->details);
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	if (call->sending)
		grpc_byte_buffer_destroy(call->sending);
	free(call);
}

/* Starts a batch; called with the lock held. */
static bool call_start(struct call *call, const grpc_op *ops, size_t n_ops, struct rpc_tag *tag)
{
	if (grpc_call_start_batch(call->call, ops, n_ops, tag, NULL) != GRPC_CALL_OK)
		return false;
	call->pending++;
	return true;
}

/* Ends the call with a status, and a reply when it is OK; lock held. */
static void call_finish(struct call *call, enum rpc_status status, const char *text,
			struct rpc_message *reply)
{
	grpc_slice details = grpc_slice_from_copied_string(text);
	grpc_op ops[4] = { 0 };
	size_t n = 0;

	if (!call->has_metadata)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (status == RPC_STATUS_OK && reply) {
		grpc_slice slice = rpc_slice_from_message(reply);

		call->sending = grpc_raw_byte_buffer_create(&slice, 1);
		grpc_slice_unref(slice);
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = call->sending;
	}
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = (grpc_status_code)status;
	ops[n++].data.send_status_from_server.status_details = &details;
	if (!call->number) {
		ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
		ops[n++].data.recv_close_on_server.cancelled = &call->cancelled;
	}
	call->finished = true;
	(void)call_start(call, ops, n, &call->done);
	grpc_slice_unref(details);
}

/* Sends the newest message if it is due and nothing is in flight; lock held. */
static void stream_pump(struct call *call)
{
	struct rpc_server *server = call->server;
	grpc_op ops[2] = { 0 };
	size_t n = 0;

	if (call->sending || call->finished)
		return;
	if (server->reason) {
		call_finish(call, RPC_STATUS_UNAVAILABLE, server->reason, NULL);
		return;
	}
	if (call->version == server->version)
		return;
	if (!call->has_metadata)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	call->sending = grpc_raw_byte_buffer_create(&server->published, 1);
	ops[n].op = GRPC_OP_SEND_MESSAGE;
	ops[n++].data.send_message.send_message = call->sending;
	call->has_metadata = true;
	call->version = server->version;
	(void)call_start(call, ops, n, &call->sent);
}

static void stream_unlist(struct call *call)
{
	if (!call->link)
		return;
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	call->link = NULL;
}

/* A batch of @call has completed.  Takes the lock back and releases the call if
 * that was the last batch. */
static void call_complete_and_unlock(struct call *call)
{
	struct rpc_server *server = call->server;
	bool tell = false;

	call->pending--;
	if (call->pending > 0) {
		rpc_unlock(server->rpc);
		return;
	}
	stream_unlist(call);
	tell = call->number > 0 && !server->reason && server->events->stream_closed;
	rpc_unlock(server->rpc);
	if (tell)
		server->events->stream_closed(server->ctx, call->number);
	call_free(call);
	rpc_lock(server->rpc);
	server_unref_and_unlock(server);
}

static void on_done(struct rpc_tag *tag, _unused_ bool ok)
{
	struct call *call = TAG_OWNER(tag, struct call, done);

	rpc_lock(call->server->rpc);
	call_complete_and_unlock(call);
}

static void on_closed(struct rpc_tag *tag, _unused_ bool ok)
{
	struct call *call = TAG_OWNER(tag, struct call, closed);

	rpc_lock(call->server->rpc);
	call->finished = true;
	call_complete_and_unlock(call);
}

static void on_sent(struct rpc_tag *tag, bool ok)
{
	struct call *call = TAG_OWNER(tag, struct call, sent);

	rpc_lock(call->server->rpc);
	grpc_byte_buffer_destroy(call->sending);
	call->sending = NULL;
	if (ok)
		stream_pump(call);
	call_complete_and_unlock(call);
}

static void stream_open(struct call *call)
{
	struct rpc_server *server = call->server;
	grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };
	uint64_t number;

	rpc_lock(server->rpc);
	number = ++server->n_streams;
	call->number = number;
	call->next = server->streams;
	call->link = &server->streams;
	if (call->next)
		call->next->link = &call->next;
	server->streams = call;
	op.data.recv_close_on_server.cancelled = &call->cancelled;
	(void)call_start(call, &op, 1, &call->closed);
	stream_pump(call);
	rpc_unlock(server->rpc);
	/* The call may be gone by now; its number is not. */
	if (server->events->stream_opened)
		server->events->stream_opened(server->ctx, number);
}

/* Runs the handler on the whole request, wherever its bytes lie. */
static int call_handle(struct call *call, struct rpc_message *ret_reply, struct error *err)
{
	grpc_byte_buffer_reader reader;
	grpc_slice request;
	int r;

	if (!call->payload)
		return error_set(err, EINVAL, "the call carries no message");
	if (!grpc_byte_buffer_reader_init(&reader, call->payload))
		return error_set(err, EINVAL, "the message cannot be decompressed");
	request = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	r = call->method->unary(call->server->ctx, GRPC_SLICE_START_PTR(request),
				GRPC_SLICE_LENGTH(request), ret_reply, err);
	grpc_slice_unref(request);
	return r;
}

static void call_answer(struct call *call)
{
	_cleanup_rpc_message_ struct rpc_message reply = { 0 };
	struct error err = { 0 };
	int r = call_handle(call, &reply, &err);

	/* A large request should not stay in memory while the answer is sent. */
	if (call->payload)
		grpc_byte_buffer_destroy(call->payload);
	call->payload = NULL;
	rpc_lock(call->server->rpc);
	call_finish(call, rpc_status_from_errno(r), r < 0 ? error_text(&err, r) : "", &reply);
	rpc_unlock(call->server->rpc);
}

static void call_refuse(struct call *call)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(STATUS_TEXT_MAX);
	char name[STATUS_TEXT_MAX / 2];

	rpc_slice_text(call->details.method, name, sizeof(name));
	strbuf_printf(&text, "unknown method %s", name);
	rpc_lock(call->server->rpc);
	call_finish(call, RPC_STATUS_UNIMPLEMENTED, strbuf_str(&text), NULL);
	rpc_unlock(call->server->rpc);
}

static void on_requested(struct rpc_tag *tag, bool ok)
{
	struct call *call = TAG_OWNER(tag, struct call, requested);
	struct rpc_server *server = call->server;

	rpc_lock(server->rpc);
	if (!ok) { /* the server shuts down */
		call_free(call);
		server_unref_and_unlock(server);
		return;
	}
	call_request(server, call->method, call->registered);
	rpc_unlock(server->rpc);
	if (!call->method)
		call_refuse(call);
	else if (call->method->unary)
		call_answer(call);
	else
		stream_open(call);
}

/* Asks gRPC for the next call of a method; lock held. */
static void call_request(struct rpc_server *server, const struct rpc_method *method,
			 void *registered)
{
	struct call *call = calloc(1, sizeof(*call));
	grpc_completion_queue *queue = server->rpc->queue;
	grpc_call_error error;

	if (!call || server->reason) {
		free(call);
		return;
	}
	call->server = server;
	call->method = method;
	call->registered = registered;
	call->requested.complete = on_requested;
	call->done.complete = on_done;
	call->sent.complete = on_sent;
	call->closed.complete = on_closed;
	grpc_metadata_array_init(&call->metadata);
	grpc_call_details_init(&call->details);
	if (method)
		error = grpc_server_request_registered_call(
			server->server, registered, &call->call, &call->deadline, &call->metadata,
			&call->payload, queue, queue, &call->requested);
	else
		error = grpc_server_request_call(server->server, &call->call, &call->details,
						 &call->metadata, queue, queue, &call->requested);
	if (error != GRPC_CALL_OK) {
		call_free(call);
		return;
	}
	server->refs++;
}

static grpc_server *make_grpc_server(struct rpc *rpc)
{
	grpc_arg rows[] = {
		rpc_int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_MESSAGE_MAX),
		rpc_int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, CONCURRENT_STREAMS_MAX),
	};
	const grpc_channel_args args = { ARRAY_SIZE(rows), rows };
	grpc_server *server = grpc_server_create(&args, NULL);

	grpc_server_register_completion_queue(server, rpc->queue, NULL);
	return server;
}

static int bind_socket(grpc_server *server, const char *path, struct error *err)
{
	grpc_server_credentials *credentials;
	char target[RPC_TARGET_MAX];
	int bound;
	int r;

	r = rpc_target(path, target, sizeof(target), err);
	if (r < 0)
		return r;
	credentials = grpc_insecure_server_credentials_create();
	bound = grpc_server_add_http2_port(server, target, credentials);
	grpc_server_credentials_release(credentials);
	if (!bound)
		return error_set(err, EADDRNOTAVAIL, "cannot bind the socket '%s'", path);
	return 0;
}

static void on_stopped(struct rpc_tag *tag, _unused_ bool ok)
{
	struct rpc_server *server = TAG_OWNER(tag, struct rpc_server, stopped);

	rpc_lock(server->rpc);
	server_unref_and_unlock(server);
}

/* A server that was never started can be destroyed only after a shutdown, whose
 * tag has to come out of a queue of its own. */
static void discard_grpc_server(grpc_server *server)
{
	grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);

	grpc_server_shutdown_and_notify(server, queue, NULL);
	(void)grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_server_destroy(server);
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
}

static void request_all(struct rpc_server *server, const struct rpc_method *methods,
			void *const *registered)
{
	rpc_lock(server->rpc);
	rpc_activate(server->rpc);
	for (size_t i = 0; methods[i].path; i++)
		call_request(server, &methods[i], registered[i]);
	call_request(server, NULL, NULL);
	rpc_unlock(server->rpc);
}

int rpc_server_new(struct rpc *rpc, const char *path, const struct rpc_method *methods,
		   const struct rpc_server_events *events, void *ctx, struct rpc_server **ret,
		   struct error *err)
{
	struct rpc_server *server = calloc(1, sizeof(*server));
	void *registered[METHODS_MAX] = { 0 };
	int r;

	if (!server)
		return error_set(err, ENOMEM, "no memory for a gRPC server");
	*server = (struct rpc_server) { .rpc = rpc,
					.server = make_grpc_server(rpc),
					.ctx = ctx,
					.events = events,
					.refs = 1,
					.published = grpc_empty_slice(),
					.stopped = { on_stopped } };
	for (size_t i = 0; methods[i].path && i < METHODS_MAX; i++)
		registered[i] =
			grpc_server_register_method(server->server, methods[i].path, NULL,
						    GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
	r = bind_socket(server->server, path, err);
	if (r < 0) {
		discard_grpc_server(server->server);
		free(server);
		return r;
	}
	grpc_server_start(server->server);
	request_all(server, methods, registered);
	*ret = server;
	return 0;
}

void rpc_server_publish(struct rpc_server *server, struct rpc_message *message)
{
	struct call *next;

	rpc_lock(server->rpc);
	grpc_slice_unref(server->published);
	server->published = rpc_slice_from_message(message);
	server->version++;
	for (struct call *call = server->streams; call; call = next) {
		next = call->next;
		stream_pump(call);
	}
	rpc_unlock(server->rpc);
}

void rpc_server_stop(struct rpc_server *server, const char *reason)
{
	struct call *next;
	struct rpc *rpc;

	if (!server)
		return;
	rpc = server->rpc;
	rpc_lock(rpc);
	server->reason = reason;
	server->deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					gpr_time_from_millis(RPC_STOP_GRACE_MS, GPR_TIMESPAN));
	server->next_stopping = rpc->stopping;
	rpc->stopping = server;
	grpc_server_shutdown_and_notify(server->server, rpc->queue, &server->stopped);
	for (struct call *call = server->streams; call; call = next) {
		next = call->next;
		stream_pump(call);
	}
	rpc_unlock(rpc);
}

gpr_timespec rpc_servers_expire(struct rpc *rpc)
{
	gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
	gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	for (struct rpc_server *server = rpc->stopping; server; server = server->next_stopping) {
		if (server->expired)
			continue;
		if (gpr_time_cmp(server->deadline, now) > 0) {
			until = gpr_time_min(until, server->deadline);
			continue;
		}
		server->expired = true;
		grpc_server_cancel_all_calls(server->server);
	}
	return until;
}
