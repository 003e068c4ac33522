/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/path.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

static const struct {
	const char *target;
	int result;
	struct place place;
} cases[] = {
	{ "/", 0, { PLACE_OWN, false, "", "", "" } },
	{ "/metrics", 0, { PLACE_OWN, false, "", "", "metrics" } },
	{ "/readyz", 0, { PLACE_OWN, false, "", "", "readyz" } },
	{ "/pypi", 0, { PLACE_REPOSITORY, true, "", "pypi", "" } },
	{ "/pypi/", 0, { PLACE_REPOSITORY, false, "", "pypi", "" } },
	{ "/pypi/simple/a/", 0, { PLACE_REPOSITORY, false, "", "pypi", "simple/a/" } },
	{ "/d/pool/g%2b%2B_1~rc.deb",
	  0,
	  { PLACE_REPOSITORY, false, "", "d", "pool/g++_1~rc.deb" } },
	{ "/d/a+b", 0, { PLACE_REPOSITORY, false, "", "d", "a+b" } },
	{ "/d/%2541", 0, { PLACE_REPOSITORY, false, "", "d", "%41" } },
	{ "/snapshot/2026-01/d/x", 0, { PLACE_REPOSITORY, false, "2026-01", "d", "x" } },
	{ "/snapshot/2026-01/d", 0, { PLACE_REPOSITORY, true, "2026-01", "d", "" } },
	{ "http://h:1/d/x", 0, { PLACE_REPOSITORY, false, "", "d", "x" } },
	{ "https://h", 0, { PLACE_OWN, false, "", "", "" } },
	{ "/d/..x/.x/x..", 0, { PLACE_REPOSITORY, false, "", "d", "..x/.x/x.." } },
	{ "/d//x", 0, { PLACE_REPOSITORY, false, "", "d", "x" } },
	{ "//d/.//x///", 0, { PLACE_REPOSITORY, false, "", "d", "x/" } },
	{ "//healthz", 0, { PLACE_OWN, false, "", "", "healthz" } },
	{ "/d//../x", -EINVAL, { 0 } },
	{ "", -EINVAL, { 0 } },
	{ "*", -EINVAL, { 0 } },
	{ "d/x", -EINVAL, { 0 } },
	{ "/d/..", -EINVAL, { 0 } },
	{ "/d/../x", -EINVAL, { 0 } },
	{ "/../d", -EINVAL, { 0 } },
	{ "/d/./x", 0, { PLACE_REPOSITORY, false, "", "d", "x" } },
	{ "/d/././a/./x/.", 0, { PLACE_REPOSITORY, false, "", "d", "a/x/" } },
	{ "/./d/%2e/x", 0, { PLACE_REPOSITORY, false, "", "d", "x" } },
	{ "/d/./../x", -EINVAL, { 0 } },
	{ "/d/%2e%2E/x", -EINVAL, { 0 } },
	{ "/d/a%2fb", -EINVAL, { 0 } },
	{ "/d/a%20b", 0, { PLACE_REPOSITORY, false, "", "d", "a b" } },
	{ "/d/a b", -EINVAL, { 0 } },
	{ "/d/a%2Fb", -EINVAL, { 0 } },
	{ "/d/a%00", -EINVAL, { 0 } },
	{ "/d/a%0a", -EINVAL, { 0 } },
	{ "/d/a%5cb", -EINVAL, { 0 } },
	{ "/d/a\\b", -EINVAL, { 0 } },
	{ "/d/a%80", -EINVAL, { 0 } },
	{ "/d/a\xc3\xa4", -EINVAL, { 0 } },
	{ "/d/%", -EINVAL, { 0 } },
	{ "/d/%4", -EINVAL, { 0 } },
	{ "/d/%4g", -EINVAL, { 0 } },
	{ "/snapshot/", -ENOENT, { 0 } },
	{ "/snapshot/a", -ENOENT, { 0 } },
	{ "/snapshot/a/", -ENOENT, { 0 } },
};

static void reads_targets(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place place = { .kind = _PLACE_KIND_MAX };
		struct error err = { 0 };
		int r = place_parse(cases[i].target, &place, &err);

		if (r != cases[i].result)
			fail_msg("'%s' gives %d (%s)", cases[i].target, r, err.msg);
		if (r < 0) {
			assert_int_equal(place.kind, _PLACE_KIND_MAX);
			continue;
		}
		assert_int_equal(place.kind, cases[i].place.kind);
		assert_int_equal(place.bare, cases[i].place.bare);
		assert_string_equal(place.snapshot, cases[i].place.snapshot);
		assert_string_equal(place.repository, cases[i].place.repository);
		assert_string_equal(place.path, cases[i].place.path);
	}
}

static void refuses_what_is_too_long(_unused_ void **state)
{
	static char target[3 * STORE_PATH_MAX];
	struct place place;
	struct error err;

	memset(target, 'a', sizeof(target) - 1);
	memcpy(target, "/d/", 3);
	assert_int_equal(place_parse(target, &place, &err), -ENAMETOOLONG);
	target[3 + STORE_PATH_MAX] = '\0';
	assert_int_equal(place_parse(target, &place, &err), -ENAMETOOLONG);
	target[3 + STORE_PATH_MAX - 1] = '\0';
	assert_int_equal(place_parse(target, &place, &err), 0);
	target[1 + STORE_NAME_MAX] = '\0';
	memset(target + 1, 'd', STORE_NAME_MAX);
	assert_int_equal(place_parse(target, &place, &err), -ENOENT);
}

static void decodes_values(_unused_ void **state)
{
	static const struct {
		const char *value, *text; /* NULL: refused */
	} values[] = {
		{ "", "" },
		{ "a/b+c", "a/b+c" },
		{ "a%2Fb%2bc", "a/b+c" },
		{ "1234567", "1234567" },
		{ "12345678", NULL },
		{ "%00", NULL },
		{ "%0a", NULL },
		{ "%", NULL },
		{ "%4", NULL },
		{ "\xc3", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char text[8] = "";

		if (place_decode_value(values[i].value, text, sizeof(text)) != !!values[i].text)
			fail_msg("case %zu", i);
		if (values[i].text)
			assert_string_equal(text, values[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_targets),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(decodes_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
