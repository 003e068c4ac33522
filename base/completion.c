/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, choices and texts of the rows go into the scripts as they are: they are
 * the project's own words, of letters, digits and a few marks, and a quote among
 * them is written as each shell wants it.
 */
#include "base/completion.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"

/* Any command of the program. */
static bool is_command(const char *value)
{
	return strcmp(value, "COMMAND") == 0;
}

static bool is_choice(const char *value)
{
	return strchr(value, '|') || is_command(value);
}

/* What is completed after an option or a command. */
static bool is_path(const char *value)
{
	return strncmp(value, "FILE", 4) == 0 || strcmp(value, "DIR") == 0;
}

static void put_commands(const struct command_program *program, struct strbuf *out)
{
	for (const struct command *command = program->commands; command->name; command++)
		strbuf_printf(out, "%s%s", command == program->commands ? "" : " ", command->name);
}

static void put_choices(const struct command_program *program, struct strbuf *out,
			const char *value)
{
	const char *at = value;
	size_t len;

	if (is_command(value)) {
		put_commands(program, out);
		return;
	}
	for (const char *word = options_next_choice(&at, &len); word;
	     word = options_next_choice(&at, &len)) {
		strbuf_puts(out, word == value ? "" : " ");
		strbuf_add(out, word, len);
	}
}

/* A text within single quotes, as POSIX shells have it. */
static void put_quoted(struct strbuf *out, const char *text)
{
	strbuf_puts(out, "'");
	for (; *text; text++)
		if (*text == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_add(out, text, 1);
	strbuf_puts(out, "'");
}

/* The name of a shell's function; a '-' is none of its letters. */
static void put_function(const struct command_program *program, struct strbuf *out)
{
	strbuf_puts(out, "_");
	for (const char *c = program->name; *c; c++)
		strbuf_puts(out, *c == '-' ? "_" : (const char[]) { *c, '\0' });
}

static void put_names(const struct command_program *program, struct strbuf *out)
{
	strbuf_printf(out, " %s", program->name);
	if (program->alias)
		strbuf_printf(out, " %s", program->alias);
}

/* --- bash --- */

static void put_bash_names(struct strbuf *out, const struct option_row *table)
{
	for (const struct option_row *row = table; row->name; row++)
		strbuf_printf(out, " --%s", row->name);
}

static void put_bash_value(const struct command_program *program, struct strbuf *out,
			   const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, "COMPREPLY=($(compgen -W '");
		put_choices(program, out, value);
		strbuf_puts(out, "' -- \"$word\"))");
	} else if (strcmp(value, "DIR") == 0) {
		strbuf_puts(out, "COMPREPLY=($(compgen -d -- \"$word\"))");
	} else if (is_path(value)) {
		strbuf_puts(out, "COMPREPLY=($(compgen -f -- \"$word\"))");
	} else {
		strbuf_puts(out, "COMPREPLY=()");
	}
}

/* Whether no command before @command has the table of options. */
static bool is_new(const struct command_program *program, const struct option_row *table,
		   const struct command *command)
{
	for (const struct command *other = program->commands; other != command; other++)
		for (const struct option_row *const *known = other->tables; *known; known++)
			if (*known == table)
				return false;
	return true;
}

static void put_bash_case(const struct command_program *program, struct strbuf *out,
			  const struct option_row *row)
{
	if (!row->value)
		return;
	strbuf_puts(out, "\t");
	if (row->letter)
		strbuf_printf(out, "-%c | ", row->letter);
	strbuf_printf(out, "--%s) ", row->name);
	put_bash_value(program, out, row->value);
	strbuf_puts(out, "; return ;;\n");
}

/* The options of all commands that take a value, each table once. */
static void put_bash_values(const struct command_program *program, struct strbuf *out)
{
	for (const struct command *command = program->commands; command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			for (const struct option_row *row = *table;
			     row->name && is_new(program, *table, command); row++)
				put_bash_case(program, out, row);
}

static void put_bash_command(const struct command_program *program, struct strbuf *out,
			     const struct command *command)
{
	strbuf_printf(out, "\t%s)\n\t\toptions='", command->name);
	for (const struct option_row *const *table = command->tables; *table; table++)
		put_bash_names(out, *table);
	strbuf_puts(out, "'\n");
	if (command->choices) {
		strbuf_puts(out, "\t\t[[ $word == -* ]] || { ");
		put_bash_value(program, out, command->choices);
		strbuf_puts(out, "; return; }\n");
	}
	strbuf_puts(out, "\t\t;;\n");
}

static void write_bash(const struct command_program *program, struct strbuf *out)
{
	strbuf_printf(out,
		      "# bash completion for %s; source it, or put it into\n"
		      "# /usr/share/bash-completion/completions/%s\n",
		      program->name, program->name);
	put_function(program, out);
	strbuf_puts(out,
		    "() {\n"
		    "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tlocal options=''\n"
		    "\tif ((COMP_CWORD == 1)); then\n"
		    "\t\tCOMPREPLY=($(compgen -W '");
	put_commands(program, out);
	strbuf_puts(out, "' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase $before in\n");
	put_bash_values(program, out);
	strbuf_puts(out, "\tesac\n\tcase ${COMP_WORDS[1]} in\n");
	for (const struct command *command = program->commands; command->name; command++)
		put_bash_command(program, out, command);
	strbuf_puts(out, "\tesac\n"
			 "\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
			 "}\n"
			 "complete -F ");
	put_function(program, out);
	put_names(program, out);
	strbuf_puts(out, "\n");
}

/* --- zsh --- */

/* Brackets and colons mean something to _arguments. */
static void put_zsh_text(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:", *text))
			strbuf_puts(out, "\\");
		if (*text == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_add(out, text, 1);
	}
}

static void put_zsh_value(const struct command_program *program, struct strbuf *out,
			  const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, ":value:(");
		put_choices(program, out, value);
		strbuf_puts(out, ")");
	} else if (is_path(value)) {
		strbuf_puts(out,
			    strcmp(value, "DIR") == 0 ? ":directory:_files -/" : ":file:_files");
	} else {
		strbuf_puts(out, ":");
		put_zsh_text(out, value);
		strbuf_puts(out, ":");
	}
}

static void put_zsh_option(const struct command_program *program, struct strbuf *out,
			   const struct option_row *row)
{
	const char *equals = row->value ? "=" : "";

	if (row->letter) {
		strbuf_printf(out, " \\\n\t\t\t'-%c[", row->letter);
		put_zsh_text(out, row->text);
		strbuf_puts(out, "]");
		if (row->value)
			put_zsh_value(program, out, row->value);
		strbuf_puts(out, "'");
	}
	strbuf_printf(out, " \\\n\t\t\t'--%s%s[", row->name, equals);
	put_zsh_text(out, row->text);
	strbuf_puts(out, "]");
	if (row->value)
		put_zsh_value(program, out, row->value);
	strbuf_puts(out, "'");
}

static void put_zsh_command(const struct command_program *program, struct strbuf *out,
			    const struct command *command)
{
	strbuf_printf(out, "\t%s)\n\t\t_arguments", command->name);
	for (const struct option_row *const *table = command->tables; *table; table++)
		for (const struct option_row *row = *table; row->name; row++)
			put_zsh_option(program, out, row);
	if (command->choices) {
		strbuf_printf(out, " \\\n\t\t\t'%s", command->max_words > 2 ? "*" : "1");
		put_zsh_value(program, out, command->choices);
		strbuf_puts(out, "'");
	}
	strbuf_puts(out, "\n\t\t;;\n");
}

static void write_zsh(const struct command_program *program, struct strbuf *out)
{
	strbuf_puts(out, "#compdef");
	put_names(program, out);
	strbuf_printf(out, "\n# zsh completion for %s; put it as ", program->name);
	put_function(program, out);
	strbuf_puts(out, " into a folder of $fpath\n");
	put_function(program, out);
	strbuf_puts(out, "() {\n\tlocal -a commands=(\n");
	for (const struct command *command = program->commands; command->name; command++) {
		strbuf_printf(out, "\t\t'%s:", command->name);
		put_zsh_text(out, command->summary);
		strbuf_puts(out, "'\n");
	}
	strbuf_puts(out, "\t)\n"
			 "\tif ((CURRENT == 2)); then\n"
			 "\t\t_describe command commands\n"
			 "\t\treturn\n"
			 "\tfi\n"
			 "\tlocal command=$words[2]\n"
			 "\tshift words\n"
			 "\t((CURRENT--))\n"
			 "\tcase $command in\n");
	for (const struct command *command = program->commands; command->name; command++)
		put_zsh_command(program, out, command);
	/* As a file of $fpath it is the function's first call, else it is sourced. */
	strbuf_puts(out, "\tesac\n}\nif [[ ${funcstack[1]} == ");
	put_function(program, out);
	strbuf_puts(out, " ]]; then\n\t");
	put_function(program, out);
	strbuf_puts(out, " \"$@\"\nelse\n\tcompdef ");
	put_function(program, out);
	put_names(program, out);
	strbuf_puts(out, "\nfi\n");
}

/* --- fish --- */

static void put_fish_value(const struct command_program *program, struct strbuf *out,
			   const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, " -x -a '");
		put_choices(program, out, value);
		strbuf_puts(out, "'");
	} else if (is_path(value)) {
		strbuf_puts(out, " -r -F");
	} else {
		strbuf_puts(out, " -x");
	}
}

static void put_fish_option(const struct command_program *program, struct strbuf *out,
			    const struct command *command, const struct option_row *row)
{
	strbuf_printf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -l %s",
		      program->name, command->name, row->name);
	if (row->letter)
		strbuf_printf(out, " -s %c", row->letter);
	if (row->value)
		put_fish_value(program, out, row->value);
	strbuf_puts(out, " -d ");
	put_quoted(out, row->text);
	strbuf_puts(out, "\n");
}

static void put_fish_command(const struct command_program *program, struct strbuf *out,
			     const struct command *command)
{
	strbuf_printf(out, "complete -c %s -n __fish_use_subcommand -a %s -d ", program->name,
		      command->name);
	put_quoted(out, command->summary);
	strbuf_puts(out, "\n");
	for (const struct option_row *const *table = command->tables; *table; table++)
		for (const struct option_row *row = *table; row->name; row++)
			put_fish_option(program, out, command, row);
	if (!command->choices)
		return;
	strbuf_printf(out, "complete -c %s -n '__fish_seen_subcommand_from %s'", program->name,
		      command->name);
	if (is_choice(command->choices)) {
		strbuf_puts(out, " -a '");
		put_choices(program, out, command->choices);
		strbuf_puts(out, "'\n");
	} else {
		strbuf_puts(out, " -F\n");
	}
}

static void write_fish(const struct command_program *program, struct strbuf *out)
{
	strbuf_printf(out,
		      "# fish completion for %s; put it into\n"
		      "# ~/.config/fish/completions/%s.fish\n"
		      "complete -c %s -f\n",
		      program->name, program->name, program->name);
	for (const struct command *command = program->commands; command->name; command++)
		put_fish_command(program, out, command);
	if (program->alias)
		strbuf_printf(out, "complete -c %s -w %s\n", program->alias, program->name);
}

static const struct {
	const char *name;
	void (*write)(const struct command_program *program, struct strbuf *out);
} shells[] = {
	{ "bash", write_bash },
	{ "zsh", write_zsh },
	{ "fish", write_fish },
};

int completion_write(const struct command_program *program, const char *shell, struct strbuf *out,
		     struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (strcmp(shells[i].name, shell) != 0)
			continue;
		shells[i].write(program, out);
		return COMMAND_DONE;
	}
	(void)error_set(err, EINVAL, "there is no completion for '%s', only for bash, zsh and fish",
			shell);
	return COMMAND_MISUSED;
}
