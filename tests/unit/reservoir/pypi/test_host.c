/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/pypi/client.h"
#include "tests/folder.h"

#define OUT_MAX ((size_t)65536)
#define PIP "usr/lib/python3/dist-packages/pip/_internal/models/index.py"

static const char pip_source[] =
	"from x import y\n\n\nPyPI = PackageIndex(\"https://p.example.org/\", "
	"file_storage_domain=\"f.example.org\")\n"
	"TestPyPI = PackageIndex(\n    \"https://t.example.org/\")\n";

static const struct {
	const char *path, *text;
	const char *expected; /* upstream, or NULL for none */
} cases[] = {
	{ "etc/hosts", "", NULL },
	{ "etc/pip.conf", "[global]\nindex-url = https://u:p@a.example.org/simple/\n",
	  "upstream: 'https://a.example.org/simple/'" },
	{ "etc/pip.conf", "[global]\ntimeout = 5\n", NULL },
	{ "etc/uv/uv.toml", "[[index]]\nurl = \"https://b.example.org/simple/\"\n",
	  "upstream: 'https://b.example.org/simple/'" },
	{ PIP, pip_source, "upstream: 'https://p.example.org/simple/'" },
	{ "usr/local/lib/python3.13/site-packages/pip/_internal/models/index.py",
	  "\nPyPI = PackageIndex('https://q.example.org')\n",
	  "upstream: 'https://q.example.org/simple/'" },
	{ PIP, "nothing of the kind", NULL },
	{ PIP, "\nPyPI = PackageIndex(", NULL },
	{ PIP, "\nPyPI = PackageIndex(\"ftp://p.example.org/\")\n", NULL },
};

static void put(const char *root, const char *path, const char *text)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	assert_int_equal(file_publish(full, text, strlen(text), 0600, NULL), 0);
}

static void what_a_machine_asks(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
		char root[FOLDER_MAX];
		struct error err = { 0 };

		folder_make(root);
		put(root, cases[i].path, cases[i].text);
		assert_int_equal(pypi_from_host(root, &out, &err), 0);
		assert_int_equal(err.code, 0);
		if (cases[i].expected)
			assert_non_null(strstr(strbuf_str(&out), cases[i].expected));
		else
			assert_int_equal(out.len, 0);
		folder_remove(root);
	}
}

/* What pip is told comes before what it would ask otherwise. */
static void configured_before_default(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
	char root[FOLDER_MAX];

	folder_make(root);
	put(root, PIP, pip_source);
	put(root, "etc/pip.conf", "[global]\nindex-url = https://a.example.org/simple/\n");
	assert_int_equal(pypi_from_host(root, &out, NULL), 0);
	assert_non_null(strstr(strbuf_str(&out), "a.example.org"));
	assert_null(strstr(strbuf_str(&out), "p.example.org"));
	folder_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_machine_asks),
		cmocka_unit_test(configured_before_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
