/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_object.h"
#include "base/strbuf.h"

#define OWNED(manager, operation, fields)                               \
	"{\"manager\":\"" manager "\",\"operation\":\"" operation "\"," \
	"\"fieldsV1\":{\"f:metadata\":{" fields "}}"

static const char node[] =
	"{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"42\","
	"\"labels\":{\"a\":\"1\",\"b\":\"\",\"c\":3},\"annotations\":{\"d\":\"4\"},"
	"\"managedFields\":["
	/* clang-format off */
	OWNED("kubelet", "Update", "\"f:labels\":{\"f:a\":{}}") "},"
	OWNED("us", "Update", "\"f:labels\":{\"f:updated\":{}}") "},"
	OWNED("us", "Apply", "\"f:labels\":{\"f:status\":{}}") ",\"subresource\":\"status\"},"
	OWNED("us", "Apply", "\"f:labels\":{\".\":{},\"f:b\":{},\"f:x/y.z\":{}},"
			     "\"f:annotations\":{\"f:d\":{}}") ",\"subresource\":\"\"}]}}";
/* clang-format on */

static struct json_t *parse(const char *text)
{
	struct json_t *object = NULL;

	assert_int_equal(kube_object_parse(text, strlen(text), &object, NULL), 0);
	return object;
}

static void parses(void **state)
{
	static const char *const bad[] = {
		"", "[]", "null", "\"a\"", "{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"
	};

	(void)state;
	kube_object_free(parse("{}"));
	kube_object_free(parse(" {\"a\":\"x\\u0000y\"}\n"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_t *object = NULL;
		struct error err = { 0 };

		assert_int_equal(kube_object_parse(bad[i], strlen(bad[i]), &object, &err),
				 -EBADMSG);
		assert_int_not_equal(err.msg[0], '\0');
	}
}

static int parse_depth(size_t depth, const char *inner)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1 << 20);
	struct json_t *object = NULL;
	int r;

	for (size_t i = 0; i < depth; i++)
		strbuf_puts(&text, "{\"a\":");
	strbuf_puts(&text, inner);
	for (size_t i = 0; i < depth; i++)
		strbuf_puts(&text, "}");
	r = kube_object_parse(strbuf_str(&text), text.len, &object, NULL);
	kube_object_free(object);
	return r;
}

static void limits_the_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_depth(KUBE_DEPTH_MAX, "1"), 0);
	assert_int_equal(parse_depth(KUBE_DEPTH_MAX, "\"[[[{{{\\\"[[[\""), 0);
	assert_int_equal(parse_depth(KUBE_DEPTH_MAX + 1, "1"), -EBADMSG);
	assert_int_equal(parse_depth(KUBE_DEPTH_MAX, "[]"), -EBADMSG);
	assert_int_equal(parse_depth(10000, "1"), -EBADMSG);
}

static void reads_what_all_have(void **state)
{
	struct json_t *object = parse(node);
	struct json_t *empty =
		parse("{\"metadata\":{\"name\":7,\"resourceVersion\":\"x\\u0000y\"}}");

	(void)state;
	assert_string_equal(kube_object_name(object), "n");
	assert_string_equal(kube_object_resource_version(object), "42");
	assert_string_equal(kube_object_get(object, KUBE_LABELS, "a"), "1");
	assert_string_equal(kube_object_get(object, KUBE_LABELS, "b"), "");
	assert_null(kube_object_get(object, KUBE_LABELS, "c"));
	assert_null(kube_object_get(object, KUBE_LABELS, "d"));
	assert_string_equal(kube_object_get(object, KUBE_ANNOTATIONS, "d"), "4");
	assert_null(kube_object_name(empty));
	assert_null(kube_object_resource_version(empty));
	assert_null(kube_object_get(empty, KUBE_LABELS, "a"));
	kube_object_free(object);
	kube_object_free(empty);
}

static void add_key(void *ctx, const char *key)
{
	strbuf_printf(ctx, "%s;", key);
}

static void goes_through_what_is_owned(void **state)
{
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT(1000);
	struct json_t *object = parse(node);

	(void)state;
	kube_object_each_owned(object, "us", KUBE_LABELS, add_key, &seen);
	assert_string_equal(strbuf_str(&seen), "b;x/y.z;");
	strbuf_clear(&seen);
	kube_object_each_owned(object, "kubelet", KUBE_LABELS, add_key, &seen);
	kube_object_each_owned(object, "nobody", KUBE_LABELS, add_key, &seen);
	assert_string_equal(strbuf_str(&seen), "");
	assert_true(kube_object_owns(object, "us", KUBE_LABELS, "x/y.z"));
	assert_true(kube_object_owns(object, "us", KUBE_ANNOTATIONS, "d"));
	assert_false(kube_object_owns(object, "us", KUBE_ANNOTATIONS, "b"));
	assert_false(kube_object_owns(object, "us", KUBE_LABELS, "status"));
	assert_false(kube_object_owns(object, "us", KUBE_LABELS, "updated"));
	kube_object_free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(limits_the_depth),
		cmocka_unit_test(reads_what_all_have),
		cmocka_unit_test(goes_through_what_is_owned),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_object", tests, NULL, NULL);
}
