/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory is an error like any other, wherever it comes: nothing is half done,
 * nothing leaks, and the next try works.
 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_stream.h"
#include "api/kubernetes/kube_watch.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "tests/unit/inventory/memory.h"

#define ROUNDS_MAX 1000 /* more than any of these functions allocates */

static const char kubeconfig[] =
	"current-context: x\n"
	"contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]\n"
	"clusters: [{name: c, cluster: {server: 'https://k', certificate-authority-data: eA==,\n"
	"  tls-server-name: a, proxy-url: 'socks5://p'}}]\n"
	"users: [{name: u, user: {token: t, client-certificate-data: eA==, client-key: k}}]\n";

/* Runs something again and again, with one more allocation that succeeds each time. */
static void run_short(int (*run)(void *ctx), void *ctx)
{
	for (size_t n = 0; n < ROUNDS_MAX; n++) {
		int r;

		memory_fail_after(n);
		r = run(ctx);
		if (memory_restore() == 0) {
			assert_int_equal(r, 0);
			assert_true(n > 0);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
	fail();
}

static int read_config(void *ctx)
{
	struct kube_config *config = ctx;

	kube_config_done(config);
	return kube_config_from_text(kubeconfig, strlen(kubeconfig), "a/b", config, NULL);
}

static int read_pod(void *ctx)
{
	const struct kube_pod pod = { "h", "1", ctx };
	_cleanup_kube_config_ struct kube_config config = { 0 };

	return kube_config_from_pod(&pod, &config, NULL);
}

static void put(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	if (text)
		assert_int_equal(file_publish(path, text, strlen(text), 0600, NULL), 0);
	else
		assert_int_equal(unlink(path), 0);
}

static void reads_configurations(void **state)
{
	static const char *const names[] = { "token", "ca.crt", "namespace" };
	_cleanup_kube_config_ struct kube_config config = { 0 };
	char dir[] = "/tmp/silica-kube-XXXXXX";

	(void)state;
	run_short(read_config, &config);
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(dir, names[i], "x");
	run_short(read_pod, dir);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(dir, names[i], NULL);
	assert_int_equal(rmdir(dir), 0);
}

struct fixture {
	struct loop *loop;
	struct kube_config config;
	struct kube_client *client;
};

static void on_answer(void *ctx, const struct kube_answer *answer)
{
	(void)ctx;
	(void)answer;
}

static void on_event(void *ctx, enum kube_event_type type, const struct json_t *object)
{
	(void)ctx;
	(void)type;
	(void)object;
}

static int make_client(void *ctx)
{
	struct fixture *f = ctx;

	kube_client_free(TAKE_PTR(f->client));
	return kube_client_new(f->loop, &f->config, "test/1", &f->client, NULL);
}

static int start_call(void *ctx)
{
	struct fixture *f = ctx;
	const struct kube_request request = { .method = "PATCH",
					      .path = "/",
					      .content_type = KUBE_MERGE_PATCH,
					      .body = "{}",
					      .body_len = 2 };
	_cleanup_(kube_call_freep) struct kube_call *call = NULL;

	return kube_call_start(f->client, &request, on_answer, NULL, &call, NULL);
}

static int start_watch(void *ctx)
{
	struct fixture *f = ctx;
	const struct kube_watch_request request = { .path = "/api/v1/nodes" };
	const struct kube_watch_callbacks callbacks = { on_event, on_answer, NULL };
	_cleanup_(kube_watch_freep) struct kube_watch *watch = NULL;

	return kube_watch_start(f->client, &request, &callbacks, &watch, NULL);
}

static void starts_requests(void **state)
{
	struct fixture f = { 0 };
	char key[] = "x";

	(void)state;
	assert_int_equal(loop_new(&f.loop, NULL), 0);
	assert_int_equal(read_config(&f.config), 0);
	/* A file that there is not would be another error. */
	free(f.config.client_key_file);
	f.config.client_key_file = NULL;
	f.config.client_key_data = strdup(key);
	run_short(make_client, &f);
	run_short(start_call, &f);
	run_short(start_watch, &f);
	kube_client_free(f.client);
	kube_config_done(&f.config);
	loop_free(f.loop);
}

static int add_bytes(void *ctx)
{
	struct kube_stream *stream = ctx;

	kube_stream_done(stream);
	kube_stream_init(stream, 1000);
	return kube_stream_add(stream, "{}\n", 3);
}

static void takes_events(void **state)
{
	struct kube_stream stream = { 0 };

	(void)state;
	run_short(add_bytes, &stream);
	assert_int_equal(stream.n_lines, 1);
	kube_stream_done(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_configurations),
		cmocka_unit_test(starts_requests),
		cmocka_unit_test(takes_events),
	};

	return cmocka_run_group_tests_name("api/kubernetes/out_of_memory", tests, NULL, NULL);
}
