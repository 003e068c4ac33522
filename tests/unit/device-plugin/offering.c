/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device-plugin/offering.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/grpc/client.h"
#include "api/kubelet/kubelet.h"
#include "base/parse.h"
#include "device-plugin/stale_sockets.h"
#include "tests/test.h"

#define GIVE_UP_MS 30000
#define LOOK_MS 10
#define STREAM_MS 600000 /* longer than any test */

static void on_give_up(_unused_ void *ctx)
{
	fail_msg("nothing has happened for %d ms", GIVE_UP_MS);
}

static void on_look(void *ctx)
{
	struct offering *offering = ctx;

	if (offering->done && offering->done(offering->ctx))
		loop_stop(offering->loop);
}

static void on_suspect(_unused_ void *ctx)
{
	fail_msg("no request has met a device that is not as listed");
}

static struct snapshot *get_snapshot(void *ctx)
{
	return snapshot_ref(((struct offering *)ctx)->request->snapshot);
}

static const struct catalog *get_catalog(void *ctx)
{
	return ((struct offering *)ctx)->catalog;
}

static void make_catalog(struct offering *offering)
{
	const struct telemetry_source source = { &offering->request->tree->host, get_snapshot,
						 get_catalog, offering };
	struct resource_setup setup = {
		.loop = offering->loop,
		.rpc = offering->rpc,
		.host = &offering->request->tree->host,
		.claims = offering->request->claims,
		.watcher_dir = offering->dir,
		.suspect = on_suspect,
	};

	assert_int_equal(telemetry_new(&source, &offering->telemetry, NULL), 0);
	setup.telemetry = offering->telemetry;
	offering->catalog = catalog_new(&setup);
	assert_non_null(offering->catalog);
}

int offering_setup(void **state)
{
	struct offering *offering = calloc(1, sizeof(*offering));
	void *request;

	if (!offering || request_setup(&request) < 0)
		return -1;
	offering->request = request;
	(void)snprintf(offering->dir, sizeof(offering->dir), "/tmp/offering-XXXXXX");
	assert_non_null(mkdtemp(offering->dir));
	assert_int_equal(loop_new(&offering->loop, NULL), 0);
	assert_int_equal(loop_add_timer(offering->loop, on_give_up, NULL, &offering->give_up, NULL),
			 0);
	assert_int_equal(loop_add_timer(offering->loop, on_look, offering, &offering->look, NULL),
			 0);
	assert_int_equal(loop_timer_set(offering->look, LOOK_MS, LOOK_MS), 0);
	assert_int_equal(rpc_new(&offering->rpc, NULL), 0);
	make_catalog(offering);
	*state = offering;
	return 0;
}

void offering_stop(struct offering *offering)
{
	if (!offering->rpc)
		return;
	catalog_stop(offering->catalog);
	rpc_free(TAKE_PTR(offering->rpc));
}

int offering_teardown(void **state)
{
	struct offering *offering = *state;
	void *request = offering->request;

	offering_stop(offering);
	catalog_free(offering->catalog);
	telemetry_free(offering->telemetry);
	loop_source_free(offering->give_up);
	loop_source_free(offering->look);
	loop_free(offering->loop);
	assert_int_equal(rmdir(offering->dir), 0);
	free(offering);
	return request_teardown(&request);
}

void offering_apply(struct offering *offering, const char *names, const struct terms *terms)
{
	const struct terms files = { .ways = TERMS_DEVICE_NODES };
	struct unit_rule rules[OFFERING_SOCKETS_MAX] = { 0 };
	struct offer_resource resources[OFFERING_SOCKETS_MAX];
	struct offer offer = { .rules = rules, .resources = resources };
	char *copy = strdup(names);
	char *rest = copy;
	struct unit_plan plan;

	for (char *name = strsep(&rest, " "); name && *name; name = strsep(&rest, " ")) {
		size_t n = offer.n_resources++;

		assert_true(n < OFFERING_SOCKETS_MAX);
		rules[n] = (struct unit_rule) { .resource = name,
						.kind = UNIT_WHOLE,
						.overlap = true };
		resources[n] = (struct offer_resource) { name, n, terms ? *terms : files };
		if (resources[n].terms.ways & TERMS_CDI)
			(void)snprintf(resources[n].terms.cdi_kind,
				       sizeof(resources[n].terms.cdi_kind), "silica.%s", name);
		offer.n_rules++;
	}
	plan = (struct unit_plan) { .snapshot = offering->request->snapshot,
				    .rules = rules,
				    .n_rules = offer.n_rules };
	catalog_apply(offering->catalog, &offer, &plan);
	free(copy);
}

void offering_await(struct offering *offering, bool (*done)(void *ctx), void *ctx)
{
	offering->done = done;
	offering->ctx = ctx;
	assert_int_equal(loop_timer_set(offering->give_up, GIVE_UP_MS, 0), 0);
	assert_int_equal(loop_run(offering->loop, NULL), 0);
	loop_timer_stop(offering->give_up);
	offering->done = NULL;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

size_t offering_sockets(const struct offering *offering,
			char paths[OFFERING_SOCKETS_MAX][OFFERING_NAME_MAX])
{
	DIR *dir = opendir(offering->dir);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!str_starts_with(entry->d_name, SOCKET_PREFIX))
			continue;
		assert_true(n < OFFERING_SOCKETS_MAX);
		assert_true(snprintf(paths[n++], OFFERING_NAME_MAX, "%s/%s", offering->dir,
				     entry->d_name) < OFFERING_NAME_MAX);
	}
	(void)closedir(dir);
	qsort(paths, n, OFFERING_NAME_MAX, compare_paths);
	return n;
}

static void on_stream_end(_unused_ void *ctx, _unused_ int status, _unused_ const char *text,
			  _unused_ const uint8_t *data, _unused_ size_t len)
{
}

/* On gRPC's thread: what a kubelet does next is to open the stream. */
static void on_info(void *ctx, int status, _unused_ const char *text, _unused_ const uint8_t *data,
		    _unused_ size_t len)
{
	struct offering *offering = ctx;
	const struct endpoint *endpoint =
		resource_endpoint(catalog_get(offering->catalog, 0), LIFECYCLE_WATCHER);
	const struct rpc_message nothing = { 0 };

	if (status == RPC_STATUS_OK)
		(void)rpc_call(offering->rpc, endpoint_socket(endpoint),
			       KUBELET_METHOD_LIST_AND_WATCH, &nothing, STREAM_MS, on_stream_end,
			       NULL, NULL);
}

static bool is_watched(void *ctx)
{
	const struct offering *offering = ctx;

	return endpoint_is_watched(
		resource_endpoint(catalog_get(offering->catalog, 0), LIFECYCLE_WATCHER));
}

void offering_watch(struct offering *offering)
{
	const struct endpoint *endpoint =
		resource_endpoint(catalog_get(offering->catalog, 0), LIFECYCLE_WATCHER);
	const struct rpc_message nothing = { 0 };

	assert_int_equal(rpc_call(offering->rpc, endpoint_socket(endpoint), KUBELET_METHOD_GET_INFO,
				  &nothing, GIVE_UP_MS, on_info, offering, NULL),
			 0);
	offering_await(offering, is_watched, offering);
}
