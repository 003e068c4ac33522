/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/grpc/rpc.h"
#include "api/grpc/server.h"
#include "api/kubelet/kubelet.h"
#include "api/kubelet/podresources.h"
#include "api/kubelet/podresources.pb-c.h"
#include "api/kubelet/podresources_client.h"
#include "base/loop.h"
#include "tests/test.h"

#define TIMEOUT_MS 60000 /* of calls that are answered: no measure of speed */
#define SHORT_MS 100	 /* of calls that are not */
#define NOBODY 65534
#define NPU "furiosa.ai/npu"

/* A kubelet's folder, and what a kubelet in it answers. */
struct fixture {
	char dir[32];
	char socket_dir[64];
	char path[96];
	struct rpc *rpc;
	struct rpc_server *server;
	struct loop *loop;
	struct podresources_client *client;
	/* The answer: a code to fail with, or garbage, or the devices of a pod. */
	int code;
	const char *text;
	size_t garbage;
	size_t n_devices;
	unsigned int n_calls; /* that have come in */
	sem_t stopped;
	/* What the callback has seen. */
	unsigned int n_answers;
	unsigned int asks_left;
	bool frees_client;
	int r;
	struct error err;
	struct podresources table;
};

static V1__ContainerDevices *make_devices(V1__ContainerDevices *devices, char **ids, size_t n)
{
	static char id[] = "card-0";
	static char resource[] = NPU;

	v1__container_devices__init(devices);
	for (size_t i = 0; i < n; i++)
		ids[i] = id;
	devices->resource_name = resource;
	devices->device_ids = ids;
	devices->n_device_ids = n;
	return devices;
}

static int pack(const ProtobufCMessage *message, struct rpc_message *ret)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	*ret = (struct rpc_message) { malloc(len + 1), len };
	if (!ret->data)
		return -ENOMEM;
	protobuf_c_message_pack(message, ret->data);
	return 0;
}

/* Answers with a failure or garbage if the fixture says so. */
static bool answer_badly(struct fixture *fixture, struct rpc_message *ret_reply, int *ret_r,
			 struct error *err)
{
	fixture->n_calls++;
	if (fixture->code != 0) {
		*ret_r = error_set(err, fixture->code, "%s", fixture->text);
		return true;
	}
	if (fixture->garbage == 0)
		return false;
	*ret_reply = (struct rpc_message) { malloc(fixture->garbage), fixture->garbage };
	memset(ret_reply->data, 0xff, fixture->garbage);
	*ret_r = 0;
	return true;
}

static int answer_list(void *ctx, _unused_ const uint8_t *request, _unused_ size_t len,
		       struct rpc_message *ret_reply, struct error *err)
{
	struct fixture *fixture = ctx;
	V1__ListPodResourcesResponse list = V1__LIST_POD_RESOURCES_RESPONSE__INIT;
	V1__PodResources pod;
	V1__ContainerResources container;
	V1__ContainerDevices devices;
	char *ids[1];
	char name[] = "train-0";
	int r;

	if (answer_badly(fixture, ret_reply, &r, err))
		return r;
	v1__pod_resources__init(&pod);
	v1__container_resources__init(&container);
	pod.name = pod.namespace_ = container.name = name;
	container.devices = (V1__ContainerDevices *[]) { make_devices(&devices, ids, 1) };
	container.n_devices = fixture->n_devices;
	pod.containers = (V1__ContainerResources *[]) { &container };
	pod.n_containers = 1;
	list.pod_resources = (V1__PodResources *[]) { &pod };
	list.n_pod_resources = fixture->n_devices; /* none, or one */
	return pack(&list.base, ret_reply);
}

static int answer_allocatable(void *ctx, _unused_ const uint8_t *request, _unused_ size_t len,
			      struct rpc_message *ret_reply, struct error *err)
{
	struct fixture *fixture = ctx;
	V1__AllocatableResourcesResponse answer = V1__ALLOCATABLE_RESOURCES_RESPONSE__INIT;
	V1__ContainerDevices devices;
	char *ids[1];
	int r;

	if (answer_badly(fixture, ret_reply, &r, err))
		return r;
	answer.devices = (V1__ContainerDevices *[]) { make_devices(&devices, ids, 1) };
	answer.n_devices = fixture->n_devices;
	return pack(&answer.base, ret_reply);
}

static const struct rpc_method kubelet[] = {
	{ KUBELET_METHOD_LIST_POD_RESOURCES, answer_list },
	{ KUBELET_METHOD_ALLOCATABLE, answer_allocatable },
	{ NULL, NULL },
};

static const struct rpc_method old_kubelet[] = { { NULL, NULL } };

/* A stream is opened and left alone, as by a kubelet that hangs. */
static const struct rpc_method hung_kubelet[] = {
	{ KUBELET_METHOD_LIST_POD_RESOURCES, NULL },
	{ KUBELET_METHOD_ALLOCATABLE, NULL },
	{ NULL, NULL },
};

static void on_stopped(void *ctx)
{
	struct fixture *fixture = ctx;

	(void)sem_post(&fixture->stopped);
}

static void serve(struct fixture *fixture, const struct rpc_method *methods)
{
	static const struct rpc_server_events events = { .stopped = on_stopped };

	assert_int_equal(rpc_server_new(fixture->rpc, fixture->path, methods, &events, fixture,
					&fixture->server, NULL),
			 0);
}

/* Takes its socket along. */
static void stop(struct fixture *fixture)
{
	if (!fixture->server)
		return;
	rpc_server_stop(fixture->server, "the kubelet ends");
	fixture->server = NULL;
	(void)sem_wait(&fixture->stopped);
}

static void on_answer(void *ctx, int r, struct podresources *table, const struct error *err)
{
	struct fixture *fixture = ctx;

	fixture->n_answers++;
	fixture->r = r;
	fixture->err = *err;
	podresources_done(&fixture->table);
	if (r == 0) {
		fixture->table = *table;
		*table = (struct podresources) { 0 };
	}
	if (fixture->asks_left > 0) {
		fixture->asks_left--;
		assert_int_equal(podresources_client_list(fixture->client, NULL), 0);
		return;
	}
	if (fixture->frees_client)
		podresources_client_free(TAKE_PTR(fixture->client));
	loop_stop(fixture->loop);
}

static void make_client(struct fixture *fixture, uint32_t timeout_ms)
{
	const struct podresources_client_setup setup = {
		.rpc = fixture->rpc,
		.loop = fixture->loop,
		.kubelet_dir = fixture->dir,
		.timeout_ms = timeout_ms,
		.fn = on_answer,
		.ctx = fixture,
	};

	podresources_client_free(fixture->client);
	assert_int_equal(podresources_client_new(&setup, &fixture->client, NULL), 0);
}

/* Asks from the loop and waits there; gives what the callback was told. */
static int ask(struct fixture *fixture)
{
	assert_int_equal(podresources_client_list(fixture->client, NULL), 0);
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	return fixture->r;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->n_devices = 1;
	(void)sem_init(&fixture->stopped, 0, 0);
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/pod-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->socket_dir, sizeof(fixture->socket_dir), "%s/pod-resources",
		       fixture->dir);
	assert_int_equal(mkdir(fixture->socket_dir, 0700), 0);
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/kubelet.sock",
		       fixture->socket_dir);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(rpc_new(&fixture->rpc, NULL), 0);
	make_client(fixture, TIMEOUT_MS);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	podresources_client_free(fixture->client);
	stop(fixture);
	rpc_free(fixture->rpc);
	loop_free(fixture->loop);
	podresources_done(&fixture->table);
	(void)sem_destroy(&fixture->stopped);
	(void)unlink(fixture->path);
	(void)rmdir(fixture->socket_dir);
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static void assert_train_holds_the_card(const struct podresources *table)
{
	const struct podresources_holding *holding = podresources_find(table, NPU, "card-0");

	assert_int_equal(table->n, 1);
	assert_non_null(holding);
	assert_string_equal(holding->pod_name, "train-0");
}

static void blocking_calls_return_tables(void **state)
{
	struct fixture *fixture = *state;
	struct podresources table;

	serve(fixture, kubelet);
	assert_int_equal(podresources_list(fixture->rpc, fixture->dir, TIMEOUT_MS, &table, NULL),
			 0);
	assert_train_holds_the_card(&table);
	podresources_done(&table);
	assert_int_equal(
		podresources_allocatable(fixture->rpc, fixture->dir, TIMEOUT_MS, &table, NULL), 0);
	assert_int_equal(table.n, 1);
	assert_non_null(podresources_find(&table, NPU, "card-0"));
	podresources_done(&table);
	fixture->n_devices = 0;
	assert_int_equal(podresources_list(fixture->rpc, fixture->dir, TIMEOUT_MS, &table, NULL),
			 0);
	assert_int_equal(table.n, 0);
	podresources_done(&table);
}

static void loop_gets_the_table_once(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, kubelet);
	assert_int_equal(ask(fixture), 0);
	assert_int_equal(fixture->n_answers, 1);
	assert_train_holds_the_card(&fixture->table);
}

static void one_call_is_in_flight(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };

	serve(fixture, kubelet);
	assert_int_equal(podresources_client_list(fixture->client, NULL), 0);
	assert_int_equal(podresources_client_list(fixture->client, &err), -EBUSY);
	assert_string_equal(err.msg, "the kubelet was asked and has not answered yet");
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	assert_int_equal(fixture->r, 0);
	assert_int_equal(ask(fixture), 0);
	assert_int_equal(fixture->n_answers, 2);
}

static void callback_may_ask_again(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, kubelet);
	fixture->asks_left = 2;
	assert_int_equal(ask(fixture), 0);
	assert_int_equal(fixture->n_answers, 3);
}

static void callback_may_free_the_client(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, kubelet);
	fixture->frees_client = true;
	assert_int_equal(ask(fixture), 0);
	assert_null(fixture->client);
	assert_train_holds_the_card(&fixture->table);
}

static void freed_client_forgets_its_call(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, hung_kubelet);
	assert_int_equal(podresources_client_list(fixture->client, NULL), 0);
	make_client(fixture, TIMEOUT_MS); /* frees the one that has asked */
	stop(fixture);
	serve(fixture, kubelet);
	assert_int_equal(ask(fixture), 0);
	assert_int_equal(fixture->n_answers, 1);
}

/* Each kubelet makes its socket anew; in between there is none. */
static void restarted_kubelet_is_found(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		serve(fixture, kubelet);
		assert_int_equal(ask(fixture), 0);
		stop(fixture);
		assert_int_equal(ask(fixture), -ENOENT);
	}
}

static void failures_of_the_kubelet_are_told_apart(void **state)
{
	static const struct {
		int code; /* of the kubelet's handler, which makes the status */
		int expected;
		const char *text;
		const char *says;
	} cases[] = {
		{ ENOMEM, -EAGAIN, "rejected by rate limit", "it limits the rate of calls" },
		{ ENOSYS, -ENOSYS, "unknown method List", "it does not have this call" },
		{ EIO, -ECONNRESET, "going away", "the connection broke" },
		{ EPERM, -EIO, "device manager is ill", "it has failed the call: INTERNAL" },
		{ ENOENT, -EIO, "no such pod", "it has failed the call: NOT_FOUND" },
	};
	struct fixture *fixture = *state;

	serve(fixture, kubelet);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct podresources table;
		struct error err = { 0 };

		fixture->code = cases[i].code;
		fixture->text = cases[i].text;
		fixture->n_calls = 0;
		assert_int_equal(ask(fixture), cases[i].expected);
		assert_int_equal(fixture->n_calls, 1); /* nothing is tried again */
		assert_non_null(strstr(fixture->err.msg, cases[i].says));
		assert_non_null(strstr(fixture->err.msg, cases[i].text));
		assert_non_null(strstr(fixture->err.msg, KUBELET_METHOD_LIST_POD_RESOURCES));
		assert_int_equal(podresources_allocatable(fixture->rpc, fixture->dir, TIMEOUT_MS,
							  &table, &err),
				 cases[i].expected);
		assert_non_null(strstr(err.msg, KUBELET_METHOD_ALLOCATABLE));
	}
}

static void bad_answers_are_told_apart(void **state)
{
	static const struct {
		size_t len;
		int expected;
		const char *says;
	} cases[] = {
		{ 3, -EBADMSG, "3 bytes are no ListPodResourcesResponse" },
		{ PODRESOURCES_MESSAGE_MAX, -EBADMSG, "16777216 bytes are no" },
		{ PODRESOURCES_MESSAGE_MAX + 1, -EMSGSIZE, "longer than is accepted" },
	};
	struct fixture *fixture = *state;

	serve(fixture, kubelet);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture->garbage = cases[i].len;
		assert_int_equal(ask(fixture), cases[i].expected);
		assert_non_null(strstr(fixture->err.msg, cases[i].says));
	}
	fixture->garbage = 0;
	assert_int_equal(ask(fixture), 0);
}

static void kubelet_without_the_api_has_no_call(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, old_kubelet);
	assert_int_equal(ask(fixture), -ENOSYS);
}

static void hung_kubelet_runs_into_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct podresources table;
	struct error err = { 0 };

	serve(fixture, hung_kubelet);
	make_client(fixture, SHORT_MS);
	assert_int_equal(ask(fixture), -ETIMEDOUT);
	assert_non_null(strstr(fixture->err.msg, "it does not answer in time"));
	assert_int_equal(podresources_list(fixture->rpc, fixture->dir, SHORT_MS, &table, &err),
			 -ETIMEDOUT);
}

/* A socket of nobody's, bound and left; given to the caller while it listens. */
static int make_socket(const struct fixture *fixture, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	if (listens) {
		assert_int_equal(listen(fd, 4), 0);
		return fd;
	}
	assert_int_equal(close(fd), 0);
	return -1;
}

static void socket_that_nobody_accepts_on_runs_into_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	int fd = make_socket(fixture, true);

	make_client(fixture, SHORT_MS);
	assert_int_equal(ask(fixture), -ETIMEDOUT);
	assert_int_equal(close(fd), 0);
}

static void missing_socket_is_told_from_a_dead_one(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture), -ENOENT);
	assert_non_null(strstr(fixture->err.msg, "there is no socket"));
	assert_non_null(strstr(fixture->err.msg, fixture->path));
	(void)make_socket(fixture, false);
	assert_int_equal(ask(fixture), -ECONNREFUSED);
	assert_non_null(strstr(fixture->err.msg, "nobody listens"));
	assert_non_null(strstr(fixture->err.msg, fixture->path));
}

static void file_instead_of_the_folder_is_named(void **state)
{
	struct fixture *fixture = *state;
	FILE *file;

	assert_int_equal(rmdir(fixture->socket_dir), 0);
	file = fopen(fixture->socket_dir, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(ask(fixture), -ENOTDIR);
	assert_non_null(strstr(fixture->err.msg, fixture->path));
	assert_int_equal(unlink(fixture->socket_dir), 0);
}

/* Root may connect everywhere, so it becomes somebody else for this. */
static void missing_permission_is_told(void **state)
{
	struct fixture *fixture = *state;
	const bool is_root = geteuid() == 0;
	int r;

	serve(fixture, kubelet);
	assert_int_equal(chmod(fixture->dir, 0), 0);
	if (is_root)
		assert_int_equal(seteuid(NOBODY), 0);
	r = ask(fixture);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(fixture->dir, 0700), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(fixture->err.msg, "no permission to connect"));
	assert_int_equal(ask(fixture), 0);
}

static void long_paths_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct podresources_client_setup client_setup = { .rpc = fixture->rpc,
							  .loop = fixture->loop };
	struct podresources_client *client = NULL;
	struct podresources table;
	char dir[PATH_MAX + 1] = { 0 };

	client_setup.kubelet_dir = dir;
	memset(dir, 'd', 200); /* too long for a socket address */
	assert_int_equal(podresources_list(fixture->rpc, dir, TIMEOUT_MS, &table, NULL),
			 -ENAMETOOLONG);
	assert_int_equal(podresources_client_new(&client_setup, &client, NULL), 0);
	assert_int_equal(podresources_client_list(client, NULL), -ENAMETOOLONG);
	assert_int_equal(podresources_client_list(client, NULL), -ENAMETOOLONG);
	podresources_client_free(client);

	memset(dir, 'd', PATH_MAX); /* and for a path */
	assert_int_equal(podresources_list(fixture->rpc, dir, TIMEOUT_MS, &table, NULL),
			 -ENAMETOOLONG);
	assert_int_equal(podresources_client_new(&client_setup, &client, NULL), -ENAMETOOLONG);
}

/* The end of the program: the rpc goes while a call is in flight. */
static void freed_rpc_cancels_the_call(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, hung_kubelet);
	assert_int_equal(podresources_client_list(fixture->client, NULL), 0);
	rpc_server_stop(fixture->server, "test ends");
	fixture->server = NULL;
	rpc_free(fixture->rpc);
	fixture->rpc = NULL;
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	assert_int_equal(fixture->n_answers, 1);
	assert_true(fixture->r < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(blocking_calls_return_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(loop_gets_the_table_once, setup, teardown),
		cmocka_unit_test_setup_teardown(one_call_is_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(callback_may_ask_again, setup, teardown),
		cmocka_unit_test_setup_teardown(callback_may_free_the_client, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_client_forgets_its_call, setup, teardown),
		cmocka_unit_test_setup_teardown(restarted_kubelet_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_of_the_kubelet_are_told_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_answers_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(kubelet_without_the_api_has_no_call, setup,
						teardown),
		cmocka_unit_test_setup_teardown(hung_kubelet_runs_into_the_deadline, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			socket_that_nobody_accepts_on_runs_into_the_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_socket_is_told_from_a_dead_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(file_instead_of_the_folder_is_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(missing_permission_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(long_paths_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_rpc_cancels_the_call, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
