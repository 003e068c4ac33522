/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/grpc/client.h"
#include "api/grpc/rpc.h"
#include "api/grpc/server.h"
#include "tests/test.h"

#define CALL_TIMEOUT_MS 10000

struct fixture {
	char dir[32];
	char path[64];
	struct rpc *rpc;
	struct rpc_server *server;
};

/* What a call has ended with; filled on the rpc's thread. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	int status;
	char text[256];
	uint8_t *reply;
	size_t len;
};

static int echo(_unused_ void *ctx, const uint8_t *request, size_t len,
		struct rpc_message *ret_reply, struct error *err)
{
	uint8_t *data = malloc(len + 1);

	if (!data)
		return error_set(err, ENOMEM, "no memory");
	if (len > 0)
		memcpy(data, request, len);
	*ret_reply = (struct rpc_message) { data, len };
	return 0;
}

/* The first byte of the request is the errno to fail with. */
static int fail_as_asked(_unused_ void *ctx, const uint8_t *request, size_t len,
			 _unused_ struct rpc_message *ret_reply, struct error *err)
{
	return error_set(err, len > 0 ? request[0] : EINVAL, "as you wish");
}

static const struct rpc_method methods[] = {
	{ "/test.Test/Echo", echo },
	{ "/test.Test/Fail", fail_as_asked },
	{ "/test.Test/Watch", NULL },
	{ NULL, NULL },
};

static const struct rpc_server_events no_events = { 0 };

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct error err = { 0 };

	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/rpc-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/s.sock", fixture->dir);
	assert_int_equal(rpc_new(&fixture->rpc, &err), 0);
	assert_int_equal(rpc_server_new(fixture->rpc, fixture->path, methods, &no_events, NULL,
					&fixture->server, &err),
			 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	rpc_server_stop(fixture->server, "test ends");
	rpc_free(fixture->rpc);
	(void)unlink(fixture->path);
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static void on_result(void *ctx, int status, const char *text, const uint8_t *reply, size_t len)
{
	struct outcome *outcome = ctx;

	(void)pthread_mutex_lock(&outcome->lock);
	outcome->status = status;
	(void)snprintf(outcome->text, sizeof(outcome->text), "%s", text);
	if (len > 0) {
		outcome->reply = malloc(len);
		memcpy(outcome->reply, reply, len);
	}
	outcome->len = len;
	outcome->is_done = true;
	(void)pthread_cond_signal(&outcome->done);
	(void)pthread_mutex_unlock(&outcome->lock);
}

/* Calls and waits; the reply is the caller's. */
static struct outcome call(struct rpc *rpc, const char *path, const char *method,
			   const void *request, size_t len)
{
	struct rpc_message message = { (uint8_t *)(uintptr_t)request, len };
	struct outcome outcome = { .lock = PTHREAD_MUTEX_INITIALIZER,
				   .done = PTHREAD_COND_INITIALIZER };
	struct error err = { 0 };

	assert_int_equal(
		rpc_call(rpc, path, method, &message, CALL_TIMEOUT_MS, on_result, &outcome, &err),
		0);
	(void)pthread_mutex_lock(&outcome.lock);
	while (!outcome.is_done)
		(void)pthread_cond_wait(&outcome.done, &outcome.lock);
	(void)pthread_mutex_unlock(&outcome.lock);
	return outcome;
}

static void unary_call_returns_the_answer(void **state)
{
	static const size_t sizes[] = { 0, 1, 5, 70000, 3 * 1024 * 1024 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *request = calloc(1, sizes[i] + 1);
		struct outcome outcome;

		memset(request, 'a', sizes[i]);
		outcome = call(fixture->rpc, fixture->path, "/test.Test/Echo", request, sizes[i]);
		assert_int_equal(outcome.status, RPC_STATUS_OK);
		assert_int_equal(outcome.len, sizes[i]);
		if (sizes[i] > 0)
			assert_memory_equal(outcome.reply, request, sizes[i]);
		free(outcome.reply);
		free(request);
	}
}

static void failures_have_their_status(void **state)
{
	static const struct {
		uint8_t code;
		enum rpc_status status;
	} cases[] = {
		{ EINVAL, RPC_STATUS_INVALID_ARGUMENT },  { ENOENT, RPC_STATUS_NOT_FOUND },
		{ E2BIG, RPC_STATUS_RESOURCE_EXHAUSTED }, { EIO, RPC_STATUS_UNAVAILABLE },
		{ EPERM, RPC_STATUS_INTERNAL },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome outcome =
			call(fixture->rpc, fixture->path, "/test.Test/Fail", &cases[i].code, 1);

		assert_int_equal(outcome.status, cases[i].status);
		assert_string_equal(outcome.text, "as you wish");
		assert_null(outcome.reply);
	}
}

static void unknown_method_is_unimplemented(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = call(fixture->rpc, fixture->path, "/test.Test/None", "x", 1);

	assert_int_equal(outcome.status, RPC_STATUS_UNIMPLEMENTED);
	assert_string_equal(outcome.text, "unknown method /test.Test/None");
}

static void request_past_the_maximum_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *request = calloc(1, RPC_MESSAGE_MAX + 1);
	struct outcome outcome;

	outcome =
		call(fixture->rpc, fixture->path, "/test.Test/Echo", request, RPC_MESSAGE_MAX + 1);
	assert_int_equal(outcome.status, RPC_STATUS_RESOURCE_EXHAUSTED);
	free(request);
	/* The server goes on. */
	outcome = call(fixture->rpc, fixture->path, "/test.Test/Echo", "x", 1);
	assert_int_equal(outcome.status, RPC_STATUS_OK);
	free(outcome.reply);
}

static void missing_socket_is_unavailable(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = call(fixture->rpc, "/tmp/no-such.sock", "/test.Test/Echo", "x", 1);

	assert_int_equal(outcome.status, RPC_STATUS_UNAVAILABLE);
	assert_true(strlen(outcome.text) > 0);
}

static void unusable_paths_are_refused(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} cases[] = {
		{ "/tmp/no-such-directory/s.sock", -EADDRNOTAVAIL },
		{ "/tmp/a-name-that-is-longer-than-the-address-of-a-unix-socket-can-be-which-is-"
		  "one-hundred-and-seven-bytes.sock",
		  -ENAMETOOLONG },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rpc_server *server = NULL;
		struct error err = { 0 };

		assert_int_equal(rpc_server_new(fixture->rpc, cases[i].path, methods, &no_events,
						NULL, &server, &err),
				 cases[i].expected);
		assert_null(server);
		assert_non_null(strstr(err.msg, cases[i].path));
	}
}

static void stopped_server_leaves_no_socket(void **state)
{
	struct fixture *fixture = *state;
	struct rpc *rpc = fixture->rpc;
	struct stat st;

	assert_int_equal(stat(fixture->path, &st), 0);
	rpc_server_stop(fixture->server, "test ends");
	fixture->server = NULL;
	rpc_free(rpc);
	fixture->rpc = NULL;
	assert_int_equal(stat(fixture->path, &st), -1);
	assert_int_equal(errno, ENOENT);
}

/* rpc_free() must not wait for the deadline of a call that nobody answers. */
static void free_cancels_a_pending_call(void **state)
{
	struct outcome outcome = { .lock = PTHREAD_MUTEX_INITIALIZER,
				   .done = PTHREAD_COND_INITIALIZER };
	struct rpc_message message = { 0 };
	struct fixture *fixture = *state;
	struct error err = { 0 };

	assert_int_equal(rpc_call(fixture->rpc, fixture->path, "/test.Test/Watch", &message,
				  600 * 1000, on_result, &outcome, &err),
			 0);
	rpc_server_stop(fixture->server, "test ends");
	fixture->server = NULL;
	rpc_free(fixture->rpc);
	fixture->rpc = NULL;
	assert_true(outcome.is_done);
	assert_int_not_equal(outcome.status, RPC_STATUS_OK);
}

static void status_names(_unused_ void **state)
{
	assert_string_equal(rpc_status_name(RPC_STATUS_OK), "OK");
	assert_string_equal(rpc_status_name(RPC_STATUS_UNAVAILABLE), "UNAVAILABLE");
	assert_string_equal(rpc_status_name(16), "UNAUTHENTICATED");
	assert_string_equal(rpc_status_name(17), "UNKNOWN");
	assert_string_equal(rpc_status_name(-1), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unary_call_returns_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_have_their_status, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_method_is_unimplemented, setup, teardown),
		cmocka_unit_test_setup_teardown(request_past_the_maximum_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(missing_socket_is_unavailable, setup, teardown),
		cmocka_unit_test_setup_teardown(unusable_paths_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_server_leaves_no_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(free_cancels_a_pending_call, setup, teardown),
		cmocka_unit_test(status_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
