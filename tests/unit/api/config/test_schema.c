/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on a table of its own, with shapes that the configuration lacks so far. */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/schema.h"
#include "base/cleanup.h"
#include "tests/unit/inventory/memory.h"

#define PRINTED_MAX 4096

struct leaf {
	char word[8];
	char note[24];
};

struct branch {
	struct leaf *leaves;
	size_t n_leaves;
};

struct tree {
	uint32_t mode;
	struct branch *branches;
	size_t n_branches;
	char (*tags)[8];
	size_t n_tags;
};

static const char *const modes[] = { "on", "dark", NULL };

static const struct schema_key leaf_keys[] = {
	{ .name = "word",
	  .type = SCHEMA_STRING,
	  .offset = offsetof(struct leaf, word),
	  .size = 8,
	  .min = 1,
	  .max = 7,
	  .text = "Word." },
	{ .name = "note",
	  .type = SCHEMA_STRING,
	  .offset = offsetof(struct leaf, note),
	  .size = 24,
	  .min = 1,
	  .max = 23,
	  .text = "Note." },
};
static const struct schema_key leaf = {
	.name = "leaves[]",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct leaf),
	.keys = leaf_keys,
	.n_keys = ARRAY_SIZE(leaf_keys),
};
static const struct schema_key branch_keys[] = {
	{ .name = "leaves",
	  .type = SCHEMA_LIST,
	  .offset = offsetof(struct branch, leaves),
	  .n_offset = offsetof(struct branch, n_leaves),
	  .max = 3,
	  .item = &leaf,
	  .default_value = "[]",
	  .unique = "word",
	  .text = "Leaves." },
};
static const struct schema_key branch = {
	.name = "branches[]",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct branch),
	.keys = branch_keys,
	.n_keys = ARRAY_SIZE(branch_keys),
};
static const struct schema_key tag = {
	.name = "tags[]",
	.type = SCHEMA_STRING,
	.size = 8,
	.min = 1,
	.max = 7,
};
static const struct schema_key tree_keys[] = {
	{ .name = "mode",
	  .type = SCHEMA_ENUM,
	  .offset = offsetof(struct tree, mode),
	  .size = 4,
	  .values = modes,
	  .default_value = "dark",
	  .text = "Mode." },
	{ .name = "branches",
	  .type = SCHEMA_LIST,
	  .offset = offsetof(struct tree, branches),
	  .n_offset = offsetof(struct tree, n_branches),
	  .max = 2,
	  .item = &branch,
	  .when = "mode",
	  .when_values = 1u << 0,
	  .text = "Branches." },
	{ .name = "tags",
	  .type = SCHEMA_LIST,
	  .offset = offsetof(struct tree, tags),
	  .n_offset = offsetof(struct tree, n_tags),
	  .max = 2,
	  .item = &tag,
	  .default_value = "[]",
	  .text = "Tags." },
};
static const struct schema_key tree = {
	.name = "tree",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct tree),
	.keys = tree_keys,
	.n_keys = ARRAY_SIZE(tree_keys),
};

static void tree_done(struct tree *object)
{
	schema_done(&tree, object);
}
#define _cleanup_tree_ _cleanup_(tree_done)

static int read_tree(const char *text, struct tree *object, struct error *err)
{
	return schema_read(&tree, text, strlen(text), "t", object, NULL, err);
}

/* What is printed is also read again and printed again. */
static void assert_printed(const char *text, const char *want)
{
	_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
	_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);
	_cleanup_tree_ struct tree a = { 0 }, b = { 0 };
	struct error err = { 0 };

	if (read_tree(text, &a, &err) != 0)
		fail_msg("%s", err.msg);
	schema_print(&tree, &a, &first);
	assert_string_equal(strbuf_str(&first), want);
	if (read_tree(strbuf_str(&first), &b, &err) != 0)
		fail_msg("%s", err.msg);
	schema_print(&tree, &b, &second);
	assert_string_equal(strbuf_str(&second), want);
}

static void prints_every_shape(void **state _unused_)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "", "mode: dark\ntags: []\n" },
		{ "tags: [a, '1']", "mode: dark\ntags: [a, \"1\"]\n" },
		{ "tags: ['a\"\\b', '-x']", "mode: dark\ntags: [\"a\\\"\\\\b\", \"-x\"]\n" },
		{ "{mode: 'on', branches: []}", "mode: \"on\"\nbranches: []\ntags: []\n" },
		{ "{mode: 'on', branches: [{}, {leaves: [{}]}]}",
		  "mode: \"on\"\nbranches:\n- leaves: []\n- leaves:\n  - {}\ntags: []\n" },
		{ "{mode: 'on', branches: [{leaves: [{word: a}, {word: b, note: c d}]}]}",
		  "mode: \"on\"\nbranches:\n- leaves:\n  - word: a\n  - word: b\n"
		  "    note: \"c d\"\ntags: []\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_printed(cases[i].text, cases[i].printed);
}

static void refuses_with_the_innermost_place(void **state _unused_)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "tags: [a, b, c]", "t:1:14: 'tags' must be a list of 0 to 2 items, each a "
				     "string of 1 to 7 ASCII characters, found 3" },
		{ "tags: [a, [b]]", "t:1:11: 'tags[]' must be a string of 1 to 7 ASCII characters, "
				    "found a list" },
		{ "tags: [longlong]",
		  "t:1:8: 'tags[]' must be a string of 1 to 7 ASCII characters, "
		  "found the string 'longlong'" },
		{ "mode: on", "t:1:7: 'mode' must be one of 'on', 'dark', found the boolean on" },
		{ "mode: drak",
		  "t:1:7: 'mode' must be one of 'on', 'dark', found the string 'drak', "
		  "did you mean 'dark'?" },
		{ "mode: 'on'", "t:1:1: key 'branches' is missing, which is required when "
				"'mode' is 'on'" },
		{ "branches: []", "t:1:1: 'branches' is allowed only when 'mode' is 'on'" },
		{ "word: a", "t:1:1: unknown key 'word', it belongs under 'branches[].leaves[]'" },
		{ "mode: 'on'\nbranches: [{leaves: [{word: a}, {word: b}, {word: a}]}]",
		  "t:2:44: the word 'a' is taken by item 1 of 'leaves'" },
		{ "mode: 'on'\nbranches: [{leaves: [{word: a}]}, {leaves: [{word: a}, 1]}]",
		  "t:2:56: 'leaves[]' must be a mapping, found the number 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_tree_ struct tree object = { 0 };
		struct error err = { 0 };

		assert_int_equal(read_tree(cases[i].text, &object, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].msg);
	}
}

/* Every allocation of the engine fails once; the leak sanitizer watches. */
static void survives_a_lack_of_memory(void **state _unused_)
{
	static const char text[] =
		"{mode: 'on', branches: [{leaves: [{word: a}, {}]}, {}], tags: [a]}";
	int failed = 0;
	int r;

	do {
		_cleanup_tree_ struct tree object = { 0 };
		struct error err = { 0 };

		memory_fail_after((size_t)failed);
		r = read_tree(text, &object, &err);
		(void)memory_restore();
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_non_null(strstr(err.msg, "no memory"));
			failed++;
		}
	} while (r < 0);
	/* a reader; a default's reader; two branches, two leaves, one tag */
	assert_int_equal(failed, 7);
}

static void describes_lists_of_lists(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(PRINTED_MAX);

	schema_describe(&tree, &page);
	assert_string_equal(
		strbuf_str(&page),
		"| Key | Value | Default | Meaning |\n"
		"|---|---|---|---|\n"
		"| `mode` | one of 'on', 'dark' | `dark` | Mode. |\n"
		"| `branches` | a list of 0 to 2 items | required when `mode` is `on`, refused "
		"otherwise | Branches. |\n"
		"| `branches[].leaves` | a list of 0 to 3 items | `[]` | Leaves. |\n"
		"| `branches[].leaves[].word` | a string of 1 to 7 ASCII characters |  | Word. |\n"
		"| `branches[].leaves[].note` | a string of 1 to 23 ASCII characters |  | Note. |\n"
		"| `tags` | a list of 0 to 2 items, each a string of 1 to 7 ASCII characters | "
		"`[]` | Tags. |\n");
}

static void states_ranges(void **state _unused_)
{
	static const struct {
		struct schema_key key;
		const char *range;
	} cases[] = {
		{ { .type = SCHEMA_DURATION, .min = 0, .max = 1500 },
		  "a duration from 0s to 1500ms" },
		{ { .type = SCHEMA_DURATION, .min = 1000, .max = 90000 },
		  "a duration from 1s to 90s" },
		{ { .type = SCHEMA_DURATION, .min = 60000, .max = 5400000 },
		  "a duration from 1m to 90m" },
		{ { .type = SCHEMA_DURATION, .min = 1, .max = 7200000 },
		  "a duration from 1ms to 2h" },
		{ { .type = SCHEMA_U32, .min = 1, .max = 2 }, "a whole number from 1 to 2" },
		{ { .type = SCHEMA_U32, .min = 1, .max = 2, .unit = "cores" },
		  "a whole number from 1 to 2 cores" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf range = STRBUF_INIT(PRINTED_MAX);

		schema_range(&cases[i].key, &range);
		assert_string_equal(strbuf_str(&range), cases[i].range);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_every_shape),
		cmocka_unit_test(refuses_with_the_innermost_place),
		cmocka_unit_test(survives_a_lack_of_memory),
		cmocka_unit_test(describes_lists_of_lists),
		cmocka_unit_test(states_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
