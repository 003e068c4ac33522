/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics/http_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

#define BACKLOG 64 /* connections that wait while the server is full */

/* A socket address of any family, as the calls want it. */
union any_address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static int refuse_address(const char *text, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "address '%.200s': %s; expected unix:/PATH, IPV4:PORT, [IPV6]:PORT or "
			 ":PORT",
			 text, why);
}

static int parse_unix(const char *text, const char *path, struct http_address *ret,
		      struct error *err)
{
	union any_address address = { .un = { .sun_family = AF_UNIX } };

	if (path[0] != '/')
		return refuse_address(text, "the path of a unix socket is absolute", err);
	if (str_copy(address.un.sun_path, sizeof(address.un.sun_path), path) < 0)
		return error_set(err, ENAMETOOLONG,
				 "address '%.200s': the path has more than %zu bytes", text,
				 sizeof(address.un.sun_path) - 1);
	*ret = (struct http_address) { .socket = address.storage, .len = sizeof(address.un) };
	return 0;
}

static void set_any(uint16_t port, struct http_address *ret)
{
	union any_address address = { .in6 = { .sin6_family = AF_INET6,
					       .sin6_port = htons(port),
					       .sin6_addr = IN6ADDR_ANY_INIT } };

	*ret = (struct http_address) { .socket = address.storage,
				       .len = sizeof(address.in6),
				       .any = true };
}

static bool parse_ipv4(const char *host, uint16_t port, struct http_address *ret)
{
	union any_address address = { .in = { .sin_family = AF_INET, .sin_port = htons(port) } };

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &address.in.sin_addr) != 1)
		return false;
	*ret = (struct http_address) { .socket = address.storage, .len = sizeof(address.in) };
	return true;
}

/* @host is in brackets, which are cut off. */
static bool parse_ipv6(char *host, uint16_t port, struct http_address *ret)
{
	union any_address address = { .in6 = { .sin6_family = AF_INET6,
					       .sin6_port = htons(port) } };
	size_t len = strlen(host);

	if (host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &address.in6.sin6_addr) != 1)
		return false;
	*ret = (struct http_address) { .socket = address.storage, .len = sizeof(address.in6) };
	return true;
}

static int parse_tcp(const char *text, const char *host_port, struct http_address *ret,
		     struct error *err)
{
	const char *colon = strrchr(host_port, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint32_t port;

	if (!colon)
		return refuse_address(text, "there is no port", err);
	if (parse_u32(colon + 1, UINT16_MAX, &port) < 0)
		return refuse_address(text, "the port is no number up to 65535", err);
	if ((size_t)(colon - host_port) >= sizeof(host))
		return refuse_address(text, "the host is no IP address", err);
	memcpy(host, host_port, (size_t)(colon - host_port));
	host[colon - host_port] = '\0';
	if (host[0] == '\0')
		set_any((uint16_t)port, ret);
	else if (host[0] == '[' && !parse_ipv6(host, (uint16_t)port, ret))
		return refuse_address(text, "there is no IPv6 address in the brackets", err);
	else if (host[0] != '[' && strchr(host, ':'))
		return refuse_address(text, "an IPv6 address is written in brackets", err);
	else if (host[0] != '[' && !parse_ipv4(host, (uint16_t)port, ret))
		return refuse_address(text, "the host is no IP address", err);
	return 0;
}

int http_address_parse(const char *text, struct http_address *ret, struct error *err)
{
	const char *rest = str_starts_with(text, "unix:");

	if (rest)
		return parse_unix(text, rest, ret, err);
	rest = str_starts_with(text, "tcp:");
	return parse_tcp(text, rest ? rest : text, ret, err);
}

static void format_address(const union any_address *address, char ret[HTTP_ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";

	switch (address->any.sa_family) {
	case AF_UNIX:
		(void)snprintf(ret, HTTP_ADDRESS_TEXT_MAX, "unix:%s", address->un.sun_path);
		break;
	case AF_INET:
		(void)inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		(void)snprintf(ret, HTTP_ADDRESS_TEXT_MAX, "%s:%u", host,
			       ntohs(address->in.sin_port));
		break;
	default:
		(void)inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		(void)snprintf(ret, HTTP_ADDRESS_TEXT_MAX, "[%s]:%u", host,
			       ntohs(address->in6.sin6_port));
		break;
	}
}

int http_listener_text(const struct http_listener *listener, char ret[HTTP_ADDRESS_TEXT_MAX])
{
	union any_address address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(listener->fd, &address.any, &len) < 0)
		return -errno;
	format_address(&address, ret);
	return 0;
}

/* Removes a socket that nobody listens to. */
static int remove_stale(const union any_address *address, struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(address->un.sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EEXIST, "it is there and is no socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, errno, "socket: %s", strerror(errno));
	if (connect(fd, &address->any, sizeof(address->un)) == 0 || errno != ECONNREFUSED)
		return error_set(err, EADDRINUSE, "somebody listens there");
	if (unlink(address->un.sun_path) < 0 && errno != ENOENT)
		return error_set(err, errno, "remove the old socket: %s", strerror(errno));
	return 0;
}

/* The mode of a unix socket is set before it has a name, so that there is no
 * moment in which others may connect. */
static int set_options(int fd, const struct http_address *address, struct error *err)
{
	const int on = 1;
	const int v6_only = !address->any;
	int r = 0;

	if (address->socket.ss_family == AF_UNIX)
		r = fchmod(fd, S_IRUSR | S_IWUSR);
	else
		r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0 && address->socket.ss_family == AF_INET6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
	return r < 0 ? error_set(err, errno, "set up the socket: %s", strerror(errno)) : 0;
}

static int bind_and_listen(const struct http_address *address, int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd =
		socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const union any_address any = { .storage = address->socket };
	int r;

	if (fd < 0)
		return error_set(err, errno, "socket: %s", strerror(errno));
	r = set_options(fd, address, err);
	if (r < 0)
		return r;
	if (bind(fd, &any.any, address->len) < 0)
		return error_set(err, errno, "bind: %s", strerror(errno));
	if (listen(fd, BACKLOG) < 0)
		return error_set(err, errno, "listen: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_unix(const struct http_address *address, struct http_listener *ret,
		     struct error *err)
{
	const union any_address any = { .storage = address->socket };
	struct http_listener listener = HTTP_LISTENER_NONE;
	struct stat st;
	int r = remove_stale(&any, err);

	if (r < 0)
		return r;
	r = bind_and_listen(address, &listener.fd, err);
	if (r < 0)
		return r;
	if (lstat(any.un.sun_path, &st) == 0) {
		(void)str_copy(listener.path, sizeof(listener.path), any.un.sun_path);
		listener.dev = st.st_dev;
		listener.ino = st.st_ino;
	}
	*ret = listener;
	return 0;
}

/* Every address is one of IPv6 that takes IPv4 too, where the node has IPv6. */
static int open_tcp(const struct http_address *address, struct http_listener *ret,
		    struct error *err)
{
	struct http_listener listener = HTTP_LISTENER_NONE;
	union any_address any = { .storage = address->socket };
	int r = bind_and_listen(address, &listener.fd, err);

	if (address->any && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)) {
		const union any_address ipv4 = { .in = { .sin_family = AF_INET,
							 .sin_port = any.in6.sin6_port } };
		const struct http_address other = { .socket = ipv4.storage,
						    .len = sizeof(ipv4.in) };

		r = bind_and_listen(&other, &listener.fd, err);
	}
	if (r < 0)
		return r;
	*ret = listener;
	return 0;
}

int http_option_set_address(_unused_ const struct option_row *row, void *field, const char *value)
{
	const char **address = field;
	struct http_address parsed;

	*address = strcmp(value, "none") == 0 ? NULL : value;
	return *address ? http_address_parse(value, &parsed, NULL) : 0;
}

int http_listener_open(const struct http_address *address, struct http_listener *ret,
		       struct error *err)
{
	const union any_address any = { .storage = address->socket };
	char text[HTTP_ADDRESS_TEXT_MAX];
	int r;

	if (address->socket.ss_family == AF_UNIX)
		r = open_unix(address, ret, err);
	else
		r = open_tcp(address, ret, err);
	if (r < 0) {
		format_address(&any, text);
		return error_wrap(err, r, "listen at '%s'", text);
	}
	return 0;
}

void http_listener_close(struct http_listener *listener)
{
	int saved_errno = errno;
	struct stat st;

	if (listener->fd < 0)
		return;
	if (listener->path[0] != '\0' && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		(void)unlink(listener->path);
	(void)close(listener->fd);
	*listener = HTTP_LISTENER_NONE;
	errno = saved_errno;
}
