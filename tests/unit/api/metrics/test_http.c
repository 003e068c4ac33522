/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server runs on a thread of its own, as a client sees it; each test is that
 * client.
 */
#include "tests/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/metrics/http.h"
#include "api/metrics/http_request.h"
#include "base/cleanup.h"
#include "tests/unit/api/metrics/client.h"

#define BIG ((size_t)3 * 1024 * 1024)
#define MANY 48
#define A_WHILE 3600000 /* milliseconds; longer than any test */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_LAST(path) "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static _Atomic bool calloc_fails; /* the next one of a connection's size */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (size > HTTP_HEAD_MAX && atomic_exchange(&calloc_fails, false))
		return NULL;
	return __real_calloc(n, size);
}

struct fixture {
	struct loop *loop;
	struct http_server *server;
	struct http_limits limits;
	struct http_address address;
	char directory[64];
	pthread_t thread;
	bool is_running;
	_Atomic uint64_t token; /* of the newest answer that was put off */
	_Atomic unsigned int n_put_off;
};

static int answer_text(void *ctx, struct strbuf *body)
{
	(void)ctx;
	strbuf_puts(body, "hello\n");
	return 200;
}

static int answer_broken(void *ctx, struct strbuf *body)
{
	(void)ctx;
	strbuf_puts(body, "no devices\n");
	return 503;
}

static int answer_big(void *ctx, struct strbuf *body)
{
	static const char line[] = "0123456789abcde\n";

	(void)ctx;
	while (body->len < BIG)
		strbuf_puts(body, line);
	return 200;
}

static int answer_huge(void *ctx, struct strbuf *body)
{
	(void)ctx;
	while (strbuf_error(body) == 0)
		strbuf_puts(body, "more and more and more and more\n");
	return 200;
}

static void put_off(void *ctx, uint64_t token)
{
	struct fixture *f = ctx;

	atomic_store(&f->token, token);
	atomic_fetch_add(&f->n_put_off, 1);
}

static void reply_at_once(void *ctx, uint64_t token)
{
	struct fixture *f = ctx;

	http_server_reply(f->server, token, 200, "at once\n");
}

static const struct http_route routes[] = {
	{ .path = "/text", .type = "text/x-test", .answer = answer_text },
	{ .path = "/broken", .answer = answer_broken },
	{ .path = "/big", .answer = answer_big },
	{ .path = "/huge", .type = "text/x-test", .answer = answer_huge },
	{ .path = "/later", .type = "text/x-test", .put_off = put_off },
	{ .path = "/at-once", .put_off = reply_at_once },
	{ 0 },
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || loop_new(&f->loop, NULL) < 0)
		return -1;
	/* No deadline but those that a test is about. */
	f->limits = (struct http_limits) { .head_ms = A_WHILE,
					   .idle_ms = A_WHILE,
					   .put_off_ms = A_WHILE,
					   .write_ms = A_WHILE,
					   .linger_ms = A_WHILE,
					   .accept_ms = 10,
					   .n_requests = 1000 };
	return http_address_parse("127.0.0.1:0", &f->address, NULL);
}

static void *run_loop(void *ctx)
{
	struct fixture *f = ctx;

	(void)loop_run(f->loop, NULL);
	return NULL;
}

static void start(struct fixture *f)
{
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct error err = { 0 };

	assert_int_equal(
		http_server_new(f->loop, &f->address, routes, &f->limits, f, &f->server, &err), 0);
	assert_int_equal(http_server_address(f->server, text), 0);
	assert_int_equal(http_address_parse(text, &f->address, NULL), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run_loop, f), 0);
	f->is_running = true;
}

/* The same on a unix socket, whose buffers have a fixed size. */
static void start_unix(struct fixture *f)
{
	char text[HTTP_ADDRESS_TEXT_MAX];

	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_http.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(text, sizeof(text), "unix:%s/a.sock", f->directory);
	assert_int_equal(http_address_parse(text, &f->address, NULL), 0);
	start(f);
}

static void stop_loop(void *ctx)
{
	loop_stop(ctx);
}

static void stop(struct fixture *f)
{
	if (!f->is_running)
		return;
	(void)loop_post(f->loop, stop_loop, f->loop);
	(void)pthread_join(f->thread, NULL);
	f->is_running = false;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stop(f);
	http_server_free(f->server);
	loop_free(f->loop);
	if (f->directory[0] != '\0')
		(void)rmdir(f->directory);
	free(f);
	return 0;
}

/* Each on a connection of its own, which the server ends. */
static void requests_are_answered(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *body;
		const char *contains;
	} cases[] = {
		{ GET_LAST("/text"), 200, "hello\n", "\r\nContent-Type: text/x-test\r\n" },
		{ GET_LAST("/text"), 200, "hello\n", "\r\nDate: " },
		{ GET_LAST("/text?a=b"), 200, "hello\n", "\r\nConnection: close\r\n" },
		{ "GET /text HTTP/1.0\r\n\r\n", 200, "hello\n", "\r\nConnection: close\r\n" },
		{ "HEAD /text HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "",
		  "\r\nContent-Length: 6\r\n" },
		{ GET_LAST("/broken"), 503, "no devices\n", "\r\nContent-Type: text/plain; " },
		{ GET_LAST("/huge"), 500, "500 Internal Server Error\n", "text/plain; " },
		{ GET_LAST("/at-once"), 200, "at once\n", "text/plain; " },
		{ GET_LAST("/"), 404, "404 Not Found\n", "text/plain; " },
		{ GET_LAST("/text/"), 404, "404 Not Found\n", "text/plain; " },
		{ "HEAD /none HTTP/1.0\r\n\r\n", 404, "", "\r\nContent-Length: 14\r\n" },
		{ "POST /text HTTP/1.1\r\nHost: h\r\n\r\n", 405, "405 Method Not Allowed\n",
		  "\r\nAllow: GET, HEAD\r\n" },
		{ "GET /text HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 413,
		  "413 Content Too Large\n", "\r\nConnection: close\r\n" },
		{ "HEAD / HTTP/1.1\r\n\r\n", 400, "", "\r\nContent-Length: 16\r\n" },
		{ "\x16\x03\x01\x02", 400, "400 Bad Request\n", "\r\nConnection: close\r\n" },
		{ "BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "501 Not Implemented\n", "" },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "505 HTTP Version Not Supported\n", "" },
	};
	struct fixture *f = *state;

	start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
		_cleanup_close_ int fd = client_open(&f->address);

		client_send(fd, cases[i].request);
		client_read_all(fd, &answer);
		client_assert_answer(&answer, cases[i].status, cases[i].body);
		assert_non_null(strstr(strbuf_str(&answer), cases[i].contains));
	}
}

static void a_head_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *begin;
		int status;
		const char *body;
	} cases[] = {
		{ "GET /", 414, "414 URI Too Long\n" },
		{ "GET / HTTP/1.1\r\nA: ", 431, "431 Request Header Fields Too Large\n" },
	};
	static char much[3 * HTTP_HEAD_MAX];
	struct fixture *f = *state;

	memset(much, 'a', sizeof(much));
	start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
		_cleanup_close_ int fd = client_open(&f->address);

		client_send(fd, cases[i].begin);
		client_send_bytes(fd, much, sizeof(much));
		client_read_all(fd, &answer);
		client_assert_answer(&answer, cases[i].status, cases[i].body);
	}
}

/* It is read over, since a close would take the answer along. */
static void a_client_that_goes_on_sending_reads_its_refusal(void **state)
{
	static char body[48 * 1024];
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start(f);
	fd = client_open(&f->address);
	client_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 49152\r\n\r\n");
	client_send_bytes(fd, body, sizeof(body));
	client_read_all(fd, &answer);
	client_assert_answer(&answer, 405, "405 Method Not Allowed\n");
}

static void a_connection_is_kept(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start(f);
	fd = client_open(&f->address);
	client_ask(fd, GET("/text"), 200, "hello\n");
	client_ask(fd, GET("/none"), 404, "404 Not Found\n");
	client_ask(fd, GET("/at-once"), 200, "at once\n");
	client_send(fd, "GET /text HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_read_answer(fd, &answer);
	assert_non_null(strstr(strbuf_str(&answer), "\r\nConnection: keep-alive\r\n"));
	client_ask(fd, GET_LAST("/text"), 200, "hello\n");
	client_assert_closed(fd);
}

static void a_connection_ends_after_some_requests(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.n_requests = 3;
	start(f);
	fd = client_open(&f->address);
	client_ask(fd, GET("/text"), 200, "hello\n");
	client_ask(fd, GET("/text"), 200, "hello\n");
	client_send(fd, GET("/text"));
	client_read_all(fd, &answer);
	client_assert_answer(&answer, 200, "hello\n");
	assert_non_null(strstr(strbuf_str(&answer), "\r\nConnection: close\r\n"));
}

/* Also behind an answer that was put off, and one of several reads. */
static void pipelined_requests_are_answered_in_order(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start(f);
	fd = client_open(&f->address);
	client_send(fd, GET("/text") GET("/at-once") GET("/none") "\r\n" GET("/big")
				GET("/broken") "GET /text HT");
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 200, "hello\n");
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 200, "at once\n");
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 404, "404 Not Found\n");
	client_read_answer(fd, &answer);
	assert_int_equal(client_content_length(&answer), BIG);
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 503, "no devices\n");
	client_ask(fd, "TP/1.1\r\nHost: h\r\n\r\n", 200, "hello\n");
}

static void a_request_may_come_slowly(void **state)
{
	static const char request[] = GET("/text");
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start_unix(f);
	fd = client_open(&f->address);
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		client_send_bytes(fd, request + i, 1);
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 200, "hello\n");
}

/* A byte now and then does not help. */
static void a_request_that_does_not_end_is_given_up(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;
	char byte;

	f->limits.head_ms = 50;
	start(f);
	fd = client_open(&f->address);
	client_send(fd, "GET /text HTTP/1.1\r\nA: ");
	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
		(void)send(fd, "b", 1, MSG_NOSIGNAL);
		(void)poll(NULL, 0, 5);
	}
	client_read_all(fd, &answer);
	client_assert_answer(&answer, 408, "408 Request Timeout\n");
}

static void a_client_that_says_nothing_is_left(void **state)
{
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.head_ms = 50;
	start(f);
	fd = client_open(&f->address);
	client_assert_closed(fd);
}

static void an_idle_connection_is_closed(void **state)
{
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.idle_ms = 50;
	start(f);
	fd = client_open(&f->address);
	client_ask(fd, GET("/text"), 200, "hello\n");
	client_assert_closed(fd);
}

static void a_client_that_does_not_read_is_left(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.write_ms = 50;
	start_unix(f);
	fd = client_open(&f->address);
	client_send(fd, GET("/big"));
	client_wait_for_hang_up(fd);
	client_read_all(fd, &answer);
	assert_true(answer.len < BIG);
}

static void a_client_that_does_not_close_is_left(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.linger_ms = 50;
	start_unix(f);
	fd = client_open(&f->address);
	client_send(fd, GET_LAST("/text"));
	client_wait_for_hang_up(fd);
	client_read_all(fd, &answer);
	client_assert_answer(&answer, 200, "hello\n");
}

/* One client does not read; others are served meanwhile, and then it is as well. */
static void a_slow_reader_holds_up_nobody(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int slow = -1;
	_cleanup_close_ int fast = -1;
	struct fixture *f = *state;

	start_unix(f);
	slow = client_open(&f->address);
	fast = client_open(&f->address);
	client_send(slow, GET("/big"));
	for (int i = 0; i < 10; i++)
		client_ask(fast, GET("/text"), 200, "hello\n");
	client_read_answer(slow, &answer);
	assert_int_equal(strlen(strstr(strbuf_str(&answer), "\r\n\r\n") + 4), BIG);
	client_ask(slow, GET("/text"), 200, "hello\n");
}

struct reply {
	struct fixture *f;
	uint64_t token;
	const char *text;
};

static void reply(void *ctx)
{
	struct reply *reply = ctx;

	http_server_reply(reply->f->server, reply->token, 200, reply->text);
	free(reply);
}

static void post_reply(struct fixture *f, uint64_t token, const char *text)
{
	struct reply *posted = malloc(sizeof(*posted));

	assert_non_null(posted);
	*posted = (struct reply) { .f = f, .token = token, .text = text };
	assert_int_equal(loop_post(f->loop, reply, posted), 0);
}

/* Waits until an answer has been put off @n times, and returns the newest token. */
static uint64_t wait_for_token(struct fixture *f, unsigned int n)
{
	for (int i = 0; i < PATIENCE_S * 1000 && atomic_load(&f->n_put_off) < n; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(atomic_load(&f->n_put_off), n);
	return atomic_load(&f->token);
}

static void an_answer_may_come_later(void **state)
{
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;
	uint64_t token;

	start(f);
	fd = client_open(&f->address);
	client_send(fd, GET("/later") GET("/text"));
	token = wait_for_token(f, 1);
	post_reply(f, token + 1, "of nobody\n");
	post_reply(f, 0, "of nobody\n");
	post_reply(f, token, "ok\n");
	post_reply(f, token, "again\n");
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 200, "ok\n");
	assert_non_null(strstr(strbuf_str(&answer), "text/x-test"));
	client_read_answer(fd, &answer);
	client_assert_answer(&answer, 200, "hello\n");
}

static void an_answer_that_does_not_come_is_a_503(void **state)
{
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	f->limits.put_off_ms = 50;
	start(f);
	fd = client_open(&f->address);
	client_ask(fd, GET("/later"), 503, "503 Service Unavailable\n");
	post_reply(f, wait_for_token(f, 1), "too late\n");
	client_ask(fd, GET("/text"), 200, "hello\n");
}

static void a_client_that_left_gets_no_answer(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int other = -1;
	uint64_t token;
	int fd;

	start_unix(f);
	other = client_open(&f->address);
	for (unsigned int i = 1; i <= 2 * HTTP_CONNECTIONS_MAX; i++) {
		fd = client_open(&f->address);
		client_send(fd, GET("/later"));
		token = wait_for_token(f, i);
		(void)close(fd);
		post_reply(f, token, "to nobody\n");
	}
	client_ask(other, GET("/text"), 200, "hello\n");
}

static void clients_that_break_off_do_no_harm(void **state)
{
	static const char *const beginnings[] = { "",
						  "G",
						  "GET /text HTTP/1.1\r\n",
						  GET("/big"),
						  GET_LAST("/big"),
						  GET("/later"),
						  GET("/text") GET("/text") "GET" };
	const struct linger reset = { .l_onoff = 1 };
	struct fixture *f = *state;

	start(f);
	for (size_t i = 0; i < 4 * ARRAY_SIZE(beginnings); i++) {
		_cleanup_close_ int fd = client_open(&f->address);

		if (i % 2 == 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		client_send(fd, beginnings[i % ARRAY_SIZE(beginnings)]);
	}
	for (int i = 0; i < 2; i++) {
		_cleanup_close_ int fd = client_open(&f->address);

		client_ask(fd, GET("/text"), 200, "hello\n");
	}
}

/* More than there are places for: the others wait, and all are served.  None of them
 * closes, so that those that were told to close must be left. */
static void many_clients_are_served(void **state)
{
	struct fixture *f = *state;
	int fds[MANY];

	f->limits.linger_ms = 20;
	start(f);
	for (size_t i = 0; i < MANY; i++)
		fds[i] = client_open(&f->address);
	for (size_t i = 0; i < MANY; i++)
		client_send(fds[i], GET("/text"));
	for (size_t i = 0; i < MANY; i++) {
		_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT(TEXT_MAX);

		client_read_answer(fds[i], &answer);
		client_assert_answer(&answer, 200, "hello\n");
	}
	for (size_t i = 0; i < MANY; i++)
		(void)close(fds[i]);
}

/* The one that was asked longest ago has to go; one that waits for an answer not. */
static void idle_connections_make_room(void **state)
{
	int fds[HTTP_CONNECTIONS_MAX];
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start(f);
	fds[0] = client_open(&f->address);
	client_send(fds[0], GET("/later"));
	(void)wait_for_token(f, 1);
	for (size_t i = 1; i < HTTP_CONNECTIONS_MAX; i++) {
		fds[i] = client_open(&f->address);
		client_ask(fds[i], GET("/text"), 200, "hello\n");
		/* Deadlines are in milliseconds. */
		(void)poll(NULL, 0, 3);
	}
	fd = client_open(&f->address);
	client_ask(fd, GET("/text"), 200, "hello\n");
	client_assert_closed(fds[1]);
	client_ask(fds[2], GET("/text"), 200, "hello\n");
	post_reply(f, wait_for_token(f, 1), "ok\n");
	client_ask(fds[0], "", 200, "ok\n");
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		(void)close(fds[i]);
}

static void it_accepts_again_after_a_shortage(void **state)
{
	_cleanup_close_ int unlucky = -1;
	_cleanup_close_ int fd = -1;
	struct fixture *f = *state;

	start(f);
	atomic_store(&calloc_fails, true);
	unlucky = client_open(&f->address);
	client_assert_closed(unlucky);
	fd = client_open(&f->address);
	client_ask(fd, GET("/text"), 200, "hello\n");
}

static void a_server_may_end_at_any_time(void **state)
{
	static const char *const beginnings[] = {
		"", "GET", GET("/big"), GET("/text"), GET_LAST("/text"), GET("/later")
	};
	struct fixture *f = *state;
	int fds[ARRAY_SIZE(beginnings)];

	start_unix(f);
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		fds[i] = client_open(&f->address);
		client_send(fds[i], beginnings[i]);
	}
	(void)wait_for_token(f, 1);
	stop(f);
	http_server_free(TAKE_PTR(f->server));
	http_server_reply(f->server, atomic_load(&f->token), 200, "too late\n");
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		client_wait_for_hang_up(fds[i]);
		(void)close(fds[i]);
	}
}

static void a_server_that_cannot_be_is_refused(void **state)
{
	struct fixture *f = *state;
	struct http_server *server = NULL;
	struct error err = { 0 };

	start(f);
	assert_int_equal(http_server_new(f->loop, &f->address, routes, NULL, f, &server, &err),
			 -EADDRINUSE);
	assert_non_null(strstr(err.msg, "listen at '127.0.0.1:"));
	assert_null(server);
	http_server_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(requests_are_answered),
		TEST(a_head_that_does_not_fit_is_refused),
		TEST(a_client_that_goes_on_sending_reads_its_refusal),
		TEST(a_connection_is_kept),
		TEST(a_connection_ends_after_some_requests),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(a_request_may_come_slowly),
		TEST(a_request_that_does_not_end_is_given_up),
		TEST(a_client_that_says_nothing_is_left),
		TEST(an_idle_connection_is_closed),
		TEST(a_client_that_does_not_read_is_left),
		TEST(a_client_that_does_not_close_is_left),
		TEST(a_slow_reader_holds_up_nobody),
		TEST(an_answer_may_come_later),
		TEST(an_answer_that_does_not_come_is_a_503),
		TEST(a_client_that_left_gets_no_answer),
		TEST(clients_that_break_off_do_no_harm),
		TEST(many_clients_are_served),
		TEST(idle_connections_make_room),
		TEST(it_accepts_again_after_a_shortage),
		TEST(a_server_may_end_at_any_time),
		TEST(a_server_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
