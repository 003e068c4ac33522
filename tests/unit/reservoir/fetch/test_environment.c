/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies of the environment, as it is mostly written. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reservoir/fetch/fetch.h"
#include "tests/unit/reservoir/fetch/origin.h"
#include "tests/unit/reservoir/fetch/scene.h"

#define DEAD "http://127.0.0.1:9"
#define VARIABLES_MAX 2

/* @path: of a proxy, the whole URL. */
static struct origin_answer answer(_unused_ void *ctx, const char *path, _unused_ const char *head,
				   _unused_ unsigned int nth)
{
	if (strcmp(path, "http://nowhere.invalid/a") == 0)
		return (struct origin_answer) { "200 OK", NULL, "by proxy", 8, 0, 0, 0 };
	return (struct origin_answer) { "200 OK", NULL, "directly", 8, 0, 0, 0 };
}

static void on_done(void *ctx, _unused_ const struct fetch_request *request,
		    const struct fetch_result *result)
{
	struct got *got = ctx;

	got->result = *result;
	strbuf_add(&got->data, result->data, result->data ? (size_t)result->size : 0);
}

static const struct {
	const char *variables[VARIABLES_MAX][2]; /* name, value; NULL for the server as the proxy */
	const char *url;			 /* NULL: the server itself */
	const char *expected;			 /* NULL: it fails */
} cases[] = {
	{ { { "http_proxy", NULL } }, "http://nowhere.invalid/a", "by proxy" },
	{ { { "HTTP_PROXY", NULL } }, "http://nowhere.invalid/a", "by proxy" },
	{ { { "all_proxy", NULL }, { "HTTP_PROXY", DEAD } },
	  "http://nowhere.invalid/a",
	  "by proxy" },
	{ { { "http_proxy", NULL }, { "HTTP_PROXY", DEAD } },
	  "http://nowhere.invalid/a",
	  "by proxy" },
	{ { { "HTTP_PROXY", DEAD }, { "NO_PROXY", "10.0.0.0/8,127.0.0.0/8" } }, NULL, "directly" },
	{ { { "HTTP_PROXY", DEAD }, { "no_proxy", "127.0.0.1" } }, NULL, "directly" },
	{ { { "HTTP_PROXY", DEAD } }, NULL, NULL },
};

/* An environment of nothing but what a case has. */
static void set(const struct scene *scene, size_t i)
{
	static char lines[VARIABLES_MAX][128], *list[VARIABLES_MAX + 1];
	size_t n = 0;

	for (; n < VARIABLES_MAX && cases[i].variables[n][0]; n++) {
		const char *value = cases[i].variables[n][1];

		(void)snprintf(lines[n], sizeof(lines[n]), "%s=%s", cases[i].variables[n][0],
			       value ? value : origin_url(scene->origin));
		list[n] = lines[n];
	}
	list[n] = NULL;
	environ = list;
}

static void test_proxies(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct fetch_settings settings = scene_settings();
		struct fetch_request request = { .to_memory = true, .done = on_done, .ctx = &got };
		struct scene scene;

		scene_open(&scene, answer);
		settings.attempts = 1;
		scene_fetcher(&scene, &settings);
		set(&scene, i);
		request.url = cases[i].url ? cases[i].url : origin_url(scene.origin);
		assert_int_equal(fetcher_add(scene.fetcher, &request, NULL), 0);
		assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, NULL), 0);
		if ((got.result.status == FETCH_DONE) != (cases[i].expected != NULL))
			fail_msg("%zu: %s", i, got.result.error.msg);
		assert_string_equal(strbuf_str(&got.data),
				    cases[i].expected ? cases[i].expected : "");
		scene_close(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_proxies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
