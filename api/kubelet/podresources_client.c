/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	who asks                     gRPC's thread
 *	exchange_start() -> rpc_call()
 *	                             on_result(): fills the exchange,
 *	   loop or caller <- eventfd <- makes its eventfd readable
 *	exchange_finish(): decodes, or says what went wrong
 *
 * An exchange belongs to both sides, so whoever has asked may go before the
 * answer comes.  Answers are decoded where they are wanted: gRPC's thread also
 * serves the Allocate that a pod waits for.
 */
#include "api/kubelet/podresources_client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/grpc/client.h"
#include "api/kubelet/kubelet.h"
#include "base/macro.h"

_Static_assert(PODRESOURCES_MESSAGE_MAX == RPC_MESSAGE_MAX,
	       "a longer answer must be refused while it is received");

/* One call and what it is ended with; written before @fd becomes readable. */
struct exchange {
	int refs; /* atomic */
	int fd;	  /* eventfd */
	int status;
	char text[ERROR_TEXT_MAX / 2];
	struct rpc_message reply;
	bool out_of_memory; /* for the reply */
};

struct method {
	const char *name;
	int (*decode)(const uint8_t *data, size_t len, struct podresources *ret, struct error *err);
};

static const struct method list_method = {
	KUBELET_METHOD_LIST_POD_RESOURCES,
	podresources_decode_list,
};

static const struct method allocatable_method = {
	KUBELET_METHOD_ALLOCATABLE,
	podresources_decode_allocatable,
};

struct podresources_client {
	struct podresources_client_setup setup;
	char socket[PATH_MAX];
	struct exchange *exchange; /* in flight, or NULL */
	struct loop_source *source;
};

static void exchange_unref(struct exchange *exchange)
{
	int saved_errno = errno;

	if (!exchange || __atomic_sub_fetch(&exchange->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (exchange->fd >= 0)
		(void)close(exchange->fd);
	rpc_message_done(&exchange->reply);
	free(exchange);
	errno = saved_errno;
}
DEFINE_CLEANUP(struct exchange, exchange_unref);

static void on_result(void *ctx, int status, const char *text, const uint8_t *reply, size_t len)
{
	struct exchange *exchange = ctx;
	const uint64_t one = 1;
	_unused_ ssize_t n;

	exchange->status = status;
	(void)snprintf(exchange->text, sizeof(exchange->text), "%s", text);
	if (len > 0) {
		exchange->reply = (struct rpc_message) { malloc(len), len };
		exchange->out_of_memory = !exchange->reply.data;
	}
	if (exchange->reply.data)
		memcpy(exchange->reply.data, reply, len);
	/* Its counter is 0, so it takes 1. */
	n = write(exchange->fd, &one, sizeof(one));
	exchange_unref(exchange);
}

static int exchange_start(struct rpc *rpc, const char *socket, const struct method *method,
			  uint32_t timeout_ms, struct exchange **ret, struct error *err)
{
	_cleanup_(exchange_unrefp) struct exchange *exchange = calloc(1, sizeof(*exchange));
	const struct rpc_message empty = { 0 };
	int r;

	if (!exchange)
		return error_set(err, ENOMEM, "no memory for a call of %s", method->name);
	exchange->refs = 1;
	exchange->fd = eventfd(0, EFD_CLOEXEC);
	if (exchange->fd < 0)
		return error_set(err, errno, "eventfd: %s", strerror(errno));
	__atomic_add_fetch(&exchange->refs, 1, __ATOMIC_RELAXED);
	r = rpc_call(rpc, socket, method->name, &empty, timeout_ms, on_result, exchange, err);
	if (r < 0) {
		exchange_unref(exchange); /* that of gRPC's thread */
		return r;
	}
	*ret = TAKE_PTR(exchange);
	return 0;
}

/* Says why nobody can connect to @path; 0 when somebody can. */
static int probe_socket(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(err, errno, "socket: %s", strerror(errno));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return error_set(err, ENOENT,
				 "there is no socket '%s': the kubelet is down, too old, or has "
				 "another directory",
				 path);
	case EACCES:
		return error_set(err, EACCES, "no permission to connect to '%s'", path);
	case ECONNREFUSED:
		return error_set(err, ECONNREFUSED, "nobody listens on '%s': the kubelet is down",
				 path);
	default:
		return error_set(err, errno, "connect to '%s': %s", path, strerror(errno));
	}
}

/* What a status means here; the first row that fits counts. */
static int status_error(int status, const char *text, struct error *err)
{
	static const struct {
		int status;
		int code;
		const char *part; /* of the text, or NULL for any */
		const char *meaning;
	} rows[] = {
		/* Both have one status, and only the text tells a full bucket of the
		 * kubelet from our own limit, see grpc/grpc:
		 * src/core/ext/filters/message_size/message_size_filter.cc. */
		{ RPC_STATUS_RESOURCE_EXHAUSTED, EMSGSIZE, "larger than max",
		  "its answer is longer than is accepted" },
		{ RPC_STATUS_RESOURCE_EXHAUSTED, EAGAIN, NULL, "it limits the rate of calls" },
		{ RPC_STATUS_UNIMPLEMENTED, ENOSYS, NULL, "it does not have this call" },
		{ RPC_STATUS_DEADLINE_EXCEEDED, ETIMEDOUT, NULL, "it does not answer in time" },
		{ RPC_STATUS_PERMISSION_DENIED, EACCES, NULL, "it refuses the caller" },
		{ RPC_STATUS_UNAVAILABLE, ECONNRESET, NULL, "the connection broke" },
		{ RPC_STATUS_CANCELLED, ECANCELED, NULL, "the call was cancelled" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].status == status && (!rows[i].part || strstr(text, rows[i].part)))
			return error_set(err, rows[i].code, "%s: %s: %s", rows[i].meaning,
					 rpc_status_name(status), text);
	return error_set(err, EIO, "it has failed the call: %s: %s", rpc_status_name(status), text);
}

/* Waits for the end of a call, which its deadline makes sure of.  The read also
 * orders what gRPC's thread has written before what is read here. */
static int wait_exchange(const struct exchange *exchange, struct error *err)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(exchange->fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_set(err, errno, "wait for the kubelet: %s", strerror(errno)) : 0;
}

static int exchange_finish(const struct exchange *exchange, const char *socket,
			   const struct method *method, struct podresources *ret, struct error *err)
{
	int r = wait_exchange(exchange, err);

	if (r < 0)
		return r;
	if (exchange->out_of_memory)
		r = error_set(err, ENOMEM, "no memory for an answer of %zu bytes",
			      exchange->reply.len);
	else if (exchange->status == RPC_STATUS_UNAVAILABLE)
		r = probe_socket(socket, err);
	if (r == 0 && exchange->status != RPC_STATUS_OK)
		r = status_error(exchange->status, exchange->text, err);
	if (r == 0)
		r = method->decode(exchange->reply.data, exchange->reply.len, ret, err);
	return r < 0 ? error_wrap(err, r, "ask the kubelet for %s", method->name) : 0;
}

static int socket_path(const char *kubelet_dir, char *buf, size_t size, struct error *err)
{
	if ((size_t)snprintf(buf, size, "%s/" KUBELET_POD_RESOURCES_DIR "/" KUBELET_SOCKET,
			     kubelet_dir) >= size)
		return error_set(err, ENAMETOOLONG, "the kubelet's directory '%s' is too long",
				 kubelet_dir);
	return 0;
}

/* Frees the call in flight, if there is one, as far as the loop is concerned. */
static void end_exchange(struct podresources_client *client)
{
	loop_source_free(TAKE_PTR(client->source));
	exchange_unref(TAKE_PTR(client->exchange));
}

/* Touches the client no more once its function is called, which may free it. */
static void on_answer(void *ctx, _unused_ int fd)
{
	struct podresources_client *client = ctx;
	_cleanup_podresources_ struct podresources table = { 0 };
	struct error err = { 0 };
	int r = exchange_finish(client->exchange, client->socket, &list_method, &table, &err);

	end_exchange(client);
	client->setup.fn(client->setup.ctx, r, &table, &err);
}

int podresources_client_new(const struct podresources_client_setup *setup,
			    struct podresources_client **ret, struct error *err)
{
	_cleanup_free_ struct podresources_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return error_set(err, ENOMEM, "no memory for a client of the kubelet");
	r = socket_path(setup->kubelet_dir, client->socket, sizeof(client->socket), err);
	if (r < 0)
		return r;
	client->setup = *setup;
	client->setup.kubelet_dir = NULL;
	*ret = TAKE_PTR(client);
	return 0;
}

int podresources_client_list(struct podresources_client *client, struct error *err)
{
	const struct podresources_client_setup *setup = &client->setup;
	int r;

	if (client->exchange)
		return error_set(err, EBUSY, "the kubelet was asked and has not answered yet");
	r = exchange_start(setup->rpc, client->socket, &list_method, setup->timeout_ms,
			   &client->exchange, err);
	if (r < 0)
		return r;
	r = loop_add_fd(setup->loop, client->exchange->fd, on_answer, client, &client->source, err);
	if (r < 0)
		end_exchange(client);
	return r;
}

void podresources_client_free(struct podresources_client *client)
{
	if (!client)
		return;
	end_exchange(client);
	free(client);
}

static int ask(struct rpc *rpc, const char *kubelet_dir, const struct method *method,
	       uint32_t timeout_ms, struct podresources *ret, struct error *err)
{
	_cleanup_(exchange_unrefp) struct exchange *exchange = NULL;
	char socket[PATH_MAX];
	int r;

	r = socket_path(kubelet_dir, socket, sizeof(socket), err);
	if (r == 0)
		r = exchange_start(rpc, socket, method, timeout_ms, &exchange, err);
	return r < 0 ? r : exchange_finish(exchange, socket, method, ret, err);
}

int podresources_list(struct rpc *rpc, const char *kubelet_dir, uint32_t timeout_ms,
		      struct podresources *ret, struct error *err)
{
	return ask(rpc, kubelet_dir, &list_method, timeout_ms, ret, err);
}

int podresources_allocatable(struct rpc *rpc, const char *kubelet_dir, uint32_t timeout_ms,
			     struct podresources *ret, struct error *err)
{
	return ask(rpc, kubelet_dir, &allocatable_method, timeout_ms, ret, err);
}
