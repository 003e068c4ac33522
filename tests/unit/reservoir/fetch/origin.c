/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/reservoir/fetch/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"

#define CONNECTIONS_MAX 512
#define PATHS_MAX 512
#define PATH_SIZE 256
#define TICK_MS 20

struct connection {
	struct origin *origin;
	int fd;
	pthread_t thread;
};

struct origin {
	origin_fn fn;
	void *ctx;
	int listener;
	char url[ORIGIN_URL_MAX];
	pthread_t thread;
	atomic_bool is_stopped;
	atomic_uint count, active, peak;
	pthread_mutex_t lock; /* of @paths */
	struct {
		char path[PATH_SIZE];
		unsigned int n;
	} paths[PATHS_MAX];
	struct connection connections[CONNECTIONS_MAX];
	size_t n_connections;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static unsigned int count_path(struct origin *origin, const char *path)
{
	unsigned int n = 0;

	must(pthread_mutex_lock(&origin->lock) == 0);
	for (size_t i = 0; i < PATHS_MAX; i++) {
		if (!origin->paths[i].path[0])
			must(str_copy(origin->paths[i].path, PATH_SIZE, path) == 0);
		if (strcmp(origin->paths[i].path, path) != 0)
			continue;
		n = origin->paths[i].n++;
		break;
	}
	must(pthread_mutex_unlock(&origin->lock) == 0);
	return n;
}

static bool wait_readable(const struct origin *origin, int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (!atomic_load(&origin->is_stopped))
		if (poll(&ready, 1, TICK_MS) > 0)
			return true;
	return false;
}

static bool read_head(const struct origin *origin, int fd, char head[ORIGIN_HEAD_MAX])
{
	size_t len = 0;

	while (len + 1 < ORIGIN_HEAD_MAX && wait_readable(origin, fd)) {
		ssize_t n = recv(fd, head + len, 1, 0);

		if (n <= 0)
			return false;
		len++;
		head[len] = '\0';
		if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool send_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void hang(const struct origin *origin, int fd)
{
	struct pollfd gone = { .fd = fd, .events = POLLRDHUP };

	while (!atomic_load(&origin->is_stopped))
		if (poll(&gone, 1, TICK_MS) > 0)
			return;
}

/* Whether the connection stays open. */
static bool answer(const struct origin *origin, int fd, const struct origin_answer *answer)
{
	size_t len = answer->cut > 0 ? MIN(answer->cut, answer->len) : answer->len;
	char head[1024];
	char length[64] = "";
	int n;

	if (!answer->status)
		return false;
	if (!answer->no_length)
		(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", answer->len);
	n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%s%s%s\r\n", answer->status,
		     answer->headers ? answer->headers : "", length,
		     answer->no_length ? "Connection: close\r\n" : "");
	must(n > 0 && (size_t)n < sizeof(head));
	if (!send_all(fd, head, (size_t)n) || !send_all(fd, answer->body, len))
		return false;
	if (answer->is_hanging)
		hang(origin, fd);
	return !answer->no_length && len == answer->len && !answer->is_hanging;
}

static bool serve_one(struct origin *origin, int fd)
{
	char head[ORIGIN_HEAD_MAX];
	char path[PATH_SIZE] = "";
	struct origin_answer what;
	unsigned int active;
	bool is_open;

	if (!read_head(origin, fd, head) || sscanf(head, "%*s %255s", path) != 1)
		return false;
	atomic_fetch_add(&origin->count, 1);
	active = atomic_fetch_add(&origin->active, 1) + 1;
	if (active > atomic_load(&origin->peak))
		atomic_store(&origin->peak, active);
	what = origin->fn(origin->ctx, path, head, count_path(origin, path));
	is_open = answer(origin, fd, &what);
	atomic_fetch_sub(&origin->active, 1);
	return is_open;
}

static void *serve(void *ctx)
{
	struct connection *connection = ctx;
	const int on = 1;

	must(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	while (serve_one(connection->origin, connection->fd))
		;
	(void)shutdown(connection->fd, SHUT_RDWR);
	(void)close(connection->fd);
	return NULL;
}

static void *listen_for(void *ctx)
{
	struct origin *origin = ctx;

	while (wait_readable(origin, origin->listener)) {
		struct connection *connection = &origin->connections[origin->n_connections++];

		must(origin->n_connections < CONNECTIONS_MAX);
		connection->origin = origin;
		connection->fd = accept(origin->listener, NULL, NULL);
		must(connection->fd >= 0);
		must(pthread_create(&connection->thread, NULL, serve, connection) == 0);
	}
	for (size_t i = 0; i < origin->n_connections; i++)
		must(pthread_join(origin->connections[i].thread, NULL) == 0);
	return NULL;
}

struct origin *origin_start(origin_fn fn, void *ctx)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	struct origin *origin = calloc(1, sizeof(*origin));

	must(origin != NULL);
	origin->fn = fn;
	origin->ctx = ctx;
	must(pthread_mutex_init(&origin->lock, NULL) == 0);
	origin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(origin->listener >= 0);
	must(bind(origin->listener, (struct sockaddr *)&address, size) == 0);
	must(listen(origin->listener, 128) == 0);
	must(getsockname(origin->listener, (struct sockaddr *)&address, &size) == 0);
	(void)snprintf(origin->url, sizeof(origin->url), "http://127.0.0.1:%u",
		       ntohs(address.sin_port));
	must(pthread_create(&origin->thread, NULL, listen_for, origin) == 0);
	return origin;
}

void origin_stop(struct origin *origin)
{
	atomic_store(&origin->is_stopped, true);
	must(pthread_join(origin->thread, NULL) == 0);
	(void)close(origin->listener);
	must(pthread_mutex_destroy(&origin->lock) == 0);
	free(origin);
}

const char *origin_url(const struct origin *origin)
{
	return origin->url;
}

unsigned int origin_count(struct origin *origin)
{
	return atomic_load(&origin->count);
}

unsigned int origin_peak(struct origin *origin)
{
	return atomic_load(&origin->peak);
}

bool origin_header(const char *head, const char *name, char *value, size_t size)
{
	const char *at = strcasestr(head, name);
	size_t len;

	if (!at)
		return false;
	at += strlen(name);
	at += strspn(at, " ");
	len = strcspn(at, "\r\n");
	must(len < size);
	memcpy(value, at, len);
	value[len] = '\0';
	return true;
}
