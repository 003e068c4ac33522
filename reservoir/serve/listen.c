/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

#define BACKLOG 1024
#define PORT_MAX 65535u
#define FLAGS_AT 13 /* of TCP: RFC 9293, section 3.1 */

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

/* The filter sees a segment from its header on. */
int listen_refuse(int fd)
{
	struct sock_filter first_segments[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { ARRAY_SIZE(first_segments), first_segments };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

bool listen_has_waiting(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	/* Of a socket that listens, this is the length of the queue. */
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_unacked > 0;
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
