/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl completion: scripts by which shells complete command lines, written
 * from the table of commands.
 *
 * Source: Bash Reference Manual, "Programmable Completion"; zsh manual, "Completion
 * System"; fish documentation, complete
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"

/**
 * completion_run() - Do what `silicactl completion` does.
 * @settings: command line; its word is the name of a shell
 * @out: the script is appended to it
 * @err: set on failure
 *
 * Return: COMMAND_DONE, or COMMAND_MISUSED for an unknown shell.
 */
int completion_run(const struct settings *settings, struct strbuf *out, struct error *err);
