/* SPDX-License-Identifier: Apache-2.0 */
/* Who may read what, how often and how fast; over real connections. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "reservoir/serve/users.h"
#include "tests/unit/reservoir/serve/http.h"
#include "tests/unit/reservoir/serve/site.h"

#define BODY 40000u

static char body[BODY + 1];

static const struct site_file files[] = {
	{ "a", "hello", 0, MEDIA_TEXT, ENCODING_IDENTITY },
	{ "body", body, 0, MEDIA_TEXT, ENCODING_IDENTITY },
	{ 0 },
};

struct fixture {
	struct scratch *scratch;
	struct store *reader;
	struct server *server;
	char ann[CONFIG_KEY_SIZE];
	char token[DIGEST_TEXT_SIZE];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct digest token = digest_of("t0ken", 5);
	struct store *writer;
	struct error err;

	assert_non_null(fixture);
	memset(body, 'x', BODY);
	(void)scratch_setup((void **)&fixture->scratch);
	writer = scratch_open(fixture->scratch, STORE_WRITE);
	site_publish(writer, "open", "plain", files);
	site_publish(writer, "closed", "plain", files);
	site_publish(writer, "unnamed", "plain", files);
	store_close(writer);
	fixture->reader = scratch_open(fixture->scratch, STORE_READ);
	assert_int_equal(users_hash("right", fixture->ann, &err), 0);
	(void)digest_format(&token, fixture->token);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	server_free(fixture->server);
	store_close(fixture->reader);
	(void)scratch_teardown((void **)&fixture->scratch);
	free(fixture);
	return 0;
}

#define REPOSITORY(name, more) \
	"- {name: " name       \
	", ecosystem: pypi, upstream: 'http://127.0.0.1:1/', pypi: {projects: [x]}" more "}\n"

static void serve(struct fixture *fixture, const char *more, const char *repositories)
{
	char yaml[4096];

	(void)snprintf(yaml, sizeof(yaml),
		       "serve:\n"
		       "  threads: 2\n"
		       "  users:\n"
		       "  - {name: ann, password: '%s'}\n"
		       "  - {name: bot, token: %s}\n"
		       "%s"
		       "repositories:\n%s",
		       fixture->ann, fixture->token, more, repositories);
	fixture->server = site_serve(fixture->reader, fixture->scratch->store, yaml);
}

/* "ann:right", "ann:wrong", "bot:right", "__token__:t0ken", "bot:t0ken", "ann:t0ken" */
#define ANN "Authorization: Basic YW5uOnJpZ2h0\r\n"
#define WRONG "Authorization: Basic YW5uOndyb25n\r\n"
#define NO_PASSWORD "Authorization: Basic Ym90OnJpZ2h0\r\n"
#define BOT_PIP "Authorization: Basic X190b2tlbl9fOnQwa2Vu\r\n"
#define BOT_BASIC "Authorization: Basic Ym90OnQwa2Vu\r\n"
#define NOT_BOT "Authorization: Basic YW5uOnQwa2Vu\r\n"
#define BOT "Authorization: Bearer t0ken\r\n"

static const struct {
	const char *target, *headers;
	int status;
} logins[] = {
	{ "/open/a", "", 200 },
	{ "/open/a", ANN, 200 },
	{ "/open/a", WRONG, 401 },
	{ "/closed/a", "", 401 },
	{ "/closed/a", ANN, 200 },
	{ "/closed/a", ANN, 200 },
	{ "/closed/a", WRONG, 401 },
	{ "/closed/a", BOT, 403 },
	{ "/closed/a", BOT_PIP, 403 },
	{ "/open/a", BOT, 200 },
	{ "/open/a", BOT_PIP, 200 },
	{ "/open/a", BOT_BASIC, 200 },
	{ "/open/a", NOT_BOT, 401 },
	{ "/open/a", NO_PASSWORD, 401 },
	{ "/open/a", "Authorization: Bearer other\r\n", 401 },
	{ "/open/a", "Authorization: Basic ////\r\n", 401 },
	{ "/open/a", "Authorization: Basic\r\n", 401 },
	{ "/open/a", "Authorization: Negotiate abc\r\n", 401 },
	{ "/unnamed/a", "", 401 },
	{ "/unnamed/a", BOT, 200 },
	/* What there is, is told to who may read it. */
	{ "/none/a", "", 401 },
	{ "/none/a", BOT, 404 },
	{ "/snapshot/none/closed/a", "", 401 },
	{ "/snapshot/none/closed/a", BOT, 403 },
	{ "/snapshot/none/none/a", "", 401 },
	{ "/snapshot/none/open/a", "", 404 },
	{ "/healthz", "", 200 },
	{ "/readyz", "", 200 },
	{ "/readyz", WRONG, 200 },
	{ "/metrics", "", 401 },
	{ "/", "", 401 },
	{ "/status.json", ANN, 403 },
	{ "/metrics", BOT, 200 },
};

static void lets_in_who_may(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, "  statusReaders: [bot]\n",
	      REPOSITORY("open", "") REPOSITORY("closed", ", readers: [ann]"));
	for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
		int status = http_status(fixture->server, logins[i].target, logins[i].headers);

		if (status != logins[i].status)
			fail_msg("case %zu: %s gives %d", i, logins[i].target, status);
	}
}

static void hides_its_status_without_a_store(void **state)
{
	static const char *const pages[] = { "/", "/status.json", "/metrics" };
	struct fixture *fixture = *state;
	char path[256], away[256];

	(void)snprintf(path, sizeof(path), "%s/current", fixture->scratch->store);
	(void)snprintf(away, sizeof(away), "%s/away", fixture->scratch->store);
	assert_int_equal(rename(path, away), 0);
	for (int restricted = 0; restricted < 2; restricted++) {
		serve(fixture, restricted ? "  statusReaders: [bot]\n" : "",
		      REPOSITORY("open", ""));
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
			assert_int_equal(http_status(fixture->server, pages[i], BOT),
					 restricted ? 503 : 200);
		assert_int_equal(http_status(fixture->server, "/healthz", ""), 200);
		assert_int_equal(http_status(fixture->server, "/readyz", ""), 503);
		server_free(fixture->server);
		fixture->server = NULL;
	}
	assert_int_equal(rename(away, path), 0);
}

static void tells_shared_caches(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = -1;
	static const struct {
		const char *target, *headers, *control;
	} cases[] = {
		{ "/open/a", "", "no-cache" },
		{ "/open/a", ANN, "no-cache" },
		{ "/closed/a", ANN, "private, no-cache" },
		{ "/closed/a", ANN "If-None-Match: *\r\n", "private, no-cache" },
		{ "/unnamed/a", ANN, "private, no-cache" },
	};

	serve(fixture, "", REPOSITORY("open", "") REPOSITORY("closed", ", readers: [ann]"));
	fd = http_connect(fixture->server);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_reply reply;
		char value[64];

		http_ask(fd, "GET", cases[i].target, cases[i].headers, &reply);
		assert_in_range(reply.status, 200, 304);
		assert_true(http_header(&reply, "Cache-Control:", value, sizeof(value)));
		assert_string_equal(value, cases[i].control);
		free(reply.body);
	}
}

/* As pip and uv begin, which have the right password, and many connections. */
static void lets_in_many_at_once(void **state)
{
	static const char request[] = "GET /open/a HTTP/1.1\r\nHost: x\r\n" ANN "\r\n";
	struct fixture *fixture = *state;
	int fds[40];

	serve(fixture, "", REPOSITORY("open", ""));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = http_connect(fixture->server);
		http_send(fds[i], request, strlen(request));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct http_reply reply;

		http_read(fds[i], false, &reply);
		if (reply.status != 200)
			fail_msg("connection %zu gets %d", i, reply.status);
		free(reply.body);
		(void)close(fds[i]);
	}
}

static void asks_for_a_password(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = -1;
	struct http_reply reply;
	char value[128];

	serve(fixture, "  anonymous: false\n", REPOSITORY("open", "") REPOSITORY("closed", ""));
	fd = http_connect(fixture->server);
	http_ask(fd, "GET", "/open/a", "", &reply);
	assert_int_equal(reply.status, 401);
	assert_true(http_header(&reply, "WWW-Authenticate:", value, sizeof(value)));
	assert_non_null(strstr(value, "Basic realm="));
	free(reply.body);
	http_ask(fd, "GET", "/open/a", ANN, &reply);
	assert_int_equal(reply.status, 200);
	free(reply.body);
}

static void stops_who_guesses(void **state)
{
	struct fixture *fixture = *state;
	int status = 401;
	int tries = 0;

	serve(fixture, "", REPOSITORY("open", "") REPOSITORY("closed", ""));
	while (status == 401 && tries++ < 50)
		status = http_status(fixture->server, "/open/a", "Authorization: Bearer no\r\n");
	assert_int_equal(status, 429);
	assert_true(tries > 5);
	assert_int_equal(http_status(fixture->server, "/open/a", ""), 200);
	assert_int_equal(http_status(fixture->server, "/open/a", BOT), 200);
	/* Not even the right password is looked at. */
	assert_int_equal(http_status(fixture->server, "/open/a", ANN), 429);
}

static void stops_who_guesses_passwords(void **state)
{
	struct fixture *fixture = *state;
	int status = 401;
	int tries = 0;

	serve(fixture, "", REPOSITORY("open", ""));
	while (status == 401 && tries++ < 50)
		status = http_status(fixture->server, "/open/a", WRONG);
	assert_int_equal(status, 429);
	assert_in_range(tries, 10, 20);
}

static void limits_requests(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = -1;
	struct http_reply reply;
	unsigned int n[600] = { 0 };
	uint64_t seconds;
	char value[32];

	serve(fixture, "  clientRequests: 1\n  proxies: [127.0.0.1]\n",
	      REPOSITORY("open", "") REPOSITORY("closed", ""));
	fd = http_connect(fixture->server);
	for (int i = 0; i < 5; i++) {
		http_ask(fd, "GET", "/open/a", "X-Forwarded-For: 192.0.2.1\r\n", &reply);
		assert_in_range(reply.status, 200, 429);
		n[reply.status]++;
		if (reply.status == 429) {
			assert_true(http_header(&reply, "Retry-After:", value, sizeof(value)));
			assert_int_equal(parse_u64(value, 10, &seconds), 0);
			assert_in_range(seconds, 1, 10);
		}
		free(reply.body);
	}
	assert_true(n[200] >= 2 && n[429] >= 1);
	/* Who looks whether the server lives may have the address of a busy client. */
	for (int i = 0; i < 5; i++) {
		const char *probe = i % 2 ? "/healthz" : "/readyz";

		assert_int_equal(
			http_status(fixture->server, probe, "X-Forwarded-For: 192.0.2.1\r\n"), 200);
	}
	/* Another client, behind two proxies; and one that only says it is another. */
	assert_int_equal(http_status(fixture->server, "/open/a",
				     "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1\r\n"),
			 200);
	assert_int_equal(http_status(fixture->server, "/open/a",
				     "X-Forwarded-For: 192.0.2.3, 192.0.2.1\r\n"),
			 429);
	/* Proxies that write the port, too. */
	assert_int_equal(http_status(fixture->server, "/open/a",
				     "X-Forwarded-For: 192.0.2.5, 192.0.2.1:4711\r\n"),
			 429);
	assert_int_equal(http_status(fixture->server, "/open/a",
				     "X-Forwarded-For: 192.0.2.1, [2001:db8::5]:4711\r\n"),
			 200);
	/* A proxy that writes a line of its own below that of the client. */
	assert_int_equal(http_status(fixture->server, "/open/a",
				     "X-Forwarded-For: 192.0.2.4\r\n"
				     "X-Forwarded-For: 192.0.2.1\r\n"),
			 429);
}

/* Asks as other addresses until one is told to wait; how many were answered before. */
static int ask_as(const struct fixture *fixture, const char *before, const char *after, int most)
{
	char header[128];
	int n = 0;

	while (n < most) {
		(void)snprintf(header, sizeof(header), "X-Forwarded-For: %s%x%s\r\n", before,
			       (unsigned int)n, after);
		if (http_status(fixture->server, "/open/a", header) != 200)
			break;
		n++;
	}
	return n;
}

/* Of IPv6 a client has a whole /64. */
static void limits_a_network(void **state)
{
	struct fixture *fixture = *state;

	serve(fixture, "  clientRequests: 1\n  proxies: [127.0.0.1]\n", REPOSITORY("open", ""));
	assert_true(ask_as(fixture, "2001:db8::1:0:0:", "", 50) < 50);
	assert_int_equal(ask_as(fixture, "2001:db8:1:", "::1", 50), 50);
	assert_int_equal(ask_as(fixture, "192.0.2.1", "", 10), 10);
}

static void limits_connections(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];
	struct http_reply reply;

	serve(fixture, "  clientConnections: 2\n", REPOSITORY("open", ""));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = http_connect(fixture->server);
		http_ask(fds[i], "GET", "/open/a", "", &reply);
		assert_int_equal(reply.status, 200);
		free(reply.body);
	}
	assert_int_equal(http_status(fixture->server, "/open/a", ""), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}

/* How many of eight requests, each said to be another client's, are answered. */
static unsigned int ask_as_eight(struct fixture *fixture, const char *configuration)
{
	unsigned int answered = 0;

	serve(fixture, configuration, REPOSITORY("open", "") REPOSITORY("closed", ""));
	for (int i = 0; i < 8; i++) {
		char header[64];

		(void)snprintf(header, sizeof(header), "X-Forwarded-For: 192.0.2.%d\r\n", i);
		answered += http_status(fixture->server, "/open/a", header) == 200;
	}
	server_free(fixture->server);
	fixture->server = NULL;
	return answered;
}

/* A limit that a header could lift would be none. */
static void believes_proxies_only(void **state)
{
	static const struct {
		const char *proxies;
		bool believed;
	} cases[] = {
		{ "", false },
		{ "  proxies: [127.0.0.2]\n", false },
		{ "  proxies: [127.0.0.0/8]\n", true },
		{ "  proxies: [127.0.0.0/31]\n", true },
		{ "  proxies: [127.0.0.2/31]\n", false },
		{ "  proxies: ['::ffff:127.0.0.1/128']\n", true },
		{ "  proxies: ['fd00::/8', 0.0.0.0/0]\n", true },
		{ "  proxies: ['fd00::/8', 128.0.0.0/1]\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[128];
		unsigned int n;

		(void)snprintf(text, sizeof(text), "  clientRequests: 1\n%s", cases[i].proxies);
		n = ask_as_eight(*state, text);
		if ((n == 8) != cases[i].believed)
			fail_msg("case %zu: %u requests were answered", i, n);
	}
}

/* More such lines than a buffer of the log has room for, if they were written whole. */
static void logs_no_more_of_a_method_than_of_the_rest(void **state)
{
	struct fixture *fixture = *state;
	char request[14100], path[256], yaml[512], text[65536];
	size_t len = 14000;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/access.log", fixture->scratch->dir);
	(void)snprintf(yaml, sizeof(yaml), "  accessLog: %s\n", path);
	serve(fixture, yaml, REPOSITORY("open", ""));
	memset(request, '"', len);
	len += (size_t)snprintf(request + len, sizeof(request) - len,
				" / HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;

		http_send(fd, request, len);
		http_read(fd, false, &reply);
		assert_int_equal(reply.status, 405);
		free(reply.body);
	}
	server_free(fixture->server);
	fixture->server = NULL;
	n = file_read(AT_FDCWD, path, text, sizeof(text), NULL);
	assert_in_range(n, 20 * 4 * 512, 20 * (4 * 512 + 200));
	assert_null(strstr(text, "\"\"\""));
	assert_ptr_equal(str_starts_with(text, "127.0.0.1 - - ["), text + 15);
	assert_int_equal(unlink(path), 0);
}

/* Asks for something whose line in the log is of 2 KiB and more. */
static void ask_at_length(int fd)
{
	char headers[640];
	struct http_reply reply;
	size_t len = (size_t)snprintf(headers, sizeof(headers), "User-Agent: ");

	memset(headers + len, '"', 512);
	(void)snprintf(headers + len + 512, sizeof(headers) - len - 512, "\r\n");
	http_ask(fd, "GET", "/open/a", headers, &reply);
	assert_int_equal(reply.status, 200);
	free(reply.body);
}

/* Reads what there is in a pipe, until nothing comes for @wait_ms. */
static void read_pipe(int fd, int wait_ms, struct strbuf *text)
{
	struct pollfd more = { .fd = fd, .events = POLLIN };
	char data[4096];

	while (poll(&more, 1, wait_ms) == 1 && more.revents & POLLIN) {
		ssize_t n = read(fd, data, sizeof(data));

		assert_true(n >= 0);
		strbuf_add(text, data, (size_t)n);
	}
}

/* How many lines there are, each of which begins as it should. */
static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (const char *line = text; *line; n++) {
		assert_non_null(str_starts_with(line, "127.0.0.1 - - ["));
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	return n;
}

/* What reads the log has stopped: its pipe is full, then the buffers are. */
static void goes_on_when_nobody_reads_the_log(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1 << 20);
	char path[256], yaml[512];
	int reader, fd;

	(void)snprintf(path, sizeof(path), "%s/access.pipe", fixture->scratch->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	(void)snprintf(yaml, sizeof(yaml), "  accessLog: %s\n", path);
	serve(fixture, yaml, REPOSITORY("open", ""));
	fd = http_connect(fixture->server);
	for (int i = 0; i < 200; i++)
		ask_at_length(fd);
	/* It goes on where it was, with whole lines. */
	read_pipe(reader, 2000, &text);
	for (int i = 0; i < 3; i++)
		ask_at_length(fd);
	(void)close(fd);
	server_free(fixture->server);
	fixture->server = NULL;
	read_pipe(reader, 0, &text);
	assert_in_range(count_lines(strbuf_str(&text)), 20, 180);
	(void)close(reader);
	assert_int_equal(unlink(path), 0);
}

static void limits_a_repository(void **state)
{
	struct fixture *fixture = *state;
	unsigned int n = 0;

	serve(fixture, "", REPOSITORY("open", "") REPOSITORY("closed", ", requests: 1"));
	for (int i = 0; i < 5; i++)
		n += http_status(fixture->server, "/closed/a", "") == 429;
	assert_true(n >= 1);
	assert_int_equal(http_status(fixture->server, "/open/a", ""), 200);
}

static void paces_bodies(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = -1;
	struct http_reply reply;

	/* Two seconds' worth is saved up: the first body goes at once, the next waits. */
	serve(fixture, "  clientBandwidth: 80000\n",
	      REPOSITORY("open", "") REPOSITORY("closed", ", bandwidth: 60000"));
	fd = http_connect(fixture->server);
	for (int i = 0; i < 4; i++) {
		http_ask(fd, "GET", "/closed/body", i == 1 ? "Range: bytes=100-\r\n" : "", &reply);
		assert_int_equal(reply.status, i == 1 ? 206 : 200);
		assert_int_equal(reply.len, i == 1 ? BODY - 100 : BODY);
		assert_memory_equal(reply.body, body, reply.len);
		free(reply.body);
	}
	/* One that is asleep when the server stops. */
	http_send(fd, "GET /closed/body HTTP/1.1\r\nHost: x\r\n\r\n", 38);
	http_send(fd, "GET /closed/body HTTP/1.1\r\nHost: x\r\n\r\n", 38);
	http_send(fd, "GET /closed/body HTTP/1.1\r\nHost: x\r\n\r\n", 38);
	http_read(fd, false, &reply);
	free(reply.body);
}

static void ends_connections_that_wait(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = -1;
	char byte;
	ssize_t n = 1;

	serve(fixture, "  idle: 1s\n", REPOSITORY("open", "") REPOSITORY("closed", ""));
	fd = http_connect(fixture->server);
	/* A byte now and then keeps the library's own timeout from coming. */
	for (int i = 0; i < 100 && n > 0; i++) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		(void)send(fd, i == 0 ? "GET / HTTP/1.1\r\nX: " : "a", i == 0 ? 19 : 1,
			   MSG_NOSIGNAL);
		server_tick(fixture->server);
		if (poll(&ready, 1, 100) == 1)
			n = recv(fd, &byte, 1, 0);
	}
	assert_true(n <= 0);
	assert_int_equal(http_status(fixture->server, "/open/a", ""), 200);
}

/* Lines of the log that cannot be written are lost, counted, and no reason not to answer. */
static void answers_though_the_log_is_full(void **state)
{
	static const char line[] = "silica_reservoir_write_failures_total{file=\"access_log\"} ";
	struct fixture *fixture = *state;
	uint64_t until = clock_ms() + HTTP_WAIT_MS;
	bool counted = false;

	serve(fixture, "  accessLog: /dev/full\n", REPOSITORY("open", ""));
	while (!counted && clock_ms() < until) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;
		const char *found;

		assert_int_equal(http_status(fixture->server, "/open/a", ""), 200);
		http_ask(fd, "GET", "/metrics", "", &reply);
		found = strstr(reply.body, line);
		assert_non_null(found);
		counted = found[strlen(line)] != '0';
		free(reply.body);
		(void)poll(NULL, 0, 20);
	}
	assert_true(counted);
}

static void refuses_bad_configurations(void **state)
{
	static const char *const bad[] = {
		"serve: {users: [{name: a, password: secret}]}\n",
		"serve: {users: [{name: a, token: abc}]}\n",
		"serve: {users: [{name: 'a:b'}]}\n",
		"serve: {users: [{name: a, password: '$argon2id$v=19$m=999999999,t=2,p=1$x$y'}]}\n",
		"serve: {statusReaders: [nobody]}\n",
		"serve: {proxies: [localhost]}\n",
		"serve: {proxies: [10.0.0.0/33]}\n",
		"serve: {proxies: ['fd00::/129']}\n",
		"serve: {proxies: [10.0.0.0/]}\n",
		"serve: {proxies: [10.0.0.0/8/8]}\n",
		"serve: {certificate: /x.pem}\n",
		"repositories:\n" REPOSITORY("x", ", readers: [nobody]"),
	};
	struct fixture *fixture = *state;

	serve(fixture, "", REPOSITORY("closed", ", readers: [ann]"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
		struct error err = { 0 };

		if (reservoir_config_parse(bad[i], strlen(bad[i]), "t", &config, &err) < 0)
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(server_reload(fixture->server, &config, &err), -EINVAL);
		assert_true(strlen(err.msg) > 0);
	}
	assert_int_equal(http_status(fixture->server, "/closed/a", ANN), 200);
	assert_int_equal(http_status(fixture->server, "/closed/a", ""), 401);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(lets_in_who_may),
		WITH_STORE(hides_its_status_without_a_store),
		WITH_STORE(tells_shared_caches),
		WITH_STORE(lets_in_many_at_once),
		WITH_STORE(asks_for_a_password),
		WITH_STORE(stops_who_guesses),
		WITH_STORE(stops_who_guesses_passwords),
		WITH_STORE(limits_requests),
		WITH_STORE(believes_proxies_only),
		WITH_STORE(limits_a_network),
		WITH_STORE(limits_connections),
		WITH_STORE(logs_no_more_of_a_method_than_of_the_rest),
		WITH_STORE(goes_on_when_nobody_reads_the_log),
		WITH_STORE(limits_a_repository),
		WITH_STORE(paces_bodies),
		WITH_STORE(ends_connections_that_wait),
		WITH_STORE(answers_though_the_log_is_full),
		WITH_STORE(refuses_bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
