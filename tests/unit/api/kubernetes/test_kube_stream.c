/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_stream.h"

#define EVENT(type, name) \
	"{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"" name "\"}}}\n"

static int add(struct kube_stream *stream, const char *text)
{
	return kube_stream_add(stream, text, strlen(text));
}

/* Takes out one event: its type, or -1 for an error, -2 when there is none. */
static int take(struct kube_stream *stream, const char *name)
{
	struct kube_stream_event event;
	int r = kube_stream_next(stream, &event, NULL);
	int type;

	assert_true(r >= 0);
	if (r == 0)
		return -2;
	type = event.error ? -1 : (int)event.type;
	assert_string_equal(kube_object_name(event.object), name);
	kube_object_free(event.document);
	return type;
}

static void takes_lines_apart(void **state)
{
	struct kube_stream stream;

	(void)state;
	kube_stream_init(&stream, 1000);
	assert_int_equal(take(&stream, ""), -2);
	assert_int_equal(add(&stream, EVENT("ADDED", "a") "\n\r\n" EVENT("MODIFIED", "b") "{\"ty"),
			 0);
	assert_int_equal(take(&stream, "a"), KUBE_EVENT_ADDED);
	assert_int_equal(take(&stream, "b"), KUBE_EVENT_MODIFIED);
	assert_int_equal(take(&stream, ""), -2);
	assert_int_equal(stream.tail, 4);
	assert_int_equal(
		add(&stream, "pe\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"c\"}}}"), 0);
	assert_int_equal(take(&stream, ""), -2);
	assert_int_equal(add(&stream, "\n" EVENT("BOOKMARK", "d") EVENT("ERROR", "e")), 0);
	assert_int_equal(take(&stream, "c"), KUBE_EVENT_DELETED);
	assert_int_equal(take(&stream, "d"), KUBE_EVENT_BOOKMARK);
	assert_int_equal(take(&stream, "e"), -1);
	assert_int_equal(take(&stream, ""), -2);
	assert_int_equal(stream.tail, 0);
	kube_stream_done(&stream);
}

static void takes_byte_by_byte(void **state)
{
	static const char text[] = EVENT("ADDED", "a") EVENT("MODIFIED", "b");
	struct kube_stream stream;
	size_t n = 0;

	(void)state;
	kube_stream_init(&stream, 100);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(kube_stream_add(&stream, text + i, 1), 0);
		if (text[i] == '\n')
			assert_int_equal(take(&stream, n == 0 ? "a" : "b"),
					 n == 0 ? KUBE_EVENT_ADDED : KUBE_EVENT_MODIFIED);
		n += text[i] == '\n';
	}
	assert_int_equal(n, 2);
	kube_stream_done(&stream);
}

static void limits_lines(void **state)
{
	static const char text[] = EVENT("ADDED", "a");
	size_t len = sizeof(text) - 2; /* without the newline */
	struct kube_stream stream;

	(void)state;
	kube_stream_init(&stream, len);
	assert_int_equal(add(&stream, text), 0);
	assert_int_equal(take(&stream, "a"), KUBE_EVENT_ADDED);
	kube_stream_done(&stream);
	kube_stream_init(&stream, len - 1);
	assert_int_equal(add(&stream, text), -EFBIG);
	assert_int_equal(kube_stream_add(&stream, text, 5), 0);
	assert_int_equal(kube_stream_add(&stream, text + 5, len - 5), -EFBIG);
	kube_stream_done(&stream);
}

/* What is put away is bounded, however much comes. */
static void asks_to_be_emptied(void **state)
{
	static const char text[] = EVENT("ADDED", "a");
	struct kube_stream stream;
	size_t n = 0;

	(void)state;
	kube_stream_init(&stream, 10 * sizeof(text));
	while (add(&stream, text) == 0)
		n++;
	assert_true(n >= 9 && n <= 11);
	assert_int_equal(add(&stream, text), -EAGAIN);
	assert_int_equal(take(&stream, "a"), KUBE_EVENT_ADDED);
	assert_int_equal(add(&stream, text), 0);
	for (; n > 0; n--)
		assert_int_equal(take(&stream, "a"), KUBE_EVENT_ADDED);
	assert_int_equal(take(&stream, "a"), -2);
	kube_stream_done(&stream);
}

static void refuses_what_is_no_event(void **state)
{
	static const char *const bad[] = {
		"garbage\n",
		"[]\n",
		"{}\n",
		"{\"type\":\"ADDED\"}\n",
		"{\"type\":\"ADDED\",\"object\":[]}\n",
		"{\"type\":\"added\",\"object\":{}}\n",
		"{\"type\":7,\"object\":{}}\n",
		"{\"object\":{}}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kube_stream stream;
		struct kube_stream_event event;
		struct error err = { 0 };

		kube_stream_init(&stream, 1000);
		assert_int_equal(add(&stream, bad[i]), 0);
		assert_int_equal(kube_stream_next(&stream, &event, &err), -EBADMSG);
		assert_int_not_equal(err.msg[0], '\0');
		kube_stream_done(&stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lines_apart),
		cmocka_unit_test(takes_byte_by_byte),
		cmocka_unit_test(limits_lines),
		cmocka_unit_test(asks_to_be_emptied),
		cmocka_unit_test(refuses_what_is_no_event),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_stream", tests, NULL, NULL);
}
