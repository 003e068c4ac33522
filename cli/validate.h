/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl validate: reads configurations as strictly as the device plugin does.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"

/**
 * validate_run() - Do what `silicactl validate` does.
 * @settings: command line; its words are files
 * @out: appended to: a verdict for each file, and notes
 * @err: set on failure
 *
 * With --print the verdicts are comments, and each configuration that is good is a
 * document of its own.
 *
 * Return: COMMAND_DONE, or COMMAND_FAILED if a file is refused.
 */
int validate_run(const struct settings *settings, struct strbuf *out, struct error *err);
