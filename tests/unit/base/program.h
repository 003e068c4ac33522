/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is expected of every program that has a table of commands.
 *
 * Source: base/command.h
 */
#pragma once

#include <stddef.h>

#include "base/command.h"
#include "base/error.h"
#include "base/strbuf.h"

#define PROGRAM_ARGV_MAX 4
#define PROGRAM_OUT_MAX ((size_t)256 * 1024)

/* A command line and what comes of it. */
struct program_case {
	const char *argv[PROGRAM_ARGV_MAX];
	int status;
	const char *out;   /* part of it */
	const char *error; /* part of it; "" where there is none */
};

/**
 * typedef program_run_fn - Runs a command line, as command_run() of each program does.
 * @argv: words behind the name of the program; NULL ends them
 * @out: gets what is to be printed
 * @err: set on failure
 *
 * Return: enum command_status.
 */
typedef int (*program_run_fn)(const char *const *argv, struct strbuf *out, struct error *err);

/**
 * typedef program_row_fn - Looks at an option.
 * @command: command that has it
 * @row: its row
 * @ctx: as it was given to program_each_row()
 */
typedef void (*program_row_fn)(const struct command *command, const struct option_row *row,
			       void *ctx);

/**
 * program_expect_cases() - Run command lines, and compare.
 * @run: the program
 * @cases: command lines
 * @n: number of them
 */
void program_expect_cases(program_run_fn run, const struct program_case *cases, size_t n);

/**
 * program_each_row() - Look at every option of every command.
 * @program: program
 * @fn: called for each
 * @ctx: handed to @fn
 */
void program_each_row(const struct command_program *program, program_row_fn fn, void *ctx);

/**
 * program_expect_rows() - Expect that each command can be run in one way.
 * @program: program
 */
void program_expect_rows(const struct command_program *program);

/**
 * program_expect_help() - Expect --help of every command to tell all of its options, in
 *   lines of at most 100 columns.
 * @program: program
 */
void program_expect_help(const struct command_program *program);

/**
 * program_expect_completions() - Expect the scripts for all shells to have every command,
 *   also behind `help`, and every option.
 * @program: program
 */
void program_expect_completions(const struct command_program *program);

/**
 * program_expect_pages() - Expect the pages of the documentation to show commands and
 *   options that there are.
 * @program: program
 */
void program_expect_pages(const struct command_program *program);
