/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/program.h"

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/completion.h"
#include "tests/unit/base/pages.h"

#define COLUMNS_MAX 100 /* of a line of help */

void program_expect_cases(program_run_fn run, const struct program_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PROGRAM_OUT_MAX);
		struct error err = { 0 };

		assert_int_equal(run(cases[i].argv, &out, &err), cases[i].status);
		assert_non_null(strstr(strbuf_str(&out), cases[i].out));
		assert_non_null(strstr(err.msg, cases[i].error));
		assert_int_equal(err.code != 0, cases[i].error[0] != '\0');
	}
}

void program_each_row(const struct command_program *program, program_row_fn fn, void *ctx)
{
	for (const struct command *command = program->commands; command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			for (const struct option_row *row = *table; row->name; row++)
				fn(command, row, ctx);
}

void program_expect_rows(const struct command_program *program)
{
	for (const struct command *command = program->commands; command->name; command++)
		assert_int_equal(!!command->answer + !!command->run + !!command->about, 1);
}

static void expect_short_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		assert_true(len <= COLUMNS_MAX);
		text += len + (text[len] == '\n');
	}
}

static void expect_told(const struct option_row *row, const char *help)
{
	char option[64];

	(void)snprintf(option, sizeof(option), "--%s", row->name);
	assert_non_null(strstr(help, option));
	assert_non_null(strstr(help, row->text));
}

void program_expect_help(const struct command_program *program)
{
	for (const struct command *command = program->commands; command->name; command++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PROGRAM_OUT_MAX);
		char usage[64];

		(void)snprintf(usage, sizeof(usage), "Usage: shown %s", command->name);
		command_usage(program, "shown", command, &out);
		assert_ptr_equal(strstr(strbuf_str(&out), usage), strbuf_str(&out));
		expect_short_lines(strbuf_str(&out));
		for (const struct option_row *const *table = command->tables; *table; table++)
			for (const struct option_row *row = *table; row->name; row++)
				expect_told(row, strbuf_str(&out));
	}
}

static void expect_option(_unused_ const struct command *command, const struct option_row *row,
			  void *ctx)
{
	assert_non_null(strstr(ctx, row->name));
}

/* The names of all commands, as they stand behind `help`. */
static void expect_commands(const struct command_program *program, const char *script)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT(PROGRAM_OUT_MAX);

	for (const struct command *command = program->commands; command->name; command++)
		strbuf_printf(&names, "%s%s", names.len > 0 ? " " : "", command->name);
	assert_non_null(strstr(script, strbuf_str(&names)));
}

void program_expect_completions(const struct command_program *program)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PROGRAM_OUT_MAX);

		assert_int_equal(completion_write(program, shells[i], &out, NULL), COMMAND_DONE);
		assert_int_equal(strbuf_error(&out), 0);
		assert_non_null(strstr(out.data, program->name));
		expect_commands(program, out.data);
		program_each_row(program, expect_option, out.data);
	}
}

static bool knows(void *ctx, const char *name, const char *option)
{
	const struct command *command = command_find(ctx, name);

	if (!name[0])
		return !option || command_find(ctx, option);
	if (!command || !option)
		return command;
	for (const struct option_row *const *table = command->tables; *table; table++)
		for (const struct option_row *row = *table; row->name; row++)
			if (strcmp(row->name, option) == 0)
				return true;
	return false;
}

void program_expect_pages(const struct command_program *program)
{
	struct command_program copy = *program;

	pages_expect(program->name, knows, &copy);
}
