/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes, asked over a unix socket from the loop that serves them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "device-plugin/probes.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/offering.h"

#define ANSWER_MAX (1024 * 1024)
#define CHECKS_MAX 8

/* A question that is on its way, and what has come back. */
struct question {
	struct loop_source *source;
	struct strbuf answer;
	int fd;
	bool done;
};

struct fixture {
	struct offering *offering;
	char address[64];
	const char *path; /* of the server's socket, in @address */
	struct probes *probes;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *offering;

	if (!fixture || offering_setup(&offering) < 0)
		return -1;
	fixture->offering = offering;
	(void)snprintf(fixture->address, sizeof(fixture->address), "unix:%s/http",
		       fixture->offering->request->tree->root);
	fixture->path = fixture->address + strlen("unix:");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *offering = fixture->offering;

	/* The server's calls have to end before it is released. */
	offering_stop(fixture->offering);
	probes_free(fixture->probes);
	free(fixture);
	return offering_teardown(&offering);
}

static int serve(struct fixture *fixture, const char *address, struct error *err)
{
	const struct probes_setup probes = { fixture->offering->loop, fixture->offering->rpc,
					     fixture->offering->catalog,
					     fixture->offering->telemetry, address };

	return probes_new(&probes, &fixture->probes, err);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_int_equal(str_copy(address.sun_path, sizeof(address.sun_path), path), 0);
	return address;
}

static void on_readable(void *ctx, int fd)
{
	struct question *question = ctx;
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_true(n >= 0);
	strbuf_add(&question->answer, buf, (size_t)n);
	if (n > 0)
		return;
	question->done = true;
	loop_source_free(question->source);
	question->source = NULL;
}

static void begin(const struct fixture *fixture, const char *path, struct question *question)
{
	const struct sockaddr_un address = address_of(fixture->path);
	char request[128];
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);

	*question = (struct question) { .answer = STRBUF_INIT(ANSWER_MAX) };
	question->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(question->fd, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(send(question->fd, request, (size_t)len, MSG_NOSIGNAL), len);
	assert_int_equal(loop_add_fd(fixture->offering->loop, question->fd, on_readable, question,
				     &question->source, NULL),
			 0);
}

static bool is_done(void *ctx)
{
	return ((const struct question *)ctx)->done;
}

static void assert_answer(const struct fixture *fixture, struct question *question, int status,
			  const char *body)
{
	char head[32];
	const char *text, *found;

	offering_await(fixture->offering, is_done, question);
	text = strbuf_str(&question->answer);
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
	assert_non_null(str_starts_with(text, head));
	found = strstr(text, "\r\n\r\n");
	assert_non_null(found);
	if (!str_starts_with(found + 4, body))
		fail_msg("answer: %s", text);
	(void)close(question->fd);
	strbuf_done(&question->answer);
}

static void assert_answers(const struct fixture *fixture, const char *path, int status,
			   const char *body)
{
	struct question question;

	begin(fixture, path, &question);
	assert_answer(fixture, &question, status, body);
}

typedef char socket_paths[OFFERING_SOCKETS_MAX][OFFERING_NAME_MAX];

static void healthz_asks_every_socket(void **state)
{
	struct fixture *fixture = *state;
	socket_paths paths;

	assert_int_equal(serve(fixture, fixture->address, NULL), 0);
	assert_answers(fixture, "/healthz", 200, "ok\n");
	offering_apply(fixture->offering, "a.b/x a.b/y", NULL);
	assert_answers(fixture, "/healthz", 200, "ok\n");
	assert_int_equal(offering_sockets(fixture->offering, paths), 2);
	assert_int_equal(unlink(paths[1]), 0);
	assert_answers(fixture, "/healthz", 503,
		       "the plugin does not answer on its socket: UNAVAILABLE: ");
	/* Once its socket is noticed to be gone, all is well again. */
	catalog_check(fixture->offering->catalog);
	while (offering_sockets(fixture->offering, paths) < 2)
		assert_answers(fixture, "/readyz", 503, "a.b/x: ");
	assert_answers(fixture, "/healthz", 200, "ok\n");
}

static int listen_in_place_of(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, CHECKS_MAX), 0);
	return fd;
}

static void healthz_does_not_wait_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct question questions[CHECKS_MAX];
	socket_paths paths;
	int fd;

	assert_int_equal(serve(fixture, fixture->address, NULL), 0);
	offering_apply(fixture->offering, "a.b/x", NULL);
	assert_int_equal(offering_sockets(fixture->offering, paths), 1);
	fd = listen_in_place_of(paths[0]);
	for (size_t i = 0; i < 5; i++)
		begin(fixture, "/healthz", &questions[i]);
	/* As many as that at a time are put off. */
	assert_answer(fixture, &questions[4], 503, "too many checks at a time\n");
	for (size_t i = 0; i < 4; i++)
		assert_answer(fixture, &questions[i], 503,
			      "the plugin does not answer on its socket: ");
	(void)close(fd);
	(void)unlink(paths[0]);
}

static void readyz_asks_for_the_kubelet(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(serve(fixture, fixture->address, NULL), 0);
	assert_answers(fixture, "/readyz", 503, "it is not known yet who holds which device\n");
	/* A node without devices is ready. */
	offering_apply(fixture->offering, "", NULL);
	assert_answers(fixture, "/readyz", 200, "ok\n");
	offering_apply(fixture->offering, "a.b/x", NULL);
	assert_answers(fixture, "/readyz", 503, "a.b/x: the kubelet does not watch it\n");
	offering_watch(fixture->offering);
	assert_answers(fixture, "/readyz", 200, "ok\n");
	offering_apply(fixture->offering, "a.b/x a.b/y", NULL);
	assert_answers(fixture, "/readyz", 503, "a.b/y: the kubelet does not watch it\n");
}

static void metrics_are_served(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(serve(fixture, fixture->address, NULL), 0);
	assert_answers(fixture, "/metrics", 200,
		       "# HELP silica_device_plugin_build_info Version of the plugin.\n");
	assert_answers(fixture, "/", 404, "");
}

static void an_address_in_use_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	const struct sockaddr_un address = address_of(fixture->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(serve(fixture, fixture->address, NULL), 0);
	probes_check(fixture->probes);
	(void)close(fd);
	(void)unlink(fixture->path);
	probes_check(fixture->probes);
	assert_answers(fixture, "/healthz", 200, "ok\n");
	/* It goes on as it is. */
	probes_check(fixture->probes);
	assert_answers(fixture, "/healthz", 200, "ok\n");
}

static void an_address_that_is_none_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };

	assert_int_equal(serve(fixture, "nowhere", &err), -EINVAL);
	assert_non_null(str_starts_with(err.msg, "--listen-metrics: "));
	probes_check(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(healthz_asks_every_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(healthz_does_not_wait_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(readyz_asks_for_the_kubelet, setup, teardown),
		cmocka_unit_test_setup_teardown(metrics_are_served, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_in_use_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_is_none_is_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
