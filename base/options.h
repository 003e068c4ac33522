/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a command line by a table: a row for each option, and the words between
 * them.  --help, manual pages and completions are written from the same rows.
 *
 * Source: POSIX.1-2017, XBD 12, with the long options of GNU; options may follow
 * words, and "--" ends them
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

/**
 * typedef option_fn - Takes an option in.
 * @target: as given to options_read()
 * @value: its value, borrowed from the command line; NULL for a switch
 *
 * Return: 0, or -EINVAL when it cannot be that.
 */
typedef int (*option_fn)(void *target, const char *value);

struct option_row {
	const char *name;  /* as in "output" of --output; NULL ends a table */
	char letter;	   /* as in 'o' of -o; 0 without */
	const char *value; /* "FILE", or "text|json" for a choice; NULL for a switch */
	const char *text;  /* one line for --help */
	option_fn set;
};

/* The words that are no options. */
struct options_words {
	const char **list; /* room for @max; the words are borrowed */
	size_t n;
	size_t max;
};

/**
 * options_read() - Read a command line.
 * @tables: tables of rows that are known; NULL ends them
 * @argv: words to read, without the name of the program; NULL ends them
 * @target: handed to the rows
 * @words: gets the words that are no options; NULL where there must be none
 * @err: set on failure; names the word and what is expected
 *
 * "--name VALUE", "--name=VALUE", "-n VALUE" and "-nVALUE" are understood.
 *
 * Return: 0, or
 *   -EINVAL  an option is unknown, lacks its value or cannot have it
 *   -E2BIG   there are more words than may be
 */
int options_read(const struct option_row *const *tables, const char *const *argv, void *target,
		 struct options_words *words, struct error *err);

/**
 * options_describe() - Write the rows of a table as lines of --help.
 * @table: rows
 * @out: appended to
 */
void options_describe(const struct option_row *table, struct strbuf *out);

/**
 * options_next_choice() - The next word of a value such as "text|json".
 * @at: where to look; moved behind what was found
 * @ret_len: length of the word
 *
 * A value without '|' is one word.
 *
 * Return: the word, not NUL-terminated, or NULL at the end.
 */
const char *options_next_choice(const char **at, size_t *ret_len);
