/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs no server: refused connections, names that are not resolved, and requests
 * that are freed at odd times.  The rest is in tests/kubelet/client.
 */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_watch.h"
#include "base/cleanup.h"
#include "base/loop.h"

#define FAILURES 2000
#define GROWTH_MAX (64 * 1024) /* bytes that the heap may differ by: caches of libcurl */

/* Of the address sanitizer; NULL without it. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

/* A resolver that hangs until it is let go; libcurl finds it before that of libc. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool hangs;
static int n_inside;

int getaddrinfo(const char *__name _unused_, const char *__service _unused_,
		const struct addrinfo *__req _unused_, struct addrinfo **__pai _unused_)
{
	pthread_mutex_lock(&lock);
	n_inside++;
	pthread_cond_broadcast(&changed);
	while (hangs)
		pthread_cond_wait(&changed, &lock);
	n_inside--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return EAI_NONAME;
}

static void wait_until_inside(int n)
{
	pthread_mutex_lock(&lock);
	while (n_inside != n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void let_go(void)
{
	pthread_mutex_lock(&lock);
	hangs = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

struct fixture {
	struct loop *loop;
	struct kube_client *client;
	struct kube_call *call, *other;
	struct kube_watch *watch;
	int fd;	  /* of a port that nobody listens on */
	int left; /* answers to wait for */
	int n_events;
	enum kube_outcome outcome;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	f->fd = -1;
	return loop_new(&f->loop, NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	kube_call_free(f->call);
	kube_call_free(f->other);
	kube_watch_free(f->watch);
	kube_client_free(f->client);
	loop_free(f->loop);
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f);
	return 0;
}

static void connect_to(struct fixture *f, const char *host, unsigned int port)
{
	char server[64];
	struct kube_config config = { .server = server };

	(void)snprintf(server, sizeof(server), "https://%s:%u", host, port);
	assert_int_equal(kube_client_new(f->loop, &config, "test/1", &f->client, NULL), 0);
}

/* Connects to a port that nobody listens on, as long as the socket is there. */
static void connect_to_nobody(struct fixture *f)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(f->fd >= 0);
	assert_int_equal(bind(f->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(f->fd, (struct sockaddr *)&address, &len), 0);
	connect_to(f, "127.0.0.1", ntohs(address.sin_port));
}

static const struct kube_request get = { .method = "GET", .path = "/version" };

static void start(struct fixture *f, kube_answer_fn done, struct kube_call **ret)
{
	assert_int_equal(kube_call_start(f->client, &get, done, f, ret, NULL), 0);
}

/* Goes on until enough have failed, with the next call from within the last one's end. */
static void fail_again(void *ctx, const struct kube_answer *answer)
{
	struct fixture *f = ctx;

	assert_int_equal(kube_answer_outcome(answer), KUBE_RETRY);
	f->err = answer->err;
	kube_call_free(TAKE_PTR(f->call));
	if (--f->left > 0)
		start(f, fail_again, &f->call);
	else
		loop_stop(f->loop);
}

static void fail_times(struct fixture *f, int n)
{
	f->left = n;
	start(f, fail_again, &f->call);
	assert_int_equal(loop_run(f->loop, NULL), 0);
}

static void stays_small_while_refused(void **state)
{
	struct fixture *f = *state;
	size_t before, after;

	connect_to_nobody(f);
	fail_times(f, 10);
	before = allocated();
	fail_times(f, FAILURES);
	after = allocated();
	assert_int_equal(f->err.code, ECONNREFUSED);
	assert_true(after < before + GROWTH_MAX);
}

static void on_answer(void *ctx, const struct kube_answer *answer)
{
	struct fixture *f = ctx;

	f->outcome = kube_answer_outcome(answer);
	f->err = answer->err;
	if (--f->left == 0)
		loop_stop(f->loop);
}

static void on_tick(void *ctx)
{
	struct fixture *f = ctx;

	loop_stop(f->loop);
}

/* The loop goes on while a name is not resolved, and nobody waits for it in the end. */
static void does_not_block_on_names(void **state)
{
	struct fixture *f = *state;
	_cleanup_(loop_source_freep) struct loop_source *timer = NULL;

	hangs = true;
	connect_to(f, "silica.invalid", 1);
	f->left = 1;
	start(f, on_answer, &f->call);
	assert_int_equal(loop_add_timer(f->loop, on_tick, f, &timer, NULL), 0);
	assert_int_equal(loop_timer_set(timer, 50, 0), 0);
	assert_int_equal(loop_run(f->loop, NULL), 0);
	wait_until_inside(1);
	assert_int_equal(f->left, 1);
	kube_call_free(TAKE_PTR(f->call));
	kube_client_free(TAKE_PTR(f->client));
	wait_until_inside(1);
	let_go();
	wait_until_inside(0);
}

static void times_out_on_names(void **state)
{
	struct fixture *f = *state;
	struct kube_request request = get;

	hangs = true;
	request.timeout_ms = 50;
	connect_to(f, "silica.invalid", 1);
	f->left = 1;
	assert_int_equal(kube_call_start(f->client, &request, on_answer, f, &f->call, NULL), 0);
	assert_int_equal(loop_run(f->loop, NULL), 0);
	assert_int_equal(f->err.code, ETIMEDOUT);
	assert_int_equal(f->outcome, KUBE_RETRY);
	let_go();
	wait_until_inside(0);
}

static void fails_on_unknown_names(void **state)
{
	struct fixture *f = *state;

	connect_to(f, "silica.invalid", 1);
	fail_times(f, 1);
	assert_int_equal(f->err.code, EHOSTUNREACH);
}

/* Each frees the other: only one of both is told. */
static void free_the_other(void *ctx, const struct kube_answer *answer)
{
	struct fixture *f = ctx;

	(void)answer;
	f->left--;
	kube_call_free(TAKE_PTR(f->call));
	kube_call_free(TAKE_PTR(f->other));
	loop_stop(f->loop);
}

static void frees_others_when_called_back(void **state)
{
	struct fixture *f = *state;

	connect_to_nobody(f);
	f->left = 2;
	start(f, free_the_other, &f->call);
	start(f, free_the_other, &f->other);
	assert_int_equal(loop_run(f->loop, NULL), 0);
	assert_int_equal(f->left, 1);
	/* The client is as good as before. */
	fail_times(f, 3);
}

static void frees_what_has_not_begun(void **state)
{
	struct fixture *f = *state;

	connect_to(f, "127.0.0.1", 1);
	f->left = 1;
	start(f, on_answer, &f->call);
	kube_call_free(TAKE_PTR(f->call));
	assert_int_equal(f->left, 1);
}

static void on_event(void *ctx, enum kube_event_type type, const struct json_t *object)
{
	struct fixture *f = ctx;

	(void)type;
	(void)object;
	f->n_events++;
}

static void ends_watches_that_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct kube_watch_callbacks callbacks = { on_event, on_answer, f };
	const struct kube_watch_request request = { .path = "/api/v1/nodes" };

	connect_to_nobody(f);
	f->left = 1;
	assert_int_equal(kube_watch_start(f->client, &request, &callbacks, &f->watch, NULL), 0);
	assert_int_equal(loop_run(f->loop, NULL), 0);
	assert_int_equal(f->outcome, KUBE_RETRY);
	assert_int_equal(f->n_events, 0);
}

static void refuses_clients(void **state)
{
	struct fixture *f = *state;
	char server[] = "https://k", clear[] = "http://k";
	const struct kube_config good = { .server = server };
	const struct kube_config bad = { .server = clear };
	const struct kube_config empty = { 0 };

	assert_int_equal(kube_client_new(f->loop, &bad, "test/1", &f->client, NULL), -EINVAL);
	assert_int_equal(kube_client_new(f->loop, &empty, "test/1", &f->client, NULL), -EINVAL);
	assert_int_equal(kube_client_new(f->loop, &good, "a\r\nb", &f->client, NULL), -EINVAL);
	assert_null(f->client);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void ignores_broken_pipes(void **state)
{
	struct fixture *f = *state;
	struct sigaction action = { .sa_handler = SIG_DFL };

	assert_int_equal(sigaction(SIGPIPE, &action, NULL), 0);
	connect_to(f, "127.0.0.1", 1);
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_IGN);
	kube_client_free(TAKE_PTR(f->client));
	action.sa_handler = on_signal;
	assert_int_equal(sigaction(SIGPIPE, &action, NULL), 0);
	connect_to(f, "127.0.0.1", 1);
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == on_signal);
}

static void fails_without_files(void **state)
{
	struct fixture *f = *state;
	char server[] = "https://k", file[] = "/nonexistent/file";
	struct kube_config config = { .server = server, .token_file = file };
	struct error err = { 0 };

	assert_int_equal(kube_client_new(f->loop, &config, "test/1", &f->client, NULL), 0);
	assert_int_equal(kube_call_start(f->client, &get, on_answer, f, &f->call, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "GET /version: open '/nonexistent/file'"));
	assert_null(f->call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stays_small_while_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(does_not_block_on_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_out_on_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fails_on_unknown_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frees_others_when_called_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frees_what_has_not_begun, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_watches_that_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ignores_broken_pipes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fails_without_files, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_client", tests, NULL, NULL);
}
