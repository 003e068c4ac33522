/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	directory events, timer           gRPC's thread
 *	        |                              |  notes in struct listener,
 *	        v                              v  posts listener_changed()
 *	   feed(event) -> lifecycle_step() -> bind_socket() / call_register()
 *
 * A listener is one bound socket.  Binding anew makes another one; the old one
 * lives on until gRPC has let go of it, and its events are ignored.
 */
#include "device-plugin/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/grpc/client.h"
#include "api/kubelet/kubelet.h"
#include "api/kubelet/messages.h"
#include "base/log.h"
#include "base/macro.h"
#include "device-plugin/stale_sockets.h"

#define COMPONENT "registration"

/* Of a resource name, in a socket name that has to fit into 107 bytes. */
#define SOCKET_RESOURCE_MAX 24

struct listener {
	struct endpoint *endpoint;
	struct listener *next; /* in the endpoint's list of all listeners */
	struct rpc_server *server;
	char path[PATH_MAX];
	const char *name; /* last component of @path */
	/* Seen by the loop so far. */
	uint64_t seen_stream;
	bool seen_open;
	pthread_mutex_t lock; /* guards what follows, noted on gRPC's thread */
	unsigned int posts;   /* calls of listener_posted() that are due */
	bool expecting;	      /* the next stream will be the kubelet's */
	uint64_t stream;      /* number of the kubelet's stream, 0 before the first */
	bool stream_open;
	bool call_pending;
	bool call_done;
	int call_status;
	char call_text[ERROR_TEXT_MAX / 2];
	bool stopped;
};

struct endpoint {
	struct endpoint_setup setup;
	struct lifecycle lifecycle;
	struct loop_source *timer;
	struct listener *listener;  /* the one that counts, or NULL */
	struct listener *listeners; /* all that gRPC may still know */
	char kubelet_socket[PATH_MAX];
	char problem[ERROR_TEXT_MAX]; /* what was last complained about; "" when well */
};

static void feed(struct endpoint *endpoint, enum lifecycle_event event);

/* A failure is told once, and again when its text changes. */
static void report_problem(struct endpoint *endpoint, const char *text)
{
	if (strcmp(endpoint->problem, text) == 0)
		return;
	(void)snprintf(endpoint->problem, sizeof(endpoint->problem), "%s", text);
	log_warning(COMPONENT, "'%s': %s; will try again", endpoint->setup.resource, text);
}

static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Whether there is a kubelet to register with, as far as the directory tells. */
static bool kubelet_is_there(const struct endpoint *endpoint)
{
	struct stat st;

	if (endpoint->setup.path == LIFECYCLE_CLASSIC)
		return is_socket(endpoint->kubelet_socket);
	return stat(endpoint->setup.dir, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What gRPC's thread has noted since the loop last looked. */
struct notes {
	bool call_done;
	int call_status;
	char call_text[ERROR_TEXT_MAX / 2];
	bool opened; /* the kubelet's stream */
	bool closed;
};

static void take_notes(struct listener *listener, struct notes *ret)
{
	(void)pthread_mutex_lock(&listener->lock);
	ret->call_done = listener->call_done;
	ret->call_status = listener->call_status;
	memcpy(ret->call_text, listener->call_text, sizeof(ret->call_text));
	ret->opened = listener->stream != listener->seen_stream;
	ret->closed = !listener->stream_open && (ret->opened || listener->seen_open);
	listener->call_done = false;
	listener->seen_stream = listener->stream;
	listener->seen_open = listener->stream_open;
	(void)pthread_mutex_unlock(&listener->lock);
}

static void register_returned(struct endpoint *endpoint, const struct notes *notes)
{
	char text[ERROR_TEXT_MAX];

	endpoint->setup.registered(endpoint->setup.ctx, endpoint->setup.path,
				   notes->call_status == RPC_STATUS_OK);
	if (notes->call_status == RPC_STATUS_OK) {
		feed(endpoint, LIFECYCLE_ACCEPTED);
		return;
	}
	(void)snprintf(text, sizeof(text), "registration with the kubelet failed: %s: %s",
		       rpc_status_name(notes->call_status), notes->call_text);
	report_problem(endpoint, text);
	feed(endpoint, LIFECYCLE_REFUSED);
}

/* Takes up what gRPC's thread has noted; of an old listener it means nothing. */
static void listener_changed(struct listener *listener)
{
	struct endpoint *endpoint = listener->endpoint;
	struct notes notes;

	take_notes(listener, &notes);
	if (listener != endpoint->listener)
		return;
	if (notes.call_done)
		register_returned(endpoint, &notes);
	if (notes.opened) {
		log_info(COMPONENT, "'%s': the kubelet watches the devices",
			 endpoint->setup.resource);
		endpoint->problem[0] = '\0';
		feed(endpoint, LIFECYCLE_STREAM_OPENED);
	}
	if (notes.closed) {
		report_problem(endpoint, "the kubelet has ended ListAndWatch");
		feed(endpoint, LIFECYCLE_STREAM_CLOSED);
	}
}

static void reap_listeners(struct endpoint *endpoint);

static void listener_posted(void *ctx)
{
	struct listener *listener = ctx;
	struct endpoint *endpoint = listener->endpoint;

	(void)pthread_mutex_lock(&listener->lock);
	listener->posts--;
	(void)pthread_mutex_unlock(&listener->lock);
	listener_changed(listener);
	reap_listeners(endpoint);
}

/* Has the loop look at the listener; called with the listener's lock held.  If
 * there is no memory for that, endpoint_check() will do it. */
static void listener_post(struct listener *listener)
{
	if (loop_post(listener->endpoint->setup.loop, listener_posted, listener) == 0)
		listener->posts++;
}

/* The first stream after a registration is the kubelet's.  Others are served all
 * the same, but their end means nothing: somebody looked at the devices, or the
 * kubelet has dropped the stream of an earlier registration. */
static void on_stream_opened(void *ctx, uint64_t number)
{
	struct listener *listener = ctx;

	(void)pthread_mutex_lock(&listener->lock);
	if (listener->expecting) {
		listener->expecting = false;
		listener->stream = number;
		listener->stream_open = true;
		listener_post(listener);
	}
	(void)pthread_mutex_unlock(&listener->lock);
}

static void on_stream_closed(void *ctx, uint64_t number)
{
	struct listener *listener = ctx;

	(void)pthread_mutex_lock(&listener->lock);
	if (number == listener->stream) {
		listener->stream_open = false;
		listener_post(listener);
	}
	(void)pthread_mutex_unlock(&listener->lock);
}

static void listener_free(struct listener *listener)
{
	(void)pthread_mutex_destroy(&listener->lock);
	free(listener);
}

/* Releases old listeners that gRPC has let go of. */
static void reap_listeners(struct endpoint *endpoint)
{
	struct listener **link = &endpoint->listeners;

	while (*link) {
		struct listener *listener = *link;
		bool done;

		(void)pthread_mutex_lock(&listener->lock);
		done = listener->stopped && !listener->call_pending && listener->posts == 0;
		(void)pthread_mutex_unlock(&listener->lock);
		if (done) {
			*link = listener->next;
			listener_free(listener);
		} else {
			link = &listener->next;
		}
	}
}

static void on_stopped(void *ctx)
{
	struct listener *listener = ctx;

	(void)pthread_mutex_lock(&listener->lock);
	listener->stopped = true;
	listener_post(listener);
	(void)pthread_mutex_unlock(&listener->lock);
}

static const struct rpc_server_events listener_events = {
	.stream_opened = on_stream_opened,
	.stream_closed = on_stream_closed,
	.stopped = on_stopped,
};

/* One function a method, so that the handler learns which one was called. */
#define DEFINE_HANDLER(name, method)                                                             \
	static int name(void *ctx, const uint8_t *request, size_t len,                           \
			struct rpc_message *ret_reply, struct error *err)                        \
	{                                                                                        \
		const struct endpoint_setup *setup = &((struct listener *)ctx)->endpoint->setup; \
                                                                                                 \
		return setup->handle(setup->ctx, method, request, len, ret_reply, err);          \
	}

DEFINE_HANDLER(handle_options, KUBELET_METHOD_OPTIONS)
DEFINE_HANDLER(handle_preferred, KUBELET_METHOD_PREFERRED)
DEFINE_HANDLER(handle_allocate, KUBELET_METHOD_ALLOCATE)
DEFINE_HANDLER(handle_pre_start, KUBELET_METHOD_PRE_START)

static int handle_get_info(void *ctx, _unused_ const uint8_t *request, _unused_ size_t len,
			   struct rpc_message *ret_reply, _unused_ struct error *err)
{
	struct listener *listener = ctx;

	(void)pthread_mutex_lock(&listener->lock);
	listener->expecting = true;
	(void)pthread_mutex_unlock(&listener->lock);
	return kubelet_encode_plugin_info(listener->endpoint->setup.resource, ret_reply);
}

/* A kubelet that has refused the plugin tries again by itself. */
static int handle_notify(void *ctx, const uint8_t *request, size_t len,
			 struct rpc_message *ret_reply, struct error *err)
{
	const char *resource = ((struct listener *)ctx)->endpoint->setup.resource;
	char text[ERROR_TEXT_MAX / 2];
	bool registered;
	int r;

	r = kubelet_decode_registration_status(request, len, &registered, text, sizeof(text), err);
	if (r < 0)
		return r;
	if (registered)
		log_info(COMPONENT, "'%s': the kubelet has registered the plugin", resource);
	else
		log_warning(COMPONENT, "'%s': the kubelet refused the registration: %s", resource,
			    text);
	*ret_reply = (struct rpc_message) { 0 };
	return 0;
}

static const struct rpc_method methods[] = {
	{ KUBELET_METHOD_OPTIONS, handle_options },
	{ KUBELET_METHOD_LIST_AND_WATCH, NULL },
	{ KUBELET_METHOD_PREFERRED, handle_preferred },
	{ KUBELET_METHOD_ALLOCATE, handle_allocate },
	{ KUBELET_METHOD_PRE_START, handle_pre_start },
	{ KUBELET_METHOD_GET_INFO, handle_get_info },
	{ KUBELET_METHOD_NOTIFY, handle_notify },
	{ NULL, NULL },
};

/* A name that no other instance uses, this process's earlier ones included: a
 * kubelet may know the old name still. */
static void make_path(const struct endpoint_setup *setup, struct listener *listener)
{
	const char *slash = strrchr(setup->resource, '/');
	const char *resource = slash ? slash + 1 : setup->resource;
	const char *suffix = setup->path == LIFECYCLE_WATCHER ? "-reg" : "";

	(void)snprintf(listener->path, sizeof(listener->path),
		       "%s/" SOCKET_PREFIX "%.*s-%08x%s.sock", setup->dir, SOCKET_RESOURCE_MAX,
		       resource, random_u32(), suffix);
	listener->name = strrchr(listener->path, '/') + 1;
}

static void drop_listener(struct endpoint *endpoint)
{
	struct listener *listener = endpoint->listener;

	if (!listener)
		return;
	endpoint->listener = NULL;
	rpc_server_stop(listener->server, "plugin stopping");
}

static int listener_new(struct endpoint *endpoint, struct listener **ret, struct error *err)
{
	const struct endpoint_setup *setup = &endpoint->setup;
	_cleanup_rpc_message_ struct rpc_message list = { 0 };
	struct listener *listener;
	int r;

	/* gRPC does not say why it cannot bind; and the text must not name the
	 * socket, which has another name each time, or it would be told each time. */
	if (faccessat(AT_FDCWD, setup->dir, W_OK | X_OK, AT_EACCESS) < 0)
		return error_set(err, errno, "cannot make a socket in '%s': %s", setup->dir,
				 strerror(errno));
	r = setup->encode(setup->ctx, &list);
	if (r < 0)
		return error_set(err, -r, "encode the list of devices: %s", strerror(-r));
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return error_set(err, ENOMEM, "no memory for a socket");
	listener->endpoint = endpoint;
	(void)pthread_mutex_init(&listener->lock, NULL);
	make_path(setup, listener);
	r = rpc_server_new(setup->rpc, listener->path, methods, &listener_events, listener,
			   &listener->server, err);
	if (r < 0) {
		listener_free(listener);
		return error_set(err, -r, "cannot make a socket in '%s': %s", setup->dir,
				 r == -ENAMETOOLONG ? "the path is longer than a unix socket allows"
						    : strerror(-r));
	}
	rpc_server_publish(listener->server, &list);
	*ret = listener;
	return 0;
}

static void bind_socket(struct endpoint *endpoint)
{
	struct listener *listener;
	struct error err = { 0 };
	int r;

	drop_listener(endpoint);
	r = listener_new(endpoint, &listener, &err);
	if (r < 0) {
		report_problem(endpoint, error_text(&err, r));
		feed(endpoint, LIFECYCLE_BIND_FAILED);
		return;
	}
	listener->next = endpoint->listeners;
	endpoint->listeners = listener;
	endpoint->listener = listener;
	log_info(COMPONENT, "'%s': serving on '%s'", endpoint->setup.resource, listener->path);
	feed(endpoint, LIFECYCLE_BOUND);
}

static void on_registered(void *ctx, int status, const char *text, _unused_ const uint8_t *reply,
			  _unused_ size_t len)
{
	struct listener *listener = ctx;

	(void)pthread_mutex_lock(&listener->lock);
	listener->call_status = status;
	(void)snprintf(listener->call_text, sizeof(listener->call_text), "%s", text);
	listener->call_done = true;
	listener->call_pending = false;
	listener_post(listener);
	(void)pthread_mutex_unlock(&listener->lock);
}

static int start_register(struct endpoint *endpoint, struct error *err)
{
	_cleanup_rpc_message_ struct rpc_message request = { 0 };
	struct listener *listener = endpoint->listener;
	int r;

	r = kubelet_encode_register(listener->name, endpoint->setup.resource, &request);
	if (r < 0)
		return error_set(err, -r, "encode the registration: %s", strerror(-r));
	(void)pthread_mutex_lock(&listener->lock);
	listener->call_pending = true;
	listener->expecting = true;
	(void)pthread_mutex_unlock(&listener->lock);
	r = rpc_call(endpoint->setup.rpc, endpoint->kubelet_socket, KUBELET_METHOD_REGISTER,
		     &request, KUBELET_REGISTER_TIMEOUT_MS, on_registered, listener, err);
	if (r == 0)
		return 0;
	(void)pthread_mutex_lock(&listener->lock);
	listener->call_pending = false;
	(void)pthread_mutex_unlock(&listener->lock);
	return r;
}

static void call_register(struct endpoint *endpoint)
{
	struct error err = { 0 };
	int r = start_register(endpoint, &err);

	if (r == 0)
		return;
	report_problem(endpoint, error_text(&err, r));
	feed(endpoint, LIFECYCLE_REFUSED);
}

static void feed(struct endpoint *endpoint, enum lifecycle_event event)
{
	struct lifecycle_step step = lifecycle_step(&endpoint->lifecycle, event, random_u32());

	if (step.timer == LIFECYCLE_TIMER_SET)
		(void)loop_timer_set(endpoint->timer, step.delay_ms, 0);
	else if (step.timer == LIFECYCLE_TIMER_STOP)
		loop_timer_stop(endpoint->timer);
	if (step.action == LIFECYCLE_BIND)
		bind_socket(endpoint);
	else if (step.action == LIFECYCLE_REGISTER)
		call_register(endpoint);
}

static void on_timer(void *ctx)
{
	feed(ctx, LIFECYCLE_TIMER);
}

int endpoint_new(const struct endpoint_setup *setup, struct endpoint **ret, struct error *err)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int r;

	if (!endpoint)
		return error_set(err, ENOMEM, "no memory for '%s'", setup->resource);
	endpoint->setup = *setup;
	endpoint->lifecycle = lifecycle_init(setup->path);
	(void)snprintf(endpoint->kubelet_socket, sizeof(endpoint->kubelet_socket),
		       "%s/" KUBELET_SOCKET, setup->dir);
	r = loop_add_timer(setup->loop, on_timer, endpoint, &endpoint->timer, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(endpoint);
	return 0;
}

void endpoint_stop(struct endpoint *endpoint)
{
	loop_timer_stop(endpoint->timer);
	drop_listener(endpoint);
}

bool endpoint_is_watched(const struct endpoint *endpoint)
{
	return endpoint->lifecycle.watched;
}

const char *endpoint_socket(const struct endpoint *endpoint)
{
	return endpoint->listener ? endpoint->listener->path : NULL;
}

bool endpoint_is_idle(struct endpoint *endpoint)
{
	reap_listeners(endpoint);
	return !endpoint->listeners;
}

void endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	loop_source_free(endpoint->timer);
	while (endpoint->listeners) {
		struct listener *listener = endpoint->listeners;

		endpoint->listeners = listener->next;
		listener_free(listener);
	}
	free(endpoint);
}

void endpoint_publish(struct endpoint *endpoint)
{
	_cleanup_rpc_message_ struct rpc_message list = { 0 };
	int r;

	if (!endpoint->listener)
		return;
	r = endpoint->setup.encode(endpoint->setup.ctx, &list);
	if (r < 0) {
		log_error(COMPONENT, "'%s': cannot encode the list of devices: %s",
			  endpoint->setup.resource, strerror(-r));
		return;
	}
	rpc_server_publish(endpoint->listener->server, &list);
}

void endpoint_dir_event(struct endpoint *endpoint, const char *name, uint32_t mask)
{
	bool came = mask & (IN_CREATE | IN_MOVED_TO);

	if (endpoint->listener && !came && strcmp(name, endpoint->listener->name) == 0)
		feed(endpoint, LIFECYCLE_SOCKET_GONE);
	if (endpoint->setup.path == LIFECYCLE_CLASSIC && strcmp(name, KUBELET_SOCKET) == 0)
		feed(endpoint, came ? LIFECYCLE_KUBELET_CAME : LIFECYCLE_KUBELET_GONE);
}

void endpoint_check(struct endpoint *endpoint)
{
	bool kubelet = kubelet_is_there(endpoint);

	if (endpoint->listener)
		listener_changed(endpoint->listener);
	reap_listeners(endpoint);
	if (endpoint->listener && endpoint->lifecycle.bound && !is_socket(endpoint->listener->path))
		feed(endpoint, LIFECYCLE_SOCKET_GONE);
	if (kubelet != endpoint->lifecycle.kubelet)
		feed(endpoint, kubelet ? LIFECYCLE_KUBELET_CAME : LIFECYCLE_KUBELET_GONE);
	if (!kubelet)
		report_problem(endpoint, endpoint->setup.path == LIFECYCLE_CLASSIC
						 ? "no kubelet: its socket is not there"
						 : "no kubelet: its plugin registry is not there");
}
