/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that every program has: completion, help and version.
 *
 * Source: POSIX.1-2017, XBD 12, with the long options of GNU
 */
#pragma once

#include "base/command.h"
#include "base/completion.h"
#include "base/error.h"
#include "base/strbuf.h"

/* What rows of these commands have; the options are the program's. */
#define ABOUT_COMPLETION                                                                         \
	.name = "completion", .words = COMPLETION_SHELLS, .choices = COMPLETION_SHELLS,          \
	.summary = "print a script by which a shell completes command lines",                    \
	.text = "Prints the script; where to put it stands in its first lines.", .min_words = 1, \
	.max_words = 1, .about = about_completion
#define ABOUT_HELP                                                  \
	.name = "help", .words = "[COMMAND]", .choices = "COMMAND", \
	.summary = "print this text, or that of a command",         \
	.text = "Prints the commands, or the options of one.", .max_words = 1, .about = about_help
#define ABOUT_VERSION                                                   \
	.name = "version", .words = "", .summary = "print the version", \
	.text = "Prints the version.", .about = about_version

/**
 * about_completion() - Answer `completion SHELL`.
 * @program: program
 * @line: command line
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, or COMMAND_MISUSED for an unknown shell.
 */
int about_completion(const struct command_program *program, const struct command_line *line,
		     struct strbuf *out, struct error *err);

/**
 * about_help() - Answer `help` and `help COMMAND`.
 * @program: program
 * @line: command line
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, or COMMAND_MISUSED when there is no such command.
 */
int about_help(const struct command_program *program, const struct command_line *line,
	       struct strbuf *out, struct error *err);

/**
 * about_version() - Answer `version`.
 * @program: program
 * @line: command line
 * @out: appended to
 * @err: not used
 *
 * Return: COMMAND_DONE.
 */
int about_version(const struct command_program *program, const struct command_line *line,
		  struct strbuf *out, struct error *err);
