/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of silica-reservoir: each is a row, and a file of this folder.
 *
 * Source: base/command.h
 */
#pragma once

#include "base/command.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/command/settings.h"

#define COMMAND_OUTPUT_MAX ((size_t)1024 * 1024) /* help and completions */

/* Of sync: a repository misses something, published without it or not; of verify: something is
 * damaged; of import and watch: a bundle was refused. */
#define COMMAND_INCOMPLETE COMMAND_OWN

/**
 * command_program() - The program with all its commands.
 *
 * Return: program; static.
 */
const struct command_program *command_program(void);

/**
 * command_run() - Do what a command line says.
 * @argv: words after the program's name, ended by NULL
 * @settings: settings_default(); filled
 * @out: gets what is to be printed and was not yet: help, after a misuse too
 * @err: set when something is to be complained of
 *
 * Return: enum command_status.
 */
int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err);
