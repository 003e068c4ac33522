/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "reservoir/command/command.h"

#define ARGV_MAX 4
#define OUT_MAX ((size_t)256 * 1024)

static int run(const char *const *argv, struct strbuf *out, struct error *err)
{
	struct settings settings = settings_default();

	return command_run(argv, &settings, out, err);
}

static void runs(void **state)
{
	static const struct {
		const char *argv[ARGV_MAX];
		int status;
		const char *out; /* part of it */
		const char *error;
	} cases[] = {
		{ { "version" }, COMMAND_DONE, "silica-reservoir " SILICA_VERSION "\n", "" },
		{ { "--version" }, COMMAND_DONE, "silica-reservoir " SILICA_VERSION "\n", "" },
		{ { "help" }, COMMAND_DONE, "Usage: silica-reservoir COMMAND", "" },
		{ { "-h" }, COMMAND_DONE, "Usage: silica-reservoir COMMAND", "" },
		{ { "help", "sync" }, COMMAND_DONE, "Usage: silica-reservoir sync [REPO", "" },
		{ { "sync", "--help" }, COMMAND_DONE, "--dry-run", "" },
		{ { NULL }, COMMAND_MISUSED, "Usage: silica-reservoir COMMAND", "" },
		{ { "snyc" }, COMMAND_MISUSED, "", "did you mean 'sync'?" },
		{ { "xyzzy" }, COMMAND_MISUSED, "", "see silica-reservoir help" },
		{ { "help", "xyzzy" }, COMMAND_MISUSED, "", "no command 'xyzzy'" },
		{ { "import" }, COMMAND_MISUSED, "", "usage: silica-reservoir import MANIFEST..." },
		{ { "init", "x" }, COMMAND_MISUSED, "", "usage: silica-reservoir init" },
		{ { "gc", "--since=1" }, COMMAND_MISUSED, "", "unknown option '--since" },
		{ { "writer", "--lease-duration=1s" }, COMMAND_MISUSED, "", "--lease-duration" },
		{ { "client-config", "gem" }, COMMAND_FAILED, "", "reservoir.yaml" },
		{ { "status", "--store=/nowhere" }, COMMAND_FAILED, "", "/nowhere" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
		struct error err = { 0 };

		assert_int_equal(run(cases[i].argv, &out, &err), cases[i].status);
		assert_non_null(strstr(strbuf_str(&out), cases[i].out));
		assert_non_null(strstr(err.msg, cases[i].error));
		assert_int_equal(err.code != 0, cases[i].error[0] != '\0');
	}
}

static void every_command_can_be_run(void **state)
{
	(void)state;
	for (const struct command *c = command_program()->commands; c->name; c++)
		assert_true(!c->answer == !!c->run);
}

static void completes_every_option(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		const char *const argv[] = { "completion", shells[i], NULL };
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);

		assert_int_equal(run(argv, &out, NULL), COMMAND_DONE);
		assert_null(strstr(out.data, "silicactl"));
		for (const struct command *c = command_program()->commands; c->name; c++) {
			assert_non_null(strstr(out.data, c->name));
			for (const struct option_row *const *table = c->tables; *table; table++)
				for (const struct option_row *row = *table; row->name; row++)
					assert_non_null(strstr(out.data, row->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs),
		cmocka_unit_test(every_command_can_be_run),
		cmocka_unit_test(completes_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
