/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of silicactl, as rows.
 *
 * Source: base/command.h
 */
#pragma once

#include <stddef.h>

#include "base/command.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"

#define COMMAND_OUTPUT_MAX ((size_t)64 * 1024 * 1024) /* the shares of a full node, in JSON */

#define COMMAND_FINDINGS COMMAND_OWN /* of status --check */

/**
 * command_program() - The program with all its commands.
 *
 * Return: program; static.
 */
const struct command_program *command_program(void);

/**
 * command_run() - Do what a command line says.
 * @argv: words behind the name of the program; NULL ends them
 * @settings: defaults; filled in
 * @out: gets what is to be printed
 * @err: set where the status is COMMAND_FAILED and nothing was printed that says
 *	why, or COMMAND_MISUSED
 *
 * Return: enum command_status.
 */
int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err);
