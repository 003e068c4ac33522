/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of a program as rows.  --help, the manual page and the completions are
 * written from them.
 *
 * Source: POSIX.1-2017, XBD 12, with the long options of GNU
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/options.h"
#include "base/strbuf.h"

#define COMMAND_TABLES_MAX 6 /* of options of one command, with the NULL */

struct settings; /* what the command line says; each program has its own */

/* Exit statuses; a negative errno of a command becomes COMMAND_FAILED. */
enum command_status {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1,
	COMMAND_MISUSED = 2, /* the command line is wrong */
	COMMAND_OWN = 3,     /* what a program means by it is its own */
};

struct command_program;
struct command_line;

/* Each has one of @answer, @run and @about. */
struct command {
	const char *name;    /* NULL ends a table */
	const char *words;   /* what follows, as in "FILE..."; "" for nothing */
	const char *choices; /* what the first word can be, as in "bash|zsh"; NULL for any, "FILE"
			      * for a file, "COMMAND" for the name of a command */
	const char *summary; /* one line */
	const char *text;    /* paragraphs, with an empty line between them */
	const struct option_row *tables[COMMAND_TABLES_MAX]; /* NULL ends */
	size_t min_words;
	size_t max_words;

	/* Appends to @out what is to be printed, also on failure.  Returns enum
	 * command_status, or a negative errno with @err set. */
	int (*answer)(const struct settings *settings, struct strbuf *out, struct error *err);
	/* The same, of one that prints by itself as it goes on. */
	int (*run)(const struct settings *settings, struct error *err);
	/* Of what every program has: tells of the program, into @out.  Returns enum
	 * command_status. */
	int (*about)(const struct command_program *program, const struct command_line *line,
		     struct strbuf *out, struct error *err);
};

struct command_exit {
	int status;
	const char *text; /* NULL ends a table */
};

struct command_program {
	const char *name;  /* as it is installed */
	const char *alias; /* another name of it, or NULL */
	const char *about; /* one sentence */
	const struct command *commands;
	const struct command_exit *exits;
	const struct option_row *common; /* the options that all commands have */
};

/* A command line that is read. */
struct command_line {
	const char *program; /* the name to be shown */
	struct settings *settings;
	struct options_words *words;
	const bool *help; /* of @settings: set by --help */
};

/**
 * command_find() - Look a command up.
 * @program: program
 * @name: its name
 *
 * Return: its row, or NULL.
 */
const struct command *command_find(const struct command_program *program, const char *name);

/**
 * command_usage() - Write the --help of the program or of a command.
 * @program: program
 * @shown: its name
 * @command: row, or NULL for all commands
 * @out: appended to
 */
void command_usage(const struct command_program *program, const char *shown,
		   const struct command *command, struct strbuf *out);

/**
 * command_help() - What the command `help` answers.
 * @program: program
 * @shown: its name
 * @name: the command that is asked for, or NULL for all
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, or COMMAND_MISUSED when there is no such command.
 */
int command_help(const struct command_program *program, const char *shown, const char *name,
		 struct strbuf *out, struct error *err);

/**
 * command_choose() - Find out what a command line asks for.
 * @program: program
 * @argv: words behind the name of the program; NULL ends them
 * @line: filled in
 * @ret: row of what is to be done, of @answer or @run; NULL when nothing is left
 * @out: gets what the program tells of itself: help where it was asked for or is needed,
 *	and what a row of @about answers
 * @err: set on misuse that is told by it
 *
 * Return: COMMAND_DONE or COMMAND_MISUSED.
 */
int command_choose(const struct command_program *program, const char *const *argv,
		   struct command_line *line, const struct command **ret, struct strbuf *out,
		   struct error *err);

/**
 * command_print() - Print what a command line has left to print.
 * @out: text
 * @status: enum command_status of the command; after a misuse the text is help, and goes
 *	to standard error
 * @err: set on failure
 *
 * Return: @status, or COMMAND_FAILED when the text cannot be written whole.
 */
int command_print(const struct strbuf *out, int status, struct error *err);
