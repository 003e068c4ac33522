/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "tests/unit/reservoir/fetch/scene.h"

#define HELLO "hello, world"
#define ANSWER_OK(text) ((struct origin_answer) { "200 OK", NULL, text, sizeof(text) - 1, 0, 0, 0 })

static struct digest hello_digest(void)
{
	return digest_of(HELLO, sizeof(HELLO) - 1);
}

/* The part of the body that a request asks for, as a good server sends it. */
static struct origin_answer send_range(const struct scene *scene, const char *head,
				       char headers[128])
{
	struct origin_answer whole = {
		"200 OK", "ETag: \"v1\"\r\n", scene->body, BODY_SIZE, 0, 0, 0
	};
	char value[64];
	uint64_t first = 0;

	if (!origin_header(head, "Range:", value, sizeof(value)) ||
	    sscanf(value, "bytes=%" SCNu64 "-", &first) != 1 || first >= BODY_SIZE)
		return whole;
	(void)snprintf(headers, 128, "ETag: \"v1\"\r\nContent-Range: bytes %" PRIu64 "-%zu/%zu\r\n",
		       first, BODY_SIZE - 1, BODY_SIZE);
	return (struct origin_answer) {
		"206 Partial Content", headers, scene->body + first, BODY_SIZE - first, 0, 0, 0
	};
}

static _Thread_local char range_headers[128];

static struct origin_answer say_hello(_unused_ void *ctx, _unused_ const char *path,
				      _unused_ const char *head, _unused_ unsigned int nth)
{
	struct origin_answer answer = ANSWER_OK(HELLO);

	answer.headers = "ETag: \"h\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			 "Content-Type: text/plain\r\nX-PyPI-Last-Serial: 77\r\n";
	return answer;
}

static void test_to_memory(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = hello_digest();
	struct scene scene;

	scene_open(&scene, say_hello);
	scene_fetch(&scene, "/a", (struct fetch_request) { .to_memory = true }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(got.result.http, 200);
	assert_string_equal(strbuf_str(&got.data), HELLO);
	assert_true(digest_equal(&got.result.digest, &digest));
	assert_int_equal(got.result.mtime, 784111777);
	assert_string_equal(got.result.etag, "\"h\"");
	assert_string_equal(got.result.type, "text/plain");
	assert_int_equal(got.result.serial, 77);
	scene_close(&scene);
}

static void test_an_object_is_fetched_once(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = hello_digest();
	struct fetch_request request = { .sha256 = &digest, .size = sizeof(HELLO) - 1 };
	struct scene scene;

	scene_open(&scene, say_hello);
	scene_fetch(&scene, "/a", request, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_true(object_exists(scene.store, &digest));
	got.calls = 0;
	scene_fetch(&scene, "/b", request, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(got.result.size, sizeof(HELLO) - 1);
	request.size = 0;
	request.to_memory = true;
	got.calls = 0;
	scene_fetch(&scene, "/c", request, &got);
	assert_string_equal(strbuf_str(&got.data), HELLO);
	assert_int_equal(origin_count(scene.origin), 1);
	scene_close(&scene);
}

static struct origin_answer empty(_unused_ void *ctx, _unused_ const char *path,
				  _unused_ const char *head, _unused_ unsigned int nth)
{
	return ANSWER_OK("");
}

static void test_an_empty_file(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = digest_of("", 0);
	struct scene scene;

	scene_open(&scene, empty);
	scene_fetch(&scene, "/a", (struct fetch_request) { .sha256 = &digest }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_true(object_exists(scene.store, &digest));
	scene_close(&scene);
}

/* --- statuses --- */

static struct origin_answer by_path(_unused_ void *ctx, const char *path, _unused_ const char *head,
				    _unused_ unsigned int nth)
{
	return (struct origin_answer) { path + 1, NULL, "no", 2, 0, 0, 0 };
}

static const struct {
	const char *path;
	enum fetch_status status;
	uint32_t http;
	unsigned int requests;
} statuses[] = {
	{ "/404", FETCH_ABSENT, 404, 1 }, { "/410", FETCH_ABSENT, 410, 1 },
	{ "/403", FETCH_FAILED, 403, 1 }, { "/401", FETCH_FAILED, 401, 1 },
	{ "/501", FETCH_FAILED, 501, 1 }, { "/500", FETCH_FAILED, 500, 4 },
	{ "/304", FETCH_FAILED, 304, 1 }, { "/302", FETCH_FAILED, 302, 1 },
	{ "/206", FETCH_FAILED, 206, 4 }, { "/416", FETCH_FAILED, 416, 1 },
};

static void test_statuses(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, by_path);
		scene_fetch(&scene, statuses[i].path, (struct fetch_request) { .to_memory = true },
			    &got);
		assert_int_equal(got.result.status, statuses[i].status);
		assert_int_equal(got.result.http, statuses[i].http);
		assert_int_equal(origin_count(scene.origin), statuses[i].requests);
		if (statuses[i].status == FETCH_FAILED)
			assert_non_null(strstr(got.result.error.msg, statuses[i].path));
		scene_close(&scene);
	}
}

static struct origin_answer conditional(_unused_ void *ctx, const char *path, const char *head,
					_unused_ unsigned int nth)
{
	char value[64];
	bool same = strcmp(path, "/etag") == 0
			    ? origin_header(head, "If-None-Match:", value, sizeof(value)) &&
				      strcmp(value, "\"h\"") == 0
			    : origin_header(head, "If-Modified-Since:", value, sizeof(value)) &&
				      strcmp(value, "Sun, 06 Nov 1994 08:49:37 GMT") == 0;

	if (same)
		return (struct origin_answer) {
			"304 Not Modified", "ETag: \"h\"\r\n", "", 0, 0, 0, 0
		};
	return ANSWER_OK(HELLO);
}

static const struct {
	const char *path;
	struct fetch_request request;
	enum fetch_status status;
} conditions[] = {
	{ "/etag", { .etag = "\"h\"" }, FETCH_UNCHANGED },
	{ "/etag", { .etag = "\"g\"" }, FETCH_DONE },
	{ "/since", { .since = 784111777 }, FETCH_UNCHANGED },
	{ "/since", { .since = 784111778 }, FETCH_DONE },
};

static void test_conditions(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, conditional);
		scene_fetch(&scene, conditions[i].path, conditions[i].request, &got);
		assert_int_equal(got.result.status, conditions[i].status);
		assert_int_equal(origin_count(scene.origin), 1);
		scene_close(&scene);
	}
}

/* HELLO as gzip(1) packs it. */
static const unsigned char packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
					0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
					0x51, 0x28, 0xcf, 0x2f, 0xca, 0x49, 0x01, 0x00,
					0x3a, 0x72, 0xab, 0xff, 0x0c, 0x00, 0x00, 0x00 };

static struct origin_answer packs(_unused_ void *ctx, _unused_ const char *path, const char *head,
				  _unused_ unsigned int nth)
{
	char value[64] = "";

	if (!origin_header(head, "Accept-Encoding:", value, sizeof(value)) ||
	    !strstr(value, "gzip"))
		return ANSWER_OK(HELLO);
	return (struct origin_answer) {
		"200 OK", "Content-Encoding: gzip\r\n", packed, sizeof(packed), 0, 0, 0
	};
}

static void test_what_travels_packed(_unused_ void **state)
{
	static const struct fetch_request requests[] = {
		{ .to_memory = true, .compressed = true, .size = sizeof(HELLO) - 1 },
		{ .to_memory = true, .compressed = true, .max = sizeof(HELLO) - 1 },
		{ .to_memory = true },
		{ .compressed = true },
	};
	struct digest digest = hello_digest();

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, packs);
		scene_fetch(&scene, "/a", requests[i], &got);
		assert_int_equal(got.result.status, FETCH_DONE);
		assert_true(digest_equal(&got.result.digest, &digest));
		scene_close(&scene);
	}
}

static struct origin_answer packs_always(_unused_ void *ctx, _unused_ const char *path,
					 _unused_ const char *head, _unused_ unsigned int nth)
{
	return (struct origin_answer) {
		"200 OK", "Content-Encoding: gzip\r\n", packed, sizeof(packed), 0, 0, 0
	};
}

/* Nobody asked for it: a page is unpacked, and a file is what its digest says. */
static void test_what_comes_packed_unasked(_unused_ void **state)
{
	struct digest whole = hello_digest(), bytes = digest_of(packed, sizeof(packed));
	const struct fetch_request requests[] = {
		{ .compressed = true, .max = sizeof(HELLO) - 1 },
		{ .compressed = true, .sha256 = &bytes, .size = sizeof(packed) },
		{ .sha256 = &bytes },
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, packs_always);
		scene_fetch(&scene, "/a", requests[i], &got);
		assert_int_equal(got.result.status, FETCH_DONE);
		assert_true(digest_equal(&got.result.digest, i == 0 ? &whole : &bytes));
		scene_close(&scene);
	}
}

static void test_what_unpacks_to_too_much_is_refused(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct fetch_request request = { .to_memory = true, .compressed = true };
	struct scene scene;

	scene_open(&scene, packs);
	request.max = sizeof(HELLO) - 2;
	scene_fetch(&scene, "/a", request, &got);
	assert_int_equal(got.result.status, FETCH_FAILED);
	scene_close(&scene);
}

/* --- tries --- */

static struct origin_answer fails_twice(_unused_ void *ctx, const char *path,
					_unused_ const char *head, unsigned int nth)
{
	static const char *const paths[] = { "/dropped", "/busy", "/broken" };
	struct origin_answer answers[] = {
		{ NULL, NULL, NULL, 0, 0, 0, 0 },
		{ "429 Too Many Requests", "Retry-After: 0\r\n", "", 0, 0, 0, 0 },
		{ "502 Bad Gateway", NULL, "", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths) && nth < 2; i++)
		if (strcmp(path, paths[i]) == 0)
			return answers[i];
	return ANSWER_OK(HELLO);
}

static void test_what_passes_is_tried_again(_unused_ void **state)
{
	static const char *const paths[] = { "/dropped", "/busy", "/broken" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, fails_twice);
		scene_fetch(&scene, paths[i], (struct fetch_request) { 0 }, &got);
		assert_int_equal(got.result.status, FETCH_DONE);
		assert_int_equal(origin_count(scene.origin), 3);
		scene_close(&scene);
	}
}

static struct origin_answer hangs(_unused_ void *ctx, _unused_ const char *path,
				  _unused_ const char *head, unsigned int nth)
{
	struct origin_answer answer = ANSWER_OK(HELLO);

	answer.cut = 3;
	answer.is_hanging = nth == 0;
	return nth == 0 ? answer : ANSWER_OK(HELLO);
}

static void test_silence_is_not_waited_for(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct scene scene;

	scene_open(&scene, hangs);
	scene_fetch(&scene, "/a", (struct fetch_request) { .to_memory = true }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_string_equal(strbuf_str(&got.data), HELLO);
	assert_int_equal(origin_count(scene.origin), 2);
	scene_close(&scene);
}

static struct origin_answer redirects(void *ctx, const char *path, _unused_ const char *head,
				      _unused_ unsigned int nth)
{
	static _Thread_local char location[128];
	const struct scene *scene = ctx;
	struct origin_answer answer = { "302 Found", location, "", 0, 0, 0, 0 };

	if (strcmp(path, "/once") == 0)
		(void)snprintf(location, sizeof(location), "Location: %s/there\r\n",
			       origin_url(scene->origin));
	else if (strcmp(path, "/loop") == 0)
		(void)str_copy(location, sizeof(location), "Location: /loop\r\n");
	else if (strcmp(path, "/file") == 0)
		(void)str_copy(location, sizeof(location), "Location: file:///etc/passwd\r\n");
	else if (strcmp(path, "/ftp") == 0)
		(void)str_copy(location, sizeof(location), "Location: ftp://127.0.0.1/\r\n");
	else
		return ANSWER_OK(HELLO);
	return answer;
}

static void test_redirects(_unused_ void **state)
{
	static const struct {
		const char *path;
		enum fetch_status status;
	} cases[] = {
		{ "/once", FETCH_DONE },
		{ "/loop", FETCH_FAILED },
		{ "/file", FETCH_FAILED },
		{ "/ftp", FETCH_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, redirects);
		scene_fetch(&scene, cases[i].path, (struct fetch_request) { .to_memory = true },
			    &got);
		assert_int_equal(got.result.status, cases[i].status);
		assert_true(origin_count(scene.origin) <= 12);
		if (cases[i].status == FETCH_DONE)
			assert_non_null(strstr(got.url, "/there"));
		else
			assert_non_null(strstr(got.result.error.msg, "redirect"));
		scene_close(&scene);
	}
}

/* --- bytes --- */

static struct origin_answer cuts_at_a_third(void *ctx, _unused_ const char *path, const char *head,
					    unsigned int nth)
{
	struct origin_answer answer = send_range(ctx, head, range_headers);

	if (nth < 2)
		answer.cut = BODY_SIZE / 3;
	return answer;
}

static void test_a_cut_body_goes_on(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct scene scene;

	scene_open(&scene, cuts_at_a_third);
	scene_fetch(&scene, "/a",
		    (struct fetch_request) { .sha256 = &scene.digest, .size = BODY_SIZE }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(got.result.http, 206);
	assert_int_equal(got.result.size, BODY_SIZE);
	assert_int_equal(origin_count(scene.origin), 3);
	scene_close(&scene);
}

static void test_a_tag_lets_unknown_bytes_go_on(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct scene scene;

	scene_open(&scene, cuts_at_a_third);
	scene_fetch(&scene, "/a", (struct fetch_request) { 0 }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(got.result.http, 206);
	assert_true(digest_equal(&got.result.digest, &scene.digest));
	scene_close(&scene);
}

static struct origin_answer cuts_and_changes(void *ctx, const char *path, const char *head,
					     unsigned int nth)
{
	struct origin_answer answer = cuts_at_a_third(ctx, path, head, nth);
	char value[64];

	if (nth == 0)
		return answer;
	/* If-Range with the old tag: the new file is sent whole. */
	if (!origin_header(head, "If-Range:", value, sizeof(value)))
		return (struct origin_answer) { "400 Bad Request", NULL, "", 0, 0, 0, 0 };
	answer = ANSWER_OK(HELLO);
	answer.headers = "ETag: \"v2\"\r\n";
	return answer;
}

static void test_a_file_that_changes_in_between(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = hello_digest();
	struct scene scene;

	scene_open(&scene, cuts_and_changes);
	scene_fetch(&scene, "/a", (struct fetch_request) { 0 }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_true(digest_equal(&got.result.digest, &digest));
	scene_close(&scene);
}

static struct origin_answer no_ranges(void *ctx, _unused_ const char *path,
				      _unused_ const char *head, unsigned int nth)
{
	const struct scene *scene = ctx;
	struct origin_answer answer = { "200 OK", NULL, scene->body, BODY_SIZE, 0, 0, 0 };

	answer.cut = nth == 0 ? BODY_SIZE / 2 : 0;
	return answer;
}

static struct origin_answer lies_about_bytes(void *ctx, _unused_ const char *path, const char *head,
					     unsigned int nth)
{
	const struct scene *scene = ctx;
	struct origin_answer answer = send_range(scene, head, range_headers);

	if (answer.status[2] == '6')
		answer.body = scene->body; /* the right numbers, the wrong bytes */
	answer.cut = nth == 0 ? BODY_SIZE / 2 : 0;
	return answer;
}

static struct origin_answer lies_about_numbers(void *ctx, _unused_ const char *path,
					       const char *head, unsigned int nth)
{
	struct origin_answer answer = send_range(ctx, head, range_headers);

	if (answer.status[2] == '6')
		answer.headers = "Content-Range: bytes 1-5/6\r\n";
	answer.cut = nth == 0 ? BODY_SIZE / 2 : 0;
	return answer;
}

static struct origin_answer refuses_ranges(void *ctx, _unused_ const char *path, const char *head,
					   unsigned int nth)
{
	struct origin_answer answer = send_range(ctx, head, range_headers);

	if (answer.status[2] == '6')
		return (struct origin_answer) { "416 Range Not Satisfiable", NULL, "", 0, 0, 0, 0 };
	answer.cut = nth == 0 ? BODY_SIZE / 2 : 0;
	return answer;
}

static struct origin_answer wrong_once(void *ctx, _unused_ const char *path,
				       _unused_ const char *head, unsigned int nth)
{
	const struct scene *scene = ctx;

	return (struct origin_answer) {
		"200 OK", NULL, nth == 0 ? scene->body + 1 : scene->body, BODY_SIZE - (nth == 0), 0,
		0,	  0
	};
}

static const struct {
	origin_fn fn;
	unsigned int requests;
} bad_servers[] = {
	{ no_ranges, 2 },      { lies_about_bytes, 3 }, { lies_about_numbers, 3 },
	{ refuses_ranges, 3 }, { wrong_once, 2 },
};

static void test_servers_that_lie(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_servers); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, bad_servers[i].fn);
		scene_fetch(&scene, "/a", (struct fetch_request) { .sha256 = &scene.digest }, &got);
		assert_int_equal(got.result.status, FETCH_DONE);
		assert_int_equal(got.result.size, BODY_SIZE);
		assert_int_equal(origin_count(scene.origin), bad_servers[i].requests);
		assert_true(object_exists(scene.store, &scene.digest));
		scene_close(&scene);
	}
}

static void test_wrong_bytes_are_never_kept(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest hello = hello_digest();
	char text[DIGEST_TEXT_SIZE];
	struct scene scene;

	scene_open(&scene, say_hello);
	scene_fetch(&scene, "/a", (struct fetch_request) { .sha256 = &scene.digest }, &got);
	assert_int_equal(got.result.status, FETCH_FAILED);
	assert_int_equal(origin_count(scene.origin), 2);
	assert_non_null(strstr(got.result.error.msg, "/a"));
	assert_non_null(strstr(got.result.error.msg, digest_format(&scene.digest, text)));
	assert_non_null(strstr(got.result.error.msg, digest_format(&hello, text)));
	assert_false(object_exists(scene.store, &scene.digest));
	assert_false(object_exists(scene.store, &hello));
	scene_close(&scene);
}

static void test_sizes_are_held(_unused_ void **state)
{
	static const struct {
		struct fetch_request request;
		enum fetch_status status;
	} cases[] = {
		{ { .size = 12 }, FETCH_DONE },
		{ { .size = 11 }, FETCH_FAILED },
		{ { .size = 13 }, FETCH_FAILED },
		{ { .max = 12 }, FETCH_DONE },
		{ { .max = 11 }, FETCH_FAILED },
		{ { .max = 12, .to_memory = true }, FETCH_DONE },
		{ { .max = 11, .to_memory = true }, FETCH_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_got_ struct got got = GOT_INIT;
		struct scene scene;

		scene_open(&scene, say_hello);
		scene_fetch(&scene, "/a", cases[i].request, &got);
		assert_int_equal(got.result.status, cases[i].status);
		scene_close(&scene);
	}
}

static void test_a_later_run_goes_on(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct fetch_settings settings = scene_settings();
	struct fetch_request request = { .size = BODY_SIZE };
	struct scene scene;

	scene_open(&scene, cuts_at_a_third);
	request.sha256 = &scene.digest;
	settings.attempts = 1;
	scene_fetcher(&scene, &settings);
	/* A try that comes further than a mebibyte does not count, but these do not. */
	scene_fetch(&scene, "/a", request, &got);
	assert_int_equal(got.result.status, FETCH_FAILED);
	scene_fetcher(&scene, &settings);
	got.calls = 0;
	scene_fetch(&scene, "/b", request, &got);
	assert_int_equal(got.result.status, FETCH_FAILED);
	scene_fetcher(&scene, &settings);
	got.calls = 0;
	scene_fetch(&scene, "/c", request, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(got.result.http, 206);
	scene_close(&scene);
}

static struct origin_answer stops_after_three(_unused_ void *ctx, _unused_ const char *path,
					      _unused_ const char *head, _unused_ unsigned int nth)
{
	struct origin_answer answer = ANSWER_OK(HELLO);

	answer.cut = 3;
	answer.is_hanging = true;
	return answer;
}

/* Ends the run once the three bytes are in a file. */
static void look_for_part(void *ctx, _unused_ const struct fetch_progress *progress,
			  _unused_ size_t n)
{
	const struct scene *scene = ctx;
	struct digest digest = hello_digest();
	char hex[DIGEST_TEXT_SIZE], path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "staging/%s.part", digest_format(&digest, hex));
	if (fstatat(store_dirfd(scene->store), path, &st, 0) == 0 && st.st_size == 3)
		fetcher_stop(scene->fetcher);
}

/* A 206 of all bytes but those that were asked for, as of a cache that mixes them up. */
static struct origin_answer sends_another_part(void *ctx, _unused_ const char *path,
					       const char *head, _unused_ unsigned int nth)
{
	const struct scene *scene = ctx;
	char value[64];

	if (!origin_header(head, "Range:", value, sizeof(value)))
		return (struct origin_answer) { "200 OK", NULL, scene->body, BODY_SIZE, 0, 0, 0 };
	return (struct origin_answer) { "206 Partial Content",
					"Content-Range: bytes 0-2/3145728\r\n",
					scene->body,
					3,
					0,
					0,
					0 };
}

/* What an earlier run has left is not in the way of one that has a single try. */
static void test_what_is_left_needs_no_second_try(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct fetch_settings settings = scene_settings();
	struct staging *staging = NULL;
	char key[DIGEST_TEXT_SIZE];
	struct error err = { 0 };
	struct scene scene;

	scene_open(&scene, sends_another_part);
	settings.attempts = 1;
	scene_fetcher(&scene, &settings);
	assert_int_equal(
		staging_open(scene.store, digest_format(&scene.digest, key), &staging, &err), 0);
	assert_int_equal(staging_write(staging, scene.body, 1000, &err), 0);
	staging_free(staging);
	scene_fetch(&scene, "/a",
		    (struct fetch_request) { .sha256 = &scene.digest, .size = BODY_SIZE }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(origin_count(scene.origin), 2);
	scene_close(&scene);
}

static void test_what_comes_slowly_outlives_a_kill(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = hello_digest();
	struct error err = { 0 };
	struct scene scene;

	scene_open(&scene, stops_after_three);
	fetcher_watch(scene.fetcher, look_for_part, &scene);
	scene_add(&scene, "/a",
		  (struct fetch_request) { .sha256 = &digest, .size = sizeof(HELLO) - 1 }, &got);
	assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, &err), -EINTR);
	scene_close(&scene);
}

static void test_what_is_whole_in_staging_costs_no_request(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct digest digest = hello_digest();
	struct staging *staging = NULL;
	char key[DIGEST_TEXT_SIZE];
	struct error err = { 0 };
	struct scene scene;

	scene_open(&scene, say_hello);
	assert_int_equal(staging_open(scene.store, digest_format(&digest, key), &staging, &err), 0);
	assert_int_equal(staging_write(staging, HELLO, sizeof(HELLO) - 1, &err), 0);
	staging_free(staging);
	scene_fetch(&scene, "/a",
		    (struct fetch_request) { .sha256 = &digest, .size = sizeof(HELLO) - 1 }, &got);
	assert_int_equal(got.result.status, FETCH_DONE);
	assert_int_equal(origin_count(scene.origin), 0);
	scene_close(&scene);
}

/* --- many --- */

#define SAME 5000u

struct stream {
	struct scene *scene;
	unsigned int left;
	unsigned int done;
};

static struct origin_answer echo(_unused_ void *ctx, const char *path, _unused_ const char *head,
				 _unused_ unsigned int nth)
{
	return (struct origin_answer) { "200 OK", NULL, path, strlen(path), 0, 0, 0 };
}

static void count(void *ctx, _unused_ const struct fetch_request *request,
		  const struct fetch_result *result)
{
	struct stream *stream = ctx;

	stream->done += result->status == FETCH_DONE;
}

static bool more(void *ctx, struct fetcher *fetcher)
{
	struct stream *stream = ctx;
	char url[FETCH_URL_MAX];

	if (stream->left == 0)
		return false;
	stream->left--;
	(void)snprintf(url, sizeof(url), "%s/%u", origin_url(stream->scene->origin), stream->left);
	assert_int_equal(fetcher_add(fetcher,
				     &(struct fetch_request) {
					     .url = url,
					     .label = "numbers",
					     .done = count,
					     .ctx = stream,
				     },
				     NULL),
			 0);
	return true;
}

static void see(void *ctx, const struct fetch_progress *progress, size_t n)
{
	struct fetch_progress *last = ctx;

	assert_int_equal(n, 1);
	assert_string_equal(progress->label, "numbers");
	*last = *progress;
}

static void test_many_are_pulled_and_bounded(_unused_ void **state)
{
	struct fetch_settings settings = scene_settings();
	struct fetch_progress last = { 0 };
	struct scene scene;
	struct stream stream = { .scene = &scene, .left = 400 };

	scene_open(&scene, echo);
	settings.per_host = 3;
	scene_fetcher(&scene, &settings);
	fetcher_watch(scene.fetcher, see, &last);
	fetcher_plan(scene.fetcher, "numbers", 400, 0);
	assert_int_equal(fetcher_run(scene.fetcher, more, &stream, NULL), 0);
	assert_int_equal(stream.done, 400);
	assert_true(origin_peak(scene.origin) <= 3);
	assert_int_equal(last.files_done, 400);
	assert_int_equal(last.files_all, 400);
	assert_int_equal(last.requests, 400);
	assert_int_equal(last.files_failed, 0);
	scene_close(&scene);
}

static void add_another(void *ctx, const struct fetch_request *request,
			const struct fetch_result *result)
{
	struct stream *stream = ctx;

	count(ctx, request, result);
	(void)more(stream, stream->scene->fetcher);
}

static void test_done_may_add(_unused_ void **state)
{
	struct scene scene;
	struct stream stream = { .scene = &scene, .left = 1 };
	char url[FETCH_URL_MAX];

	scene_open(&scene, echo);
	(void)snprintf(url, sizeof(url), "%s/first", origin_url(scene.origin));
	assert_int_equal(fetcher_add(scene.fetcher,
				     &(struct fetch_request) {
					     .url = url, .done = add_another, .ctx = &stream },
				     NULL),
			 0);
	assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, NULL), 0);
	assert_int_equal(stream.done, 2);
	scene_close(&scene);
}

static void test_the_same_object_twice_at_once(_unused_ void **state)
{
	_cleanup_got_ struct got a = GOT_INIT;
	_cleanup_got_ struct got b = GOT_INIT;
	struct digest digest = hello_digest();
	struct fetch_request request = { .sha256 = &digest };
	struct scene scene;

	scene_open(&scene, say_hello);
	scene_add(&scene, "/a", request, &a);
	scene_fetch(&scene, "/b", request, &b);
	assert_int_equal(a.result.status, FETCH_DONE);
	assert_int_equal(b.result.status, FETCH_DONE);
	assert_int_equal(origin_count(scene.origin), 1);
	scene_close(&scene);
}

/* An index may list the same bytes under any number of names. */
static void test_the_same_object_often(_unused_ void **state)
{
	struct digest digest = hello_digest();
	struct scene scene;
	struct stream stream = { &scene, 0, 0 };
	struct fetch_request request = { .sha256 = &digest, .done = count, .ctx = &stream };
	struct error err = { 0 };
	char url[ORIGIN_URL_MAX + 16];

	scene_open(&scene, say_hello);
	for (unsigned int i = 0; i < SAME; i++) {
		(void)snprintf(url, sizeof(url), "%s/%u", origin_url(scene.origin), i);
		request.url = url;
		assert_int_equal(fetcher_add(scene.fetcher, &request, &err), 0);
	}
	assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, &err), 0);
	assert_int_equal(stream.done, SAME);
	assert_int_equal(origin_count(scene.origin), 1);
	scene_close(&scene);
}

static void stop(void *ctx, const struct fetch_request *request, const struct fetch_result *result)
{
	struct stream *stream = ctx;

	count(ctx, request, result);
	fetcher_stop(stream->scene->fetcher);
}

static void test_a_stop_ends_the_run(_unused_ void **state)
{
	struct scene scene;
	struct stream stream = { .scene = &scene, .left = 100000 };
	struct error err = { 0 };
	char url[FETCH_URL_MAX];

	scene_open(&scene, echo);
	(void)snprintf(url, sizeof(url), "%s/first", origin_url(scene.origin));
	assert_int_equal(
		fetcher_add(scene.fetcher,
			    &(struct fetch_request) { .url = url, .done = stop, .ctx = &stream },
			    NULL),
		0);
	assert_int_equal(fetcher_run(scene.fetcher, more, &stream, &err), -EINTR);
	assert_true(stream.left > 0);
	scene_close(&scene);
}

static void test_a_full_disk_ends_the_run(_unused_ void **state)
{
	_cleanup_got_ struct got got = GOT_INIT;
	struct fetch_settings settings = scene_settings();
	struct error err = { 0 };
	struct scene scene;

	scene_open(&scene, say_hello);
	settings.keep_free = UINT64_MAX;
	scene_fetcher(&scene, &settings);
	scene_add(&scene, "/a", (struct fetch_request) { 0 }, &got);
	assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, &err), -ENOSPC);
	assert_int_equal(origin_count(scene.origin), 0);
	assert_int_equal(got.calls, 1); /* whoever waits hears of it */
	assert_int_equal(got.result.status, FETCH_FAILED);
	scene_close(&scene);
}

static void test_a_dead_host_is_given_up(_unused_ void **state)
{
	struct fetch_settings settings = scene_settings();
	struct fetch_progress last = { 0 };
	struct scene scene;
	struct stream stream = { .left = 200 };
	struct scene gone = { 0 };

	/* A port that was somebody's, and is nobody's now. */
	gone.origin = origin_start(echo, NULL);
	scene_open(&scene, echo);
	settings.attempts = 2;
	scene_fetcher(&scene, &settings);
	fetcher_watch(scene.fetcher, see, &last);
	stream.scene = &gone;
	while (more(&stream, scene.fetcher))
		;
	origin_stop(gone.origin);
	assert_int_equal(fetcher_run(scene.fetcher, NULL, NULL, NULL), 0);
	assert_int_equal(stream.done, 0);
	assert_int_equal(last.files_failed, 200);
	assert_true(last.requests < 100);
	scene_close(&scene);
}

static void test_requests_are_checked(_unused_ void **state)
{
	static const struct fetch_request requests[] = {
		{ .url = "ftp://a.example/" },
		{ .url = "http://a.example/ b" },
		{ .url = "http://a.example/", .etag = "\"a\"\r\nX: y" },
		{ .url = "http://a.example/", .accept = "a\nb" },
		{ .url = "http://a.example/" }, /* no store */
	};
	struct fetch_settings settings = scene_settings();
	_cleanup_(fetcher_freep) struct fetcher *fetcher = NULL;

	assert_int_equal(fetcher_new(NULL, &settings, &fetcher, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		assert_int_equal(fetcher_add(fetcher, &requests[i], NULL), -EINVAL);
	assert_int_equal(fetcher_run(fetcher, NULL, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_memory),
		cmocka_unit_test(test_an_object_is_fetched_once),
		cmocka_unit_test(test_an_empty_file),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_what_travels_packed),
		cmocka_unit_test(test_what_comes_packed_unasked),
		cmocka_unit_test(test_what_unpacks_to_too_much_is_refused),
		cmocka_unit_test(test_what_passes_is_tried_again),
		cmocka_unit_test(test_silence_is_not_waited_for),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_a_cut_body_goes_on),
		cmocka_unit_test(test_a_tag_lets_unknown_bytes_go_on),
		cmocka_unit_test(test_a_file_that_changes_in_between),
		cmocka_unit_test(test_servers_that_lie),
		cmocka_unit_test(test_wrong_bytes_are_never_kept),
		cmocka_unit_test(test_sizes_are_held),
		cmocka_unit_test(test_a_later_run_goes_on),
		cmocka_unit_test(test_what_is_left_needs_no_second_try),
		cmocka_unit_test(test_what_comes_slowly_outlives_a_kill),
		cmocka_unit_test(test_what_is_whole_in_staging_costs_no_request),
		cmocka_unit_test(test_many_are_pulled_and_bounded),
		cmocka_unit_test(test_done_may_add),
		cmocka_unit_test(test_the_same_object_twice_at_once),
		cmocka_unit_test(test_the_same_object_often),
		cmocka_unit_test(test_a_stop_ends_the_run),
		cmocka_unit_test(test_a_full_disk_ends_the_run),
		cmocka_unit_test(test_a_dead_host_is_given_up),
		cmocka_unit_test(test_requests_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
