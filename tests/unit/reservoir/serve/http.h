/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that sends bytes as they are, and reads answers of HTTP/1.1.
 *
 * Source: RFC 9112
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "reservoir/serve/server.h"
#include "tests/unit/reservoir/store/scratch.h"

#define HTTP_HEAD_MAX 8192
#define HTTP_WAIT_MS 20000

struct http_reply {
	int status; /* 0: the connection ended without an answer */
	char head[HTTP_HEAD_MAX];
	char *body; /* owned; NUL-terminated */
	size_t len;
};

/**
 * http_connect() - Connect to a server, or fail the test.
 * @server: server
 *
 * Return: socket.
 */
static inline int http_connect(const struct server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(server_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/**
 * http_send() - Send bytes, or fail the test.
 * @fd: socket
 * @data: @len bytes
 * @len: number of bytes
 */
static inline void http_send(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		data += n;
		len -= (size_t)n;
	}
}

/**
 * http_recv() - Receive what there is, or fail the test after HTTP_WAIT_MS.
 * @fd: socket
 * @data: receives it
 * @len: bytes of @data
 *
 * Return: as recv(2).
 */
static inline ssize_t http_recv(int fd, char *data, size_t len)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (poll(&ready, 1, HTTP_WAIT_MS) != 1)
		fail_msg("no answer within %d ms", HTTP_WAIT_MS);
	return recv(fd, data, len, 0);
}

/**
 * http_header() - Find a header of an answer.
 * @reply: answer
 * @name: name with its colon, as in "ETag:"
 * @value: receives the value; "" if there is none
 * @size: bytes of @value
 *
 * Return: true if there is one.
 */
static inline bool http_header(const struct http_reply *reply, const char *name, char *value,
			       size_t size)
{
	const char *line = reply->head;

	value[0] = '\0';
	for (line = strstr(line, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, strlen(name)) != 0)
			continue;
		line += 2 + strlen(name);
		line += strspn(line, " ");
		(void)snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
		return true;
	}
	return false;
}

/**
 * http_read() - Read an answer.
 * @fd: socket
 * @head: of a HEAD request, whose answer has no body
 * @reply: receives it; its body is to be released with free()
 */
static inline void http_read(int fd, bool head, struct http_reply *reply)
{
	char value[64];
	uint64_t len = 0;
	size_t n = 0;

	memset(reply, 0, sizeof(*reply));
	while (n < 4 || memcmp(reply->head + n - 4, "\r\n\r\n", 4) != 0) {
		assert_true(n + 1 < sizeof(reply->head));
		if (http_recv(fd, reply->head + n, 1) <= 0)
			return;
		n++;
	}
	if (sscanf(reply->head, "HTTP/1.%*d %d", &reply->status) != 1)
		fail_msg("no status line: %s", reply->head);
	if (http_header(reply, "Content-Length:", value, sizeof(value)) && !head &&
	    reply->status != 304)
		assert_int_equal(parse_u64(value, 10, &len), 0);
	reply->len = (size_t)len;
	reply->body = calloc(1, reply->len + 1);
	assert_non_null(reply->body);
	for (n = 0; n < reply->len;) {
		ssize_t got = http_recv(fd, reply->body + n, reply->len - n);

		if (got <= 0) {
			reply->len = n;
			return;
		}
		n += (size_t)got;
	}
}

/**
 * http_ask() - Ask for something on a connection that is there.
 * @fd: socket
 * @method: method
 * @target: target
 * @headers: more headers, each with its CR LF; or ""
 * @reply: receives the answer; its body is to be released with free()
 */
static inline void http_ask(int fd, const char *method, const char *target, const char *headers,
			    struct http_reply *reply)
{
	char request[4096];
	int n = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method,
			 target, headers);

	assert_true(n > 0 && (size_t)n < sizeof(request));
	http_send(fd, request, (size_t)n);
	http_read(fd, strcmp(method, "HEAD") == 0, reply);
}

/**
 * http_status() - Ask on a connection of its own, and see the status.
 * @server: server
 * @target: target
 * @headers: more headers, each with its CR LF; or ""
 *
 * Return: status.
 */
static inline int http_status(const struct server *server, const char *target, const char *headers)
{
	_cleanup_close_ int fd = http_connect(server);
	struct http_reply reply;

	http_ask(fd, "GET", target, headers, &reply);
	free(reply.body);
	return reply.status;
}
