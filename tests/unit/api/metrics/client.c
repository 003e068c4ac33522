/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/metrics/client.h"

#include "tests/test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "base/parse.h"

int client_open(const struct http_address *address)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address->socket, address->len), 0);
	return fd;
}

void client_send_bytes(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

void client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

void client_read_all(int fd, struct strbuf *out)
{
	char buf[4096];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
		assert_true(n >= 0);
		strbuf_add(out, buf, (size_t)n);
	} while (n > 0);
	assert_int_equal(strbuf_error(out), 0);
}

static void read_bytes(int fd, struct strbuf *out, size_t len)
{
	char buf[4096];

	while (len > 0) {
		ssize_t n = recv(fd, buf, MIN(len, sizeof(buf)), 0);

		assert_true(n > 0);
		strbuf_add(out, buf, (size_t)n);
		len -= (size_t)n;
	}
}

size_t client_content_length(const struct strbuf *answer)
{
	static const char name[] = "Content-Length: ";
	const char *at = strstr(strbuf_str(answer), name);
	char digits[24];
	uint64_t len;

	assert_non_null(at);
	at += strlen(name);
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(at, "\r"), at);
	assert_int_equal(parse_u64(digits, 10, &len), 0);
	return len;
}

void client_read_answer(int fd, struct strbuf *out)
{
	strbuf_clear(out);
	while (!strstr(strbuf_str(out), "\r\n\r\n"))
		read_bytes(fd, out, 1);
	read_bytes(fd, out, client_content_length(out));
}

void client_assert_answer(const struct strbuf *answer, int status, const char *body)
{
	const char *at = strstr(strbuf_str(answer), "\r\n\r\n");
	char line[16];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	assert_ptr_equal(strstr(strbuf_str(answer), line), strbuf_str(answer));
	assert_non_null(at);
	assert_string_equal(at + 4, body);
}

void client_ask(int fd, const char *request, int status, const char *body)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);

	client_send(fd, request);
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, status, body);
}

void client_assert_closed(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

void client_wait_for_hang_up(int fd)
{
	struct pollfd poller = { .fd = fd };

	assert_int_equal(poll(&poller, 1, PATIENCE_S * 1000), 1);
	assert_true(poller.revents & POLLHUP);
}
