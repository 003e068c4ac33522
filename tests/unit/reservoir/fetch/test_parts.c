/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/reservoir/fetch/scene.h"

static const struct fetch_part tail = { .length = 1000, .from_end = true };
static const struct fetch_part middle = { .length = 1000, .first = 5000 };

/* Sends what @headers say of the body, as a 206 or whatever else. */
struct part_case {
	const char *what;
	const char *status;
	const char *headers; /* Content-Range, or NULL */
	size_t first, len;   /* of the body: what is sent */
	bool from_end;
	enum fetch_status expected;
	uint32_t code; /* of a failure: positive errno */
	unsigned int requests;
};

#define RANGE(text) "Content-Range: bytes " text "\r\n"

static const struct part_case part_cases[] = {
	{ "the end", "206 P", RANGE("3144728-3145727/3145728"), 3144728, 1000, true, FETCH_DONE, 0,
	  1 },
	{ "the middle", "206 P", RANGE("5000-5999/3145728"), 5000, 1000, false, FETCH_DONE, 0, 1 },
	{ "a file that ends earlier", "206 P", RANGE("5000-5099/5100"), 5000, 100, false,
	  FETCH_DONE, 0, 1 },
	{ "all of a short file", "206 P", RANGE("0-99/100"), 0, 100, true, FETCH_DONE, 0, 1 },
	{ "the whole file", "200 OK", NULL, 0, BODY_SIZE, true, FETCH_FAILED, EOPNOTSUPP, 1 },
	{ "no range", "206 P", NULL, 0, 1000, true, FETCH_FAILED, EOPNOTSUPP, 1 },
	{ "no total", "206 P", RANGE("5000-5999/*"), 5000, 1000, false, FETCH_FAILED, EOPNOTSUPP,
	  1 },
	{ "another part", "206 P", RANGE("5001-6000/3145728"), 5001, 1000, false, FETCH_FAILED,
	  EOPNOTSUPP, 1 },
	{ "a part that is too long", "206 P", RANGE("5000-6000/3145728"), 5000, 1001, false,
	  FETCH_FAILED, EOPNOTSUPP, 1 },
	{ "an end that is none", "206 P", RANGE("3144727-3145726/3145728"), 3144727, 1000, true,
	  FETCH_FAILED, EOPNOTSUPP, 1 },
	{ "more bytes than it says", "206 P", RANGE("5000-5099/5100"), 5000, 200, false,
	  FETCH_FAILED, EFBIG, 1 },
	{ "fewer bytes than it says", "206 P", RANGE("5000-5999/3145728"), 5000, 10, false,
	  FETCH_FAILED, EPROTO, 4 },
	{ "nothing of it", "416 R", RANGE("*/0"), 0, 0, true, FETCH_FAILED, EACCES, 1 },
	{ "no file", "404 N", NULL, 0, 0, true, FETCH_ABSENT, 0, 1 },
};

static struct origin_answer send_case(void *ctx, const char *path, const char *head,
				      _unused_ unsigned int nth)
{
	const struct scene *scene = ctx;
	const struct part_case *it = &part_cases[path[1] - 'a'];
	char value[64];

	assert_true(origin_header(head, "Range:", value, sizeof(value)));
	assert_string_equal(value, it->from_end ? "bytes=-1000" : "bytes=5000-5999");
	assert_true(origin_header(head, "Accept-Encoding:", value, sizeof(value)));
	assert_string_equal(value, "identity");
	return (struct origin_answer) { it->status, it->headers, scene->body + it->first,
					it->len,    0,		 0,
					0 };
}

static void test_parts(_unused_ void **state)
{
	struct scene scene;

	scene_open(&scene, send_case);
	for (size_t i = 0; i < ARRAY_SIZE(part_cases); i++) {
		const struct part_case *it = &part_cases[i];
		struct fetch_request request = { .to_memory = true };
		const char path[] = { '/', (char)('a' + i), '\0' };
		unsigned int before = origin_count(scene.origin);
		_cleanup_got_ struct got got = GOT_INIT;

		request.part = it->from_end ? tail : middle;
		scene_fetch(&scene, path, request, &got);
		if (got.result.status != it->expected ||
		    origin_count(scene.origin) - before != it->requests)
			fail_msg("%s: %d %s", it->what, got.result.status, got.result.error.msg);
		assert_int_equal(got.result.error.code, it->code);
		if (it->expected != FETCH_DONE)
			continue;
		assert_int_equal(got.data.len, it->len);
		assert_memory_equal(got.data.data, scene.body + it->first, it->len);
		assert_int_equal(got.result.first, it->first);
		assert_true(got.result.whole >= it->first + it->len);
	}
	scene_close(&scene);
}

static void test_parts_are_of_the_network_and_in_memory(_unused_ void **state)
{
	struct fetch_request request = { .url = "file:///etc/passwd", .to_memory = true };
	struct scene scene;

	request.part = tail;
	scene_open(&scene, send_case);
	assert_int_equal(fetcher_add(scene.fetcher, &request, NULL), -EINVAL);
	request.url = origin_url(scene.origin);
	request.to_memory = false;
	assert_int_equal(fetcher_add(scene.fetcher, &request, NULL), -EINVAL);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_parts_are_of_the_network_and_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
