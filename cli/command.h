/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of silicactl as rows.  --help, the manual page and the completions
 * are written from them.
 *
 * Source: none outside the project
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"

#define COMMAND_OUTPUT_MAX ((size_t)64 * 1024 * 1024) /* the shares of a full node, in JSON */

/* Exit statuses; a negative errno of a command becomes COMMAND_FAILED. */
enum command_status {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1,   /* also: a configuration is refused, a request cannot be met */
	COMMAND_MISUSED = 2,  /* the command line is wrong */
	COMMAND_FINDINGS = 3, /* of status --check */
};

struct command {
	const char *name;    /* NULL ends a table */
	const char *words;   /* what follows, as in "FILE..."; "" for nothing */
	const char *choices; /* what the first word can be, as in "bash|zsh"; NULL for any, "FILE"
			      * for a file */
	const char *summary; /* one line */
	const char *text;    /* paragraphs, with an empty line between them */
	const struct option_row *tables[6]; /* NULL ends */
	size_t min_words;
	size_t max_words;

	/* Appends to @out what is to be printed, also on failure.  Returns enum
	 * command_status, or a negative errno with @err set. */
	int (*run)(const struct settings *settings, struct strbuf *out, struct error *err);
};

struct command_exit {
	enum command_status status;
	const char *text;
};

/**
 * command_table() - All commands.
 *
 * Return: rows, in the order of --help; a nameless one ends them; static.
 */
const struct command *command_table(void);

/**
 * command_exits() - What the exit statuses mean.
 *
 * Return: rows; one without a text ends them; static.
 */
const struct command_exit *command_exits(void);

/**
 * command_find() - Look a command up.
 * @name: its name
 *
 * Return: its row, or NULL.
 */
const struct command *command_find(const char *name);

/**
 * command_usage() - Write the --help of the program or of a command.
 * @program: name of the program
 * @command: row, or NULL for all commands
 * @out: appended to
 */
void command_usage(const char *program, const struct command *command, struct strbuf *out);

/**
 * command_run() - Do what a command line says.
 * @argv: words behind the name of the program; NULL ends them
 * @settings: defaults; taken by value and filled in
 * @out: gets what is to be printed
 * @err: set where the status is COMMAND_FAILED and nothing was printed that says
 *	why, or COMMAND_MISUSED
 *
 * Return: enum command_status.
 */
int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err);
