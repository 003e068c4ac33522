/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/reader.h"

/* Reads to the end or to the first failure, and returns what that was. */
static int read_all(const char *text, size_t len, struct error *err)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct reader_node node = { .kind = READER_NULL };
	int r = reader_new(&reader, text, len, "f", err);

	while (r == 0 && node.kind != READER_END)
		r = reader_next(reader, &node, err);
	return r;
}

static void gives_nodes_with_their_places(void **state _unused_)
{
	static const char text[] = "# note\na:\n  - 'x'\n  - [1, ~]\n";
	static const struct {
		enum reader_kind kind;
		size_t line, column;
		const char *text;
	} want[] = {
		{ READER_MAPPING, 2, 1, NULL },	 { READER_STRING, 2, 1, "a" },
		{ READER_LIST, 3, 3, NULL },	 { READER_STRING, 3, 5, "x" },
		{ READER_LIST, 4, 5, NULL },	 { READER_NUMBER, 4, 6, "1" },
		{ READER_NULL, 4, 9, "~" },	 { READER_LIST_END, 4, 10, NULL },
		{ READER_LIST_END, 5, 1, NULL }, { READER_MAPPING_END, 5, 1, NULL },
		{ READER_END, 5, 1, NULL },	 { READER_END, 1, 1, NULL },
	};
	_cleanup_(reader_freep) struct reader *reader = NULL;

	assert_int_equal(reader_new(&reader, text, strlen(text), "f", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct reader_node node;

		assert_int_equal(reader_next(reader, &node, NULL), 0);
		assert_int_equal(node.kind, want[i].kind);
		assert_int_equal(node.mark.line, want[i].line);
		assert_int_equal(node.mark.column, want[i].column);
		if (want[i].text)
			assert_string_equal(node.text, want[i].text);
		else
			assert_null(node.text);
	}
}

static void sorts_plain_scalars(void **state _unused_)
{
	static const struct {
		const char *text;
		enum reader_kind kind;
	} cases[] = {
		{ "", READER_NULL },	     { "~", READER_NULL },	{ "Null", READER_NULL },
		{ "TRUE", READER_BOOLEAN },  { "no", READER_BOOLEAN },	{ "off", READER_BOOLEAN },
		{ "0", READER_NUMBER },	     { "-1", READER_NUMBER },	{ "+1.5", READER_NUMBER },
		{ ".5", READER_NUMBER },     { "1.", READER_NUMBER },	{ "1e3", READER_NUMBER },
		{ "1_000", READER_NUMBER },  { "0x1F", READER_NUMBER }, { "2.5E-3", READER_NUMBER },
		{ "0x", READER_STRING },     { "0xg", READER_STRING },	{ ".", READER_STRING },
		{ "-", READER_STRING },	     { "+-1", READER_STRING },	{ "1e", READER_STRING },
		{ "e3", READER_STRING },     { "1e3x", READER_STRING }, { "1.2.3", READER_STRING },
		{ "5s", READER_STRING },     { "nul", READER_STRING },	{ "v1", READER_STRING },
		{ "truely", READER_STRING },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (reader_plain_kind(cases[i].text) != cases[i].kind)
			fail_msg("'%s' is sorted as %d", cases[i].text,
				 (int)reader_plain_kind(cases[i].text));
}

static void refuses_what_has_more_than_one_reading(void **state _unused_)
{
	static const struct {
		const char *text;
		const char *msg;
	} cases[] = {
		{ "a: &x 1", "f:1:4: anchors and aliases are not allowed" },
		{ "- &x [1]", "f:1:3: anchors and aliases are not allowed" },
		{ "- &x {}", "f:1:3: anchors and aliases are not allowed" },
		{ "*x", "f:1:1: anchors and aliases are not allowed" },
		{ "a: !!int 1", "f:1:4: tags are not allowed" },
		{ "!x [1]", "f:1:1: tags are not allowed" },
		{ "!x {}", "f:1:1: tags are not allowed" },
		{ "a: \"b\\0c\"", "f:1:4: a value contains a NUL" },
		{ "a\n---\nb", "f:2:1: more than one document" },
		{ "[1, 2", "f:2:1: not YAML: while parsing a flow sequence, "
			   "did not find expected ',' or ']'" },
		{ "a: \xff", "f:1:4: not YAML: invalid leading UTF-8 octet" },
		{ "a: b\nc: \x01", "f:2:4: not YAML: control characters are not allowed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(read_all(cases[i].text, strlen(cases[i].text), &err), -EINVAL);

		assert_string_equal(err.msg, cases[i].msg);
		assert_int_equal(read_all(cases[i].text, strlen(cases[i].text), NULL), -EINVAL);
	}
}

static void bounds_a_scalar(void **state _unused_)
{
	static char text[READER_SCALAR_MAX + 1];
	struct error err = { 0 };

	memset(text, 'a', sizeof(text));
	assert_int_equal(read_all(text, READER_SCALAR_MAX, &err), 0);
	assert_int_equal(read_all(text, READER_SCALAR_MAX + 1, &err), -EINVAL);
	assert_string_equal(err.msg, "f:1:1: a value is longer than 4096 bytes");
}

static void bounds_the_name_in_an_error(void **state _unused_)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	char name[4096];
	struct error err = { 0 };

	memset(name, 'd', sizeof(name));
	memcpy(name + sizeof(name) - sizeof("/a.yaml"), "/a.yaml", sizeof("/a.yaml"));
	assert_int_equal(reader_new(&reader, "", 0, name, &err), 0);
	error_set(&err, EINVAL, "cause");
	assert_int_equal(reader_locate(reader, (struct reader_mark) { 3, 7 }, -EINVAL, &err),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "/a.yaml:3:7: cause"));
	assert_int_equal(strlen(err.msg), READER_NAME_MAX + strlen(":3:7: cause"));
}

static void makes_text_fit_to_be_shown(void **state _unused_)
{
	char buf[READER_QUOTE_MAX], text[100];

	assert_string_equal(reader_quote(buf, "a\nb\x7f\xc3"), "a?b??");
	memset(text, 'a', sizeof(text));
	text[READER_QUOTE_MAX - 4] = '\0';
	assert_string_equal(reader_quote(buf, text), text);
	text[READER_QUOTE_MAX - 4] = 'a';
	text[READER_QUOTE_MAX - 3] = '\0';
	assert_int_equal(strlen(reader_quote(buf, text)), READER_QUOTE_MAX - 1);
	assert_string_equal(buf + READER_QUOTE_MAX - 4, "...");
}

static void says_what_a_node_is(void **state _unused_)
{
	static const struct {
		struct reader_node node;
		const char *text;
	} cases[] = {
		{ { .kind = READER_STRING, .text = "x" }, "the string 'x'" },
		{ { .kind = READER_NUMBER, .text = "5" }, "the number 5" },
		{ { .kind = READER_BOOLEAN, .text = "on" }, "the boolean on" },
		{ { .kind = READER_NULL, .text = "~" }, "nothing" },
		{ { .kind = READER_LIST }, "a list" },
		{ { .kind = READER_MAPPING }, "a mapping" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[READER_FOUND_MAX];

		assert_string_equal(reader_describe(&cases[i].node, buf), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_nodes_with_their_places),
		cmocka_unit_test(sorts_plain_scalars),
		cmocka_unit_test(refuses_what_has_more_than_one_reading),
		cmocka_unit_test(bounds_a_scalar),
		cmocka_unit_test(bounds_the_name_in_an_error),
		cmocka_unit_test(makes_text_fit_to_be_shown),
		cmocka_unit_test(says_what_a_node_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
