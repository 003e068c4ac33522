/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command lines that the pages of the documentation show, held to what the programs
 * take.
 *
 * Source: CommonMark 0.30, 4.4 "Indented code blocks" and 6.1 "Code spans"
 */
#pragma once

#include <stdbool.h>

/**
 * typedef pages_knows_fn - Whether a program takes what a page shows.
 * @ctx: as it was given to pages_expect()
 * @command: first word behind the program's name; "" when that is an option
 * @option: name of an option without its dashes, or NULL to ask for the command alone
 *
 * Return: true if so.
 */
typedef bool (*pages_knows_fn)(void *ctx, const char *command, const char *option);

/**
 * pages_expect() - Expect every command line of a program in README.md, CONTRIBUTING.md
 *   and docs/ to be one that it takes.
 * @program: its name, as in "silicactl"
 * @knows: asked for each command and each option
 * @ctx: handed to @knows
 */
void pages_expect(const char *program, pages_knows_fn knows, void *ctx);

/**
 * pages_expect_options() - The same of a program that takes options only.
 * @program: its name
 * @usage: what its --help prints, in which an option stands as "  --name"
 */
void pages_expect_options(const char *program, const char *usage);
