/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint against a kubelet of which only Register is there.  What needs the
 * kubelet to call back is tested with a real client, in tests/kubelet.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/grpc/client.h"
#include "api/grpc/server.h"
#include "api/kubelet/deviceplugin.pb-c.h"
#include "api/kubelet/kubelet.h"
#include "base/loop.h"
#include "base/macro.h"
#include "device-plugin/endpoint.h"
#include "tests/test.h"

#define GIVE_UP_MS 20000

struct fixture {
	char dir[32];
	char kubelet_socket[64];
	struct loop *loop;
	struct loop_source *give_up;
	struct rpc *rpc;
	struct endpoint *endpoint;
	struct rpc_server *kubelet;
	bool refuse;		  /* what the kubelet answers */
	unsigned int n_registers; /* loop's thread */
	unsigned int n_wanted;
	unsigned int n_accepted; /* as the endpoint has told them */
	unsigned int n_refused;
	char endpoint_name[256]; /* of the last registration */
};

static void give_up(_unused_ void *ctx)
{
	fail_msg("nothing has happened for %d ms", GIVE_UP_MS);
}

static void registered(void *ctx)
{
	struct fixture *fixture = ctx;

	if (++fixture->n_registers >= fixture->n_wanted)
		loop_stop(fixture->loop);
}

static int on_register(void *ctx, const uint8_t *request, size_t len, struct rpc_message *ret_reply,
		       struct error *err)
{
	V1beta1__RegisterRequest *message = v1beta1__register_request__unpack(NULL, len, request);
	struct fixture *fixture = ctx;

	assert_non_null(message);
	assert_string_equal(message->resource_name, "fake.io/card");
	(void)snprintf(fixture->endpoint_name, sizeof(fixture->endpoint_name), "%s",
		       message->endpoint);
	v1beta1__register_request__free_unpacked(message, NULL);
	assert_int_equal(loop_post(fixture->loop, registered, fixture), 0);
	*ret_reply = (struct rpc_message) { 0 };
	return fixture->refuse ? error_set(err, EINVAL, "not today") : 0;
}

static const struct rpc_method kubelet_methods[] = {
	{ KUBELET_METHOD_REGISTER, on_register },
	{ NULL, NULL },
};

static const struct rpc_server_events no_events = { 0 };

static void start_kubelet(struct fixture *fixture)
{
	assert_int_equal(rpc_server_new(fixture->rpc, fixture->kubelet_socket, kubelet_methods,
					&no_events, fixture, &fixture->kubelet, NULL),
			 0);
}

static void on_registered(void *ctx, enum lifecycle_path path, bool accepted)
{
	struct fixture *fixture = ctx;

	assert_int_equal(path, LIFECYCLE_CLASSIC);
	if (accepted)
		fixture->n_accepted++;
	else
		fixture->n_refused++;
}

static int encode(_unused_ void *ctx, struct rpc_message *ret)
{
	*ret = (struct rpc_message) { 0 };
	return 0;
}

static int handle(_unused_ void *ctx, _unused_ const char *method, _unused_ const uint8_t *request,
		  _unused_ size_t len, _unused_ struct rpc_message *ret_reply, struct error *err)
{
	return error_set(err, ENOSYS, "not needed here");
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct endpoint_setup setup = { .path = LIFECYCLE_CLASSIC,
					.resource = "fake.io/card",
					.handle = handle,
					.encode = encode,
					.registered = on_registered,
					.ctx = fixture };

	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/endpoint-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->kubelet_socket, sizeof(fixture->kubelet_socket),
		       "%s/" KUBELET_SOCKET, fixture->dir);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(loop_add_timer(fixture->loop, give_up, fixture, &fixture->give_up, NULL),
			 0);
	assert_int_equal(loop_timer_set(fixture->give_up, GIVE_UP_MS, 0), 0);
	assert_int_equal(rpc_new(&fixture->rpc, NULL), 0);
	setup.loop = fixture->loop;
	setup.rpc = fixture->rpc;
	setup.dir = fixture->dir;
	assert_int_equal(endpoint_new(&setup, &fixture->endpoint, NULL), 0);
	*state = fixture;
	return 0;
}

static size_t count_sockets(const struct fixture *fixture)
{
	DIR *dir = opendir(fixture->dir);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += strncmp(entry->d_name, "silica-", strlen("silica-")) == 0;
	(void)closedir(dir);
	return n;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	endpoint_stop(fixture->endpoint);
	rpc_server_stop(fixture->kubelet, "test ends");
	rpc_free(fixture->rpc);
	endpoint_free(fixture->endpoint);
	loop_source_free(fixture->give_up);
	loop_free(fixture->loop);
	assert_int_equal(count_sockets(fixture), 0);
	(void)unlink(fixture->kubelet_socket);
	assert_int_equal(rmdir(fixture->dir), 0);
	free(fixture);
	return 0;
}

/* Runs the loop until the kubelet has seen that many more registrations. */
static void await_registers(struct fixture *fixture, unsigned int n)
{
	fixture->n_wanted = fixture->n_registers + n;
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
}

static void registers_with_its_socket_served(void **state)
{
	struct fixture *fixture = *state;

	start_kubelet(fixture);
	endpoint_check(fixture->endpoint);
	await_registers(fixture, 1);
	assert_int_equal(count_sockets(fixture), 1);
	assert_non_null(strstr(fixture->endpoint_name, "silica-card-"));
}

static void nothing_is_bound_without_a_kubelet(void **state)
{
	struct fixture *fixture = *state;

	endpoint_check(fixture->endpoint);
	assert_int_equal(count_sockets(fixture), 0);
	start_kubelet(fixture);
	endpoint_dir_event(fixture->endpoint, KUBELET_SOCKET, IN_CREATE);
	await_registers(fixture, 1);
}

static void refused_registration_is_tried_again(void **state)
{
	struct fixture *fixture = *state;
	char name[256];

	fixture->refuse = true;
	start_kubelet(fixture);
	endpoint_check(fixture->endpoint);
	await_registers(fixture, 1);
	(void)snprintf(name, sizeof(name), "%s", fixture->endpoint_name);
	await_registers(fixture, 2);
	assert_string_equal(fixture->endpoint_name, name);
	assert_int_equal(count_sockets(fixture), 1);
	/* The last call may not have come back yet. */
	assert_true(fixture->n_refused >= 2);
	assert_int_equal(fixture->n_accepted, 0);
}

static void restarted_kubelet_gets_a_new_socket(void **state)
{
	struct fixture *fixture = *state;
	char name[256];

	start_kubelet(fixture);
	endpoint_check(fixture->endpoint);
	await_registers(fixture, 1);
	(void)snprintf(name, sizeof(name), "%s", fixture->endpoint_name);
	endpoint_dir_event(fixture->endpoint, KUBELET_SOCKET, IN_CREATE);
	await_registers(fixture, 1);
	assert_string_not_equal(fixture->endpoint_name, name);
}

static void unlinked_socket_is_made_again(void **state)
{
	struct fixture *fixture = *state;
	char path[512];

	start_kubelet(fixture);
	endpoint_check(fixture->endpoint);
	await_registers(fixture, 1);
	(void)snprintf(path, sizeof(path), "%s/%s", fixture->dir, fixture->endpoint_name);
	assert_int_equal(unlink(path), 0);
	endpoint_dir_event(fixture->endpoint, fixture->endpoint_name, IN_DELETE);
	await_registers(fixture, 1);
	assert_int_equal(count_sockets(fixture), 1);

	/* The same without the event. */
	(void)snprintf(path, sizeof(path), "%s/%s", fixture->dir, fixture->endpoint_name);
	assert_int_equal(unlink(path), 0);
	endpoint_check(fixture->endpoint);
	await_registers(fixture, 1);
	assert_int_equal(count_sockets(fixture), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers_with_its_socket_served, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_bound_without_a_kubelet, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refused_registration_is_tried_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(restarted_kubelet_gets_a_new_socket, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unlinked_socket_is_made_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
