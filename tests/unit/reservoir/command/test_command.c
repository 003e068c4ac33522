/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "reservoir/command/command.h"
#include "tests/unit/base/program.h"

static int run(const char *const *argv, struct strbuf *out, struct error *err)
{
	struct settings settings = settings_default();

	return command_run(argv, &settings, out, err);
}

static void runs(void **state)
{
	static const struct program_case cases[] = {
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
	program_expect_cases(run, cases, ARRAY_SIZE(cases));
}

static void has_rows_that_can_be_run(void **state)
{
	(void)state;
	program_expect_rows(command_program());
}

static void helps_with_every_option(void **state)
{
	(void)state;
	program_expect_help(command_program());
}

static void is_as_the_pages_show(void **state)
{
	(void)state;
	program_expect_pages(command_program());
}

static void completes_every_option(void **state)
{
	(void)state;
	program_expect_completions(command_program());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs),
		cmocka_unit_test(has_rows_that_can_be_run),
		cmocka_unit_test(helps_with_every_option),
		cmocka_unit_test(is_as_the_pages_show),
		cmocka_unit_test(completes_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
