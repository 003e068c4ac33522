/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-sim: build a simulated node and change it while others look at it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "tests/sim/commands.h"
#include "tests/sim/description.h"

#define EXIT_USAGE 2
#define HELP_MAX 8192

struct command {
	const char *name;
	const char *args; /* after DIR */
	int n_args;
	int (*run)(const struct request *request, struct error *err);
	const char *help;
};

static const struct command commands[] = {
	{ "create", "DESCRIPTION", 1, command_create, "build a node below DIR" },
	{ "fail", "CARD", 1, command_fail, "make a card look broken" },
	{ "recover", "CARD", 1, command_recover, "make it look well again" },
	{ "unplug", "CARD", 1, command_unplug, "take a card away" },
	{ "plug", "CARD", 1, command_plug, "bring it back" },
	{ "renumber", "CARD INDEX", 2, command_renumber, "give a card another index" },
	{ "set", "CARD ATTRIBUTE VALUE", 3, command_set, "replace an attribute" },
	{ "remove-node", "CARD NODE", 2, command_remove_node, "remove a device file" },
	{ "restore-node", "CARD NODE", 2, command_restore_node, "put it back" },
	{ "break-node", "CARD NODE", 2, command_break_node, "make it a regular file" },
	{ "list", "", 0, command_list, "print a table of the cards" },
};

static const struct option long_options[] = {
	{ "nodes", required_argument, NULL, 'n' },
	{ "in-place", no_argument, NULL, 'i' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	_cleanup_strbuf_ struct strbuf parts = STRBUF_INIT(HELP_MAX);

	(void)puts("silica-sim COMMAND [OPTION...] DIR [ARGUMENT...]\n\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)printf("  %-12s DIR %-22s %s\n", commands[i].name, commands[i].args,
			     commands[i].help);
	description_help(&parts);
	(void)printf(
		"\nCARD is family and number at creation (rngd0), NODE what follows the\n"
		"card's name in /dev (pe0, pe0-1, mgmt, ch3; npu for the Warboy's bare one),\n"
		"ATTRIBUTE a file of the card, or pci/FILE, VALUE text with \\n \\t \\\\ \\xNN.\n"
		"\nOptions:\n"
		"  --nodes auto|real|links  create: character devices, or links to /dev/null;\n"
		"                           auto tries the former\n"
		"  --in-place               set: not atomic, readers may see half of it\n"
		"\nDESCRIPTION is a list of parts, as in \"rngd x2, warboy x1, numa 0/1\":\n%s",
		strbuf_str(&parts));
}

static int usage(const char *what, const char *which)
{
	(void)fprintf(stderr, "silica-sim: %s '%s'; see silica-sim --help\n", what, which);
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int parse_nodes(const char *text, enum nodes_option *ret)
{
	static const char *const names[] = {
		[NODES_AUTO] = "auto",
		[NODES_REAL] = "real",
		[NODES_LINKS] = "links",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*ret = (enum nodes_option)i;
		return 0;
	}
	return usage("--nodes takes auto, real or links, not", text);
}

/* Options end at DIR, so that a VALUE may begin with '-'. */
static int parse_options(int argc, char **argv, const struct command *command,
			 struct request *request)
{
	for (;;) {
		int option = getopt_long(argc, argv, "+", long_options, NULL);

		if (option == -1)
			return 0;
		if (option == 'n' && command->run == command_create) {
			if (parse_nodes(optarg, &request->nodes) != 0)
				return EXIT_USAGE;
		} else if (option == 'i' && command->run == command_set) {
			request->in_place = true;
		} else {
			return usage("wrong option for", command->name);
		}
	}
}

static int run(int argc, char **argv, const struct command *command)
{
	struct request request = { .output = stdout };
	struct error err = { 0 };
	int r = parse_options(argc, argv, command, &request);

	if (r != 0)
		return r;
	if (argc - optind != 1 + command->n_args)
		return usage("wrong number of arguments for", command->name);
	request.dir = argv[optind];
	for (int i = 0; i < command->n_args; i++)
		request.args[i] = argv[optind + 1 + i];
	r = command->run(&request, &err);
	if (r >= 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "silica-sim: %s: %s\n", command->name, error_text(&err, r));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return usage("no command", "");
	if (strcmp(argv[1], "--help") == 0) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("silica-sim " SILICA_VERSION);
		return EXIT_SUCCESS;
	}
	command = find_command(argv[1]);
	if (!command)
		return usage("unknown command", argv[1]);
	/* What a test sees must not depend on who ran it; every mode is explicit. */
	(void)umask(0);
	return run(argc - 1, argv + 1, command);
}
