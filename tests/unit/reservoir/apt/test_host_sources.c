/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/apt/from_host.h"
#include "reservoir/apt/host_sources.h"
#include "reservoir/config/config.h"

#define OUT_MAX ((size_t)65536)

static void lines(_unused_ void **state)
{
	char text[] = "# deb http://no.example.org/a b c\n"
		      "deb http://a.example.org/debian stable main contrib # why\n"
		      "deb http://a.example.org/debian stable-updates main contrib\n"
		      "deb-src http://a.example.org/debian stable main contrib\n"
		      "deb [arch=amd64,arm64 signed-by=/usr/share/k.gpg] https://b.example.org ./\n"
		      "deb [trusted=yes] http://c.example.org/x y z\n"
		      "deb cdrom:[Debian]/ stable main\n"
		      "deb [arch=amd64 http://d.example.org/ a b\n"
		      "rpm http://e.example.org/ a\ndeb\n";
	_cleanup_(host_sources_done) struct host_sources sources = { 0 };
	const struct host_source *source;

	assert_int_equal(host_sources_read_lines(&sources, text, NULL), 0);
	assert_int_equal(sources.n, 3);
	source = &sources.sources[0];
	assert_string_equal(source->uri, "http://a.example.org/debian");
	assert_int_equal(source->suites.n, 2);
	assert_int_equal(source->components.n, 2);
	assert_true(source->sources);
	source = &sources.sources[1];
	assert_string_equal(source->signed_by, "/usr/share/k.gpg");
	assert_int_equal(source->architectures.n, 2);
	assert_string_equal(source->suites.words[0], "./");
	assert_true(sources.sources[2].trusted);
	assert_true(sources.left_out >= 2);
}

static void stanzas(_unused_ void **state)
{
	char text[] = "# comment\nTypes: deb deb-src\nURIs: http://a.example.org/x\n"
		      "Suites: a b\n#Components: hidden\nComponents: main\n"
		      "Signed-By: /usr/share/k.gpg\n\n"
		      "Enabled: no\nTypes: deb\nURIs: http://no.example.org\nSuites: a\n\n"
		      "Types: deb\nURIs: http://b.example.org\nSuites: a\nSigned-By:\n"
		      " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n";
	_cleanup_(host_sources_done) struct host_sources sources = { 0 };

	assert_int_equal(host_sources_read_stanzas(&sources, text, NULL), 0);
	assert_int_equal(sources.n, 2);
	assert_true(sources.sources[0].sources);
	assert_int_equal(sources.sources[0].suites.n, 2);
	assert_string_equal(sources.sources[0].components.words[0], "main");
	assert_string_equal(sources.sources[0].signed_by, "/usr/share/k.gpg");
	assert_true(sources.sources[1].key_inside);
}

static void put(const char *root, const char *path, const char *text)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	if (!text)
		assert_int_equal(mkdir(full, 0700), 0);
	else
		assert_int_equal(file_publish(full, text, strlen(text), 0600, NULL), 0);
}

static void take(const char *root, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(remove(full), 0);
}

/* What is written is read as a configuration. */
static void a_machine(_unused_ void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "etc", NULL },
		{ "etc/apt", NULL },
		{ "etc/apt/sources.list.d", NULL },
		{ "etc/apt/sources.list", "deb http://a.example.org/debian stable main\n"
					  "deb http://b.example.org/debian stable main\n" },
		{ "etc/apt/sources.list.d/x.sources",
		  "Types: deb\nURIs: mirror+file:/etc/apt/m.list\nSuites: noble\n"
		  "Components: main universe\nSigned-By: /usr/share/k.gpg\n" },
		{ "etc/apt/sources.list.d/y.list", "deb mirror+file:/etc/apt/gone.list noble main\n"
						   "deb mirror+file:/etc/apt/n.list noble main\n" },
		{ "etc/apt/n.list", "http://d.example.org/'\\nserve:\n" },
		{ "etc/apt/sources.list.d/ignored.txt", "deb http://no.example.org/ a b\n" },
		{ "etc/apt/m.list", "http://c.example.org/ubuntu/ priority:1\n" },
	};
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
	_cleanup_strbuf_ struct strbuf empty = STRBUF_INIT(OUT_MAX);
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	char root[] = "/tmp/silica-host-XXXXXX";
	struct error err = { 0 };

	assert_non_null(mkdtemp(root));
	assert_int_equal(apt_from_host(root, &empty, &err), 0);
	assert_int_equal(empty.len, 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(root, files[i].path, files[i].text);
	strbuf_puts(&out, "repositories:\n");
	assert_int_equal(apt_from_host(root, &out, &err), 0);
	if (reservoir_config_parse(out.data, out.len, "host", &config, &err) < 0)
		fail_msg("%s in:\n%s", err.msg, out.data);
	assert_int_equal(config.n_repositories, 3);
	assert_non_null(strstr(out.data, "# 2 sources of apt are of a kind that is not"));
	assert_string_equal(config.repositories[0].name, "debian");
	assert_string_equal(config.repositories[1].name, "debian-2");
	assert_string_equal(config.repositories[2].name, "ubuntu");
	assert_string_equal(config.repositories[2].upstream, "http://c.example.org/ubuntu/");
	assert_int_equal(config.repositories[2].apt.n_components, 2);
	for (size_t i = ARRAY_SIZE(files); i-- > 0;)
		take(root, files[i].path);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(stanzas),
		cmocka_unit_test(a_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
