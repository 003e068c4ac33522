/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/pypi/requirement.h"
#include "reservoir/pypi/requirements_file.h"

/* --- names --- */

static const struct {
	const char *name, *normal; /* NULL: refused */
} names[] = {
	{ "Friendly-Bard", "friendly-bard" },
	{ "FRIENDLY_BARD", "friendly-bard" },
	{ "friendly--._bard", "friendly-bard" },
	{ "a", "a" },
	{ "zope.interface", "zope-interface" },
	{ "", NULL },
	{ "-a", NULL },
	{ "a-", NULL },
	{ "a b", NULL },
	{ "a/b", NULL },
	{ "\xc3\xa9", NULL },
};

static void test_names(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char normal[PYPI_NAME_MAX];
		int r = pypi_name_normalize(names[i].name, strlen(names[i].name), normal);

		assert_int_equal(r, names[i].normal ? 0 : -EINVAL);
		if (r == 0)
			assert_string_equal(normal, names[i].normal);
	}
	assert_true(pypi_name_is_normal("a-b"));
	assert_false(pypi_name_is_normal("A"));
}

static void test_long_name(void **state _unused_)
{
	char name[PYPI_NAME_MAX], normal[PYPI_NAME_MAX];

	memset(name, 'x', sizeof(name));
	assert_int_equal(pypi_name_normalize(name, sizeof(name) - 1, normal), 0);
	assert_int_equal(pypi_name_normalize(name, sizeof(name), normal), -ENAMETOOLONG);
}

/* --- requirements: the examples of PEP 508 --- */

static const struct {
	const char *text;
	const char *name; /* NULL: refused */
	size_t n_extras, n_specifiers;
	bool url, marker;
} requirements[] = {
	{ "A", "a", 0, 0, false, false },
	{ "A.B-C_D", "a-b-c-d", 0, 0, false, false },
	{ "name<=1", "name", 0, 1, false, false },
	{ "name>=3,<2", "name", 0, 2, false, false },
	{ "name@http://foo.example", "name", 0, 0, true, false },
	{ "name [fred,bar] @ http://foo.example ; python_version=='2.7'", "name", 2, 0, true,
	  true },
	{ "name[quux, strange];python_version<'2.7' and platform_version=='2'", "name", 2, 0, false,
	  true },
	{ "name; os_name=='a' or os_name=='b'", "name", 0, 0, false, true },
	{ "name (>=1,<2)", "name", 0, 2, false, false },
	{ "requests [security,tests] >= 2.8.1, == 2.8.* ; python_version < \"2.7\"", "requests", 2,
	  2, false, true },
	{ "", NULL, 0, 0, false, false },
	{ "name[", NULL, 0, 0, false, false },
	{ "name[a", NULL, 0, 0, false, false },
	{ "name[a,]", NULL, 0, 0, false, false },
	{ "name (>=1", NULL, 0, 0, false, false },
	{ "name @", NULL, 0, 0, false, false },
	{ "name >=1 x", NULL, 0, 0, false, false },
	{ "name ; ", NULL, 0, 0, false, false },
	{ "name ; nonsense == 'x'", NULL, 0, 0, false, false },
};

static void test_requirements(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++) {
		_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
		const char *text = requirements[i].text;
		struct error err = { 0 };
		int r = pypi_requirement_parse(text, strlen(text), &requirement, &err);

		if ((r == 0) != (requirements[i].name != NULL))
			fail_msg("'%s' gives %d (%s)", text, r, err.msg);
		if (r < 0)
			continue;
		assert_string_equal(requirement.name, requirements[i].name);
		assert_int_equal(requirement.n_extras, requirements[i].n_extras);
		assert_int_equal(requirement.specifiers.n, requirements[i].n_specifiers);
		assert_int_equal(requirement.url, requirements[i].url);
		assert_int_equal(requirement.marker != NULL, requirements[i].marker);
	}
}

/* --- markers --- */

static const struct pypi_environment linux_311 = { "3.11", "manylinux_2_28_x86_64", "cpython" };
static const struct pypi_environment windows_38 = { "3.8", "win_amd64", "cpython" };
static const struct pypi_environment mac_pypy = { "3.10", "macosx_11_0_arm64", "pypy" };

static const struct {
	const char *marker, *extra;
	bool linux_311, windows_38, mac_pypy;
} markers[] = {
	{ "python_version >= '3.10'", "", true, false, true },
	{ "'3.10' <= python_version", "", true, false, true },
	{ "python_version in '3.8 3.10'", "", false, true, true },
	{ "python_version not in '3.8 3.10'", "", true, false, false },
	{ "sys_platform == 'win32'", "", false, true, false },
	{ "os_name == 'posix' and platform_system != 'Darwin'", "", true, false, false },
	{ "platform_machine == 'x86_64' or platform_machine == 'AMD64'", "", true, true, false },
	{ "implementation_name == 'pypy'", "", false, false, true },
	{ "platform_python_implementation == 'CPython'", "", true, true, false },
	{ "extra == 'tests'", "", false, false, false },
	{ "extra == 'Te_Sts'", "te-sts", true, true, true },
	{ "extra == 'x' and sys_platform == 'linux'", "x", true, false, false },
	{ "(os_name == 'nt' or extra == 'x') and python_version < '3.11'", "x", false, true, true },
	/* Which repair of 3.11 it is, is not known: what might be needed is taken. */
	{ "python_full_version < '3.11.3'", "", true, true, true },
	{ "python_full_version >= '3.11.3'", "", true, false, false },
	{ "python_full_version < '3.11.0a7'", "", false, true, true },
	{ "platform_release >= '5'", "", true, true, true },
	{ "os.name == 'nt'", "", false, true, false },
	{ "python_full_version == '3.11.4'", "", true, false, false },
	{ "python_full_version > '3.11.2' and python_full_version < '3.11.5'", "", true, false,
	  false },
	{ "python_full_version > '3.11.2' and python_full_version <= '3.11.2'", "", false, false,
	  false },
	{ "implementation_version == '3.8.10'", "", false, true, true },
};

static bool holds(const struct pypi_environment *environment, const struct pypi_marker *marker,
		  const char *extra)
{
	struct pypi_target target;

	pypi_target_init(environment, &target);
	return pypi_target_holds(&target, marker, extra);
}

static void test_markers(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++) {
		_cleanup_(pypi_marker_freep) struct pypi_marker *marker = NULL;
		const char *text = markers[i].marker, *extra = markers[i].extra;

		assert_int_equal(pypi_marker_parse(text, strlen(text), &marker, NULL), 0);
		if (holds(&linux_311, marker, extra) != markers[i].linux_311 ||
		    holds(&windows_38, marker, extra) != markers[i].windows_38 ||
		    holds(&mac_pypy, marker, extra) != markers[i].mac_pypy)
			fail_msg("%s", text);
	}
}

static void test_deep_marker(void **state _unused_)
{
	char text[PYPI_MARKER_MAX + 16];
	struct pypi_marker *marker = NULL;
	size_t n = PYPI_MARKER_DEPTH_MAX + 1;

	memset(text, '(', n);
	(void)snprintf(text + n, sizeof(text) - n, "os_name == 'x'");
	assert_int_equal(pypi_marker_parse(text, strlen(text), &marker, NULL), -E2BIG);
	memset(text, 'x', sizeof(text));
	assert_int_equal(pypi_marker_parse(text, sizeof(text), &marker, NULL), -EINVAL);
}

/* --- files of requirements --- */

struct got {
	char text[1024];
	struct error *err;
};

static int on_requirement(void *ctx, struct pypi_requirement *requirement, const char *text,
			  bool constraint)
{
	struct got *got = ctx;
	size_t len = strlen(got->text);

	assert_true(requirement->name[0] != 0);
	(void)snprintf(got->text + len, sizeof(got->text) - len, "%s%s|", constraint ? "!" : "",
		       text);
	return 0;
}

static void put(const char *dir, const char *name, const char *text, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", dir, name);
	assert_int_equal(file_publish(path, text, strlen(text), 0600, NULL), 0);
}

static const struct {
	const char *text, *expected; /* NULL: refused, with @word in the text */
	const char *word;
} files[] = {
	{ "a\nb>=1 # why\n\n# c\n", "a|b>=1|", NULL },
	{ "a==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nb\n", "a==1|b|", NULL },
	{ "a\r\nb\r\n", "a|b|", NULL },
	{ "a>=1,\\\n<2\n", "a>=1,<2|", NULL },
	{ "a==1 \\\r\n\t--hash=sha256:aa\r\nb\r\n", "a==1|b|", NULL },
	{ "a\t--hash=sha256:aa", "a|", NULL },
	/* A comment ends with its line, whatever ends that. */
	{ "# what this is for \\\na\n  # and this\\\nb # c\\\n", "a|b|", NULL },
	{ "a==1 \\\n# why\nb\n", "a==1|b|", NULL },
	{ "a==1\\\n# why\nb\n", "a==1|b|", NULL },
	{ "a \\", "a|", NULL },
	{ "\xef\xbb\xbf"
	  "a\n",
	  "a|", NULL },
	{ "-r\tother.txt\n--constraint\tother.txt", "o|!o|", NULL },
	{ "-r other.txt\na", "o|a|", NULL },
	{ "--requirement=other.txt\n-c other.txt\n", "o|!o|", NULL },
	{ "a\n-e .\n", NULL, ":2: the option '-e'" },
	{ "--index-url https://x/\n", NULL, ":1: the option '--index-url'" },
	{ "a @ https://example.org/a.whl\n", NULL, "names a URL" },
	{ "-r missing.txt\n", NULL, "missing.txt" },
	{ "-r loop.txt\n", NULL, "files name one another" },
	{ "a b\n", NULL, ":1: " },
};

static void test_files(void **state _unused_)
{
	char dir[] = "/tmp/reservoir-requirements-XXXXXX", path[256];

	assert_non_null(mkdtemp(dir));
	put(dir, "other.txt", "o\n", path);
	put(dir, "loop.txt", "-r loop.txt\n", path);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct error err = { 0 };
		struct got got = { .err = &err };
		int r;

		put(dir, "requirements.txt", files[i].text, path);
		r = pypi_requirements_read(path, on_requirement, &got, &err);
		if (files[i].expected && (r < 0 || strcmp(got.text, files[i].expected) != 0))
			fail_msg("'%s' gives '%s' (%s)", files[i].text, got.text, err.msg);
		if (!files[i].expected && (r == 0 || !strstr(err.msg, files[i].word)))
			fail_msg("'%s' gives '%s'", files[i].text, err.msg);
	}
	for (int i = 0; i < 3; i++) {
		static const char *const made[] = { "other.txt", "loop.txt", "requirements.txt" };

		(void)snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

/* As PowerShell writes what it is told to write into a file. */
static void test_utf16(void **state _unused_)
{
	static const char little[] = "\xff\xfe"
				     "a\0>\0=\0"
				     "1\0\r\0\n\0#\0\xe9\0\n\0b\0";
	static const char big[] = "\xfe\xff\0a\0>\0=\0"
				  "1\0\n\0b";
	static const char odd[] = "\xff\xfe\xe9\0\n\0";
	char path[] = "/tmp/reservoir-requirements-XXXXXX";
	struct error err = { 0 };
	struct got got = { .err = &err };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(file_publish(path, little, sizeof(little) - 1, 0600, NULL), 0);
	assert_int_equal(pypi_requirements_read(path, on_requirement, &got, &err), 0);
	assert_int_equal(file_publish(path, big, sizeof(big) - 1, 0600, NULL), 0);
	assert_int_equal(pypi_requirements_read(path, on_requirement, &got, &err), 0);
	assert_string_equal(got.text, "a>=1|b|a>=1|b|");
	assert_int_equal(file_publish(path, odd, sizeof(odd) - 1, 0600, NULL), 0);
	assert_int_equal(pypi_requirements_read(path, on_requirement, &got, &err), -EINVAL);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_requirements), cmocka_unit_test(test_markers),
		cmocka_unit_test(test_deep_marker),  cmocka_unit_test(test_files),
		cmocka_unit_test(test_utf16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
