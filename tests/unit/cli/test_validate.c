/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/config/config.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/validate.h"

#define OUT_MAX ((size_t)1024 * 1024)
#define PATH_MAX_HERE 64

static const char good[] = "version: v1\n"
			   "resources:\n"
			   "- name: furiosa.ai/npu\n"
			   "  devices: {vendor: furiosa}\n";

struct folder {
	char path[PATH_MAX_HERE];
	char file[PATH_MAX_HERE + 16];
};

static int make_folder(void **state)
{
	static struct folder folder;

	(void)snprintf(folder.path, sizeof(folder.path), "/tmp/silica-validate-XXXXXX");
	if (!mkdtemp(folder.path))
		return -1;
	(void)snprintf(folder.file, sizeof(folder.file), "%s/a.yaml", folder.path);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	(void)unlink(folder->file);
	return rmdir(folder->path);
}

static void write_file(const struct folder *folder, const char *text)
{
	assert_int_equal(file_publish(folder->file, text, strlen(text), 0600, NULL), 0);
}

static int validate(const char *file, bool print, struct strbuf *out)
{
	struct settings settings = settings_default();

	settings.words[settings.n_words++] = file;
	settings.print = print;
	return validate_run(&settings, out, NULL);
}

static void judges(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *verdict; /* %s is the file */
	} cases[] = {
		{ good, COMMAND_DONE, "ok: %s: 1 resource\n" },
		{ "version: v1\n", COMMAND_DONE, "ok: %s: " },
		{ "version: v1\nresourses: []\n", COMMAND_FAILED,
		  "refused: %s:2:1: unknown key 'resourses', did you mean 'resources'?\n" },
		{ "version: v1\ndrivers: {enable: [nothing]}\n", COMMAND_FAILED,
		  "refused: %s:2:20: drivers.enable: there is no driver 'nothing'; there are: " },
	};
	const struct folder *folder = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
		_cleanup_strbuf_ struct strbuf expected = STRBUF_INIT(OUT_MAX);
		const char *rest = strstr(cases[i].verdict, "%s");

		write_file(folder, cases[i].text);
		assert_int_equal(validate(folder->file, false, &out), cases[i].status);
		strbuf_add(&expected, cases[i].verdict, (size_t)(rest - cases[i].verdict));
		strbuf_puts(&expected, folder->file);
		strbuf_puts(&expected, rest + 2);
		assert_ptr_equal(strstr(strbuf_str(&out), strbuf_str(&expected)), strbuf_str(&out));
	}
}

static void refuses_what_is_not_there(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);

	(void)state;
	assert_int_equal(validate("/nowhere/a.yaml", false, &out), COMMAND_FAILED);
	assert_ptr_equal(strstr(strbuf_str(&out), "refused: /nowhere/a.yaml: "), strbuf_str(&out));
}

/* What is printed is a configuration, the verdict a comment in it. */
static void prints_what_holds(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
	_cleanup_config_ struct config config = { 0 };
	const struct folder *folder = *state;
	const char *document;

	write_file(folder, good);
	assert_int_equal(validate(folder->file, true, &out), COMMAND_DONE);
	assert_ptr_equal(strstr(strbuf_str(&out), "# ok: "), strbuf_str(&out));
	document = strstr(strbuf_str(&out), "\n---\n");
	assert_non_null(document);
	assert_int_equal(config_parse(document + 1, strlen(document + 1), "x", &config, NULL), 0);
	assert_int_equal(config.n_resources, 1);
	assert_string_equal(config.resources[0].name, "furiosa.ai/npu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(judges, make_folder, remove_folder),
		cmocka_unit_test(refuses_what_is_not_there),
		cmocka_unit_test_setup_teardown(prints_what_holds, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
