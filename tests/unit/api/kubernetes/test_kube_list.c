/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/kube_list.h"
#include "api/kubernetes/kube_object.h"
#include "base/strbuf.h"

static struct json_t *parse(const char *text)
{
	struct json_t *object = NULL;

	assert_int_equal(kube_object_parse(text, strlen(text), &object, NULL), 0);
	return object;
}

/* Goes on until an object has the name "stop". */
static int add_name(void *ctx, const struct json_t *object)
{
	const char *name = kube_object_name(object);

	strbuf_printf(ctx, "%s;", name ? name : "?");
	return name && strcmp(name, "stop") == 0 ? -ECANCELED : 0;
}

static void goes_through_lists(void **state)
{
	static const struct {
		const char *list;
		const char *seen;
		int r;
		const char *next; /* NULL: it is the last part */
	} cases[] = {
		{ "{}", "", 0, NULL },
		{ "{\"items\":null}", "", 0, NULL },
		{ "{\"items\":{\"a\":{}}}", "", 0, NULL },
		{ "{\"items\":[7,{},{\"metadata\":{\"name\":\"a\"}}]}", "?;a;", 0, NULL },
		{ "{\"items\":[{\"metadata\":{\"name\":\"stop\"}},{}]}", "stop;", -ECANCELED,
		  NULL },
		{ "{\"items\":[],\"metadata\":{\"continue\":\"abc\"}}", "", 0, "abc" },
		{ "{\"items\":[],\"metadata\":{\"continue\":\"\"}}", "", 0, NULL },
		{ "{\"items\":[],\"metadata\":{\"continue\":7}}", "", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT(100);
		struct json_t *list = parse(cases[i].list);

		assert_int_equal(kube_list_each(list, add_name, &seen), cases[i].r);
		assert_string_equal(strbuf_str(&seen), cases[i].seen);
		if (cases[i].next)
			assert_string_equal(kube_list_continue(list), cases[i].next);
		else
			assert_null(kube_list_continue(list));
		kube_object_free(list);
	}
}

static void keeps_objects(void **state)
{
	struct json_t *object = parse("{\"metadata\":{\"name\":\"a\"}}");
	struct json_t *kept = kube_object_ref(object);

	(void)state;
	kube_object_free(object);
	assert_string_equal(kube_object_name(kept), "a");
	kube_object_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_through_lists),
		cmocka_unit_test(keeps_objects),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_list", tests, NULL, NULL);
}
