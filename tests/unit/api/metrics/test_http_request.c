/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics/http_request.h"
#include "base/strbuf.h"

#define HOST "Host: h\r\n"

static int parse(const char *text, struct http_request *ret)
{
	return http_request_parse(text, strlen(text), ret);
}

static void requests_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *path;
		bool head_only;
		bool keep_alive;
		bool is_1_0;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", "/", false, true, false },
		{ "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", "/metrics", true, true, false },
		{ "GET /healthz?verbose=1&x HTTP/1.1\r\n" HOST "\r\n", "/healthz", false, true,
		  false },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "/", false, true, false },
		{ "GET / HTTP/1.0\r\n\r\n", "/", false, false, true },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/", false, true, true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "/", false, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "connection: x ,\tCLOSE , keep-alive\r\n\r\n", "/",
		  false, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", "/", false, true, false },
		{ "GET / HTTP/1.9\r\n" HOST "\r\n", "/", false, true, false },
		{ "GET http://node:9400/metrics?x HTTP/1.1\r\n" HOST "\r\n", "/metrics", false,
		  true, false },
		{ "GET HTTP://node HTTP/1.1\r\n" HOST "\r\n", "/", false, true, false },
		{ "GET / HTTP/1.1\r\nhOsT:[::1]:9400\r\nX-A:\r\nX-B: \t a\tb\x80 \r\n\r\n", "/",
		  false, true, false },
		{ "GET / HTTP/1.1\r\nHost:\r\nContent-Length: 000\r\n\r\n", "/", false, true,
		  false },
		{ "GET /a%20b HTTP/1.1\r\n" HOST "\r\n", "/a%20b", false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request request;

		assert_int_equal(parse(cases[i].text, &request), HTTP_OK);
		assert_string_equal(request.path, cases[i].path);
		assert_int_equal(request.head_only, cases[i].head_only);
		assert_int_equal(request.keep_alive, cases[i].keep_alive);
		assert_int_equal(request.is_1_0, cases[i].is_1_0);
		assert_int_equal(request.len, strlen(cases[i].text));
	}
}

static void requests_are_refused(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		/* The request line. */
		{ "\x16\x03\x01", 400 },
		{ " GET / HTTP/1.1\r\n", 400 },
		{ "GET / HTTP/1.1\n", 400 },
		{ "\n", 400 },
		{ "GET /\r / HTTP/1.1\r\n", 400 },
		{ "\r\n\r\nGET / HTTP/1.1\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n", 400 },
		{ "GET /\r\n", 400 },
		{ "GET / a HTTP/1.1\r\n", 400 },
		{ "GET /a\tb HTTP/1.1\r\n", 400 },
		{ "GET /\x80 HTTP/1.1\r\n", 400 },
		{ "GET * HTTP/1.1\r\n", 400 },
		{ "GET metrics HTTP/1.1\r\n", 400 },
		{ "GET https://h/ HTTP/1.1\r\n", 400 },
		{ "G(T / HTTP/1.1\r\n", 400 },
		{ "GET / http/1.1\r\n", 400 },
		{ "GET / HTTP/1,1\r\n", 400 },
		{ "GET / HTTP/11.1\r\n", 400 },
		{ "GET / HTTP/x.1\r\n", 400 },
		{ "PRI * HTTP/2.0\r\n", 505 },
		{ "GET / HTTP/0.9\r\n", 505 },
		{ "BREW / HTTP/1.1\r\n", 501 },
		{ "get / HTTP/1.1\r\n", 501 },
		{ "POST / HTTP/1.1\r\n", 405 },
		{ "OPTIONS * HTTP/1.1\r\n", 405 },
		{ "CONNECT h:1 HTTP/1.1\r\n", 405 },
		/* Fields. */
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : h\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST " folded\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "no colon\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": nameless\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\n", 400 },
		/* Bodies. */
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0, 0\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
		{ "GET / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
		  400 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		  400 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request request;

		assert_int_equal(parse(cases[i].text, &request), cases[i].status);
		assert_false(request.keep_alive);
	}
}

static void a_nul_is_refused(void **state)
{
	static const char first[] = "GET /\0 HTTP/1.1\r\n";
	static const char field[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n";
	struct http_request request;

	(void)state;
	assert_int_equal(http_request_parse(first, sizeof(first) - 1, &request), 400);
	assert_int_equal(http_request_parse(field, sizeof(field) - 1, &request), 400);
	assert_int_equal(http_request_parse("\0", 1, &request), 400);
}

static void a_refused_head_request_is_known_as_one(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(parse("HEAD / HTTP/1.1\r\n\r\n", &request), 400);
	assert_true(request.head_only);
}

/* Every beginning of a request is the beginning of one. */
static void a_request_may_come_byte_by_byte(void **state)
{
	static const char text[] = "\r\nGET /metrics HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
	struct http_request request;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(http_request_parse(text, len, &request), HTTP_MORE);
	assert_int_equal(http_request_parse(text, sizeof(text) - 1, &request), HTTP_OK);
}

static void what_follows_a_request_is_left_alone(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
	static const char two[] = "GET /a HTTP/1.1\r\n" HOST "\r\n\x01 GARBAGE";
	struct http_request request;

	(void)state;
	assert_int_equal(http_request_parse(two, sizeof(two) - 1, &request), HTTP_OK);
	assert_int_equal(request.len, sizeof(text) - 1);
}

static void a_path_that_cannot_be_ours_is_none(void **state)
{
	char text[256];
	char path[HTTP_PATH_MAX + 1];
	struct http_request request;

	(void)state;
	memset(path, '/', sizeof(path));
	path[HTTP_PATH_MAX - 1] = '\0';
	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\n\r\n", path);
	assert_int_equal(parse(text, &request), HTTP_OK);
	assert_string_equal(request.path, path);
	path[HTTP_PATH_MAX - 1] = '/';
	path[HTTP_PATH_MAX] = '\0';
	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\n\r\n", path);
	assert_int_equal(parse(text, &request), HTTP_OK);
	assert_string_equal(request.path, "");
}

static void a_head_has_a_maximum(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(HTTP_HEAD_MAX);
	struct http_request request;

	(void)state;
	strbuf_puts(&text, "GET /");
	while (text.len < HTTP_HEAD_MAX - 1)
		strbuf_puts(&text, "a");
	assert_int_equal(http_request_parse(text.data, text.len, &request), HTTP_MORE);
	strbuf_puts(&text, "a");
	assert_int_equal(http_request_parse(text.data, text.len, &request), 414);

	strbuf_clear(&text);
	strbuf_puts(&text, "GET / HTTP/1.1\r\nA: ");
	while (text.len < HTTP_HEAD_MAX - 1)
		strbuf_puts(&text, "a");
	assert_int_equal(http_request_parse(text.data, text.len, &request), HTTP_MORE);
	strbuf_puts(&text, "a");
	assert_int_equal(http_request_parse(text.data, text.len, &request), 431);
}

static void fields_have_a_maximum(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(HTTP_HEAD_MAX);
	struct http_request request;

	(void)state;
	strbuf_puts(&text, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		strbuf_puts(&text, "A: b\r\n");
	strbuf_puts(&text, "\r\n");
	assert_int_equal(http_request_parse(text.data, text.len, &request), HTTP_OK);
	text.len -= 2;
	strbuf_puts(&text, "A: b\r\n");
	assert_int_equal(http_request_parse(text.data, text.len, &request), 431);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(requests_are_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(a_refused_head_request_is_known_as_one),
		cmocka_unit_test(a_request_may_come_byte_by_byte),
		cmocka_unit_test(what_follows_a_request_is_left_alone),
		cmocka_unit_test(a_path_that_cannot_be_ours_is_none),
		cmocka_unit_test(a_head_has_a_maximum),
		cmocka_unit_test(fields_have_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
