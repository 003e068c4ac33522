/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define BACKLOG 1024
#define PORT_MAX 65535u

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int bad(const char *where, struct error *err)
{
	return error_set(err, EINVAL,
			 "'%s' is no address to listen on, as in '0.0.0.0:8080' or '[::]:8080'",
			 where);
}

static int read_address(const char *where, union address *ret, struct error *err)
{
	const char *colon = strrchr(where, ':');
	size_t len = colon ? (size_t)(colon - where) : 0;
	char host[INET6_ADDRSTRLEN + 2];
	uint32_t port;

	if (!colon || len >= sizeof(host) || parse_u32(colon + 1, PORT_MAX, &port) < 0)
		return bad(where, err);
	memcpy(host, where, len);
	host[len] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		host[len - 1] = '\0';
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &ret->v6.sin6_addr) == 1 ? 0 : bad(where, err);
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 ? 0 : bad(where, err);
}

int listen_open(const char *where, struct error *err)
{
	_cleanup_close_ int fd = -1;
	union address address;
	socklen_t len;
	int on = 1, off = 0;
	int r = read_address(where, &address, err);

	if (r < 0)
		return r;
	len = address.any.sa_family == AF_INET6 ? sizeof(address.v6) : sizeof(address.v4);
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, errno, "no socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &address.any, len) < 0 || listen(fd, BACKLOG) < 0)
		return error_set(err, errno, "cannot listen on '%s': %s", where, strerror(errno));
	return TAKE_FD(fd);
}

uint16_t listen_port(int fd)
{
	union address address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) < 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}
