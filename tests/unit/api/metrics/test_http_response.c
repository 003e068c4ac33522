/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "api/metrics/http_response.h"

/* RFC 9110, 5.6.7, has this moment as its example. */
#define MOMENT 784111777
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void heads_are_written(void **state)
{
	static const struct {
		struct http_response response;
		const char *text;
	} cases[] = {
		{ { .status = 200, .type = "text/plain", .len = 7 },
		  "HTTP/1.1 200 OK\r\n" DATE
		  "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\n" },
		{ { .status = 405, .type = "a/b", .close = true, .keeps_alive = true },
		  "HTTP/1.1 405 Method Not Allowed\r\n" DATE "Content-Type: a/b\r\n"
		  "Content-Length: 0\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n" },
		{ { .status = 503, .type = "a/b", .keeps_alive = true },
		  "HTTP/1.1 503 Service Unavailable\r\n" DATE "Content-Type: a/b\r\n"
		  "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(HTTP_RESPONSE_HEAD_MAX);
		struct http_response response = cases[i].response;

		response.date = MOMENT;
		http_response_write_head(&out, &response);
		assert_string_equal(strbuf_str(&out), cases[i].text);
	}
}

static void the_longest_head_fits(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(HTTP_RESPONSE_HEAD_MAX);
	char type[129];

	(void)state;
	memset(type, 'x', sizeof(type) - 1);
	type[sizeof(type) - 1] = '\0';
	http_response_write_head(&out, &(struct http_response) { .status = 431,
								 .type = type,
								 .len = SIZE_MAX,
								 .close = true,
								 .date = MOMENT });
	assert_int_equal(strbuf_error(&out), 0);
}

static void statuses_have_names(void **state)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = { { 200, "OK" }, { 408, "Request Timeout" }, { 299, "Unknown" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(http_status_text(cases[i].status), cases[i].text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_written),
		cmocka_unit_test(the_longest_head_fits),
		cmocka_unit_test(statuses_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
