/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/manual.h"
#include "tests/unit/base/program.h"

static int run(const char *const *argv, struct strbuf *out, struct error *err)
{
	struct settings settings = settings_default();

	return command_run(argv, &settings, out, err);
}

static void runs(void **state)
{
	static const struct program_case cases[] = {
		{ { "version" }, COMMAND_DONE, "silicactl " SILICA_VERSION "\n", "" },
		{ { "--version" }, COMMAND_DONE, "silicactl " SILICA_VERSION "\n", "" },
		{ { "help" }, COMMAND_DONE, "Usage: silicactl COMMAND", "" },
		{ { "--help" }, COMMAND_DONE, "Usage: silicactl COMMAND", "" },
		{ { "-h" }, COMMAND_DONE, "Usage: silicactl COMMAND", "" },
		{ { "help", "status" }, COMMAND_DONE, "Usage: silicactl status [OPTION]", "" },
		{ { "status", "--help" }, COMMAND_DONE, "Usage: silicactl status [OPTION]", "" },
		{ { "validate", "-h" }, COMMAND_DONE, "Usage: silicactl validate FILE...", "" },
		{ { NULL }, COMMAND_MISUSED, "Usage: silicactl COMMAND", "" },
		{ { "stauts" }, COMMAND_MISUSED, "", "did you mean 'status'?" },
		{ { "xyzzy" }, COMMAND_MISUSED, "", "no command 'xyzzy'; see silicactl help" },
		{ { "help", "xyzzy" }, COMMAND_MISUSED, "", "no command 'xyzzy'" },
		{ { "validate" }, COMMAND_MISUSED, "", "usage: silicactl validate FILE..." },
		{ { "status", "x" }, COMMAND_MISUSED, "", "usage: silicactl status" },
		{ { "status", "--print" }, COMMAND_MISUSED, "", "unknown option '--print'" },
		{ { "explain", "device" }, COMMAND_MISUSED, "", "usage: silicactl explain" },
		{ { "explain", "pod", "x" }, COMMAND_MISUSED, "", "allocate or device, not 'pod'" },
		{ { "completion", "csh" }, COMMAND_MISUSED, "", "only for bash, zsh and fish" },
		{ { "devices", "--host-root", "/nowhere" }, COMMAND_FAILED, "", "/nowhere" },
		{ { "devices", "--config", "/nowhere" }, COMMAND_FAILED, "", "/nowhere" },
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

/* In a manual page a '-' is written with a backslash. */
static void expect_manual(_unused_ const struct command *command, const struct option_row *row,
			  void *ctx)
{
	_cleanup_strbuf_ struct strbuf option = STRBUF_INIT(256);

	strbuf_puts(&option, "\\-\\-");
	for (const char *c = row->name; *c; c++)
		strbuf_printf(&option, "%s%c", *c == '-' ? "\\" : "", *c);
	assert_non_null(strstr(ctx, strbuf_str(&option)));
}

static void documents_every_option(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PROGRAM_OUT_MAX);

	(void)state;
	silicactl_manual_write(&out);
	assert_int_equal(strbuf_error(&out), 0);
	program_each_row(command_program(), expect_manual, out.data);
	for (const struct command *command = command_program()->commands; command->name;
	     command++) {
		char section[64];

		(void)snprintf(section, sizeof(section), "\n.SS %s", command->name);
		assert_non_null(strstr(out.data, section));
	}
	for (const struct command_exit *row = command_program()->exits; row->text; row++)
		assert_non_null(strstr(out.data, "EXIT STATUS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs),
		cmocka_unit_test(has_rows_that_can_be_run),
		cmocka_unit_test(helps_with_every_option),
		cmocka_unit_test(is_as_the_pages_show),
		cmocka_unit_test(completes_every_option),
		cmocka_unit_test(documents_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
