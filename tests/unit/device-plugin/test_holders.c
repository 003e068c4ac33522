/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a kubelet that answers, refuses, limits the rate, or is not there.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/grpc/server.h"
#include "api/kubelet/kubelet.h"
#include "api/kubelet/podresources.pb-c.h"
#include "base/strbuf.h"
#include "device-plugin/catalog.h"
#include "device-plugin/holders.h"
#include "tests/test.h"

#define GIVE_UP_MS 30000
#define QUIET_MS 500 /* some times as long as questions are merged */

struct fixture {
	char dir[32];
	char socket_dir[64];
	char path[96];
	struct loop *loop;
	struct loop_source *give_up;
	struct loop_source *quiet;
	struct rpc *rpc;
	struct rpc_server *server;
	struct claims *claims;
	struct catalog *catalog; /* without resources */
	struct telemetry *telemetry;
	struct holders *holders;
	unsigned int n_changes;
	unsigned int n_calls;	     /* that the kubelet has had; loop's thread */
	unsigned int n_calls_wanted; /* after which the loop ends; 0 for any number */
	/* What the kubelet answers, read on gRPC's thread between two calls. */
	int code;
	const char *text;
	const char *device; /* that a pod holds, or NULL */
};

static int pack(const ProtobufCMessage *message, struct rpc_message *ret)
{
	ret->len = protobuf_c_message_get_packed_size(message);
	ret->data = malloc(ret->len + 1);
	assert_non_null(ret->data);
	protobuf_c_message_pack(message, ret->data);
	return 0;
}

static void call_posted(void *ctx)
{
	struct fixture *fixture = ctx;

	fixture->n_calls++;
	if (fixture->n_calls == fixture->n_calls_wanted)
		loop_stop(fixture->loop);
}

static int answer_list(void *ctx, _unused_ const uint8_t *request, _unused_ size_t len,
		       struct rpc_message *ret_reply, struct error *err)
{
	struct fixture *fixture = ctx;
	V1__ListPodResourcesResponse list = V1__LIST_POD_RESOURCES_RESPONSE__INIT;
	V1__PodResources pod;
	V1__ContainerResources container;
	V1__ContainerDevices devices;
	char resource[] = "a.b/x", name[] = "train-0", namespace[] = "ml", work[] = "work";
	char id[16];

	assert_int_equal(loop_post(fixture->loop, call_posted, fixture), 0);
	if (fixture->code != 0)
		return error_set(err, fixture->code, "%s", fixture->text);
	v1__pod_resources__init(&pod);
	v1__container_resources__init(&container);
	v1__container_devices__init(&devices);
	(void)snprintf(id, sizeof(id), "%s", fixture->device ? fixture->device : "");
	devices.resource_name = resource;
	devices.device_ids = (char *[]) { id };
	devices.n_device_ids = 1;
	container.name = work;
	container.devices = (V1__ContainerDevices *[]) { &devices };
	container.n_devices = 1;
	pod.name = name;
	pod.namespace_ = namespace;
	pod.containers = (V1__ContainerResources *[]) { &container };
	pod.n_containers = 1;
	list.pod_resources = (V1__PodResources *[]) { &pod };
	list.n_pod_resources = fixture->device ? 1 : 0;
	return pack(&list.base, ret_reply);
}

static const struct rpc_method kubelet[] = {
	{ KUBELET_METHOD_LIST_POD_RESOURCES, answer_list },
	{ NULL, NULL },
};

static void on_answered(_unused_ void *ctx)
{
}

static void on_changed(void *ctx)
{
	struct fixture *fixture = ctx;

	fixture->n_changes++;
	if (fixture->n_calls_wanted == 0)
		loop_stop(fixture->loop);
}

static void on_claimed(_unused_ void *ctx)
{
	fail_msg("nothing was allocated");
}

static void on_give_up(_unused_ void *ctx)
{
	fail_msg("nothing has happened for %d ms", GIVE_UP_MS);
}

static void on_quiet(void *ctx)
{
	const struct fixture *fixture = ctx;

	loop_stop(fixture->loop);
}

static struct snapshot *no_snapshot(_unused_ void *ctx)
{
	return NULL;
}

static const struct catalog *get_catalog(void *ctx)
{
	return ((struct fixture *)ctx)->catalog;
}

static void make_holders(struct fixture *fixture)
{
	const struct holders_setup setup = {
		.loop = fixture->loop,
		.rpc = fixture->rpc,
		.kubelet_dir = fixture->dir,
		.claims = fixture->claims,
		.telemetry = fixture->telemetry,
		.changed = on_changed,
		.answered = on_answered,
		.ctx = fixture,
	};

	assert_int_equal(holders_new(&setup, &fixture->holders, NULL), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	static const struct resource_setup nothing;
	const struct telemetry_source source = { .snapshot = no_snapshot,
						 .catalog = get_catalog,
						 .ctx = fixture };

	fixture->catalog = catalog_new(&nothing);
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/holders-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->socket_dir, sizeof(fixture->socket_dir), "%s/pod-resources",
		       fixture->dir);
	assert_int_equal(mkdir(fixture->socket_dir, 0700), 0);
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/kubelet.sock",
		       fixture->socket_dir);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(loop_add_timer(fixture->loop, on_give_up, NULL, &fixture->give_up, NULL),
			 0);
	assert_int_equal(loop_add_timer(fixture->loop, on_quiet, fixture, &fixture->quiet, NULL),
			 0);
	assert_int_equal(rpc_new(&fixture->rpc, NULL), 0);
	fixture->claims = claims_new(on_claimed, NULL);
	assert_non_null(fixture->claims);
	assert_int_equal(telemetry_new(&source, &fixture->telemetry, NULL), 0);
	*state = fixture;
	return 0;
}

static void stop_kubelet(struct fixture *fixture)
{
	rpc_server_stop(fixture->server, "the kubelet ends");
	fixture->server = NULL;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	stop_kubelet(fixture);
	holders_free(fixture->holders);
	rpc_free(fixture->rpc);
	claims_free(fixture->claims);
	telemetry_free(fixture->telemetry);
	catalog_free(fixture->catalog);
	loop_source_free(fixture->give_up);
	loop_source_free(fixture->quiet);
	loop_free(fixture->loop);
	(void)unlink(fixture->path);
	(void)rmdir(fixture->socket_dir);
	assert_int_equal(rmdir(fixture->dir), 0);
	free(fixture);
	return 0;
}

static void start_kubelet(struct fixture *fixture)
{
	static const struct rpc_server_events no_events = { 0 };

	assert_int_equal(rpc_server_new(fixture->rpc, fixture->path, kubelet, &no_events, fixture,
					&fixture->server, NULL),
			 0);
}

static void run_loop(const struct fixture *fixture)
{
	assert_int_equal(loop_timer_set(fixture->give_up, GIVE_UP_MS, 0), 0);
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	loop_timer_stop(fixture->give_up);
}

static void await_change(struct fixture *fixture)
{
	unsigned int n_changes = fixture->n_changes;

	fixture->n_calls_wanted = 0;
	run_loop(fixture);
	assert_int_equal(fixture->n_changes, n_changes + 1);
}

static void await_calls(struct fixture *fixture, unsigned int n)
{
	fixture->n_calls_wanted = fixture->n_calls + n;
	run_loop(fixture);
	fixture->n_calls_wanted = 0;
}

/* Lets answers come in that are on their way. */
static void settle(const struct fixture *fixture)
{
	assert_int_equal(loop_timer_set(fixture->quiet, QUIET_MS, 0), 0);
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
}

static void assert_claims(const struct fixture *fixture, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
	_cleanup_free_ struct unit_claim *claims = NULL;
	ssize_t n = claims_copy(fixture->claims, &claims);

	for (ssize_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s %s: %s", i > 0 ? ";" : "", claims[i].resource,
			      claims[i].unit, claims[i].holder);
	assert_string_equal(strbuf_str(&text), expected);
}

/* Whether so many questions were counted with a result. */
static bool is_counted(const struct fixture *fixture, const char *result, unsigned int n)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024 * 1024);
	char line[128];

	(void)snprintf(line, sizeof(line), "requests_total{result=\"%s\"} %u\n", result, n);
	assert_int_equal(telemetry_write(fixture->telemetry, &text, NULL), 0);
	return strstr(strbuf_str(&text), line) != NULL;
}

#define TRAIN_HAS_A "a.b/x A: pod ml/train-0, container work"

static void claims_are_those_of_the_kubelet(void **state)
{
	struct fixture *fixture = *state;

	fixture->device = "A";
	start_kubelet(fixture);
	make_holders(fixture);
	await_change(fixture);
	assert_claims(fixture, TRAIN_HAS_A);
	/* The same answer is no change. */
	holders_ask_soon(fixture->holders);
	await_calls(fixture, 1);
	settle(fixture);
	assert_int_equal(fixture->n_changes, 1);
	fixture->device = NULL;
	holders_ask_soon(fixture->holders);
	await_change(fixture);
	assert_claims(fixture, "");
	assert_true(is_counted(fixture, "answered", 3));
}

static void questions_are_merged(void **state)
{
	struct fixture *fixture = *state;

	start_kubelet(fixture);
	make_holders(fixture);
	for (int i = 0; i < 10; i++)
		holders_ask_soon(fixture->holders);
	settle(fixture);
	settle(fixture);
	/* One at the beginning, and one for the ten. */
	assert_int_equal(fixture->n_calls, 2);
}

static void a_refusal_leaves_the_claims_as_they_were(void **state)
{
	static const struct {
		int code;
		const char *text;
	} cases[] = {
		{ EINVAL, "not today" },
		{ ENOMEM, "rejected by rate limit" },
		{ ENOSYS, "unknown service v1.PodResourcesLister" },
	};
	struct fixture *fixture = *state;

	fixture->device = "A";
	start_kubelet(fixture);
	make_holders(fixture);
	await_change(fixture);
	fixture->device = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture->code = cases[i].code;
		fixture->text = cases[i].text;
		holders_ask_soon(fixture->holders);
		await_calls(fixture, 1);
		settle(fixture);
		assert_claims(fixture, TRAIN_HAS_A);
		assert_true(is_counted(fixture, "failed", i + 1));
	}
	fixture->code = 0;
	holders_ask_soon(fixture->holders);
	await_change(fixture);
	assert_claims(fixture, "");
}

static void a_kubelet_that_is_not_there_is_asked_again(void **state)
{
	struct fixture *fixture = *state;

	make_holders(fixture);
	settle(fixture);
	assert_true(is_counted(fixture, "failed", 1));
	assert_claims(fixture, "");
	fixture->device = "A";
	start_kubelet(fixture);
	holders_ask_soon(fixture->holders);
	await_change(fixture);
	assert_claims(fixture, TRAIN_HAS_A);
}

static void units_that_overlap_are_asked_for_all_the_time(void **state)
{
	struct fixture *fixture = *state;

	start_kubelet(fixture);
	make_holders(fixture);
	holders_track(fixture->holders, true);
	/* It does not begin anew each time that it is said. */
	holders_track(fixture->holders, true);
	await_calls(fixture, 3);
}

static void a_path_that_no_socket_has_is_refused(void **state)
{
	const struct fixture *fixture = *state;
	struct holders_setup setup = { .loop = fixture->loop,
				       .rpc = fixture->rpc,
				       .claims = fixture->claims };
	struct holders *holders = NULL;
	struct error err = { 0 };
	char dir[2 * PATH_MAX] = { 0 };

	memset(dir, 'd', sizeof(dir) - 1);
	setup.kubelet_dir = dir;
	assert_int_equal(holders_new(&setup, &holders, &err), -ENAMETOOLONG);
	assert_string_not_equal(err.msg, "");
	assert_null(holders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(claims_are_those_of_the_kubelet, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_are_merged, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_leaves_the_claims_as_they_were, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_kubelet_that_is_not_there_is_asked_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(units_that_overlap_are_asked_for_all_the_time,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_that_no_socket_has_is_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
