/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/reservoir/fetch/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "reservoir/store/store.h"
#include "tests/test.h"

static void make_body(struct scene *scene)
{
	uint64_t x = 88172645463325252u; /* of Marsaglia's xorshift */

	scene->body = malloc(BODY_SIZE);
	assert_non_null(scene->body);
	for (size_t i = 0; i < BODY_SIZE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		scene->body[i] = (unsigned char)x;
	}
	scene->digest = digest_of(scene->body, BODY_SIZE);
}

struct fetch_settings scene_settings(void)
{
	return (struct fetch_settings) {
		.per_host = 8,
		.total = 8,
		.attempts = 4,
		.timeout_ms = 1000,
	};
}

void scene_open(struct scene *scene, origin_fn fn)
{
	const struct fetch_settings settings = scene_settings();
	struct error err = { 0 };

	*scene = (struct scene) { 0 };
	folder_make(scene->dir);
	assert_int_equal(store_create(scene->dir, &err), 0);
	assert_int_equal(store_open(scene->dir, STORE_WRITE, &scene->store, &err), 0);
	make_body(scene);
	scene->origin = origin_start(fn, scene);
	scene_fetcher(scene, &settings);
}

void scene_close(struct scene *scene)
{
	fetcher_free(scene->fetcher);
	origin_stop(scene->origin);
	store_close(scene->store);
	free(scene->body);
	folder_remove(scene->dir);
}

void scene_fetcher(struct scene *scene, const struct fetch_settings *settings)
{
	struct error err = { 0 };

	fetcher_free(scene->fetcher);
	scene->fetcher = NULL;
	assert_int_equal(fetcher_new(scene->store, settings, &scene->fetcher, &err), 0);
}

static void keep(void *ctx, const struct fetch_request *request, const struct fetch_result *result)
{
	struct got *got = ctx;

	got->calls++;
	got->result = *result;
	strbuf_clear(&got->data);
	if (request->to_memory && result->status == FETCH_DONE)
		strbuf_add(&got->data, result->data, result->size);
	got->result.data = NULL;
	got->result.url = NULL;
	assert_int_equal(str_copy(got->url, sizeof(got->url), result->url), 0);
}

void scene_add(struct scene *scene, const char *path, struct fetch_request request, struct got *got)
{
	char url[FETCH_URL_MAX];
	struct error err = { 0 };

	(void)snprintf(url, sizeof(url), "%s%s", origin_url(scene->origin), path);
	request.url = url;
	request.done = keep;
	request.ctx = got;
	assert_int_equal(fetcher_add(scene->fetcher, &request, &err), 0);
}

void scene_fetch(struct scene *scene, const char *path, struct fetch_request request,
		 struct got *got)
{
	struct error err = { 0 };
	int r;

	scene_add(scene, path, request, got);
	r = fetcher_run(scene->fetcher, NULL, NULL, &err);
	if (r < 0)
		print_error("%s\n", err.msg);
	assert_int_equal(r, 0);
	assert_int_equal(got->calls, 1);
}

void got_done(struct got *got)
{
	strbuf_done(&got->data);
}
