/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reservoir/pypi/cached.h"
#include "reservoir/pypi/route.h"
#include "tests/unit/reservoir/store/scratch.h"

#define JSON "application/vnd.pypi.simple.v1+json"
#define HTML "application/vnd.pypi.simple.v1+html"
#define PIP JSON ", " HTML "; q=0.1, text/html; q=0.01"
#define UV JSON ", " HTML ";q=0.2, text/html;q=0.01"
#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

static const struct {
	const char *path, *accept, *format;
	enum route_kind kind;
	const char *to;	  /* path of a file or a redirect */
	const char *type; /* of a page: as the answer has it */
} cases[] = {
	{ "simple/a-b/", PIP, NULL, ROUTE_FILE, "simple/a-b/", JSON },
	{ "simple/a-b/", UV, NULL, ROUTE_FILE, "simple/a-b/", JSON },
	{ "simple/a-b/", BROWSER, NULL, ROUTE_FILE, "simple/a-b/", "text/html; charset=utf-8" },
	{ "simple/a-b/", NULL, NULL, ROUTE_FILE, "simple/a-b/", "text/html; charset=utf-8" },
	{ "simple/a-b/", "*/*", NULL, ROUTE_FILE, "simple/a-b/", "text/html; charset=utf-8" },
	{ "simple/a-b/", "application/*", NULL, ROUTE_FILE, "simple/a-b/", JSON },
	{ "simple/a-b/", "text/html", NULL, ROUTE_FILE, "simple/a-b/", "text/html; charset=utf-8" },
	{ "simple/a-b/", HTML, NULL, ROUTE_FILE, "simple/a-b/", HTML },
	{ "simple/a-b/", "application/vnd.pypi.simple.latest+json", NULL, ROUTE_FILE, "simple/a-b/",
	  JSON },
	{ "simple/a-b/", "application/vnd.pypi.simple.LATEST+html", NULL, ROUTE_FILE, "simple/a-b/",
	  HTML },
	{ "simple/a-b/", HTML ";q=0.5, " JSON ";q=0.4", NULL, ROUTE_FILE, "simple/a-b/", HTML },
	{ "simple/a-b/", JSON ";q=0, */*", NULL, ROUTE_FILE, "simple/a-b/",
	  "text/html; charset=utf-8" },
	{ "simple/a-b/", JSON ", " HTML ", text/html", NULL, ROUTE_FILE, "simple/a-b/", JSON },
	{ "simple/a-b/", "application/vnd.pypi.simple.v2+json", NULL, ROUTE_NOT_ACCEPTABLE, NULL,
	  NULL },
	{ "simple/a-b/", "text/html;q=0", NULL, ROUTE_NOT_ACCEPTABLE, NULL, NULL },
	{ "simple/a-b/", "text/html", JSON, ROUTE_FILE, "simple/a-b/", JSON },
	{ "simple/a-b/", "text/html", "application/vnd.pypi.simple.v1 json", ROUTE_FILE,
	  "simple/a-b/", JSON },
	{ "simple/a-b/", "text/html", "words", ROUTE_NOT_ACCEPTABLE, NULL, NULL },
	{ "simple/", PIP, NULL, ROUTE_FILE, "simple/", JSON },
	{ "simple", PIP, NULL, ROUTE_REDIRECT, "simple/", NULL },
	{ "", PIP, NULL, ROUTE_REDIRECT, "simple/", NULL },
	{ "simple/a-b", PIP, NULL, ROUTE_REDIRECT, "simple/a-b/", NULL },
	{ "simple/A_b/", PIP, NULL, ROUTE_REDIRECT, "simple/a-b/", NULL },
	{ "simple/A..B", PIP, NULL, ROUTE_REDIRECT, "simple/a-b/", NULL },
	{ "A_b/", PIP, NULL, ROUTE_REDIRECT, "simple/a-b/", NULL },
	{ "a-b", PIP, NULL, ROUTE_REDIRECT, "simple/a-b/", NULL },
	{ "simple/none/", PIP, NULL, ROUTE_ABSENT, NULL, NULL },
	{ "simple/a-b/x", PIP, NULL, ROUTE_ABSENT, NULL, NULL },
	{ "simple/-/", PIP, NULL, ROUTE_ABSENT, NULL, NULL },
	{ "none", PIP, NULL, ROUTE_ABSENT, NULL, NULL },
	{ ".reservoir/state", PIP, NULL, ROUTE_ABSENT, NULL, NULL },
	{ "packages/a-b/a_b-1.0.tar.gz", NULL, NULL, ROUTE_FILE, "packages/a-b/a_b-1.0.tar.gz",
	  NULL },
	{ "packages/a-b/", NULL, NULL, ROUTE_ABSENT, NULL, NULL },
};

static const struct {
	const char *path;
	enum media media;
} entries[] = {
	{ "simple/", MEDIA_PYPI_JSON },	    { "simple/", MEDIA_PYPI_HTML },
	{ "simple/a-b/", MEDIA_PYPI_JSON }, { "simple/a-b/", MEDIA_PYPI_HTML },
	{ ".reservoir/state", MEDIA_TEXT }, { "packages/a-b/a_b-1.0.tar.gz", MEDIA_OCTETS },
};

static void build(struct store *store, struct manifest **ret)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct digest digest;

	assert_int_equal(manifest_builder_new(store, &builder, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		struct manifest_entry entry = { .path = entries[i].path,
						.media = entries[i].media };

		assert_int_equal(manifest_add(builder, &entry, NULL), 0);
	}
	assert_int_equal(manifest_finish(builder, &digest, NULL), 0);
	assert_int_equal(object_flush(store, NULL), 0);
	assert_int_equal(manifest_open(store, &digest, ret, NULL), 0);
}

static void check(const struct manifest *manifest, size_t i)
{
	const struct route_request request = { cases[i].path, cases[i].accept, cases[i].format };
	struct route route;

	pypi_route(manifest, &request, &route);
	if (route.kind != cases[i].kind)
		fail_msg("'%s' with '%s' is %d", cases[i].path, cases[i].accept, route.kind);
	if (cases[i].to)
		assert_string_equal(route.path, cases[i].to);
	if (cases[i].type) {
		assert_true(route.varies_by_accept);
		assert_string_equal(route.content_type ? route.content_type
						       : media_type(route.media),
				    cases[i].type);
	}
}

static void test_routes(void **state)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);

	build(store, &manifest);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(manifest, i);
}

static void test_package(void **state _unused_)
{
	char name[64], path[STORE_PATH_MAX];

	assert_true(pypi_package("packages/a-b/a_b-1.0.tar.gz", name, sizeof(name)));
	assert_string_equal(name, "a-b");
	assert_false(pypi_package("simple/a-b/", name, sizeof(name)));
	assert_false(pypi_package("packages/", name, sizeof(name)));
	assert_false(pypi_package("packages/a-b/a_b-1.0.tar.gz", name, 3));
	assert_true(pypi_index_of("packages/a-b/a_b-1.0.tar.gz", path));
	assert_string_equal(path, "simple/a-b/");
	assert_false(pypi_index_of("simple/a-b/", path));
}

static int join(void *ctx, const struct expectation *expectation)
{
	strbuf_printf(ctx, "%s %ju|", expectation->path, (uintmax_t)expectation->size);
	return 0;
}

static void test_expect(void **state _unused_)
{
	static const char page[] =
		"{\"files\":[{\"filename\":\"a-1-py3-none-any.whl\",\"url\":\"x\",\"size\":5,"
		"\"hashes\":"
		"{\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
		"\"core-metadata\":{\"sha256\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}},"
		"{\"filename\":\"a-2.tar.gz\",\"url\":\"y\",\"hashes\":{}}]}";
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT(1024);

	assert_int_equal(pypi_expect("simple/a/", page, strlen(page), join, &got, NULL), 0);
	assert_string_equal(strbuf_str(&got), "packages/a/a-1-py3-none-any.whl 5|"
					      "packages/a/a-1-py3-none-any.whl.metadata 0|");
	assert_int_equal(pypi_expect("packages/a/x", page, strlen(page), join, &got, NULL), 0);
	assert_int_equal(pypi_expect("simple/a/", "{", 1, join, &got, NULL), -EINVAL);
}

static int count_page(void *ctx, enum media media _unused_, enum encoding encoding _unused_,
		      const void *data _unused_, size_t len _unused_)
{
	(*(unsigned int *)ctx)++;
	return 0;
}

/* What a cache has is not replaced by what a login shows. */
static void test_pages_of_others(void **state _unused_)
{
	static const char login[] = "<html><title>Sign in</title><form><input></form></html>";
	static const char empty[] = "<html><title>Links for a</title></html>";
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT(1024);
	unsigned int n = 0;

	assert_int_equal(pypi_expect("simple/a/", login, strlen(login), join, &got, NULL), -EINVAL);
	assert_int_equal(pypi_pages("simple/a/", "", login, strlen(login), count_page, &n, NULL),
			 -EINVAL);
	assert_int_equal(n, 0);
	assert_int_equal(pypi_expect("simple/a/", empty, strlen(empty), join, &got, NULL), 0);
	assert_int_equal(pypi_pages("simple/a/", "", empty, strlen(empty), count_page, &n, NULL),
			 0);
	assert_int_equal(n, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_routes, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_package),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_pages_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
