/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts by which shells complete the command lines of a program, written from its
 * table of commands.
 *
 * Source: Bash Reference Manual, "Programmable Completion"; zsh manual, "Completion
 * System"; fish documentation, complete
 */
#pragma once

#include "base/command.h"
#include "base/error.h"
#include "base/strbuf.h"

#define COMPLETION_SHELLS "bash|zsh|fish"

/**
 * completion_write() - Write the script for a shell.
 * @program: program
 * @shell: name of the shell
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, or COMMAND_MISUSED for an unknown shell.
 */
int completion_write(const struct command_program *program, const char *shell, struct strbuf *out,
		     struct error *err);
