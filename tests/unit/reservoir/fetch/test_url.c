/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "reservoir/fetch/fetch.h"
#include "reservoir/fetch/url.h"

static const struct {
	const char *url;
	int r;
	enum url_scheme scheme;
	const char *host;
} checks[] = {
	{ "http://a.example/x", 0, URL_HTTP, "http://a.example:80" },
	{ "https://a.example:8443/x?y=z", 0, URL_HTTPS, "https://a.example:8443" },
	{ "https://user:secret@a.example/x", 0, URL_HTTPS, "https://a.example:443" },
	{ "http://[::1]:80/", 0, URL_HTTP, "http://[::1]:80" },
	{ "file:///srv/mirror/Release", 0, URL_FILE, "file://" },
	{ "ftp://a.example/x", -EINVAL, 0, "" },
	{ "gopher://a.example/x", -EINVAL, 0, "" },
	{ "/x", -EINVAL, 0, "" },
	{ "", -EINVAL, 0, "" },
	{ "http://", -EINVAL, 0, "" },
	{ "http://a.example/a b", -EINVAL, 0, "" },
	{ "http://a.example/a\r\nX: y", -EINVAL, 0, "" },
	{ "http://a.example/\xc3\xa9", -EINVAL, 0, "" },
};

static void test_check(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		enum url_scheme scheme = URL_HTTP;
		char host[URL_HOST_MAX] = "";
		struct error err = { 0 };

		assert_int_equal(url_check(checks[i].url, &scheme, host, &err), checks[i].r);
		if (checks[i].r == 0) {
			assert_int_equal(scheme, checks[i].scheme);
			assert_string_equal(host, checks[i].host);
		}
		assert_null(strstr(err.msg, "secret"));
	}
}

static void test_a_long_url_is_refused(_unused_ void **state)
{
	char url[FETCH_URL_MAX + 1];
	char host[URL_HOST_MAX];
	enum url_scheme scheme;

	memset(url, 'a', sizeof(url) - 1);
	memcpy(url, "http://a.example/", 17);
	url[FETCH_URL_MAX] = '\0';
	assert_int_equal(url_check(url, &scheme, host, NULL), -EINVAL);
	url[FETCH_URL_MAX - 1] = '\0';
	assert_int_equal(url_check(url, &scheme, host, NULL), 0);
}

static const struct {
	const char *url;
	const char *shown;
} shows[] = {
	{ "http://a.example/x", "http://a.example/x" },
	{ "http://u:p@a.example/x", "http://a.example/x" },
	{ "http://u:p@p@a.example/x@y", "http://a.example/x@y" },
	{ "http://a.example/x?sig=1", "http://a.example/x?..." },
	{ "http://u@a.example?sig=@1", "http://a.example?..." },
	{ "http://u@a.example/a-very-long-name-of-a-file", "http://a.example/a-very-long..." },
};

static void test_show(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shows); i++) {
		char shown[32];

		assert_string_equal(url_show(shows[i].url, shown, sizeof(shown)), shows[i].shown);
	}
}

static const struct {
	const char *base;
	const char *reference;
	const char *joined; /* NULL: refused */
} joins[] = {
	{ "http://a.example/simple/x/", "y.whl", "http://a.example/simple/x/y.whl" },
	{ "http://a.example/simple/x/", "../../p/y.whl", "http://a.example/p/y.whl" },
	{ "http://a.example/simple/x", "y.whl", "http://a.example/simple/y.whl" },
	{ "http://a.example/simple/x/", "/p/y.whl#sha256=00", "http://a.example/p/y.whl" },
	{ "http://a.example/x/", "https://b.example/y", "https://b.example/y" },
	{ "http://a.example/x/", "//b.example/y", "http://b.example/y" },
	{ "http://a.example/x/", "", "http://a.example/x/" },
	{ "http://a.example/x/", "#y", "http://a.example/x/" },
	{ "http://a.example/x/?q", "?z=1", "http://a.example/x/?z=1" },
	{ "http://a.example/x/", "a b.whl", "http://a.example/x/a%20b.whl" },
	{ "http://a.example/x/", "a%20b+c.whl", "http://a.example/x/a%20b+c.whl" },
	{ "http://u:p@a.example/x/", "y", "http://u:p@a.example/x/y" },
	{ "file:///srv/x/", "y/z", "file:///srv/x/y/z" },
	{ "file:///srv/x/", "../y", "file:///srv/y" },
	{ "not a url", "y", NULL },
	/* From the network to this machine there is no way. */
	{ "http://a.example/x/", "file:///etc/passwd", NULL },
	{ "https://a.example/x/", "FILE:/etc/passwd", NULL },
	{ "file:///srv/x/", "file:///srv/y", "file:///srv/y" },
};

static void test_join(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		char joined[FETCH_URL_MAX] = "";
		struct error err = { 0 };
		int r = fetch_url_join(joins[i].base, joins[i].reference, joined, &err);

		assert_int_equal(r, joins[i].joined ? 0 : -EINVAL);
		if (joins[i].joined)
			assert_string_equal(joined, joins[i].joined);
	}
}

static void test_a_long_reference_is_refused(_unused_ void **state)
{
	char reference[FETCH_URL_MAX + 1];
	char joined[FETCH_URL_MAX];

	memset(reference, 'a', sizeof(reference) - 1);
	reference[FETCH_URL_MAX] = '\0';
	assert_int_equal(fetch_url_join("http://a.example/", reference, joined, NULL), -EINVAL);
	reference[FETCH_URL_MAX - 5] = '\0';
	assert_int_equal(fetch_url_join("http://a.example/", reference, joined, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_a_long_url_is_refused),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_a_long_reference_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
