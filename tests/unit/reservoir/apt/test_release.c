/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "reservoir/apt/release.h"

#define H "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define H512 H H

static void reads_what_counts(_unused_ void **state)
{
	static const char text[] =
		"Origin: Example\nSuite: stable\nCodename: test\n"
		"Date: Sat, 10 Feb 2024 10:18:37 UTC\n"
		"Valid-Until: Sat, 17 Feb 2024 10:18:37 +0000\nAcquire-By-Hash: yes\n"
		"No-Support-for-Architecture-all: Packages\n"
		"Architectures: all amd64\nComponents: main contrib\n"
		"MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 7 only/weak\n"
		"SHA512:\n " H512 " 3 main/b\n " H512 " 3 not/listed\n"
		"SHA256:\n " H " 3 main/b\n " H "         12 main/a.gz\n";
	_cleanup_release_ struct release release = { 0 };

	assert_int_equal(release_parse(text, strlen(text), &release, NULL), 0);
	assert_string_equal(release.suite, "stable");
	assert_string_equal(release.codename, "test");
	assert_true(release.date == 1707560317 && release.valid_until == 1708165117);
	assert_true(release.by_hash && release.all_is_inside);
	assert_int_equal(release.n_architectures, 2);
	assert_string_equal(release.components[1].text, "contrib");
	assert_int_equal(release.n_files, 2);
	assert_string_equal(release.files[0].path, "main/a.gz");
	assert_true(release.files[0].size == 12);
	assert_null(release.files[0].sha512);
	assert_string_equal(release_find(&release, "main/b")->sha512, H512);
	assert_null(release_find(&release, "only/weak"));
	assert_null(release_find(&release, "not/listed"));
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *error; /* what the message has in it */
	} cases[] = {
		{ "", "no SHA256" },
		{ "Suite: a\nMD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 1 a\n", "no SHA256" },
		{ "SHA256:\n abc 1 a\n", "another length" },
		{ "SHA256:\n " H " 1\n", "no hash, size and path" },
		{ "SHA256:\n " H " x a\n", "no hash and size" },
		{ "SHA256:\n " H " 1 ../a\n", "../a" },
		{ "SHA256:\n " H " 1 /etc/passwd\n", "/etc/passwd" },
		{ "SHA256:\n " H " 1 a//b\n", "a//b" },
		{ "SHA256:\n " H " 1 a\n " H " 2 a\n", "twice" },
		{ "Date: yesterday\nSHA256:\n " H " 1 a\n", "no date" },
		{ "Date: Sat, 10 Feb 2024 10:18:37 +0100\nSHA256:\n " H " 1 a\n", "no date" },
		{ "SHA256:\n " H " 1 a\nSHA512:\n " H " 1 a\n", "SHA512" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct release release = { 0 };
		struct error err = { 0 };

		assert_int_equal(
			release_parse(cases[i].text, strlen(cases[i].text), &release, &err),
			-EBADMSG);
		if (!strstr(err.msg, cases[i].error))
			fail_msg("'%s' is not in '%s'", cases[i].error, err.msg);
		assert_null(release.text);
	}
}

static void takes_what_is_repeated(_unused_ void **state)
{
	static const char text[] = "SHA256:\n " H " 1 a\n " H " 2 b\n " H " 1 a\n";
	_cleanup_release_ struct release release = { 0 };

	assert_int_equal(release_parse(text, strlen(text), &release, NULL), 0);
	assert_int_equal(release.n_files, 2);
	assert_true(release_find(&release, "b")->size == 2);
}

static void dates(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t date;
	} cases[] = {
		{ "Thu, 01 Jan 1970 00:00:00 UTC", 0, 0 },
		{ "Sat, 10 Feb 2024 10:18:37 UTC", 0, 1707560317 },
		{ "Sat, 10 Feb 2024 10:18:37 GMT", 0, 1707560317 },
		{ "Mon, 1 Jan 2024 00:00:00 +0000", 0, 1704067200 },
		{ "Sat, 10 Abc 2024 10:18:37 UTC", -EBADMSG, -1 },
		{ "Sat, 10 Feb 2024 10:18:37", -EBADMSG, -1 },
		{ "Sat, 10 Feb 2024 25:18:37 UTC", -EBADMSG, -1 },
		{ "Sat, 10 Feb 2024 10:18:37 UTC x", -EBADMSG, -1 },
		{ "", -EBADMSG, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct deb822_value value = { cases[i].text, strlen(cases[i].text) };
		int64_t date = -1;
		char text[40];

		assert_int_equal(release_date(&value, &date), cases[i].r);
		assert_true(date == cases[i].date);
		if (cases[i].r < 0)
			continue;
		release_date_format(date, text, sizeof(text));
		value = (struct deb822_value) { text, strlen(text) };
		assert_int_equal(release_date(&value, &date), 0);
		assert_true(date == cases[i].date);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_counts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes_what_is_repeated),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
