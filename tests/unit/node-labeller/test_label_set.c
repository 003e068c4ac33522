/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/label_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"

static struct label_set make(const char *const *pairs)
{
	struct label_set set = { .kind = LABEL_SET_LABELS };

	for (; *pairs; pairs += 2)
		assert_int_equal(label_set_add(&set, pairs[0], pairs[1], NULL), 0);
	return set;
}

static void stays_sorted(_unused_ void **state)
{
	static const char *const pairs[] = { "m", "1", "a", "2", "z",	"3", "b", "4",
					     "y", "5", "c", "6", "a.b", "7", NULL };
	static const struct {
		const char *key, *value;
	} sorted[] = { { "a", "2" }, { "a.b", "7" }, { "b", "4" }, { "c", "6" },
		       { "m", "1" }, { "y", "5" },   { "z", "3" } };
	_cleanup_label_set_ struct label_set set = make(pairs);

	assert_int_equal(set.n, ARRAY_SIZE(sorted));
	for (size_t i = 0; i < set.n; i++) {
		assert_string_equal(set.items[i].key, sorted[i].key);
		assert_string_equal(set.items[i].value, sorted[i].value);
	}
	label_set_done(&set);
	assert_int_equal(set.n, 0);
}

static void refuses_what_is_no_label(_unused_ void **state)
{
	static const struct {
		const char *key;
		const char *value;
		enum label_set_kind kind;
		int r;
	} cases[] = {
		{ "a", "b", LABEL_SET_LABELS, -EEXIST },
		{ "b", "", LABEL_SET_LABELS, 0 },
		{ "", "b", LABEL_SET_LABELS, -EINVAL },
		{ "A/b", "b", LABEL_SET_LABELS, -EINVAL },
		{ "c", "a b", LABEL_SET_LABELS, -EINVAL },
		{ "c", "a, b", LABEL_SET_ANNOTATIONS, 0 },
		{ "c", "a\nb", LABEL_SET_ANNOTATIONS, -EINVAL },
		{ "c d", "a", LABEL_SET_ANNOTATIONS, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_label_set_ struct label_set set = { .kind = cases[i].kind };
		struct error err = { 0 };

		assert_int_equal(label_set_add(&set, "a", "x", NULL), 0);
		assert_int_equal(label_set_add(&set, cases[i].key, cases[i].value, &err),
				 cases[i].r);
		assert_int_equal(set.n, cases[i].r == 0 ? 2 : 1);
		assert_int_equal(err.msg[0] != '\0', cases[i].r < 0);
		assert_string_equal(set.items[0].value, "x");
	}
}

static void has_a_maximum(_unused_ void **state)
{
	_cleanup_label_set_ struct label_set set = { .kind = LABEL_SET_ANNOTATIONS };
	char value[ANNOTATION_VALUE_MAX + 2], key[16];

	for (int i = 0; i < LABEL_SET_MAX; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(label_set_add(&set, key, "v", NULL), 0);
	}
	assert_int_equal(label_set_add(&set, "one.more", "v", NULL), -E2BIG);
	label_set_done(&set);
	memset(value, 'x', sizeof(value) - 1);
	value[ANNOTATION_VALUE_MAX + 1] = '\0';
	assert_int_equal(label_set_add(&set, "a", value, NULL), -EINVAL);
	value[ANNOTATION_VALUE_MAX] = '\0';
	assert_int_equal(label_set_add(&set, "a", value, NULL), 0);
}

static void note(void *ctx, const char *key, const char *before, const char *after)
{
	strbuf_printf(ctx, "%s:%s>%s ", key, before ? before : "-", after ? after : "-");
}

static void tells_differences(_unused_ void **state)
{
	static const struct {
		const char *before[8];
		const char *after[8];
		const char *differences;
	} cases[] = {
		{ { NULL }, { NULL }, "" },
		{ { "a", "1", NULL }, { "a", "1", NULL }, "" },
		{ { "a", "1", NULL }, { NULL }, "a:1>- " },
		{ { NULL }, { "a", "", NULL }, "a:-> " },
		{ { "a", "1", NULL }, { "a", "2", NULL }, "a:1>2 " },
		{ { "a", "1", "c", "3", NULL },
		  { "b", "2", "c", "4", "d", "5", NULL },
		  "a:1>- b:->2 c:3>4 d:->5 " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_label_set_ struct label_set before = make(cases[i].before);
		_cleanup_label_set_ struct label_set after = make(cases[i].after);
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(256);
		size_t n = label_set_diff(&before, &after, note, &out);

		assert_string_equal(strbuf_str(&out), cases[i].differences);
		assert_int_equal(label_set_diff(&after, &before, NULL, NULL), n);
		assert_int_equal(label_set_equal(&before, &after), n == 0);
	}
}

static void survives_a_lack_of_memory(_unused_ void **state)
{
	_cleanup_label_set_ struct label_set set = { .kind = LABEL_SET_LABELS };

	for (size_t i = 0; i < 2; i++) {
		memory_fail_after(i);
		assert_int_equal(label_set_add(&set, "a", "b", NULL), -ENOMEM);
		assert_int_equal(memory_restore(), 1);
		assert_int_equal(set.n, 0);
	}
	assert_int_equal(label_set_add(&set, "a", "b", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_sorted),
		cmocka_unit_test(refuses_what_is_no_label),
		cmocka_unit_test(has_a_maximum),
		cmocka_unit_test(tells_differences),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
