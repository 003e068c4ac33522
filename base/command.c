/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/output.h"
#include "base/suggest.h"

#define TEXT_COLUMNS 78
#define NAME_COLUMNS 12 /* wide enough for most; longer names widen it */

const struct command *command_find(const struct command_program *program, const char *name)
{
	for (const struct command *command = program->commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static int name_columns(const struct command_program *program)
{
	size_t columns = NAME_COLUMNS;

	for (const struct command *command = program->commands; command->name; command++)
		columns = MAX(columns, strlen(command->name) + 2);
	return (int)columns;
}

static void list_commands(const struct command_program *program, const char *shown,
			  struct strbuf *out)
{
	int columns = name_columns(program);

	strbuf_printf(out, "Usage: %s COMMAND [OPTION]...\n\n%s\n\n", shown, program->about);
	for (const struct command *command = program->commands; command->name; command++)
		strbuf_printf(out, "  %-*s%s\n", columns, command->name, command->summary);
	strbuf_printf(out, "\nSee %s help COMMAND for its options.\n", shown);
}

/* Writes paragraphs with lines that are broken between words. */
static void put_wrapped(struct strbuf *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (column > 0 && column + 1 + len > TEXT_COLUMNS) {
			strbuf_puts(out, "\n");
			column = 0;
		}
		if (column > 0)
			strbuf_puts(out, " ");
		strbuf_add(out, text, len);
		column += len + (column > 0);
		text += len;
		for (; *text == '\n'; text++, column = 0)
			strbuf_puts(out, "\n");
		text += *text == ' ';
	}
	strbuf_puts(out, "\n");
}

void command_usage(const struct command_program *program, const char *shown,
		   const struct command *command, struct strbuf *out)
{
	if (!command) {
		list_commands(program, shown, out);
		return;
	}
	strbuf_printf(out, "Usage: %s %s%s%s [OPTION]...\n\n", shown, command->name,
		      command->words[0] ? " " : "", command->words);
	put_wrapped(out, command->text);
	strbuf_puts(out, "\n");
	for (const struct option_row *const *table = command->tables; *table; table++)
		options_describe(*table, out);
}

static const struct command *nearest_command(const struct command_program *program,
					     const char *name)
{
	const struct command *nearest = NULL;
	size_t distance = SUGGEST_WORD_MAX;

	for (const struct command *command = program->commands; command->name; command++) {
		size_t other = suggest_distance(name, command->name);

		if (other < distance && suggest_is_close(other, name)) {
			nearest = command;
			distance = other;
		}
	}
	return nearest;
}

static int misuse(const struct command_program *program, const char *shown, const char *name,
		  struct error *err)
{
	const struct command *nearest = nearest_command(program, name);

	if (nearest)
		(void)error_set(err, EINVAL, "there is no command '%s', did you mean '%s'?", name,
				nearest->name);
	else
		(void)error_set(err, EINVAL, "there is no command '%s'; see %s help", name, shown);
	return COMMAND_MISUSED;
}

int command_help(const struct command_program *program, const char *shown, const char *name,
		 struct strbuf *out, struct error *err)
{
	const struct command *command = name ? command_find(program, name) : NULL;

	if (name && !command)
		return misuse(program, shown, name, err);
	command_usage(program, shown, command, out);
	return COMMAND_DONE;
}

/* As programs of GNU take them. */
static const char *command_word(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return "help";
	return strcmp(word, "--version") == 0 ? "version" : word;
}

int command_choose(const struct command_program *program, const char *const *argv,
		   struct command_line *line, const struct command **ret, struct strbuf *out,
		   struct error *err)
{
	const struct command *command;

	*ret = NULL;
	if (!argv[0]) {
		list_commands(program, line->program, out);
		return COMMAND_MISUSED;
	}
	command = command_find(program, command_word(argv[0]));
	if (!command)
		return misuse(program, line->program, argv[0], err);
	if (options_read(command->tables, argv + 1, line->settings, line->words, err) < 0)
		return COMMAND_MISUSED;
	if (*line->help) {
		command_usage(program, line->program, command, out);
		return COMMAND_DONE;
	}
	if (line->words->n < command->min_words || line->words->n > command->max_words) {
		(void)error_set(err, EINVAL, "usage: %s %s%s%s", line->program, command->name,
				command->words[0] ? " " : "", command->words);
		return COMMAND_MISUSED;
	}
	if (command->about)
		return command->about(program, line, out, err);
	*ret = command;
	return COMMAND_DONE;
}

int command_print(const struct strbuf *out, int status, struct error *err)
{
	if (output_write(out, status == COMMAND_MISUSED ? stderr : stdout, err) < 0)
		return COMMAND_FAILED;
	return status;
}
