/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/probes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/grpc/client.h"
#include "api/kubelet/kubelet.h"
#include "api/metrics/http.h"
#include "api/metrics/metrics.h"
#include "base/macro.h"
#include "daemon/http_end.h"

#define CALL_TIMEOUT_MS 3000 /* less than what http_limits gives an answer that is put off */
#define CALLS_MAX (POLICY_RESOURCES_MAX * _LIFECYCLE_PATH_MAX)
#define CHECKS_MAX 4 /* at a time; a fifth answers 503, for somebody asks too often */

/* One question to /healthz: a call to each socket. */
struct check {
	struct probes *probes;
	uint64_t token;
	size_t n_pending;	      /* calls, and the one who makes them */
	char problem[ERROR_TEXT_MAX]; /* of the first call that failed; "" when all is well */
};

struct probes {
	struct probes_setup setup;
	struct http_end *end;
	pthread_mutex_t lock; /* guards the checks, which gRPC's thread writes to */
	struct check checks[CHECKS_MAX];
};

/* --- /healthz --- */

/* On the loop: gives the answers of all checks that are through. */
static void reply(void *ctx)
{
	struct probes *probes = ctx;

	for (size_t i = 0; i < CHECKS_MAX; i++) {
		struct check check;
		bool done;

		(void)pthread_mutex_lock(&probes->lock);
		check = probes->checks[i];
		done = check.probes && check.n_pending == 0;
		if (done)
			probes->checks[i] = (struct check) { 0 };
		(void)pthread_mutex_unlock(&probes->lock);
		if (done)
			http_server_reply(http_end_server(probes->end), check.token,
					  check.problem[0] ? 503 : 200,
					  check.problem[0] ? check.problem : "ok\n");
	}
}

/* Takes note of the outcome of a call; @problem is NULL if it went well. */
static void finish_call(struct check *check, const char *problem)
{
	struct probes *probes = check->probes;
	bool last;

	(void)pthread_mutex_lock(&probes->lock);
	if (problem && check->problem[0] == '\0')
		(void)snprintf(check->problem, sizeof(check->problem), "%s\n", problem);
	last = --check->n_pending == 0;
	(void)pthread_mutex_unlock(&probes->lock);
	if (last)
		(void)loop_post(probes->setup.loop, reply, probes);
}

static void on_answer(void *ctx, int status, const char *text, _unused_ const uint8_t *data,
		      _unused_ size_t len)
{
	char problem[ERROR_TEXT_MAX / 2];

	(void)snprintf(problem, sizeof(problem), "the plugin does not answer on its socket: %s: %s",
		       rpc_status_name(status), text);
	finish_call(ctx, status == RPC_STATUS_OK ? NULL : problem);
}

static void call_socket(struct check *check, const char *socket)
{
	struct probes *probes = check->probes;
	struct rpc_message request = { 0 };
	struct error err = { 0 };
	int r;

	(void)pthread_mutex_lock(&probes->lock);
	check->n_pending++;
	(void)pthread_mutex_unlock(&probes->lock);
	r = rpc_call(probes->setup.rpc, socket, KUBELET_METHOD_OPTIONS, &request, CALL_TIMEOUT_MS,
		     on_answer, check, &err);
	if (r < 0)
		finish_call(check, error_text(&err, r));
}

static struct check *take_check(struct probes *probes, uint64_t token)
{
	struct check *taken = NULL;

	(void)pthread_mutex_lock(&probes->lock);
	for (size_t i = 0; i < CHECKS_MAX && !taken; i++)
		if (!probes->checks[i].probes)
			taken = &probes->checks[i];
	if (taken)
		*taken = (struct check) { .probes = probes, .token = token, .n_pending = 1 };
	(void)pthread_mutex_unlock(&probes->lock);
	return taken;
}

static void put_off_healthz(void *ctx, uint64_t token)
{
	struct probes *probes = ctx;
	const struct catalog *catalog = probes->setup.catalog;
	struct check *check = take_check(probes, token);

	if (!check) {
		http_server_reply(http_end_server(probes->end), token, 503,
				  "too many checks at a time\n");
		return;
	}
	for (size_t i = 0; i < catalog_count(catalog); i++)
		for (enum lifecycle_path path = 0; path < _LIFECYCLE_PATH_MAX; path++) {
			const struct endpoint *endpoint =
				resource_endpoint(catalog_get(catalog, i), path);
			const char *socket = endpoint ? endpoint_socket(endpoint) : NULL;

			if (socket)
				call_socket(check, socket);
		}
	finish_call(check, NULL);
}

/* --- the others --- */

static bool is_watched(const struct resource *resource)
{
	for (enum lifecycle_path path = 0; path < _LIFECYCLE_PATH_MAX; path++) {
		const struct endpoint *endpoint = resource_endpoint(resource, path);

		if (endpoint && endpoint_is_watched(endpoint))
			return true;
	}
	return false;
}

static bool is_offered(const struct resource *resource)
{
	return resource_endpoint(resource, LIFECYCLE_CLASSIC) ||
	       resource_endpoint(resource, LIFECYCLE_WATCHER);
}

static int answer_readyz(void *ctx, struct strbuf *body)
{
	const struct catalog *catalog = ((const struct probes *)ctx)->setup.catalog;

	if (!catalog_is_made(catalog))
		strbuf_puts(body, "it is not known yet who holds which device\n");
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct resource *resource = catalog_get(catalog, i);

		if (is_offered(resource) && !is_watched(resource))
			strbuf_printf(body, "%s: the kubelet does not watch it\n",
				      resource_name(resource));
	}
	if (body->len > 0)
		return 503;
	strbuf_puts(body, "ok\n");
	return 200;
}

static int answer_metrics(void *ctx, struct strbuf *body)
{
	const struct probes *probes = ctx;
	struct error err = { 0 };
	int r = telemetry_write(probes->setup.telemetry, body, &err);

	return http_end_metrics(r, &err, body);
}

static const struct http_route routes[] = {
	{ .path = "/metrics", .type = METRICS_CONTENT_TYPE, .answer = answer_metrics },
	{ .path = "/healthz", .put_off = put_off_healthz },
	{ .path = "/readyz", .answer = answer_readyz },
	{ 0 },
};

void probes_check(struct probes *probes)
{
	if (probes)
		http_end_check(probes->end);
}

int probes_new(const struct probes_setup *setup, struct probes **ret, struct error *err)
{
	_cleanup_(probes_freep) struct probes *probes = calloc(1, sizeof(*probes));
	int r;

	if (!probes)
		return error_set(err, ENOMEM, "no memory for the probes");
	(void)pthread_mutex_init(&probes->lock, NULL);
	probes->setup = *setup;
	r = http_end_new(setup->loop, setup->address, routes, probes, &probes->end, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(probes);
	return 0;
}

void probes_free(struct probes *probes)
{
	int saved_errno = errno;

	if (!probes)
		return;
	http_end_free(probes->end);
	(void)pthread_mutex_destroy(&probes->lock);
	free(probes);
	errno = saved_errno;
}
