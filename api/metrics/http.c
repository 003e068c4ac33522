/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each connection is a small state machine:
 *
 *	READING    bytes come in until a request is complete
 *	             -> WRITING an answer or a refusal, or -> WAITING
 *	WAITING    the answer was put off; nothing is read meanwhile
 *	             -> WRITING it, or a 503 when its time is over
 *	WRITING    the answer goes out as the client reads it
 *	             -> READING, -> PIPELINED or -> LINGERING
 *	PIPELINED  the next request is in the buffer already; it has to wait until
 *	           the loop comes round, so that others are served in between
 *	LINGERING  the last answer was sent and our end closed; what still comes in
 *	           is thrown away, since a close would destroy the answer on its way
 *
 * A connection has one deadline, that of its state; one timer stands at the next
 * deadline of all.  An idle server has no timer, and an idle connection no memory
 * but its buffer.
 *
 * While all places are taken new clients wait in the queue of the socket.  In their
 * favour a connection that is only kept open is closed, and none is kept open.
 *
 * Functions of a state return whether the connection lives on.
 */
#include "api/metrics/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "api/metrics/http_request.h"
#include "api/metrics/http_response.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"

#define NEVER UINT64_MAX

/* Bytes that are thrown away behind a refusal; a client that sends more of them
 * has to live without having read the answer. */
#define DISCARDED_MAX ((size_t)64 * 1024)

enum state {
	READING,
	WAITING,
	WRITING,
	PIPELINED,
	LINGERING,
	_STATE_MAX,
};

struct connection {
	struct http_server *server;
	struct loop_source *source;
	int fd;
	enum state state;
	uint64_t deadline_ms;
	uint32_t n_requests;
	bool close; /* behind the answer */
	struct http_request request;
	const struct http_route *route;
	uint64_t token;	    /* while WAITING */
	struct strbuf head; /* of the answer */
	struct strbuf body;
	size_t n_sent; /* of both */
	size_t n_discarded;
	size_t n_in;
	char in[HTTP_HEAD_MAX];
};

struct http_server {
	struct loop *loop;
	struct loop_source *source;
	struct loop_source *timer;
	struct http_listener listener;
	const struct http_route *routes;
	struct http_limits limits;
	void *ctx;
	uint64_t last_token;
	bool is_full;	       /* nothing is accepted */
	uint64_t accept_at_ms; /* when to try again after a failure; NEVER when there was none */
	struct connection *connections[HTTP_CONNECTIONS_MAX];
};

/* Sets the timer to the next deadline. */
static void server_schedule(struct http_server *server)
{
	uint64_t next = server->accept_at_ms;
	uint64_t now = clock_ms();

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (server->connections[i])
			next = MIN(next, server->connections[i]->deadline_ms);
	if (next == NEVER)
		loop_timer_stop(server->timer);
	else
		(void)loop_timer_set(server->timer, next > now ? (uint32_t)(next - now) : 0, 0);
}

/* A failure here would be one of the arguments; a deadline is set in any case. */
static void watch(struct connection *c, enum state state, uint32_t events, uint32_t timeout_ms)
{
	c->state = state;
	c->deadline_ms = clock_ms() + timeout_ms;
	(void)loop_fd_set_events(c->source, events);
}

static void server_accept_again(struct http_server *server)
{
	if (server->is_full)
		(void)loop_fd_set_events(server->source, EPOLLIN);
	server->is_full = false;
	server->accept_at_ms = NEVER;
}

static void connection_free(struct connection *c)
{
	if (!c)
		return;
	loop_source_free(c->source);
	if (c->fd >= 0)
		(void)close(c->fd);
	strbuf_done(&c->head);
	strbuf_done(&c->body);
	free(c);
}
DEFINE_CLEANUP(struct connection, connection_free);

static void connection_close(struct connection *c)
{
	struct http_server *server = c->server;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (server->connections[i] == c)
			server->connections[i] = NULL;
	connection_free(c);
	server_accept_again(server);
}

static bool is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

static bool begin_lingering(struct connection *c)
{
	if (shutdown(c->fd, SHUT_WR) < 0)
		return false;
	watch(c, LINGERING, EPOLLIN, c->server->limits.linger_ms);
	return true;
}

static bool answer_is_sent(struct connection *c)
{
	strbuf_done(&c->head);
	strbuf_done(&c->body);
	c->n_sent = 0;
	if (c->close)
		return begin_lingering(c);
	/* There is room to write, so the loop comes back at once. */
	if (c->n_in > 0) {
		watch(c, PIPELINED, EPOLLOUT, c->server->limits.head_ms);
		return true;
	}
	watch(c, READING, EPOLLIN, c->server->limits.idle_ms);
	server_accept_again(c->server);
	return true;
}

/* The part of @sb that comes after @skip bytes of the answer. */
static struct iovec unsent(const struct strbuf *sb, size_t skip)
{
	skip = MIN(skip, sb->len);
	return (struct iovec) { .iov_base = sb->len > skip ? sb->data + skip : NULL,
				.iov_len = sb->len - skip };
}

static bool send_answer(struct connection *c)
{
	struct iovec parts[] = {
		unsent(&c->head, c->n_sent),
		unsent(&c->body, c->n_sent > c->head.len ? c->n_sent - c->head.len : 0),
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);

	if (n < 0)
		return is_transient(errno);
	c->n_sent += (size_t)n;
	if (c->n_sent == c->head.len + c->body.len)
		return answer_is_sent(c);
	return true;
}

/* Makes the body one that says what the status is. */
static void set_error_body(struct connection *c, int status)
{
	strbuf_clear(&c->body);
	strbuf_printf(&c->body, "%d %s\n", status, http_status_text(status));
}

/* Writes the head for the body that is there. */
static void prepare(struct connection *c, int status, const char *type)
{
	if (strbuf_error(&c->body) < 0) {
		status = 500;
		strbuf_done(&c->body);
		set_error_body(c, status);
		type = HTTP_TYPE_PLAIN;
	}
	http_response_write_head(&c->head, &(struct http_response) {
						   .status = status,
						   .type = type,
						   .len = c->body.len,
						   .close = c->close,
						   .keeps_alive = c->request.is_1_0,
						   .date = time(NULL),
					   });
	/* A broken head ends the connection, and so does an empty one. */
	if (strbuf_error(&c->head) < 0)
		strbuf_done(&c->head);
	if (c->request.head_only)
		strbuf_done(&c->body);
	watch(c, WRITING, EPOLLOUT, c->server->limits.write_ms);
}

static bool answer(struct connection *c, int status, const char *type)
{
	prepare(c, status, type);
	return c->head.len > 0 && send_answer(c);
}

static bool refuse(struct connection *c, int status)
{
	set_error_body(c, status);
	return answer(c, status, HTTP_TYPE_PLAIN);
}

static const char *route_type(const struct http_route *route)
{
	return route->type ? route->type : HTTP_TYPE_PLAIN;
}

static bool put_off(struct connection *c)
{
	struct http_server *server = c->server;

	c->token = ++server->last_token;
	watch(c, WAITING, 0, server->limits.put_off_ms);
	c->route->put_off(server->ctx, c->token);
	return true;
}

static bool serve(struct connection *c)
{
	const struct http_route *route = c->server->routes;

	while (route->path && strcmp(route->path, c->request.path) != 0)
		route++;
	if (!route->path)
		return refuse(c, 404);
	c->route = route;
	if (route->put_off)
		return put_off(c);
	return answer(c, route->answer(c->server->ctx, &c->body), route_type(route));
}

/* Looks whether a request is complete, and serves one. */
static bool next_request(struct connection *c)
{
	int status = http_request_parse(c->in, c->n_in, &c->request);

	if (status == HTTP_MORE) {
		c->state = READING;
		(void)loop_fd_set_events(c->source, EPOLLIN);
		return true;
	}
	c->n_requests++;
	c->close = !c->request.keep_alive || c->server->is_full ||
		   c->n_requests >= c->server->limits.n_requests;
	if (status != HTTP_OK)
		return refuse(c, status);
	c->n_in -= c->request.len;
	memmove(c->in, c->in + c->request.len, c->n_in);
	return serve(c);
}

static bool on_readable(struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->n_in, sizeof(c->in) - c->n_in, 0);

	if (n < 0)
		return is_transient(errno);
	if (n == 0)
		return false;
	if (c->n_in == 0)
		c->deadline_ms = clock_ms() + c->server->limits.head_ms;
	c->n_in += (size_t)n;
	return next_request(c);
}

/* Only a hang-up or an error is told while an answer is awaited. */
static bool on_hang_up(struct connection *c)
{
	(void)c;
	return false;
}

static bool on_discardable(struct connection *c)
{
	ssize_t n = recv(c->fd, c->in, sizeof(c->in), 0);

	if (n < 0)
		return is_transient(errno);
	c->n_discarded += (size_t)n;
	return n > 0 && c->n_discarded <= DISCARDED_MAX;
}

static bool (*const on_event[_STATE_MAX])(struct connection *) = {
	[READING] = on_readable,    [WAITING] = on_hang_up,	  [WRITING] = send_answer,
	[PIPELINED] = next_request, [LINGERING] = on_discardable,
};

static void on_connection(void *ctx, int fd)
{
	struct connection *c = ctx;
	struct http_server *server = c->server;

	(void)fd;
	if (!on_event[c->state](c))
		connection_close(c);
	server_schedule(server);
}

/* Whether anything is begun that a close would break off. */
static bool is_idle(const struct connection *c)
{
	return c->state == READING && c->n_in == 0;
}

static bool expire(struct connection *c)
{
	switch (c->state) {
	case READING:
	case PIPELINED:
		c->close = true;
		return !is_idle(c) && refuse(c, 408);
	case WAITING:
		c->token = 0;
		return refuse(c, 503);
	default:
		return false;
	}
}

static void on_timer(void *ctx)
{
	struct http_server *server = ctx;
	uint64_t now = clock_ms();

	if (server->accept_at_ms <= now)
		server_accept_again(server);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *c = server->connections[i];

		if (c && c->deadline_ms <= now && !expire(c))
			connection_close(c);
	}
	server_schedule(server);
}

static void server_stop_accepting(struct http_server *server, uint64_t until_ms)
{
	server->is_full = true;
	server->accept_at_ms = until_ms;
	(void)loop_fd_set_events(server->source, 0);
}

/* The connection that has been idle for longest and has been served; NULL if there
 * is none. */
static struct connection *longest_idle(const struct http_server *server)
{
	struct connection *found = NULL;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *c = server->connections[i];

		if (c && is_idle(c) && c->n_requests > 0 &&
		    (!found || c->deadline_ms < found->deadline_ms))
			found = c;
	}
	return found;
}

static struct connection **free_place(struct http_server *server)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (!server->connections[i])
			return &server->connections[i];
	return NULL;
}

/* Takes @fd over, whatever happens. */
static int add_connection(struct http_server *server, struct connection **place, int fd)
{
	_cleanup_(connection_freep) struct connection *c = calloc(1, sizeof(*c));
	const int on = 1;
	int r;

	if (!c) {
		(void)close(fd);
		return -ENOMEM;
	}
	*c = (struct connection) { .server = server,
				   .fd = fd,
				   .state = READING,
				   .deadline_ms = clock_ms() + server->limits.head_ms,
				   .head = STRBUF_INIT(HTTP_RESPONSE_HEAD_MAX),
				   .body = STRBUF_INIT(HTTP_BODY_MAX) };
	/* It fails for a unix socket, which needs it not. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = loop_add_fd(server->loop, fd, on_connection, c, &c->source, NULL);
	if (r < 0)
		return r;
	*place = TAKE_PTR(c);
	return 0;
}

/* Whether accept(2) has failed for want of something that will take a while to
 * come back; all other errors are those of one client. */
static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_client(void *ctx, int listen_fd)
{
	struct http_server *server = ctx;
	struct connection **place = free_place(server);
	int fd;
	int r;

	if (!place && longest_idle(server)) {
		connection_close(longest_idle(server));
		place = free_place(server);
	}
	if (!place) {
		server_stop_accepting(server, NEVER);
		return;
	}
	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	r = fd < 0 ? -errno : add_connection(server, place, fd);
	if (is_shortage(-r))
		server_stop_accepting(server, clock_ms() + server->limits.accept_ms);
	server_schedule(server);
}

int http_server_new(struct loop *loop, const struct http_address *address,
		    const struct http_route *routes, const struct http_limits *limits, void *ctx,
		    struct http_server **ret, struct error *err)
{
	_cleanup_(http_server_freep) struct http_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set(err, ENOMEM, "no memory for an HTTP server");
	*server = (struct http_server) { .loop = loop,
					 .listener = HTTP_LISTENER_NONE,
					 .routes = routes,
					 .limits = limits ? *limits : HTTP_LIMITS_DEFAULT,
					 .ctx = ctx,
					 .accept_at_ms = NEVER };
	r = http_listener_open(address, &server->listener, err);
	if (r < 0)
		return r;
	r = loop_add_timer(loop, on_timer, server, &server->timer, err);
	if (r < 0)
		return r;
	r = loop_add_fd(loop, server->listener.fd, on_client, server, &server->source, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(server);
	return 0;
}

void http_server_free(struct http_server *server)
{
	int saved_errno = errno;

	if (!server)
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		connection_free(server->connections[i]);
	loop_source_free(server->source);
	loop_source_free(server->timer);
	http_listener_close(&server->listener);
	free(server);
	errno = saved_errno;
}

static struct connection *find_waiting(const struct http_server *server, uint64_t token)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct connection *c = server->connections[i];

		if (c && c->state == WAITING && c->token == token)
			return c;
	}
	return NULL;
}

/* The answer is only prepared: its bytes leave when the loop comes round, so that
 * no connection ends inside the caller. */
void http_server_reply(struct http_server *server, uint64_t token, int status, const char *text)
{
	struct connection *c = server ? find_waiting(server, token) : NULL;

	if (!c)
		return;
	strbuf_puts(&c->body, text);
	prepare(c, status, route_type(c->route));
	server_schedule(server);
}

int http_server_address(const struct http_server *server, char ret[HTTP_ADDRESS_TEXT_MAX])
{
	return http_listener_text(&server->listener, ret);
}
