/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reservoir/apt/expect.h"
#include "reservoir/apt/packages.h"

#define H "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct deb822_stanza stanza_of(const char *text)
{
	return (struct deb822_stanza) { text, strlen(text) };
}

static void files_of_packages(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *path;
	} cases[] = {
		{ "Package: a\nFilename: pool/a_1%3a2.deb\nSize: 3\nSHA256: " H "\n", 0,
		  "pool/a_1%3a2.deb" },
		{ "Package: a\nFilename: ./a.deb\nSize: 3\nSHA256: " H "\n", 0, "a.deb" },
		{ "Package: a\nFilename: ././a.deb\nSize: 3\nSHA256: " H "\n", 0, "a.deb" },
		{ "Package: a\nSize: 3\nSHA256: " H "\n", -EBADMSG, "" },
		{ "Package: a\nFilename: a\nSHA256: " H "\n", -EBADMSG, "" },
		{ "Package: a\nFilename: a\nSize: 3\n", -EBADMSG, "" },
		{ "Package: a\nFilename: a\nSize: 3\nMD5sum: abc\n", -EBADMSG, "" },
		{ "Package: a\nFilename: a\n b\nSize: 3\nSHA256: " H "\n", -EBADMSG, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct deb822_stanza stanza = stanza_of(cases[i].text);
		struct package_file file;

		assert_int_equal(package_file(&stanza, &file, NULL), cases[i].r);
		if (cases[i].r == 0)
			assert_string_equal(file.path, cases[i].path);
	}
}

static void sources_of_packages(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *name, *version;
	} cases[] = {
		{ "Package: a\nVersion: 1\nArchitecture: all\n", 0, "a", "1" },
		{ "Package: a\nVersion: 1\nArchitecture: all\nSource: b\n", 0, "b", "1" },
		{ "Package: a\nVersion: 1\nArchitecture: all\nSource: b (2:3)\n", 0, "b", "2:3" },
		{ "Package: a\nVersion: 1\nArchitecture: all\nSource: b 2\n", -EBADMSG, "", "" },
		{ "Package: a\nVersion: 1\nArchitecture: all\nSource: b (\n", -EBADMSG, "", "" },
		{ "Version: 1\nArchitecture: all\n", -EBADMSG, "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct deb822_stanza stanza = stanza_of(cases[i].text);
		struct package_name name;

		assert_int_equal(package_source(&stanza, &name, NULL), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_string_equal(name.name, cases[i].name);
		assert_string_equal(name.version, cases[i].version);
	}
}

struct list {
	char text[2048];
	int stop;
};

static int list_file(void *ctx, const struct package_file *file, _unused_ struct error *err)
{
	struct list *list = ctx;
	size_t len = strlen(list->text);

	(void)snprintf(list->text + len, sizeof(list->text) - len, "%s %d;", file->path,
		       (int)file->size);
	return list->stop;
}

static void files_of_sources(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *files;
	} cases[] = {
		{ "Package: a\nDirectory: pool/a\nChecksums-Sha256:\n " H " 1 a.dsc\n " H
		  " 2 a.tar.xz\n",
		  0, "pool/a/a.dsc 1;pool/a/a.tar.xz 2;" },
		{ "Package: a\nDirectory: .\nChecksums-Sha256:\n " H " 1 a.dsc\n", 0, "a.dsc 1;" },
		{ "Package: a\nDirectory: pool\nFiles:\n abc 1 a.dsc\n", -EBADMSG, "" },
		{ "Package: a\nDirectory: pool\nChecksums-Sha256:\n abc 1 a.dsc\n", -EBADMSG, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct deb822_stanza stanza = stanza_of(cases[i].text);
		struct list list = { "", 0 };

		assert_int_equal(source_files(&stanza, list_file, &list, NULL), cases[i].r);
		assert_string_equal(list.text, cases[i].files);
	}
}

static int list_expectation(void *ctx, const struct expectation *expectation)
{
	struct list *list = ctx;
	size_t len = strlen(list->text);

	(void)snprintf(list->text + len, sizeof(list->text) - len, "%s %d;", expectation->path,
		       (int)expectation->size);
	return list->stop;
}

static void what_indexes_vouch_for(_unused_ void **state)
{
	static const struct {
		const char *path, *data;
		int r;
		const char *files;
	} cases[] = {
		{ "dists/s/Release", "Suite: s\nSHA256:\n " H " 7 main/x\n", 0,
		  "dists/s/main/x 7;" },
		{ "dists/s/Release", "Acquire-By-Hash: yes\nSHA256:\n " H " 7 main/x\n", 0,
		  "dists/s/main/x 7;dists/s/main/by-hash/SHA256/" H " 7;" },
		{ "Release", "SHA256:\n " H " 7 Packages\n", 0, "Packages 7;" },
		{ "dists/s/main/binary-amd64/Release", "Archive: s\n", 0, "" },
		{ "dists/s/InRelease",
		  "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nSHA256:\n " H
		  " 7 x\n-----BEGIN PGP SIGNATURE-----\n",
		  0, "dists/s/x 7;" },
		{ "dists/s/InRelease", "SHA256:\n " H " 7 x\n", -EBADMSG, "" },
		{ "dists/s/main/binary-amd64/Packages",
		  "Package: a\nFilename: pool/a.deb\nSize: 3\nSHA256: " H "\n", 0,
		  "pool/a.deb 3;" },
		{ "dists/s/main/binary-amd64/by-hash/SHA256/" H,
		  "Package: a\nFilename: pool/a.deb\nSize: 3\nSHA256: " H "\n", 0,
		  "pool/a.deb 3;" },
		{ "dists/s/main/binary-amd64/Packages",
		  "Package: a\nFilename: ../a.deb\nSize: 3\nSHA256: " H "\n", -EBADMSG, "" },
		{ "dists/s/main/i18n/by-hash/SHA256/" H, "Package: a\n", 0, "" },
		{ "pool/a.deb", "anything", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct list list = { "", 0 };
		struct error err = { 0 };
		int r = apt_expect(cases[i].path, cases[i].data, strlen(cases[i].data),
				   list_expectation, &list, &err);

		if (r != cases[i].r)
			fail_msg("%s: %d %s", cases[i].path, r, err.msg);
		assert_string_equal(list.text, cases[i].files);
	}
}

static void whoever_listens_can_stop(_unused_ void **state)
{
	static const char text[] = "SHA256:\n " H " 7 a\n " H " 7 b\n";
	struct list list = { "", -ECANCELED };

	assert_int_equal(apt_expect("Release", text, strlen(text), list_expectation, &list, NULL),
			 -ECANCELED);
	assert_string_equal(list.text, "a 7;");
}

static void packages_of_paths(_unused_ void **state)
{
	static const struct {
		const char *path, *package; /* NULL: none */
	} cases[] = {
		{ "pool/main/c/curl/curl_7.88-1_amd64.deb", "curl" },
		{ "pool/main/c/curl/curl_7.88.orig.tar.gz", "curl" },
		{ "pool/main/c/curl/curl_7.88-1.dsc", "curl" },
		{ "hello_1_all.deb", "hello" },
		{ "dists/stable/main/binary-amd64/Packages.gz", NULL },
		{ "dists/stable/InRelease", NULL },
		{ "pool/_1.deb", NULL },
		{ "pool/name.deb", NULL },
		{ "", NULL },
	};
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(apt_package(cases[i].path, name, sizeof(name)),
				 cases[i].package != NULL);
		if (cases[i].package)
			assert_string_equal(name, cases[i].package);
	}
	assert_false(apt_package("pool/a-name-that-is-too-long_1.deb", name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_packages),
		cmocka_unit_test(sources_of_packages),
		cmocka_unit_test(files_of_sources),
		cmocka_unit_test(what_indexes_vouch_for),
		cmocka_unit_test(whoever_listens_can_stop),
		cmocka_unit_test(packages_of_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
