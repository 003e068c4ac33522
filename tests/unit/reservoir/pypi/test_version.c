/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of PEP 440, in its order. */
#include "tests/test.h"

#include <string.h>

#include "reservoir/pypi/version.h"
#include "reservoir/pypi/versions.h"

static struct pypi_version parse(const char *text)
{
	struct pypi_version version;

	if (pypi_version_parse(text, strlen(text), &version) < 0)
		fail_msg("'%s' is refused", text);
	return version;
}

/* "Summary of permitted suffixes and relative ordering", and what PEP 440 says elsewhere. */
static const char *const ascending[] = {
	"1.dev0",
	"1.0.dev456",
	"1.0a1",
	"1.0a2.dev456",
	"1.0a12.dev456",
	"1.0a12",
	"1.0b1.dev456",
	"1.0b2",
	"1.0b2.post345.dev456",
	"1.0b2.post345",
	"1.0rc1.dev456",
	"1.0rc1",
	"1.0",
	"1.0+abc.5",
	"1.0+abc.7",
	"1.0+5",
	"1.0.post456.dev34",
	"1.0.post456",
	"1.1.dev1",
	"1.10",
	"2012.10",
	"1!0.1",
};

static void test_order(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(ascending); i++)
		for (size_t k = 0; k < ARRAY_SIZE(ascending); k++) {
			struct pypi_version a = parse(ascending[i]), b = parse(ascending[k]);
			int r = pypi_version_compare(&a, &b);

			if ((r > 0) - (r < 0) != (i > k) - (i < k))
				fail_msg("%s and %s compare as %d", ascending[i], ascending[k], r);
		}
}

static const struct {
	const char *text, *normal;
} spellings[] = {
	{ "1.1RC1", "1.1rc1" },
	{ "00.0900", "0.900" },
	{ "1.1.a1", "1.1a1" },
	{ "1.1alpha1", "1.1a1" },
	{ "1.1c3", "1.1rc3" },
	{ "1.2-post2", "1.2.post2" },
	{ "1.2.r4", "1.2.post4" },
	{ "1.0-1", "1.0.post1" },
	{ "1.2.post", "1.2.post0" },
	{ "1.2.dev", "1.2.dev0" },
	{ "1.0+ubuntu-1", "1.0+ubuntu.1" },
	{ "v1.0", "1.0" },
	{ " 1.0\n", "1.0" },
	{ "0!1.2a", "1.2a0" },
	{ "1.0+01", "1.0+1" },
	{ "18446744073709551615", "18446744073709551615" },
};

static void test_spellings(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		struct pypi_version version = parse(spellings[i].text);
		char text[PYPI_VERSION_MAX];

		assert_int_equal(pypi_version_format(&version, text, sizeof(text)), 0);
		assert_string_equal(text, spellings[i].normal);
	}
}

static const char *const refused[] = {
	"",
	" ",
	"a",
	"1.",
	"1..0",
	"1.0+",
	"1.0+a..b",
	"1.0+_",
	"1.0.x",
	"1!",
	"!1",
	"1.0 1",
	"1.0a1b1",
	"18446744073709551616",
	"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17",
	"1.0-",
	"1.0+a b",
};

static void test_refused(void **state _unused_)
{
	struct pypi_version version;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (pypi_version_parse(refused[i], strlen(refused[i]), &version) != -EINVAL)
			fail_msg("'%s' is taken", refused[i]);
	assert_int_equal(pypi_version_parse("1.0", 2, &version), -EINVAL);
}

static const struct {
	const char *specifiers, *version;
	bool match;
} matches[] = {
	{ "~=2.2", "2.2.post3", true },
	{ "~=2.2", "3.0", false },
	{ "~=1.4.5", "1.4.9", true },
	{ "~=1.4.5", "1.5", false },
	{ "~=2.2.post3", "2.9", true },
	{ "~=2.2.post3", "2.2", false },
	{ "==1.1", "1.1.post1", false },
	{ "==1.1.post1", "1.1.post1", true },
	{ "==1.1.*", "1.1.post1", true },
	{ "==1.1.*", "1.1a1", true },
	{ "==1.1.*", "1.10", false },
	{ "==1.1", "1.1.0+local", true },
	{ "==1.1+local", "1.1", false },
	{ "!=1.1.*", "1.1.post1", false },
	{ "!=1.1", "1.1.post1", true },
	{ ">1.7", "1.7.0.post1", false },
	{ ">1.7", "1.7.1", true },
	{ ">1.7.post2", "1.7.post3", true },
	{ "<3.1", "3.1.dev0", false },
	{ "<3.1rc1", "3.1.dev0", true },
	{ "<1.0.post1", "1.0rc1", true },
	{ "<1.0.post1", "1.0.post1.dev2", false },
	{ "<1.0.post1", "1.0.post0.dev1", true },
	{ ">1.0a1", "1.0", true },
	{ "===1.0", "1.0", true },
	{ "===1.0", "1.0.0", false },
	{ "", "1.0", true },
	{ ">=1.0,<2.0,!=1.5", "1.5", false },
	{ " >= 1.0 , < 2.0 ", "1.9", true },
	{ "<=1.0", "1.0+x", true },
	{ ">=1!0", "2030", false },
};

static void test_matches(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };
		struct pypi_version version = parse(matches[i].version);

		assert_int_equal(pypi_specifiers_parse(matches[i].specifiers,
						       strlen(matches[i].specifiers), &set, NULL),
				 0);
		if (pypi_specifiers_match(&set, &version) != matches[i].match)
			fail_msg("%s and %s", matches[i].specifiers, matches[i].version);
	}
}

static const char *const no_specifiers[] = { "1.0",	  "=1.0",      "~=1",  ">=1.0.*",
					     "<1.0+x",	  "==",	       "=== ", "~=1.*",
					     ">=1.0 2.0", "==1.0a1.*", "<>1",  "==1.0.* *" };

static void test_no_specifiers(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_specifiers); i++) {
		struct pypi_specifiers set = { 0 };
		struct error err;

		if (pypi_specifiers_parse(no_specifiers[i], strlen(no_specifiers[i]), &set, &err) !=
		    -EINVAL)
			fail_msg("'%s' is taken", no_specifiers[i]);
		assert_non_null(strstr(err.msg, "no specifier"));
	}
}

/* As uv reads them: with the last word of each, whether 1.0, 1.9 and 2.0 match. */
static const struct {
	const char *specifiers;
	bool match[3];
} lenient[] = {
	{ ">=1.0.*", { true, true, true } },  { "<2.*", { true, true, false } },
	{ ">1.0.*", { false, true, true } },  { "<=1.9.*", { true, true, false } },
	{ "~=1.0.*", { true, true, false } }, { "!=1.0*", { false, true, true } },
	{ "==1.*", { true, true, false } },   { ">=1.0<2.0", { true, true, false } },
	{ ">1.0'", { false, true, true } },   { ">= 1.5, <2,", { false, true, false } },
	{ "===1.9", { false, true, false } }, { ">=1.0 !=1.9.*", { true, false, true } },
};

static void test_lenient(void **state _unused_)
{
	static const char *const versions[] = { "1.0", "1.9", "2.0" };
	static const char *const wrong[] = { ">=", "what", "==what", ">=*", "1.0", ">=1.x" };
	struct pypi_version version;

	for (size_t i = 0; i < ARRAY_SIZE(lenient); i++) {
		_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };
		const char *text = lenient[i].specifiers;

		if (pypi_specifiers_parse_lenient(text, strlen(text), &set, NULL) < 0)
			fail_msg("'%s' is wrong", text);
		for (size_t j = 0; j < ARRAY_SIZE(versions); j++) {
			assert_int_equal(pypi_version_parse(versions[j], 3, &version), 0);
			if (pypi_specifiers_match(&set, &version) != lenient[i].match[j])
				fail_msg("'%s' and %s", text, versions[j]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct pypi_specifiers set;

		assert_int_equal(
			pypi_specifiers_parse_lenient(wrong[i], strlen(wrong[i]), &set, NULL),
			-EINVAL);
	}
}

static void test_too_many(void **state _unused_)
{
	char text[(PYPI_SPECIFIERS_MAX + 1) * 4 + 1] = "";
	struct pypi_specifiers set = { 0 };

	for (size_t i = 0; i <= PYPI_SPECIFIERS_MAX; i++)
		for (size_t j = 0; j < 4; j++)
			text[4 * i + j] = "!=1,"[j];
	assert_int_equal(pypi_specifiers_parse(text, sizeof(text) - 1, &set, NULL), -E2BIG);
	assert_int_equal(pypi_specifiers_parse(text, 4 * PYPI_SPECIFIERS_MAX, &set, NULL), 0);
	pypi_specifiers_done(&set);
}

static const struct {
	const char *specifiers;
	bool prereleases, pin;
} kinds[] = {
	{ ">=1.0a1", true, false },  { "<1.0a1", false, false },  { "==1.0", false, true },
	{ "==1.0.*", false, false }, { "===1.0rc1", true, true }, { "!=1.0a1", false, false },
};

static void test_kinds(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };

		assert_int_equal(pypi_specifiers_parse(kinds[i].specifiers,
						       strlen(kinds[i].specifiers), &set, NULL),
				 0);
		assert_int_equal(pypi_specifiers_want_prereleases(&set), kinds[i].prereleases);
		assert_int_equal(pypi_specifiers_pin(&set), kinds[i].pin);
	}
}

/* A project of 200,000 files has as many versions in memory as there are beside each other. */
static void test_known_versions(void **state _unused_)
{
	static const char *const texts[] = { "1.0",	  "1.0",	 "1.0.0",
					     "1.0.0+A.1", "1.0.0+a-1",	 "1.0a1",
					     "1.0.a.1",	  "v1.0-alpha1", "2" };
	static const size_t same_as[] = { 0, 0, 2, 3, 3, 5, 5, 5, 8 };
	_cleanup_pypi_versions_ struct pypi_versions versions = pypi_versions_init();
	const struct pypi_known_version *known[ARRAY_SIZE(texts)];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pypi_version version;

		assert_int_equal(pypi_version_parse(texts[i], strlen(texts[i]), &version), 0);
		known[i] = pypi_versions_keep(&versions, &version);
		assert_non_null(known[i]);
		assert_ptr_equal(known[i], known[same_as[i]]);
		if (same_as[i] == i)
			assert_true(i == 0 || known[i] != known[i - 1]);
	}
	assert_string_equal(known[0]->text, "1.0");
	assert_string_equal(known[2]->text, "1.0.0");
	assert_string_equal(known[7]->text, "1.0a1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	       cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_matches),
		cmocka_unit_test(test_no_specifiers),  cmocka_unit_test(test_lenient),
		cmocka_unit_test(test_too_many),       cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_known_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
