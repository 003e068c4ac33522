/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <errno.h>
#include <string.h>

#include "api/config/suggest.h"
#include "base/macro.h"
#include "cli/completion.h"
#include "cli/devices.h"
#include "cli/explain.h"
#include "cli/status.h"
#include "cli/validate.h"

static int misuse_command(const char *name, const char *program, struct error *err);

static int help_run(const struct settings *settings, struct strbuf *out, struct error *err)
{
	const struct command *command = NULL;

	if (settings->n_words > 0) {
		command = command_find(settings->words[0]);
		if (!command)
			return misuse_command(settings->words[0], settings->program, err);
	}
	command_usage(settings->program, command, out);
	return COMMAND_DONE;
}

static int version_run(const struct settings *settings, struct strbuf *out,
		       _unused_ struct error *err)
{
	strbuf_printf(out, "%s " SILICA_VERSION "\n", settings->program);
	return COMMAND_DONE;
}

static const struct command commands[] = {
	{
		.name = "devices",
		.words = "",
		.summary = "list the devices of this node, and where they are",
		.text = "Lists every device that the drivers find, with its health as one look "
			"shows "
			"it, and draws NUMA nodes, PCI bridges and links of the vendor below. With "
			"-o wide also what the device says of its load, versions, serial number "
			"and "
			"the partitions that it has or can be cut into.",
		.tables = { settings_output, settings_node, settings_common, NULL },
		.run = devices_run,
	},
	{
		.name = "status",
		.words = "",
		.summary = "show which container holds what, and what is wrong",
		.text = "Asks the kubelet which container holds which device, draws what is held "
			"and "
			"free of each card, and tells what is remarkable: a device that two "
			"containers hold, devices that overlap, held devices that are unhealthy or "
			"not offered any more, and devices of which kubelet and configuration "
			"disagree. Each finding has a severity and an advice.\n\n"
			"With --idle-below the devices that are held are watched for --window; "
			"what "
			"was used less on average is a finding. Only containers that have held a "
			"device from before --grace to the end are judged. A device whose driver "
			"does not tell its use is left out.\n\n"
			"A kubelet that does not answer is told, and the rest is shown. Since when "
			"a "
			"device is held is not shown: the kubelet does not tell.",
		.tables = { settings_output, settings_node, settings_kubelet, settings_status,
			    settings_common, NULL },
		.run = status_run,
	},
	{
		.name = "validate",
		.words = "FILE...",
		.choices = "FILE",
		.summary = "check configuration files of the device plugin",
		.text = "Reads each file as strictly as the device plugin does, and says ok or "
			"where "
			"the first fault is, with a suggestion. Keys that are deprecated are "
			"noted.",
		.tables = { settings_validate, settings_common, NULL },
		.min_words = 1,
		.max_words = SETTINGS_WORDS_MAX,
		.run = validate_run,
	},
	{
		.name = "explain",
		.words = "allocate RESOURCE=N | device ID",
		.choices = "allocate|device",
		.summary = "say why devices would be chosen, or are offered",
		.text = "allocate: which devices the plugin would prefer for a container that asks "
			"for N, from what is free now, and why these.\n\n"
			"device: by which rules a device is offered or not, its health, and who "
			"holds it. It is named by its ID, its name, its PCI address, or the ID of "
			"one of its units.",
		.tables = { settings_explain, settings_node, settings_kubelet, settings_common,
			    NULL },
		.min_words = 2,
		.max_words = 2,
		.run = explain_run,
	},
	{
		.name = "completion",
		.words = "bash|zsh|fish",
		.choices = "bash|zsh|fish",
		.summary = "print a script by which a shell completes command lines",
		.text = "Prints the script; where to put it stands in its first lines.",
		.tables = { settings_common, NULL },
		.min_words = 1,
		.max_words = 1,
		.run = completion_run,
	},
	{
		.name = "help",
		.words = "[COMMAND]",
		.choices = "devices|status|validate|explain|completion|version",
		.summary = "print this text, or that of a command",
		.text = "Prints the commands, or the options of one.",
		.tables = { settings_common, NULL },
		.max_words = 1,
		.run = help_run,
	},
	{
		.name = "version",
		.words = "",
		.summary = "print the version",
		.text = "Prints the version.",
		.tables = { settings_common, NULL },
		.run = version_run,
	},
	{ 0 },
};

static const struct command_exit exits[] = {
	{ COMMAND_DONE, "all went well" },
	{ COMMAND_FAILED,
	  "something failed, a configuration is refused, or a request cannot be met" },
	{ COMMAND_MISUSED, "the command line is wrong" },
	{ COMMAND_FINDINGS, "status --check has found something" },
	{ 0 },
};

const struct command *command_table(void)
{
	return commands;
}

const struct command_exit *command_exits(void)
{
	return exits;
}

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static void list_commands(const char *program, struct strbuf *out)
{
	strbuf_printf(out, "Usage: %s COMMAND [OPTION]...\n\n", program);
	strbuf_puts(out, "Looks at the accelerators of the node that it runs on.\n\n");
	for (const struct command *command = commands; command->name; command++)
		strbuf_printf(out, "  %-12s%s\n", command->name, command->summary);
	strbuf_printf(out, "\nSee %s help COMMAND for its options.\n", program);
}

#define TEXT_COLUMNS 78

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

void command_usage(const char *program, const struct command *command, struct strbuf *out)
{
	if (!command) {
		list_commands(program, out);
		return;
	}
	strbuf_printf(out, "Usage: %s %s%s%s [OPTION]...\n\n", program, command->name,
		      command->words[0] ? " " : "", command->words);
	put_wrapped(out, command->text);
	strbuf_puts(out, "\n");
	for (const struct option_row *const *table = command->tables; *table; table++)
		options_describe(*table, out);
}

/* --- running --- */

static const struct command *nearest_command(const char *name)
{
	const struct command *nearest = NULL;
	size_t distance = SUGGEST_WORD_MAX;

	for (const struct command *command = commands; command->name; command++) {
		size_t other = suggest_distance(name, command->name);

		if (other < distance && suggest_is_close(other, name)) {
			nearest = command;
			distance = other;
		}
	}
	return nearest;
}

static int misuse_command(const char *name, const char *program, struct error *err)
{
	const struct command *nearest = nearest_command(name);

	if (nearest)
		(void)error_set(err, EINVAL, "there is no command '%s', did you mean '%s'?", name,
				nearest->name);
	else
		(void)error_set(err, EINVAL, "there is no command '%s'; see %s help", name,
				program);
	return COMMAND_MISUSED;
}

static int run_command(const struct command *command, const struct settings *settings,
		       struct strbuf *out, struct error *err)
{
	int r;

	if (settings->help) {
		command_usage(settings->program, command, out);
		return COMMAND_DONE;
	}
	if (settings->n_words < command->min_words || settings->n_words > command->max_words) {
		(void)error_set(err, EINVAL, "usage: %s %s%s%s", settings->program, command->name,
				command->words[0] ? " " : "", command->words);
		return COMMAND_MISUSED;
	}
	r = command->run(settings, out, err);
	return r < 0 ? COMMAND_FAILED : r;
}

int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err)
{
	struct options_words words = { .list = settings->words, .max = SETTINGS_WORDS_MAX };
	const struct command *command;

	if (!argv[0]) {
		list_commands(settings->program, out);
		return COMMAND_MISUSED;
	}
	/* As programs of GNU take them. */
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		command = command_find("help");
	else if (strcmp(argv[0], "--version") == 0)
		command = command_find("version");
	else
		command = command_find(argv[0]);
	if (!command)
		return misuse_command(argv[0], settings->program, err);
	if (options_read(command->tables, argv + 1, settings, &words, err) < 0)
		return COMMAND_MISUSED;
	settings->n_words = words.n;
	settings->paint = settings_paints(settings->color, settings->terminal, settings->no_color);
	return run_command(command, settings, out, err);
}
