/* SPDX-License-Identifier: Apache-2.0 */
#include "base/manual.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

/* Text of a line: a '-' is one, a backslash too, and no line begins with a macro. */
void manual_text(struct strbuf *out, const char *text)
{
	if (text[0] == '.' || text[0] == '\'')
		strbuf_puts(out, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			strbuf_puts(out, "\\-");
		else if (*text == '\\')
			strbuf_puts(out, "\\e");
		else
			strbuf_add(out, text, 1);
	}
}

/* A line; a sentence that ends within it is followed by a new one, as troff wants. */
void manual_sentences(struct strbuf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		const char *paragraph = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
		char line[1024];

		if (paragraph && text + len > paragraph)
			len = (size_t)(paragraph - text);
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		manual_text(out, line);
		strbuf_puts(out, "\n");
		text += len;
		if (str_starts_with(text, "\n\n"))
			strbuf_puts(out, ".PP\n");
		text += strspn(text, " \n");
	}
}

static void put_option(struct strbuf *out, const struct option_row *row)
{
	strbuf_puts(out, ".TP\n.B ");
	if (row->letter)
		strbuf_printf(out, "\\-%c, ", row->letter);
	strbuf_puts(out, "\\-\\-");
	manual_text(out, row->name);
	if (row->value) {
		strbuf_puts(out, " \\fI");
		manual_text(out, row->value);
		strbuf_puts(out, "\\fP");
	}
	strbuf_puts(out, "\n");
	manual_text(out, row->text);
	strbuf_puts(out, "\n");
}

static bool has_table(const struct command *command, const struct option_row *table)
{
	for (const struct option_row *const *known = command->tables; *known; known++)
		if (*known == table)
			return true;
	return false;
}

static size_t count_users(const struct command_program *program, const struct option_row *table)
{
	size_t n = 0;

	for (const struct command *command = program->commands; command->name; command++)
		n += has_table(command, table);
	return n;
}

static void put_options(struct strbuf *out, const struct option_row *table)
{
	for (const struct option_row *row = table; row->name; row++)
		put_option(out, row);
}

/* Options that several commands have are told once, behind the commands. */
static void put_command(const struct command_program *program, struct strbuf *out,
			const struct command *command)
{
	strbuf_printf(out, ".SS %s", command->name);
	if (command->words[0]) {
		strbuf_puts(out, " \\fI");
		manual_text(out, command->words);
		strbuf_puts(out, "\\fP");
	}
	strbuf_puts(out, "\n");
	manual_sentences(out, command->text);
	for (const struct option_row *const *table = command->tables; *table; table++)
		if (count_users(program, *table) == 1)
			put_options(out, *table);
}

/* Whether a command before @command has the table as well. */
static bool is_told(const struct command_program *program, const struct command *command,
		    const struct option_row *table)
{
	for (const struct command *other = program->commands; other != command; other++)
		if (has_table(other, table))
			return true;
	return false;
}

static void put_shared_table(const struct command_program *program, struct strbuf *out,
			     const struct option_row *table)
{
	const char *comma = "";

	strbuf_puts(out, ".SS Options of ");
	if (table == program->common)
		strbuf_puts(out, "all commands");
	for (const struct command *command = program->commands; command->name; command++) {
		if (table == program->common || !has_table(command, table))
			continue;
		strbuf_printf(out, "%s%s", comma, command->name);
		comma = ", ";
	}
	strbuf_puts(out, "\n");
	put_options(out, table);
}

static void put_shared_options(const struct command_program *program, struct strbuf *out)
{
	strbuf_puts(out, ".SH OPTIONS\n");
	for (const struct command *command = program->commands; command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			if (count_users(program, *table) > 1 && !is_told(program, command, *table))
				put_shared_table(program, out, *table);
}

static void put_exits(const struct command_program *program, struct strbuf *out)
{
	strbuf_puts(out, ".SH EXIT STATUS\n");
	for (const struct command_exit *row = program->exits; row->text; row++) {
		strbuf_printf(out, ".TP\n.B %d\n", row->status);
		manual_text(out, row->text);
		strbuf_puts(out, "\n");
	}
}

static void put_head(const struct command_program *program, const struct manual *manual,
		     struct strbuf *out)
{
	strbuf_printf(out,
		      ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		      ".\\\" Written by %s-manual from the table of commands.\n.TH ",
		      program->name);
	for (const char *c = program->name; *c; c++)
		strbuf_puts(out, (const char[]) { (char)toupper((unsigned char)*c), '\0' });
	strbuf_puts(out, " 1 \"\" \"Silica " SILICA_VERSION "\" \"Silica\"\n.SH NAME\n");
	manual_text(out, program->name);
	strbuf_printf(out, " \\- %s\n.SH SYNOPSIS\n.B ", manual->summary);
	manual_text(out, program->name);
	strbuf_printf(out, "\n.I COMMAND\n[\\fIOPTION\\fP]...\n.SH DESCRIPTION\n%s.SH COMMANDS\n",
		      manual->description);
}

void manual_write(const struct command_program *program, const struct manual *manual,
		  struct strbuf *out)
{
	put_head(program, manual, out);
	for (const struct command *command = program->commands; command->name; command++)
		put_command(program, out, command);
	put_shared_options(program, out);
	if (manual->sections)
		manual->sections(out);
	put_exits(program, out);
	strbuf_puts(out, manual->end);
}
