/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/config/resource_name.h"

static void accepts_valid_names(void **state _unused_)
{
	static const char *const names[] = {
		"furiosa.ai/npu", "furiosa.ai/rngd-2core.12gb", "a/b", "0.1/2", "a-b.c/X_y.Z-1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = { 0 };

		if (resource_name_check(names[i], &err) != 0)
			fail_msg("%s: %s", names[i], err.msg);
	}
}

static void tells_the_broken_rule(void **state _unused_)
{
	static const struct {
		const char *name;
		const char *rule; /* part of the text */
	} cases[] = {
		{ "", "has no '/'" },
		{ "npu", "has no '/'" },
		{ "kubernetes.io/npu", "contains 'kubernetes.io/'" },
		{ "furiosa.kubernetes.io/npu", "contains 'kubernetes.io/'" },
		{ "requests.furiosa.ai/npu", "begins with 'requests.'" },
		{ "furiosa.ai/npu/2", "more than one '/'" },
		{ "/npu", "1 to 244 bytes in front" },
		{ "Furiosa.ai/npu", "DNS name in front" },
		{ "furiosa_ai/npu", "DNS name in front" },
		{ "furiosa..ai/npu", "DNS name in front" },
		{ ".furiosa.ai/npu", "DNS name in front" },
		{ "furiosa.ai./npu", "DNS name in front" },
		{ "-furiosa.ai/npu", "DNS name in front" },
		{ "furiosa-.ai/npu", "DNS name in front" },
		{ "furiosa.-ai/npu", "DNS name in front" },
		{ "furiosa.ai-/npu", "DNS name in front" },
		{ "furiosa.ai/", "1 to 63 bytes behind" },
		{ "furiosa.ai/n pu", "only letters, digits" },
		{ "furiosa.ai/n\xc3\xbc", "only letters, digits" },
		{ "furiosa.ai/-npu", "begin and end with a letter or digit" },
		{ "furiosa.ai/npu.", "begin and end with a letter or digit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(resource_name_check(cases[i].name, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].rule))
			fail_msg("'%s': %s", cases[i].name, err.msg);
	}
}

/* Writes a name with parts of the given lengths. */
static void make_name(char *name, size_t domain, size_t local)
{
	memset(name, 'a', domain + 1 + local);
	name[domain] = '/';
	name[domain + 1 + local] = '\0';
}

static void keeps_to_the_lengths(void **state _unused_)
{
	static const struct {
		size_t domain, local;
		int r;
	} cases[] = {
		{ 244, 63, 0 },
		{ 245, 63, -EINVAL },
		{ 244, 64, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[400];

		make_name(name, cases[i].domain, cases[i].local);
		assert_int_equal(resource_name_check(name, NULL), cases[i].r);
	}
}

static void cuts_a_long_name(void **state _unused_)
{
	struct error err = { 0 };
	char name[400];

	make_name(name, 300, 63);
	assert_int_equal(resource_name_check(name, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "aaa...' must have 1 to 244 bytes"));
}

static void expands_placeholders(void **state _unused_)
{
	static const char *const words[_RESOURCE_PLACEHOLDER_MAX] = {
		[RESOURCE_PRODUCT] = "n150",
		[RESOURCE_ARCHITECTURE] = "ATOM",
	};
	static const struct {
		const char *template;
		const char *name; /* or, when it is refused, NULL */
		const char *rule;
	} cases[] = {
		{ "a/b", "a/b", NULL },
		{ "a/{product}", "a/n150", NULL },
		{ "a/x-{architecture}.{product}-{product}", "a/x-ATOM.n150-n150", NULL },
		{ "a/{profile}", NULL, "has {profile}, and nothing to stand for it" },
		{ "a/{Product}", NULL, "begins none of {product}, {architecture} and {profile}" },
		{ "a/{product", NULL, "begins none of" },
		{ "a/{{product}}", NULL, "begins none of" },
		{ "a/product}", NULL, "only letters, digits" },
		{ "{product}.ai/b", NULL, "has {product} in front of the '/'" },
		{ "a/-{product}", NULL, "begin and end with a letter or digit" },
		{ "{product}", NULL, "in front of the '/'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[RESOURCE_NAME_MAX] = "untouched";
		struct error err = { 0 };
		int r = resource_name_expand(cases[i].template, words, name, &err);

		assert_int_equal(r, cases[i].name ? 0 : -EINVAL);
		assert_string_equal(name, cases[i].name ? cases[i].name : "untouched");
		if (cases[i].rule && !strstr(err.msg, cases[i].rule))
			fail_msg("'%s': %s", cases[i].template, err.msg);
	}
}

static void bounds_what_a_placeholder_stands_for(void **state _unused_)
{
	const char *words[_RESOURCE_PLACEHOLDER_MAX] = { 0 };
	char word[RESOURCE_NAME_MAX + 1], name[RESOURCE_NAME_MAX];
	struct error err = { 0 };

	words[RESOURCE_PROFILE] = word;
	memset(word, 'a', sizeof(word));
	word[63] = '\0';
	assert_int_equal(resource_name_expand("a/{profile}", words, name, NULL), 0);
	word[63] = 'a';
	word[64] = '\0';
	assert_int_equal(resource_name_expand("a/{profile}", words, name, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'a/{profile}' must have 1 to 63 bytes behind"));
	word[64] = 'a';
	word[RESOURCE_NAME_MAX] = '\0';
	assert_int_equal(resource_name_expand("a/{profile}", words, name, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is too long"));
}

static void checks_templates(void **state _unused_)
{
	assert_int_equal(resource_name_check_template("nvidia.com/mig-{profile}", NULL), 0);
	assert_int_equal(resource_name_check_template("nvidia.com/{gpu}", NULL), -EINVAL);
	assert_true(resource_name_uses("nvidia.com/mig-{profile}", RESOURCE_PROFILE));
	assert_false(resource_name_uses("nvidia.com/mig-{profile}", RESOURCE_PRODUCT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_valid_names),
		cmocka_unit_test(tells_the_broken_rule),
		cmocka_unit_test(keeps_to_the_lengths),
		cmocka_unit_test(cuts_a_long_name),
		cmocka_unit_test(expands_placeholders),
		cmocka_unit_test(bounds_what_a_placeholder_stands_for),
		cmocka_unit_test(checks_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
