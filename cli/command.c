/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stddef.h>

#include "base/about.h"
#include "cli/devices.h"
#include "cli/explain.h"
#include "cli/status.h"
#include "cli/validate.h"

static const struct command commands[] = {
	{
		.name = "devices",
		.words = "",
		.summary = "list the devices of this node, and where they are",
		.text = "Lists every device that the drivers find, with its health as one look "
			"shows it, and draws NUMA nodes, PCI bridges and links of the vendor "
			"below. With -o wide also what the device says of its load, versions, "
			"serial number and the partitions that it has or can be cut into.",
		.tables = { settings_output, settings_node, settings_common, NULL },
		.answer = devices_run,
	},
	{
		.name = "status",
		.words = "",
		.summary = "show which container holds what, and what is wrong",
		.text = "Asks the kubelet which container holds which device, draws what is held "
			"and free of each card, and tells what is remarkable: a device that two "
			"containers hold, devices that overlap, held devices that are unhealthy or "
			"not offered any more, and devices of which kubelet and configuration "
			"disagree. Each finding has a severity and an advice.\n\n"
			"With --idle-below the devices that are held are watched for --window; "
			"what was used less on average is a finding. Only containers that have "
			"held a device from before --grace to the end are judged. A device whose "
			"driver does not tell its use is left out.\n\n"
			"A kubelet that does not answer is told, and the rest is shown. Since when "
			"a device is held is not shown: the kubelet does not tell.",
		.tables = { settings_output, settings_node, settings_kubelet, settings_status,
			    settings_common, NULL },
		.answer = status_run,
	},
	{
		.name = "validate",
		.words = "FILE...",
		.choices = "FILE",
		.summary = "check configuration files of the device plugin",
		.text = "Reads each file as strictly as the device plugin does, and says ok or "
			"where the first fault is, with a suggestion. Keys that are deprecated are "
			"noted.",
		.tables = { settings_validate, settings_common, NULL },
		.min_words = 1,
		.max_words = SETTINGS_WORDS_MAX,
		.answer = validate_run,
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
		.answer = explain_run,
	},
	{ ABOUT_COMPLETION, .tables = { settings_common, NULL } },
	{ ABOUT_HELP, .tables = { settings_common, NULL } },
	{ ABOUT_VERSION, .tables = { settings_common, NULL } },
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

static const struct command_program program = {
	.name = "silicactl",
	.alias = "kubectl-silica",
	.about = "Looks at the accelerators of the node that it runs on.",
	.commands = commands,
	.exits = exits,
	.common = settings_common,
};

const struct command_program *command_program(void)
{
	return &program;
}

int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err)
{
	struct options_words words = { .list = settings->words, .max = SETTINGS_WORDS_MAX };
	struct command_line line = {
		.program = settings->program,
		.settings = settings,
		.words = &words,
		.help = &settings->help,
	};
	const struct command *command;
	int r = command_choose(&program, argv, &line, &command, out, err);

	if (!command)
		return r;
	settings->n_words = words.n;
	settings->paint = settings_paints(settings->color, settings->terminal, settings->no_color);
	r = command->answer(settings, out, err);
	return r < 0 ? COMMAND_FAILED : r;
}
