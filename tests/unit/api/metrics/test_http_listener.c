/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/metrics/http_listener.h"
#include "base/cleanup.h"

struct fixture {
	char directory[64];
	char path[96];
	struct http_address address;
	struct http_listener listener;
	struct http_listener other;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char text[HTTP_ADDRESS_TEXT_MAX];

	*state = f;
	if (!f)
		return -1;
	f->listener = HTTP_LISTENER_NONE;
	f->other = HTTP_LISTENER_NONE;
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_listener.XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/metrics.sock", f->directory);
	(void)snprintf(text, sizeof(text), "unix:%s", f->path);
	return http_address_parse(text, &f->address, NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	http_listener_close(&f->listener);
	http_listener_close(&f->other);
	(void)unlink(f->path);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static void addresses_are_read(void **state)
{
	static const struct {
		const char *text;
		int family;
		bool any;
	} cases[] = {
		{ "unix:/run/a.sock", AF_UNIX, false },
		{ "127.0.0.1:9400", AF_INET, false },
		{ "tcp:127.0.0.1:0", AF_INET, false },
		{ "localhost:9400", AF_INET, false },
		{ "[::1]:9400", AF_INET6, false },
		{ "tcp:[fe80::1]:65535", AF_INET6, false },
		{ "[::ffff:255.255.255.255]:1", AF_INET6, false },
		{ ":9400", AF_INET6, true },
		{ "tcp::9400", AF_INET6, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_address address;

		assert_int_equal(http_address_parse(cases[i].text, &address, NULL), 0);
		assert_int_equal(address.socket.ss_family, cases[i].family);
		assert_int_equal(address.any, cases[i].any);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "there is no port" },
		{ "9400", "there is no port" },
		{ "127.0.0.1", "there is no port" },
		{ ":", "the port is no number" },
		{ ":http", "the port is no number" },
		{ ":65536", "the port is no number" },
		{ ":-1", "the port is no number" },
		{ "[::1]", "the port is no number" },
		{ "node:9400", "the host is no IP address" },
		{ "127.1:9400", "the host is no IP address" },
		{ "256.0.0.1:9400", "the host is no IP address" },
		{ "one.very.long.name.that.is.surely.no.address.at.all:9400",
		  "the host is no IP address" },
		{ "::1:9400", "an IPv6 address is written in brackets" },
		{ "[::1:9400", "there is no IPv6 address in the brackets" },
		{ "[]:9400", "there is no IPv6 address in the brackets" },
		{ "[:9400", "there is no IPv6 address in the brackets" },
		{ "[127.0.0.1]:9400", "there is no IPv6 address in the brackets" },
		{ "[fe80::1%eth0]:9400", "there is no IPv6 address in the brackets" },
		{ "unix:", "the path of a unix socket is absolute" },
		{ "unix:a.sock", "the path of a unix socket is absolute" },
		{ "http://127.0.0.1:9400", "an IPv6 address is written in brackets" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_address address;
		struct error err = { 0 };

		assert_int_equal(http_address_parse(cases[i].text, &address, &err), -EINVAL);
		assert_non_null(strstr(err.msg, cases[i].why));
		assert_non_null(strstr(err.msg, "expected unix:/PATH"));
	}
}

static void a_path_must_fit(void **state)
{
	char text[HTTP_ADDRESS_TEXT_MAX] = "unix:/";
	struct http_address address;

	(void)state;
	memset(text + 6, 'a', 107);
	text[5 + 107] = '\0';
	assert_int_equal(http_address_parse(text, &address, NULL), 0);
	text[5 + 107] = 'a';
	text[5 + 108] = '\0';
	assert_int_equal(http_address_parse(text, &address, NULL), -ENAMETOOLONG);
}

static void a_unix_socket_is_its_owners(void **state)
{
	struct fixture *f = *state;
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct stat st;

	assert_int_equal(http_listener_open(&f->address, &f->listener, NULL), 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(http_listener_text(&f->listener, text), 0);
	assert_non_null(strstr(text, f->path));
	http_listener_close(&f->listener);
	assert_int_equal(lstat(f->path, &st), -1);
	http_listener_close(&f->listener);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(http_listener_open(&f->address, &f->other, NULL), 0);
	(void)close(f->other.fd);
	f->other = HTTP_LISTENER_NONE;
	assert_int_equal(access(f->path, F_OK), 0);
	assert_int_equal(http_listener_open(&f->address, &f->listener, NULL), 0);
}

static void a_socket_in_use_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	assert_int_equal(http_listener_open(&f->address, &f->listener, NULL), 0);
	assert_int_equal(http_listener_open(&f->address, &f->other, &err), -EADDRINUSE);
	assert_non_null(strstr(err.msg, f->path));
	assert_non_null(strstr(err.msg, "somebody listens there"));
	assert_int_equal(access(f->path, F_OK), 0);
}

static void a_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(http_listener_open(&f->address, &f->listener, NULL), -EEXIST);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void a_folder_must_exist(void **state)
{
	struct fixture *f = *state;
	struct http_address address;

	assert_int_equal(http_address_parse("unix:/nonexistent/a.sock", &address, NULL), 0);
	assert_int_equal(http_listener_open(&address, &f->listener, NULL), -ENOENT);
}

/* The socket of another program, which has taken the path meanwhile, stays. */
static void only_the_own_socket_is_removed(void **state)
{
	struct fixture *f = *state;
	char aside[128];

	(void)snprintf(aside, sizeof(aside), "%s.old", f->path);
	assert_int_equal(http_listener_open(&f->address, &f->listener, NULL), 0);
	assert_int_equal(rename(f->path, aside), 0);
	assert_int_equal(http_listener_open(&f->address, &f->other, NULL), 0);
	http_listener_close(&f->listener);
	assert_int_equal(access(f->path, F_OK), 0);
	assert_int_equal(unlink(aside), 0);
}

static void the_kernel_chooses_a_port(void **state)
{
	struct fixture *f = *state;
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct http_address address;

	assert_int_equal(http_address_parse("127.0.0.1:0", &address, NULL), 0);
	assert_int_equal(http_listener_open(&address, &f->listener, NULL), 0);
	assert_int_equal(http_listener_text(&f->listener, text), 0);
	assert_non_null(strstr(text, "127.0.0.1:"));
	assert_null(strstr(text, ":0"));
	assert_int_equal(http_address_parse(text, &address, NULL), 0);
	assert_int_equal(http_listener_open(&address, &f->other, NULL), -EADDRINUSE);
}

static void every_address_takes_ipv4(void **state)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fixture *f = *state;
	char text[HTTP_ADDRESS_TEXT_MAX], local[HTTP_ADDRESS_TEXT_MAX];
	struct http_address address;

	assert_int_equal(http_address_parse(":0", &address, NULL), 0);
	assert_int_equal(http_listener_open(&address, &f->listener, NULL), 0);
	assert_int_equal(http_listener_text(&f->listener, text), 0);
	(void)snprintf(local, sizeof(local), "127.0.0.1%.20s", strrchr(text, ':'));
	assert_int_equal(http_address_parse(local, &address, NULL), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address.socket, address.len), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_path_must_fit),
		TEST(a_unix_socket_is_its_owners),
		TEST(a_stale_socket_is_replaced),
		TEST(a_socket_in_use_is_left_alone),
		TEST(a_file_is_left_alone),
		TEST(a_folder_must_exist),
		TEST(only_the_own_socket_is_removed),
		TEST(the_kernel_chooses_a_port),
		TEST(every_address_takes_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
