/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, choices and texts of the rows go into the scripts as they are: they are
 * the project's own words, of letters, digits and a few marks, and a quote among
 * them is written as each shell wants it.
 */
#include "cli/completion.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "cli/command.h"

static bool is_choice(const char *value)
{
	return strchr(value, '|') != NULL;
}

/* What is completed after an option or a command. */
static bool is_path(const char *value)
{
	return strncmp(value, "FILE", 4) == 0 || strcmp(value, "DIR") == 0;
}

static void put_choices(struct strbuf *out, const char *value)
{
	const char *at = value;
	size_t len;

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

/* --- bash --- */

static void put_bash_names(struct strbuf *out, const struct option_row *table)
{
	for (const struct option_row *row = table; row->name; row++)
		strbuf_printf(out, " --%s", row->name);
}

static void put_bash_value(struct strbuf *out, const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, "COMPREPLY=($(compgen -W '");
		put_choices(out, value);
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
static bool is_new(const struct option_row *table, const struct command *command)
{
	for (const struct command *other = command_table(); other != command; other++)
		for (const struct option_row *const *known = other->tables; *known; known++)
			if (*known == table)
				return false;
	return true;
}

static void put_bash_case(struct strbuf *out, const struct option_row *row)
{
	if (!row->value)
		return;
	strbuf_puts(out, "\t");
	if (row->letter)
		strbuf_printf(out, "-%c | ", row->letter);
	strbuf_printf(out, "--%s) ", row->name);
	put_bash_value(out, row->value);
	strbuf_puts(out, "; return ;;\n");
}

/* The options of all commands that take a value, each table once. */
static void put_bash_values(struct strbuf *out)
{
	for (const struct command *command = command_table(); command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			for (const struct option_row *row = *table;
			     row->name && is_new(*table, command); row++)
				put_bash_case(out, row);
}

static void put_bash_command(struct strbuf *out, const struct command *command)
{
	strbuf_printf(out, "\t%s)\n\t\toptions='", command->name);
	for (const struct option_row *const *table = command->tables; *table; table++)
		put_bash_names(out, *table);
	strbuf_puts(out, "'\n");
	if (command->choices) {
		strbuf_puts(out, "\t\t[[ $word == -* ]] || { ");
		put_bash_value(out, command->choices);
		strbuf_puts(out, "; return; }\n");
	}
	strbuf_puts(out, "\t\t;;\n");
}

static void write_bash(struct strbuf *out)
{
	strbuf_puts(out,
		    "# bash completion for silicactl; source it, or put it into\n"
		    "# /usr/share/bash-completion/completions/silicactl\n"
		    "_silicactl() {\n"
		    "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tlocal options=''\n"
		    "\tif ((COMP_CWORD == 1)); then\n"
		    "\t\tCOMPREPLY=($(compgen -W '");
	for (const struct command *command = command_table(); command->name; command++)
		strbuf_printf(out, "%s ", command->name);
	strbuf_puts(out, "' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase $before in\n");
	put_bash_values(out);
	strbuf_puts(out, "\tesac\n\tcase ${COMP_WORDS[1]} in\n");
	for (const struct command *command = command_table(); command->name; command++)
		put_bash_command(out, command);
	strbuf_puts(out, "\tesac\n"
			 "\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
			 "}\n"
			 "complete -F _silicactl silicactl kubectl-silica\n");
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

static void put_zsh_value(struct strbuf *out, const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, ":value:(");
		put_choices(out, value);
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

static void put_zsh_option(struct strbuf *out, const struct option_row *row)
{
	const char *equals = row->value ? "=" : "";

	if (row->letter) {
		strbuf_printf(out, " \\\n\t\t\t'-%c[", row->letter);
		put_zsh_text(out, row->text);
		strbuf_puts(out, "]");
		if (row->value)
			put_zsh_value(out, row->value);
		strbuf_puts(out, "'");
	}
	strbuf_printf(out, " \\\n\t\t\t'--%s%s[", row->name, equals);
	put_zsh_text(out, row->text);
	strbuf_puts(out, "]");
	if (row->value)
		put_zsh_value(out, row->value);
	strbuf_puts(out, "'");
}

static void put_zsh_command(struct strbuf *out, const struct command *command)
{
	strbuf_printf(out, "\t%s)\n\t\t_arguments", command->name);
	for (const struct option_row *const *table = command->tables; *table; table++)
		for (const struct option_row *row = *table; row->name; row++)
			put_zsh_option(out, row);
	if (command->choices) {
		strbuf_printf(out, " \\\n\t\t\t'%s", command->max_words > 2 ? "*" : "1");
		put_zsh_value(out, command->choices);
		strbuf_puts(out, "'");
	}
	strbuf_puts(out, "\n\t\t;;\n");
}

static void write_zsh(struct strbuf *out)
{
	strbuf_puts(out, "#compdef silicactl kubectl-silica\n"
			 "# zsh completion for silicactl; put it as _silicactl into a folder of "
			 "$fpath\n"
			 "_silicactl() {\n"
			 "\tlocal -a commands=(\n");
	for (const struct command *command = command_table(); command->name; command++) {
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
	for (const struct command *command = command_table(); command->name; command++)
		put_zsh_command(out, command);
	/* As a file of $fpath it is the function's first call, else it is sourced. */
	strbuf_puts(out, "\tesac\n}\n"
			 "if [[ ${funcstack[1]} == _silicactl ]]; then\n"
			 "\t_silicactl \"$@\"\n"
			 "else\n"
			 "\tcompdef _silicactl silicactl kubectl-silica\n"
			 "fi\n");
}

/* --- fish --- */

static void put_fish_value(struct strbuf *out, const char *value)
{
	if (is_choice(value)) {
		strbuf_puts(out, " -x -a '");
		put_choices(out, value);
		strbuf_puts(out, "'");
	} else if (is_path(value)) {
		strbuf_puts(out, " -r -F");
	} else {
		strbuf_puts(out, " -x");
	}
}

static void put_fish_option(struct strbuf *out, const struct command *command,
			    const struct option_row *row)
{
	strbuf_printf(out, "complete -c silicactl -n '__fish_seen_subcommand_from %s' -l %s",
		      command->name, row->name);
	if (row->letter)
		strbuf_printf(out, " -s %c", row->letter);
	if (row->value)
		put_fish_value(out, row->value);
	strbuf_puts(out, " -d ");
	put_quoted(out, row->text);
	strbuf_puts(out, "\n");
}

static void put_fish_command(struct strbuf *out, const struct command *command)
{
	strbuf_printf(out, "complete -c silicactl -n __fish_use_subcommand -a %s -d ",
		      command->name);
	put_quoted(out, command->summary);
	strbuf_puts(out, "\n");
	for (const struct option_row *const *table = command->tables; *table; table++)
		for (const struct option_row *row = *table; row->name; row++)
			put_fish_option(out, command, row);
	if (!command->choices)
		return;
	strbuf_printf(out, "complete -c silicactl -n '__fish_seen_subcommand_from %s'",
		      command->name);
	if (is_choice(command->choices)) {
		strbuf_puts(out, " -a '");
		put_choices(out, command->choices);
		strbuf_puts(out, "'\n");
	} else {
		strbuf_puts(out, " -F\n");
	}
}

static void write_fish(struct strbuf *out)
{
	strbuf_puts(out, "# fish completion for silicactl; put it into\n"
			 "# ~/.config/fish/completions/silicactl.fish\n"
			 "complete -c silicactl -f\n");
	for (const struct command *command = command_table(); command->name; command++)
		put_fish_command(out, command);
	strbuf_puts(out, "complete -c kubectl-silica -w silicactl\n");
}

static const struct {
	const char *name;
	void (*write)(struct strbuf *out);
} shells[] = {
	{ "bash", write_bash },
	{ "zsh", write_zsh },
	{ "fish", write_fish },
};

int completion_run(const struct settings *settings, struct strbuf *out, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (strcmp(shells[i].name, settings->words[0]) != 0)
			continue;
		shells[i].write(out);
		return COMMAND_DONE;
	}
	(void)error_set(err, EINVAL, "there is no completion for '%s', only for bash, zsh and fish",
			settings->words[0]);
	return COMMAND_MISUSED;
}
