/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/server.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "reservoir/store/mapping.h"
#include "tests/unit/reservoir/serve/http.h"
#include "tests/unit/reservoir/serve/site.h"

#define MIDDLE ((size_t)200 * 1024)	   /* sent from a descriptor, but hashed before */
#define BIG ((size_t)2 * 1024 * 1024 + 17) /* sent from a descriptor */
#define SEED 20261122u
/* What a client leaves half-sent ends with the idle time. */
#define YAML "serve:\n  threads: 2\n  idle: 5s\n"

#define TOKEN \
	"b46c09677343261f0b439a472422225e3a230c9c094d6ab16762e2036b597053" /* SHA-256 of "t0ken" */

static char big[BIG];

static const struct site_file files[] = {
	{ "a.txt", "identity", 0, MEDIA_TEXT, ENCODING_IDENTITY },
	{ "a.txt", "in gzip", 0, MEDIA_TEXT, ENCODING_GZIP },
	{ "a.txt", "in zstd", 0, MEDIA_TEXT, ENCODING_ZSTD },
	{ "big", big, BIG, MEDIA_OCTETS, ENCODING_IDENTITY },
	{ "middle", big, MIDDLE, MEDIA_OCTETS, ENCODING_IDENTITY },
	{ "dir/x y~+.deb", "deb", 0, MEDIA_DEB, ENCODING_IDENTITY },
	{ ".reservoir/note", "secret", 0, MEDIA_TEXT, ENCODING_IDENTITY },
	{ 0 },
};

struct fixture {
	struct scratch *scratch;
	struct store *writer, *reader;
	struct server *server;
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	uint32_t random = SEED;

	assert_non_null(fixture);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)next_random(&random);
	(void)scratch_setup((void **)&fixture->scratch);
	fixture->writer = scratch_open(fixture->scratch, STORE_WRITE);
	site_publish(fixture->writer, "files", "plain", files);
	fixture->reader = scratch_open(fixture->scratch, STORE_READ);
	fixture->server = site_serve(fixture->reader, fixture->scratch->store, YAML);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	server_free(fixture->server);
	store_close(fixture->reader);
	store_close(fixture->writer);
	(void)scratch_teardown((void **)&fixture->scratch);
	free(fixture);
	return 0;
}

static const struct {
	const char *method, *target, *headers;
	int status;
	const char *header, *value; /* or NULL */
	const char *body;	    /* or NULL */
} cases[] = {
	{ "GET", "/files/a.txt", "", 200, "Vary:", "Accept-Encoding", "identity" },
	{ "GET", "/files/a.txt", "", 200, "Last-Modified:", SITE_DATE, NULL },
	{ "GET", "/files/a.txt", "", 200, "Content-Type:", "text/plain; charset=utf-8", NULL },
	{ "GET", "/files/a.txt", "", 200, "Accept-Ranges:", "bytes", NULL },
	{ "GET", "/files/a.txt", "Accept-Encoding: gzip\r\n", 200, "Content-Encoding:", "gzip",
	  "in gzip" },
	{ "GET", "/files/a.txt", "Accept-Encoding: gzip, zstd\r\n", 200,
	  "Content-Encoding:", "zstd", "in zstd" },
	{ "GET", "/files/a.txt", "Accept-Encoding: *;q=0\r\n", 406, NULL, NULL, NULL },
	{ "HEAD", "/files/a.txt", "", 200, "Content-Length:", "8", "" },
	{ "HEAD", "/files/a.txt", "Range: bytes=0-1\r\n", 200, "Content-Length:", "8", "" },
	{ "GET", "/files/a.txt", "Range: bytes=2-3\r\n", 206, "Content-Range:", "bytes 2-3/8",
	  "en" },
	{ "GET", "/files/a.txt", "Range: bytes=8-\r\n", 416, "Content-Range:", "bytes */8", NULL },
	{ "GET", "/files/a.txt", "Range: bytes=0-1,3-4\r\n", 200, NULL, NULL, "identity" },
	{ "GET", "/files/a.txt", "If-None-Match: *\r\n", 304, "Vary:", "Accept-Encoding", "" },
	{ "GET", "/files/a.txt", "If-Modified-Since: " SITE_DATE "\r\n", 304,
	  "Last-Modified:", SITE_DATE, "" },
	{ "GET", "/files/a.txt", "If-None-Match: \"x\"\r\nIf-Modified-Since: " SITE_DATE "\r\n",
	  200, NULL, NULL, "identity" },
	{ "GET", "/files/a.txt", "Range: bytes=0-0\r\nIf-Range: " SITE_DATE "\r\n", 206, NULL, NULL,
	  "i" },
	{ "GET", "/files/a.txt", "Range: bytes=0-0\r\nIf-Range: \"other\"\r\n", 200, NULL, NULL,
	  "identity" },
	{ "GET", "/files/a.txt", "Range: bytes=0-0\r\nIf-Match: \"other\"\r\n", 412,
	  "Cache-Control:", "no-store", NULL },
	{ "GET", "/files/a.txt", "If-Unmodified-Since: " SITE_DATE "\r\n", 200, NULL, NULL,
	  "identity" },
	{ "GET", "/files/a.txt", "", 200, "Cache-Control:", "no-cache", NULL },
	{ "GET", "/files/dir/x%20y~%2B.deb", "", 200,
	  "Content-Type:", "application/vnd.debian.binary-package", "deb" },
	{ "GET", "/files/dir/x%20y~+.deb", "", 200, NULL, NULL, "deb" },
	{ "GET", "http://other/files/a.txt", "", 200, NULL, NULL, "identity" },
	{ "GET", "/files", "", 301, "Location:", "/files/", NULL },
	{ "GET", "/files/", "", 404, NULL, NULL, NULL },
	{ "GET", "/files/dir", "", 404, NULL, NULL, NULL },
	{ "GET", "/files/dir/", "", 404, NULL, NULL, NULL },
	{ "GET", "/files/.reservoir/note", "", 404, NULL, NULL, NULL },
	{ "GET", "/other/a.txt", "", 404, NULL, NULL, NULL },
	{ "GET", "/files/../files/a.txt", "", 400, NULL, NULL, NULL },
	{ "GET", "/files/a%2etxt%00", "", 400, NULL, NULL, NULL },
	{ "GET", "/snapshot/1/files/a.txt", "", 404, NULL, NULL, NULL },
	{ "GET", "/snapshot/current/files/a.txt", "", 404, NULL, NULL, NULL },
	{ "POST", "/files/a.txt", "Content-Length: 0\r\n", 405, "Allow:", "GET, HEAD", NULL },
	{ "DELETE", "/files/a.txt", "", 405, NULL, NULL, NULL },
	{ "GET", "/healthz", "", 200, NULL, NULL, "ok\n" },
	{ "GET", "/readyz", "", 200, NULL, NULL, "ready: generation 1\n" },
	{ "GET", "/status.json", "", 200, "Content-Type:", "application/json", NULL },
	{ "GET", "/metrics", "", 200, "Content-Type:", "text/plain; version=0.0.4; charset=utf-8",
	  NULL },
	{ "GET", "/", "", 200, "Content-Type:", "text/html; charset=utf-8", NULL },
};

static void answers(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;
		char value[128];

		http_ask(fd, cases[i].method, cases[i].target, cases[i].headers, &reply);
		if (reply.status != cases[i].status)
			fail_msg("case %zu: %s %s gives %d", i, cases[i].method, cases[i].target,
				 reply.status);
		if (cases[i].header) {
			assert_true(http_header(&reply, cases[i].header, value, sizeof(value)));
			assert_string_equal(value, cases[i].value);
		}
		if (cases[i].body)
			assert_string_equal(reply.body, cases[i].body);
		free(reply.body);
	}
}

/* The head of an answer, without its Date. */
static const char *undated(struct http_reply *reply)
{
	char *date = strstr(reply->head, "\r\nDate: ");

	if (date)
		memset(date + 2, '-', strcspn(date + 2, "\r"));
	return reply->head;
}

static void answers_head_as_get(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply get, head;

		if (strcmp(cases[i].method, "GET") != 0 || strstr(cases[i].headers, "Range: ") ||
		    strcmp(cases[i].target, "/metrics") == 0)
			continue;
		http_ask(fd, "GET", cases[i].target, cases[i].headers, &get);
		http_ask(fd, "HEAD", cases[i].target, cases[i].headers, &head);
		assert_string_equal(undated(&get), undated(&head));
		free(get.body);
		free(head.body);
	}
}

/* Bytes as hostile clients send them: an error or nothing, and the server lives on. */
static const struct {
	const char *bytes;
	size_t len; /* 0: that of the text */
	int status; /* -1: an error of any kind, or none */
} hostile[] = {
	{ "\r\n\r\n\r\n", 0, -1 },
	{ "GET\r\n\r\n", 0, -1 },
	{ "GET /files/a.txt\r\n\r\n", 0, -1 },
	{ "GET /files/a.txt HTTP/9.9\r\nHost: x\r\n\r\n", 0, -1 },
	{ "GET /files/a.txt HTTP/1.1\r\n\r\n", 0, 400 },
	{ "GET /files/\0/a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 41, -1 },
	{ "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 0, 413 },
	{ "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
	  413 },
	{ "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 0, -1 },
	{ "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n",
	  0, -1 },
	{ "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, -1 },
	{ "GET  HTTP/1.1\r\nHost: x\r\n\r\n", 0, -1 },
	{ "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 0, 400 },
};

static void lives_through_hostile_requests(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;

		http_send(fd, hostile[i].bytes,
			  hostile[i].len ? hostile[i].len : strlen(hostile[i].bytes));
		(void)shutdown(fd, SHUT_WR);
		http_read(fd, false, &reply);
		if (hostile[i].status > 0 ? reply.status != hostile[i].status
					  : reply.status != 0 && reply.status < 400)
			fail_msg("case %zu gives %d", i, reply.status);
		free(reply.body);
		assert_int_equal(http_status(fixture->server, "/healthz", ""), 200);
	}
}

static void wants_one_host(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *body;
	} requests[] = {
		{ "GET /healthz HTTP/1.1\r\n\r\n", 400, "400 a request has one Host\n" },
		{ "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400,
		  "400 a request has one Host\n" },
		{ "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400,
		  "400 a request has one Host\n" },
		{ "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 200, "ok\n" },
		{ "GET /healthz HTTP/1.0\r\n\r\n", 200, "ok\n" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;

		http_send(fd, requests[i].request, strlen(requests[i].request));
		http_read(fd, false, &reply);
		assert_int_equal(reply.status, requests[i].status);
		assert_string_equal(reply.body, requests[i].body);
		free(reply.body);
	}
}

static void refuses_what_is_long(void **state)
{
	struct fixture *fixture = *state;
	static char target[3000];
	static char header[40000];

	memset(target, 'a', sizeof(target) - 1);
	for (size_t i = 0; i < 7; i++)
		target[i] = "/files/"[i];
	assert_int_equal(http_status(fixture->server, target, ""), 414);
	memset(header, 'a', sizeof(header) - 1);
	{
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;

		http_send(fd, "GET /files/a.txt HTTP/1.1\r\nHost: x\r\nX: ", 38);
		(void)send(fd, header, sizeof(header) - 1, MSG_NOSIGNAL);
		http_read(fd, false, &reply);
		assert_true(reply.status == 431 || reply.status == 0);
		free(reply.body);
	}
	assert_int_equal(http_status(fixture->server, "/healthz", ""), 200);
}

struct wanted {
	uint64_t first, last; /* as in "bytes=first-last" */
	int form;	      /* 0: both, 1: open, 2: of the end */
};

static void make_range(uint32_t *random, uint64_t size, struct wanted *ret, char text[96])
{
	/* Mostly within the file, at times beyond it. */
	ret->first = next_random(random) % (size + size / 8 + 1);
	ret->last = ret->first + next_random(random) % (next_random(random) % 2 ? 64 : size);
	ret->form = (int)(next_random(random) % 3);
	if (ret->form == 0)
		(void)snprintf(text, 96, "Range: bytes=%" PRIu64 "-%" PRIu64 "\r\n", ret->first,
			       ret->last);
	else if (ret->form == 1)
		(void)snprintf(text, 96, "Range: bytes=%" PRIu64 "-\r\n", ret->first);
	else
		(void)snprintf(text, 96, "Range: bytes=-%" PRIu64 "\r\n", ret->first);
}

static void check_range(const struct wanted *wanted, const char *data, uint64_t size,
			const struct http_reply *reply)
{
	uint64_t first = wanted->first, last = wanted->form == 0 ? wanted->last : size - 1;
	char value[96], expected[96];

	if (wanted->form == 2) {
		first = wanted->first < size ? size - wanted->first : 0;
		if (wanted->first == 0)
			first = size;
	}
	if (first >= size) {
		assert_int_equal(reply->status, 416);
		return;
	}
	if (last >= size)
		last = size - 1;
	assert_int_equal(reply->status, 206);
	(void)snprintf(expected, sizeof(expected), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
		       last, size);
	assert_true(http_header(reply, "Content-Range:", value, sizeof(value)));
	assert_string_equal(value, expected);
	assert_int_equal(reply->len, last - first + 1);
	assert_memory_equal(reply->body, data + first, reply->len);
}

/* One from memory and one from a descriptor; most parts are short, so that it is quick. */
static void fuzz_ranges(const struct server *server, const char *target, const char *data,
			uint64_t size, unsigned int rounds)
{
	_cleanup_close_ int fd = http_connect(server);
	uint32_t random = SEED;

	for (unsigned int i = 0; i < rounds; i++) {
		struct http_reply reply;
		struct wanted wanted;
		char text[96];

		make_range(&random, size, &wanted, text);
		if (size > 100000 && i % 16 != 0 && wanted.form != 0) {
			wanted.form = 0;
			wanted.last = wanted.first + 100;
			(void)snprintf(text, sizeof(text),
				       "Range: bytes=%" PRIu64 "-%" PRIu64 "\r\n", wanted.first,
				       wanted.last);
		}
		http_ask(fd, "GET", target, text, &reply);
		check_range(&wanted, data, size, &reply);
		free(reply.body);
	}
}

static void sends_exactly_the_ranges(void **state)
{
	struct fixture *fixture = *state;

	fuzz_ranges(fixture->server, "/files/a.txt", "identity", 8, 6000);
	fuzz_ranges(fixture->server, "/files/big", big, BIG, 4000);
}

static void sends_whole_files(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = http_connect(fixture->server);
	struct http_reply reply;

	http_ask(fd, "GET", "/files/big", "", &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.len, BIG);
	assert_memory_equal(reply.body, big, BIG);
	free(reply.body);
}

static void unchanged_costs_no_object(void **state)
{
	struct fixture *fixture = *state;
	struct digest digest = digest_of("identity", 8);
	char path[256], etag[128], text[DIGEST_TEXT_SIZE], header[160];
	_cleanup_close_ int fd = http_connect(fixture->server);
	struct http_reply reply;

	(void)digest_format(&digest, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", fixture->scratch->store, text,
		       text);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(etag, sizeof(etag), "\"%.32s\"", text);
	(void)snprintf(header, sizeof(header), "If-None-Match: %s\r\n", etag);
	http_ask(fd, "GET", "/files/a.txt", header, &reply);
	assert_int_equal(reply.status, 304);
	free(reply.body);
	http_ask(fd, "GET", "/files/a.txt", "", &reply);
	assert_int_equal(reply.status, 503);
	free(reply.body);
}

/* Who configures the server again while the store is away, means snapshots, too. */
static void serves_snapshots_as_configured(void **state)
{
	struct fixture *fixture = *state;
	struct reservoir_config config = { 0 };
	char path[256], away[256];
	struct error err;
	static const char strict[] = YAML "  anonymous: false\n  users:\n"
					  "  - {name: a, token: " TOKEN "}\n";

	assert_int_equal(snapshot_set(fixture->writer, "before", 1, &err), 0);
	assert_int_equal(http_status(fixture->server, "/snapshot/before/files/a.txt", ""), 200);
	(void)snprintf(path, sizeof(path), "%s/objects", fixture->scratch->store);
	(void)snprintf(away, sizeof(away), "%s/away", fixture->scratch->store);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(reservoir_config_parse(strict, strlen(strict), "t", &config, &err), 0);
	assert_int_equal(server_reload(fixture->server, &config, &err), 0);
	(void)http_status(fixture->server, "/snapshot/before/files/a.txt", "");
	assert_int_equal(rename(away, path), 0);
	server_look(fixture->server);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 401);
	assert_int_equal(http_status(fixture->server, "/snapshot/before/files/a.txt", ""), 401);
	assert_int_equal(http_status(fixture->server, "/snapshot/before/files/a.txt",
				     "Authorization: Bearer t0ken\r\n"),
			 200);
}

/* Changes the first bytes of an object. */
static void damage(const struct fixture *fixture, const void *data, size_t len)
{
	struct digest digest = digest_of(data, len);
	char path[256], text[DIGEST_TEXT_SIZE];
	FILE *file;

	(void)digest_format(&digest, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", fixture->scratch->store, text,
		       text);
	assert_int_equal(chmod(path, 0600), 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fputs("Identity", file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static void never_sends_damaged_bytes(void **state)
{
	struct fixture *fixture = *state;

	damage(fixture, "identity", 8);
	damage(fixture, big, MIDDLE);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 503);
	assert_int_equal(http_status(fixture->server, "/files/middle", ""), 503);
	assert_int_equal(http_status(fixture->server, "/files/middle", "Range: bytes=9-10\r\n"),
			 503);
	assert_int_equal(http_status(fixture->server, "/files/dir/x%20y~+.deb", ""), 200);
}

static void serves_snapshots(void **state)
{
	static const struct site_file newer[] = {
		{ "a.txt", "newer", 0, MEDIA_TEXT, ENCODING_IDENTITY },
		{ 0 },
	};
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = http_connect(fixture->server);
	struct http_reply reply;
	struct error err;

	assert_int_equal(snapshot_set(fixture->writer, "before", 1, &err), 0);
	site_publish(fixture->writer, "files", "plain", newer);
	server_look(fixture->server);
	http_ask(fd, "GET", "/files/a.txt", "", &reply);
	assert_string_equal(reply.body, "newer");
	free(reply.body);
	http_ask(fd, "GET", "/snapshot/before/files/a.txt", "", &reply);
	assert_string_equal(reply.body, "identity");
	free(reply.body);
	assert_int_equal(http_status(fixture->server, "/snapshot/after/files/a.txt", ""), 404);
}

#define PUBLISHES 60
#define READERS 3

struct reader {
	struct server *server;
	atomic_bool *ends;
	unsigned int asked;
};

/* Both files of a generation say its number: no answer may be older than the last. */
static void *read_on(void *ctx)
{
	struct reader *reader = ctx;
	_cleanup_close_ int fd = http_connect(reader->server);
	uint64_t last = 0;

	while (!atomic_load(reader->ends) || reader->asked == 0) {
		struct http_reply one, other;
		uint64_t number;

		http_ask(fd, "GET", "/moving/one", "", &one);
		http_ask(fd, "GET", "/moving/other", "", &other);
		assert_int_equal(one.status, 200);
		assert_int_equal(other.status, 200);
		assert_int_equal(parse_u64(one.body, 10, &number), 0);
		assert_true(number >= last);
		assert_int_equal(parse_u64(other.body, 10, &last), 0);
		assert_true(last >= number);
		reader->asked++;
		free(one.body);
		free(other.body);
	}
	return NULL;
}

static void publish_number(struct store *store, unsigned int number)
{
	char text[16];
	struct site_file moving[] = {
		{ "one", text, 0, MEDIA_TEXT, ENCODING_IDENTITY },
		{ "other", text, 0, MEDIA_TEXT, ENCODING_IDENTITY },
		{ 0 },
	};

	(void)snprintf(text, sizeof(text), "%u", number);
	site_publish(store, "moving", "plain", moving);
}

static void publishes_and_reloads_under_load(void **state)
{
	struct fixture *fixture = *state;
	struct reader readers[READERS];
	pthread_t threads[READERS];
	atomic_bool ends = false;
	struct error err;

	publish_number(fixture->writer, 1);
	server_look(fixture->server);
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader) { fixture->server, &ends, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	}
	for (unsigned int i = 2; i < PUBLISHES; i++) {
		struct reservoir_config config = { 0 };

		publish_number(fixture->writer, i);
		server_look(fixture->server);
		assert_int_equal(reservoir_config_parse(YAML, strlen(YAML), "t", &config, &err), 0);
		assert_int_equal(server_reload(fixture->server, &config, &err), 0);
	}
	atomic_store(&ends, true);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void keeps_the_old_generation(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = http_connect(fixture->server);
	char path[256];
	struct http_reply reply;
	FILE *file;

	publish_number(fixture->writer, 1);
	(void)snprintf(path, sizeof(path), "%s/generations/2", fixture->scratch->store);
	(void)chmod(path, 0600);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("{}", file) >= 0);
	assert_int_equal(fclose(file), 0);
	server_look(fixture->server);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 200);
	http_ask(fd, "GET", "/readyz", "", &reply);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "cannot be read"));
	free(reply.body);
}

static void one_bad_manifest_is_the_fault_of_its_repository(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char path[256], text[DIGEST_TEXT_SIZE];
	struct error err;

	publish_number(fixture->writer, 1);
	assert_int_equal(generation_current(fixture->reader, &generation, &err), 0);
	(void)digest_format(&generation_repository(generation, "moving")->served, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", fixture->scratch->store, text,
		       text);
	assert_int_equal(unlink(path), 0);
	server_look(fixture->server);
	assert_int_equal(http_status(fixture->server, "/moving/one", ""), 503);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 200);
	assert_int_equal(http_status(fixture->server, "/readyz", ""), 200);
}

/* What a page says. */
static void assert_page(const struct server *server, const char *target, int status,
			const char *text)
{
	_cleanup_close_ int fd = http_connect(server);
	struct http_reply reply;

	http_ask(fd, "GET", target, "", &reply);
	assert_int_equal(reply.status, status);
	if (!strstr(reply.body, text))
		fail_msg("%s does not say '%s': %s", target, text, reply.body);
	free(reply.body);
}

/* What the library answers by itself has begun, too. */
static void counts_what_is_in_flight(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		_cleanup_close_ int fd = http_connect(fixture->server);
		struct http_reply reply;

		http_send(fd, "GET / HTTP/1.1\r\nHost x\r\n\r\n", 26);
		http_read(fd, false, &reply);
		assert_int_equal(reply.status, 400);
		free(reply.body);
	}
	assert_page(fixture->server, "/metrics", 200, "silica_reservoir_requests_in_flight 1\n");
}

static const char *const parts[] = { "current", "objects" };

static void says_that_the_store_cannot_be_read(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[256], away[256];

		(void)snprintf(path, sizeof(path), "%s/%s", fixture->scratch->store, parts[i]);
		(void)snprintf(away, sizeof(away), "%s/away", fixture->scratch->store);
		assert_page(fixture->server, "/readyz", 200, "ready: generation 1");
		assert_int_equal(rename(path, away), 0);
		server_look(fixture->server);
		assert_page(fixture->server, "/readyz", 503, "not ready");
		assert_page(fixture->server, "/", 200, "The store cannot be read");
		assert_page(fixture->server, "/status.json", 200, "\"ready\": false");
		assert_page(fixture->server, "/metrics", 200, "silica_reservoir_ready 0");
		assert_page(fixture->server, "/healthz", 200, "ok");
		assert_int_equal(rename(away, path), 0);
		server_look(fixture->server);
	}
	assert_page(fixture->server, "/readyz", 200, "ready: generation 1");
}

static void says_that_nothing_can_be_read(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char path[256], text[DIGEST_TEXT_SIZE];
	struct server *server;
	struct error err;

	assert_int_equal(generation_current(fixture->reader, &generation, &err), 0);
	(void)digest_format(&generation_repository(generation, "files")->served, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", fixture->scratch->store, text,
		       text);
	assert_int_equal(unlink(path), 0);
	server = site_serve(fixture->reader, fixture->scratch->store, YAML);
	assert_page(server, "/readyz", 503, "repository 'files' is damaged");
	server_free(server);
}

static void object_of_manifest(const struct fixture *fixture, const char *name, char path[256])
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char text[DIGEST_TEXT_SIZE];
	struct error err;

	assert_int_equal(generation_current(fixture->reader, &generation, &err), 0);
	(void)digest_format(&generation_repository(generation, name)->served, text);
	(void)snprintf(path, 256, "%s/objects/%.2s/%s", fixture->scratch->store, text, text);
}

/* Cut short while it is served, as by a copy over it: no wrong answer, and no end. */
static void survives_a_manifest_that_is_lost(void **state)
{
	static const struct site_file others[] = {
		{ "b.txt", "other", 0, MEDIA_TEXT, ENCODING_IDENTITY },
		{ 0 },
	};
	struct fixture *fixture = *state;
	_cleanup_free_ char *bytes = NULL;
	char path[256];
	struct stat st;
	FILE *file;

	site_publish(fixture->writer, "others", "plain", others);
	server_tick(fixture->server);
	object_of_manifest(fixture, "files", path);
	assert_int_equal(stat(path, &st), 0);
	bytes = malloc((size_t)st.st_size);
	file = fopen(path, "re");
	assert_true(file && fread(bytes, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(mapping_guard(NULL), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 503);
		assert_int_equal(http_status(fixture->server, "/files/none", ""), 503);
		assert_int_equal(http_status(fixture->server, "/others/b.txt", ""), 200);
		server_tick(fixture->server);
	}
	file = fopen(path, "we");
	assert_true(file && fwrite(bytes, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
	assert_int_equal(fclose(file), 0);
	server_tick(fixture->server);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 200);
}

/* Asks for a small file and expects that the connection is not to be used again: a client that
 * is told so goes elsewhere, and never writes into one that is being closed. */
static void assert_last_answer(int fd, const char *headers, int status)
{
	struct http_reply reply;
	char value[32];

	http_ask(fd, "GET", "/files/a.txt", headers, &reply);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.body, status == 200 ? "identity" : "");
	assert_true(http_header(&reply, "Connection:", value, sizeof(value)));
	assert_string_equal(value, "close");
	free(reply.body);
}

static void wait_until_idle(struct server *server)
{
	uint64_t until = clock_ms() + HTTP_WAIT_MS;

	while (!server_is_idle(server) && clock_ms() < until) {
		server_tick(server);
		(void)poll(NULL, 0, 10);
	}
	assert_true(server_is_idle(server));
}

/* There are as many connections as there may be: what comes next waits in the system's queue. */
static void answers_who_waits_to_be_accepted(void **state)
{
	static const char request[] = "GET /files/a.txt HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *fixture = *state;
	struct server *server = site_serve(fixture->reader, fixture->scratch->store,
					   "serve:\n  threads: 1\n  connections: 1\n");
	int first = http_connect(server);
	_cleanup_close_ int second = -1;
	struct http_reply reply;

	http_ask(first, "GET", "/files/a.txt", "", &reply);
	free(reply.body);
	second = http_connect(server);
	http_send(second, request, strlen(request));
	server_close(server);
	(void)close(first);
	wait_until_idle(server);
	http_read(second, false, &reply);
	assert_int_equal(reply.status, 200);
	free(reply.body);
	server_free(server);
}

static void drains(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int fd = http_connect(fixture->server);
	_cleanup_close_ int other = http_connect(fixture->server);
	_cleanup_close_ int third = http_connect(fixture->server);

	assert_int_equal(http_status(fixture->server, "/readyz", ""), 200);
	assert_int_equal(server_drain(fixture->server), 0);
	assert_int_equal(http_status(fixture->server, "/readyz", ""), 503);
	assert_int_equal(http_status(fixture->server, "/files/a.txt", ""), 200);
	assert_last_answer(other, "", 200);
	assert_last_answer(third, "If-None-Match: *\r\n", 304);
	server_close(fixture->server);
	assert_last_answer(fd, "", 200);
	wait_until_idle(fixture->server);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(answers),
		WITH_SERVER(answers_head_as_get),
		WITH_SERVER(lives_through_hostile_requests),
		WITH_SERVER(wants_one_host),
		WITH_SERVER(refuses_what_is_long),
		WITH_SERVER(sends_exactly_the_ranges),
		WITH_SERVER(sends_whole_files),
		WITH_SERVER(unchanged_costs_no_object),
		WITH_SERVER(never_sends_damaged_bytes),
		WITH_SERVER(serves_snapshots),
		WITH_SERVER(serves_snapshots_as_configured),
		WITH_SERVER(publishes_and_reloads_under_load),
		WITH_SERVER(keeps_the_old_generation),
		WITH_SERVER(one_bad_manifest_is_the_fault_of_its_repository),
		WITH_SERVER(counts_what_is_in_flight),
		WITH_SERVER(says_that_the_store_cannot_be_read),
		WITH_SERVER(says_that_nothing_can_be_read),
		WITH_SERVER(survives_a_manifest_that_is_lost),
		WITH_SERVER(drains),
		WITH_SERVER(answers_who_waits_to_be_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
