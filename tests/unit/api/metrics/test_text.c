/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdbool.h>
#include <string.h>

#include "api/metrics/metrics.h"
#include "api/metrics/text.h"

#define TEXT_MAX 4096

static void names_are_checked(void **state)
{
	static const struct {
		const char *name;
		bool family;
		bool label;
	} cases[] = {
		{ "silica_devices", true, true },
		{ "_a9", true, true },
		{ "ns:name", true, false },
		{ "le", true, false },
		{ "quantile", true, false },
		{ "__name", true, false },
		{ "lee", true, true },
		{ "", false, false },
		{ "9a", false, false },
		{ "a-b", false, false },
		{ "a b", false, false },
		{ "a\xc3\xa9", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(metrics_text_is_name(cases[i].name), cases[i].family);
		assert_int_equal(metrics_text_is_label_name(cases[i].name), cases[i].label);
	}
}

static void a_name_has_a_maximum(void **state)
{
	char name[METRICS_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[METRICS_NAME_MAX - 1] = '\0';
	assert_true(metrics_text_is_name(name));
	name[METRICS_NAME_MAX - 1] = 'a';
	name[METRICS_NAME_MAX] = '\0';
	assert_false(metrics_text_is_name(name));
}

static void utf8_is_told_from_what_is_not(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "plain\x7f\n", true },
		{ "\xc2\x80 \xdf\xbf", true },
		{ "\xe0\xa0\x80 \xef\xbf\xbf", true },
		{ "\xed\x9f\xbf \xee\x80\x80", true },
		{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true },
		{ "\x80", false },	       /* a tail without a head */
		{ "\xc0\x80", false },	       /* overlong */
		{ "\xc1\xbf", false },	       /* overlong */
		{ "\xe0\x9f\xbf", false },     /* overlong */
		{ "\xf0\x8f\xbf\xbf", false }, /* overlong */
		{ "\xed\xa0\x80", false },     /* surrogate */
		{ "\xf4\x90\x80\x80", false }, /* past U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
		{ "a\xc3", false }, /* cut off */
		{ "a\xe2\x82", false },
		{ "a\xf0\x9f\x92", false },
		{ "\xe2\x28\xa1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(metrics_text_is_utf8(cases[i].text), cases[i].valid);
}

static void help_is_escaped(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

	(void)state;
	metrics_text_add_help(&out, "\\a \"quoted\"\nline\\");
	assert_string_equal(strbuf_str(&out), "\\\\a \"quoted\"\\nline\\\\");
}

static void labels_are_escaped(void **state)
{
	static const char *const names[] = { "a", "b", "c", NULL };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

	(void)state;
	assert_int_equal(
		metrics_text_add_labels(&out, names, METRICS_LABELS("", "\"\\\n", "x\ty"), NULL),
		0);
	assert_string_equal(strbuf_str(&out), "a=\"\",b=\"\\\"\\\\\\n\",c=\"x\ty\"");
}

static void labels_that_do_not_fit_are_refused(void **state)
{
	static const char *const names[] = { "a", "b", NULL };
	static char longest[METRICS_LABEL_VALUE_MAX];
	static char longer[METRICS_LABEL_VALUE_MAX + 1];
	const struct {
		const char *const *values;
		int r;
		const char *text;
	} cases[] = {
		{ METRICS_LABELS("1"), -EINVAL, "'b' is given no value" },
		{ METRICS_NO_LABELS, -EINVAL, "'a' is given no value" },
		{ METRICS_LABELS("1", "2", "3"), -EINVAL, "'3' has no label" },
		{ METRICS_LABELS("1", "\xff"), -EILSEQ, "'b'" },
		{ METRICS_LABELS(longer, "2"), -ENAMETOOLONG, "'a'" },
		{ METRICS_LABELS(longest, "2"), 0, "" },
	};

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(longer, 'x', sizeof(longer) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
		struct error err = { 0 };

		assert_int_equal(metrics_text_add_labels(&out, names, cases[i].values, &err),
				 cases[i].r);
		assert_non_null(strstr(err.msg, cases[i].text));
	}
}

static void numbers_come_back_as_they_were(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1, "1" },
		{ -1.5, "-1.5" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 51539607552.0, "51539607552" },
		{ 1e300, "1e+300" },
		{ 1766400000.25, "1766400000.25" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ __builtin_inf(), "+Inf" },
		{ -__builtin_inf(), "-Inf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

		metrics_text_add_number(&out, cases[i].value);
		assert_string_equal(strbuf_str(&out), cases[i].text);
	}
}

static void no_number_is_called_so(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

	(void)state;
	metrics_text_add_number(&out, __builtin_nan(""));
	metrics_text_add_number(&out, -__builtin_nan(""));
	assert_string_equal(strbuf_str(&out), "NaNNaN");
}

static void seconds_are_exact(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.000000001" },
		{ 500000, "0.0005" },
		{ 999999999, "0.999999999" },
		{ 1000000000, "1" },
		{ 2500000000, "2.5" },
		{ 100000000000, "100" },
		{ UINT64_MAX, "18446744073.709551615" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

		metrics_text_add_seconds(&out, cases[i].ns);
		assert_string_equal(strbuf_str(&out), cases[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(a_name_has_a_maximum),
		cmocka_unit_test(utf8_is_told_from_what_is_not),
		cmocka_unit_test(help_is_escaped),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(labels_that_do_not_fit_are_refused),
		cmocka_unit_test(numbers_come_back_as_they_were),
		cmocka_unit_test(no_number_is_called_so),
		cmocka_unit_test(seconds_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
