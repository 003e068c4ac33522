/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include <stdbool.h>
#include <string.h>

#include "base/parse.h"
#include "cli/command.h"
#include "cli/findings.h"

/* Text of a line: a '-' is one, a backslash too, and no line begins with a macro. */
static void put_text(struct strbuf *out, const char *text)
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
static void put_sentences(struct strbuf *out, const char *text)
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
		put_text(out, line);
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
	put_text(out, row->name);
	if (row->value) {
		strbuf_puts(out, " \\fI");
		put_text(out, row->value);
		strbuf_puts(out, "\\fP");
	}
	strbuf_puts(out, "\n");
	put_text(out, row->text);
	strbuf_puts(out, "\n");
}

static bool has_table(const struct command *command, const struct option_row *table)
{
	for (const struct option_row *const *known = command->tables; *known; known++)
		if (*known == table)
			return true;
	return false;
}

static size_t count_users(const struct option_row *table)
{
	size_t n = 0;

	for (const struct command *command = command_table(); command->name; command++)
		n += has_table(command, table);
	return n;
}

static void put_options(struct strbuf *out, const struct option_row *table)
{
	for (const struct option_row *row = table; row->name; row++)
		put_option(out, row);
}

/* Options that several commands have are told once, behind the commands. */
static void put_command(struct strbuf *out, const struct command *command)
{
	strbuf_printf(out, ".SS %s", command->name);
	if (command->words[0]) {
		strbuf_puts(out, " \\fI");
		put_text(out, command->words);
		strbuf_puts(out, "\\fP");
	}
	strbuf_puts(out, "\n");
	put_sentences(out, command->text);
	for (const struct option_row *const *table = command->tables; *table; table++)
		if (count_users(*table) == 1)
			put_options(out, *table);
}

/* Whether a command before @command has the table as well. */
static bool is_told(const struct command *command, const struct option_row *table)
{
	for (const struct command *other = command_table(); other != command; other++)
		if (has_table(other, table))
			return true;
	return false;
}

static void put_shared_table(struct strbuf *out, const struct option_row *table)
{
	const char *comma = "";

	strbuf_puts(out, ".SS Options of ");
	if (table == settings_common)
		strbuf_puts(out, "all commands");
	for (const struct command *command = command_table(); command->name; command++) {
		if (table == settings_common || !has_table(command, table))
			continue;
		strbuf_printf(out, "%s%s", comma, command->name);
		comma = ", ";
	}
	strbuf_puts(out, "\n");
	put_options(out, table);
}

static void put_shared_options(struct strbuf *out)
{
	strbuf_puts(out, ".SH OPTIONS\n");
	for (const struct command *command = command_table(); command->name; command++)
		for (const struct option_row *const *table = command->tables; *table; table++)
			if (count_users(*table) > 1 && !is_told(command, *table))
				put_shared_table(out, *table);
}

static void put_findings(struct strbuf *out)
{
	strbuf_puts(out, ".SH FINDINGS\nWhat status can find:\n");
	for (int kind = 0; kind < _FINDING_KIND_MAX; kind++) {
		strbuf_puts(out, ".TP\n.BR ");
		put_text(out, finding_name((enum finding_kind)kind));
		strbuf_printf(out, " \" (%s)\"\n",
			      finding_severity_name(finding_severity((enum finding_kind)kind)));
		put_sentences(out, finding_advice((enum finding_kind)kind));
	}
}

static void put_exits(struct strbuf *out)
{
	strbuf_puts(out, ".SH EXIT STATUS\n");
	for (const struct command_exit *row = command_exits(); row->text; row++) {
		strbuf_printf(out, ".TP\n.B %d\n", (int)row->status);
		put_text(out, row->text);
		strbuf_puts(out, "\n");
	}
}

void manual_write(struct strbuf *out)
{
	strbuf_puts(out,
		    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		    ".\\\" Written by silicactl-manual from the table of commands.\n"
		    ".TH SILICACTL 1 \"\" \"Silica " SILICA_VERSION "\" \"Silica\"\n"
		    ".SH NAME\n"
		    "silicactl \\- look at the accelerators of a Kubernetes node\n"
		    ".SH SYNOPSIS\n"
		    ".B silicactl\n"
		    ".I COMMAND\n"
		    "[\\fIOPTION\\fP]...\n"
		    ".SH DESCRIPTION\n"
		    "Looks at the node that it runs on, as the device plugin does, and changes "
		    "nothing.\n"
		    "Installed as\n"
		    ".B kubectl\\-silica\n"
		    "it is a plugin of kubectl: kubectl silica devices.\n"
		    ".PP\n"
		    "Text from devices and pods is shown with every byte that is not printable "
		    "ASCII as \\exNN.\n"
		    "Names of fields in JSON and YAML stay as they are.\n"
		    ".SH COMMANDS\n");
	for (const struct command *command = command_table(); command->name; command++)
		put_command(out, command);
	put_shared_options(out);
	put_findings(out);
	put_exits(out);
	strbuf_puts(out,
		    ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
		    "If it is set to anything, no colours are used unless \\-\\-color says so.\n"
		    ".TP\n.BR LC_ALL \", \" LC_CTYPE \", \" LANG\n"
		    "Pictures are drawn with box\\-drawing characters where these say UTF\\-8.\n");
}
