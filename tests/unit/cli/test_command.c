/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/manual.h"

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
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
		struct error err = { 0 };

		assert_int_equal(run(cases[i].argv, &out, &err), cases[i].status);
		assert_non_null(strstr(strbuf_str(&out), cases[i].out));
		assert_non_null(strstr(err.msg, cases[i].error));
		assert_int_equal(err.code != 0, cases[i].error[0] != '\0');
	}
}

/* Every table of options of every command, for what is written from them. */
typedef void (*row_fn)(const struct command *command, const struct option_row *row, void *ctx);

static void each_row(row_fn fn, void *ctx)
{
	for (const struct command *command = command_program()->commands; command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			for (const struct option_row *row = *table; row->name; row++)
				fn(command, row, ctx);
}

static void expect_help(const struct command *command, const struct option_row *row,
			_unused_ void *ctx)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
	char option[64];

	(void)snprintf(option, sizeof(option), "--%s", row->name);
	command_usage(command_program(), "silicactl", command, &out);
	assert_non_null(strstr(strbuf_str(&out), option));
	assert_non_null(strstr(strbuf_str(&out), row->text));
}

static void helps_with_every_option(void **state)
{
	(void)state;
	each_row(expect_help, NULL);
}

static void has_short_help(void **state)
{
	(void)state;
	for (const struct command *command = command_program()->commands; command->name;
	     command++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);
		const char *line;

		command_usage(command_program(), "kubectl silica", command, &out);
		line = strbuf_str(&out);
		assert_ptr_equal(strstr(line, "Usage: kubectl silica "), line);
		while (*line) {
			size_t len = strcspn(line, "\n");

			assert_true(len <= 100);
			line += len + (line[len] == '\n');
		}
	}
}

static void expect_option(const struct command *command, const struct option_row *row, void *ctx)
{
	char option[64];

	(void)command;
	(void)snprintf(option, sizeof(option), "%s", row->name);
	assert_non_null(strstr(ctx, option));
}

static void completes_every_option(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		const char *const argv[] = { "completion", shells[i], NULL };
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);

		assert_int_equal(run(argv, &out, NULL), COMMAND_DONE);
		assert_int_equal(strbuf_error(&out), 0);
		each_row(expect_option, out.data);
		for (const struct command *c = command_program()->commands; c->name; c++)
			assert_non_null(strstr(out.data, c->name));
	}
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
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUT_MAX);

	(void)state;
	silicactl_manual_write(&out);
	assert_int_equal(strbuf_error(&out), 0);
	each_row(expect_manual, out.data);
	for (const struct command *command = command_program()->commands; command->name;
	     command++) {
		char section[64];

		(void)snprintf(section, sizeof(section), "\n.SS %s", command->name);
		assert_non_null(strstr(out.data, section));
	}
	for (const struct command_exit *row = command_program()->exits; row->text; row++)
		assert_non_null(strstr(out.data, "EXIT STATUS"));
}

static void offers_every_command_to_help(void **state)
{
	const char *choices = command_find(command_program(), "help")->choices;

	(void)state;
	for (const struct command *command = command_program()->commands; command->name; command++)
		if (strcmp(command->name, "help") != 0)
			assert_non_null(strstr(choices, command->name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs),
		cmocka_unit_test(helps_with_every_option),
		cmocka_unit_test(has_short_help),
		cmocka_unit_test(completes_every_option),
		cmocka_unit_test(documents_every_option),
		cmocka_unit_test(offers_every_command_to_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
