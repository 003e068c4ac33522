/* SPDX-License-Identifier: Apache-2.0 */
#include "api/nfd/feature_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/test.h"

#define EXPIRES 1767323045 /* 2026-01-02T03:04:05Z, by date(1) */

struct fixture {
	char directory[32];
	char path[64];
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture) { .directory = "/tmp/test_nfd.XXXXXX" };
	if (!mkdtemp(fixture.directory))
		return -1;
	(void)snprintf(fixture.path, sizeof(fixture.path), "%s/silica", fixture.directory);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)chmod(fixture->directory, 0700);
	(void)unlink(fixture->path);
	return rmdir(fixture->directory);
}

static void text_is_what_nfd_reads(_unused_ void **state)
{
	static const struct {
		struct nfd_label labels[2];
		size_t n;
		time_t expires;
		const char *text;
	} cases[] = {
		{ { { 0 } }, 0, 0, "" },
		{ { { 0 } }, 0, EXPIRES, "# +expiry-time=2026-01-02T03:04:05Z\n" },
		{ { { "a.b/c", "d" }, { "e", "" } }, 2, 0, "a.b/c=d\ne=\n" },
		{ { { "a.b/c", "d" } },
		  1,
		  EXPIRES,
		  "# +expiry-time=2026-01-02T03:04:05Z\na.b/c=d\n" },
		{ { { 0 } }, 0, 253402300799, "# +expiry-time=9999-12-31T23:59:59Z\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(NFD_FILE_MAX);

		assert_int_equal(
			nfd_feature_text(cases[i].labels, cases[i].n, cases[i].expires, &out, NULL),
			0);
		assert_string_equal(strbuf_str(&out), cases[i].text);
	}
}

static void refuses_what_would_be_another_line(_unused_ void **state)
{
	static const struct nfd_label labels[] = {
		{ "", "a" },	{ "#a", "b" },		{ "a=b", "c" },
		{ "a b", "c" }, { "a\n+no-label", "" }, { "a", "b\nc" },
		{ "a", "b c" }, { "a", "\xff" },	{ "a\r", "b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(NFD_FILE_MAX);
		struct error err = { 0 };

		assert_int_equal(nfd_feature_text(&labels[i], 1, 0, &out, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "cannot be written into a file of NFD"));
	}
}

static void refuses_times_of_another_form(_unused_ void **state)
{
	static const time_t times[] = { -1, 253402300800 };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(NFD_FILE_MAX);

		assert_int_equal(nfd_feature_text(NULL, 0, times[i], &out, NULL), -ERANGE);
	}
}

/* Lines of 64 bytes: 1024 of them are all that NFD reads. */
static void refuses_what_nfd_would_not_read(_unused_ void **state)
{
	static struct nfd_label labels[1025];

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		labels[i] = (struct nfd_label) { "example.com/a.name.of.forty.characters.xx",
						 "12345678901234567890x" };
	for (size_t n = 1024; n <= 1025; n++) {
		/* Also where the buffer would have had room. */
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(2 * NFD_FILE_MAX);
		_cleanup_strbuf_ struct strbuf tight = STRBUF_INIT(NFD_FILE_MAX);
		struct error err = { 0 };
		int expected = n == 1024 ? 0 : -E2BIG;

		assert_int_equal(nfd_feature_text(labels, n, 0, &out, &err), expected);
		assert_int_equal(nfd_feature_text(labels, n, 0, &tight, &err), expected);
		assert_int_equal(out.len, n * 64);
		if (expected < 0)
			assert_string_equal(err.msg, "1025 labels take more than the 65536 bytes "
						     "that NFD reads of a file");
	}
}

static void assert_contents(const struct fixture *fixture, const char *text)
{
	char buf[256];

	assert_true(file_read(AT_FDCWD, fixture->path, buf, sizeof(buf), NULL) >= 0);
	assert_string_equal(buf, text);
}

static size_t count_entries(const struct fixture *fixture)
{
	_cleanup_closedir_ DIR *dir = opendir(fixture->directory);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return n;
}

static void publishes_and_removes(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);
	struct stat st;

	for (int i = 0; i < 2; i++) {
		strbuf_puts(&text, "a=b\n");
		assert_int_equal(nfd_feature_publish(fixture->directory, "silica", &text, NULL), 0);
		assert_contents(fixture, strbuf_str(&text));
		assert_int_equal(count_entries(fixture), 1);
	}
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nfd_feature_remove(fixture->directory, "silica", NULL), 0);
		assert_int_equal(count_entries(fixture), 0);
	}
}

static void names_have_to_be_seen_by_nfd(void **state)
{
	static const char *const names[] = { "", ".silica", "..", "a/b", "/a" };
	const struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);
	char name[NFD_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(nfd_feature_publish(fixture->directory, names[i], &text, NULL),
				 -EINVAL);
		assert_int_equal(nfd_feature_remove(fixture->directory, names[i], NULL), -EINVAL);
	}
	memset(name, 'x', NFD_NAME_MAX);
	name[NFD_NAME_MAX] = '\0';
	assert_int_equal(nfd_feature_publish(fixture->directory, name, &text, NULL), -EINVAL);
	name[NFD_NAME_MAX - 1] = '\0';
	assert_int_equal(nfd_feature_publish(fixture->directory, name, &text, NULL), 0);
	assert_int_equal(nfd_feature_remove(fixture->directory, name, NULL), 0);
}

static void says_what_to_do(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);
	struct error err = { 0 };
	char absent[64];

	(void)snprintf(absent, sizeof(absent), "%s/absent", fixture->directory);
	assert_int_equal(nfd_feature_publish(absent, "silica", &text, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "is it mounted"));
	assert_non_null(strstr(err.msg, absent));
	/* A file in the place of the directory. */
	assert_int_equal(nfd_feature_publish(fixture->directory, "silica", &text, NULL), 0);
	assert_int_equal(nfd_feature_publish(fixture->path, "silica", &text, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "has to be the directory features.d"));
	assert_int_equal(nfd_feature_remove(fixture->directory, "silica", NULL), 0);
}

/* Where the name belongs to a directory, nothing is left behind. */
static void leaves_nothing_behind(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);

	assert_int_equal(mkdir(fixture->path, 0755), 0);
	assert_int_equal(nfd_feature_publish(fixture->directory, "silica", &text, NULL), -EISDIR);
	assert_int_equal(count_entries(fixture), 1);
	assert_true(nfd_feature_remove(fixture->directory, "silica", NULL) < 0);
	assert_int_equal(rmdir(fixture->path), 0);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_what_nfd_reads),
		cmocka_unit_test(refuses_what_would_be_another_line),
		cmocka_unit_test(refuses_times_of_another_form),
		cmocka_unit_test(refuses_what_nfd_would_not_read),
		TREE_TEST(publishes_and_removes),
		TREE_TEST(names_have_to_be_seen_by_nfd),
		TREE_TEST(says_what_to_do),
		TREE_TEST(leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
