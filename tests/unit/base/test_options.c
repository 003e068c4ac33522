/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"

#define WORDS_MAX 2
#define ARGV_MAX 8

struct target {
	char file[16];
	char form[16];
	bool loud;
};

static int set_file(_unused_ const struct option_row *row, void *target, const char *value)
{
	struct target *ret = target;

	(void)snprintf(ret->file, sizeof(ret->file), "%s", value);
	return 0;
}

static int set_form(_unused_ const struct option_row *row, void *target, const char *value)
{
	struct target *ret = target;

	(void)snprintf(ret->form, sizeof(ret->form), "%s", value);
	return strcmp(value, "text") == 0 || strcmp(value, "json") == 0 ? 0 : -EINVAL;
}

static int set_loud(_unused_ const struct option_row *row, void *target, const char *value)
{
	struct target *ret = target;

	assert_null(value);
	ret->loud = true;
	return 0;
}

static const struct option_row first[] = {
	{ "file", 0, "FILE", "a file", set_file, 0 },
	{ 0 },
};
static const struct option_row second[] = {
	{ "form", 'f', "text|json", "a form", set_form, 0 },
	{ "loud", 'l', NULL, "say more", set_loud, 0 },
	{ 0 },
};
static const struct option_row *const tables[] = { first, second, NULL };

static void reads(void **state)
{
	static const struct {
		const char *argv[ARGV_MAX];
		struct target target;
		size_t n_words;
	} cases[] = {
		{ { NULL }, { "", "", false }, 0 },
		{ { "--file", "a" }, { "a", "", false }, 0 },
		{ { "--file=a" }, { "a", "", false }, 0 },
		{ { "--file=" }, { "", "", false }, 0 },
		{ { "--file", "--loud" }, { "--loud", "", false }, 0 },
		{ { "-f", "json" }, { "", "json", false }, 0 },
		{ { "-fjson", "-l" }, { "", "json", true }, 0 },
		{ { "x", "--loud", "y" }, { "", "", true }, 2 },
		{ { "--", "--loud" }, { "", "", false }, 1 },
		{ { "-", "--loud" }, { "", "", true }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *list[WORDS_MAX];
		struct options_words words = { .list = list, .max = WORDS_MAX };
		struct target target = { "", "", false };
		struct error err = { 0 };

		assert_int_equal(options_read(tables, cases[i].argv, &target, &words, &err), 0);
		assert_string_equal(target.file, cases[i].target.file);
		assert_string_equal(target.form, cases[i].target.form);
		assert_int_equal(target.loud, cases[i].target.loud);
		assert_int_equal(words.n, cases[i].n_words);
		assert_int_equal(err.code, 0);
	}
}

static void keeps_words_in_order(void **state)
{
	static const char *const argv[] = { "a", "-l", "b", NULL };
	const char *list[WORDS_MAX];
	struct options_words words = { .list = list, .max = WORDS_MAX };
	struct target target = { "", "", false };

	(void)state;
	assert_int_equal(options_read(tables, argv, &target, &words, NULL), 0);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "b");
}

static void refuses(void **state)
{
	static const struct {
		const char *argv[ARGV_MAX];
		const char *text;
		int r;
		bool no_words;
	} cases[] = {
		{ { "--unknown" }, "unknown option '--unknown'", -EINVAL, false },
		{ { "--fil", "a" }, "unknown option '--fil'", -EINVAL, false },
		{ { "--files" }, "unknown option '--files'", -EINVAL, false },
		{ { "-x" }, "unknown option '-x'", -EINVAL, false },
		{ { "--file" }, "--file needs a value: FILE", -EINVAL, false },
		{ { "-f" }, "--form needs a value: text|json", -EINVAL, false },
		{ { "--form", "xml" },
		  "--form cannot be 'xml', expected text|json",
		  -EINVAL,
		  false },
		{ { "--loud=1" }, "--loud takes no value", -EINVAL, false },
		{ { "-l1" }, "--loud takes no value", -EINVAL, false },
		{ { "a", "b", "c" }, "'c' is one word too many, at most 2", -E2BIG, false },
		{ { "a" }, "unexpected word 'a'", -EINVAL, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *list[WORDS_MAX];
		struct options_words words = { .list = list, .max = WORDS_MAX };
		struct target target = { "", "", false };
		struct error err = { 0 };

		assert_int_equal(options_read(tables, cases[i].argv, &target,
					      cases[i].no_words ? NULL : &words, &err),
				 cases[i].r);
		assert_int_equal(err.code, -cases[i].r);
		assert_non_null(strstr(err.msg, cases[i].text));
	}
}

static void describes(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	(void)state;
	options_describe(second, &out);
	assert_string_equal(strbuf_str(&out), "  -f, --form text|json                a form\n"
					      "  -l, --loud                          say more\n");
}

static void finds_choices(void **state)
{
	static const char *const words[] = { "text", "json", "yaml" };
	const char *at = "text|json|yaml";
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *word = options_next_choice(&at, &len);

		assert_non_null(word);
		assert_int_equal(len, strlen(words[i]));
		assert_memory_equal(word, words[i], len);
	}
	assert_null(options_next_choice(&at, &len));
	at = "FILE";
	assert_non_null(options_next_choice(&at, &len));
	assert_int_equal(len, 4);
	assert_null(options_next_choice(&at, &len));
}

enum pace { SLOW, FAST };

struct fields {
	const char *name;
	enum pace pace;
	bool once;
};

static const struct option_row fields[] = {
	{ "name", 0, "NAME", "a name", option_set_text, offsetof(struct fields, name) },
	{ "pace", 0, "slow|fast", "a pace", option_set_choice, offsetof(struct fields, pace) },
	{ "once", 0, NULL, "not again", option_set_switch, offsetof(struct fields, once) },
	{ 0 },
};
static const struct option_row *const field_tables[] = { fields, NULL };

static void sets_fields(void **state)
{
	const char *const argv[] = { "--pace=fast", "--once", "--name", "x", NULL };
	struct fields ret = { .pace = SLOW };

	(void)state;
	assert_int_equal(options_read(field_tables, argv, &ret, NULL, NULL), 0);
	assert_string_equal(ret.name, "x");
	assert_int_equal(ret.pace, FAST);
	assert_true(ret.once);
}

static void fields_refuse(void **state)
{
	static const char *const words[] = { "--name=", "--pace=fas", "--pace=fast|", "--pace=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *const argv[] = { words[i], NULL };
		struct fields ret = { .pace = SLOW };

		assert_int_equal(options_read(field_tables, argv, &ret, NULL, NULL), -EINVAL);
		assert_int_equal(ret.pace, SLOW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),	 cmocka_unit_test(keeps_words_in_order),
		cmocka_unit_test(refuses),	 cmocka_unit_test(describes),
		cmocka_unit_test(finds_choices), cmocka_unit_test(sets_fields),
		cmocka_unit_test(fields_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
