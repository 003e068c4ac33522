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

struct option_row;

/**
 * typedef option_fn - Takes an option in.
 * @row: its row
 * @field: where it goes: the target of options_read(), moved by the row's offset
 * @value: its value, borrowed from the command line; NULL for a switch
 *
 * Return: 0, or -EINVAL when it cannot be that.
 */
typedef int (*option_fn)(const struct option_row *row, void *field, const char *value);

struct option_row {
	const char *name;  /* as in "output" of --output; NULL ends a table */
	char letter;	   /* as in 'o' of -o; 0 without */
	const char *value; /* "FILE", or "text|json" for a choice; NULL for a switch */
	const char *text;  /* one line for --help */
	option_fn set;
	size_t offset; /* of the field in the target, in bytes */
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
 * option_set_text() - Take a value in as it is; an option_fn.
 * @row: row
 * @field: const char *, set to @value
 * @value: value
 *
 * Return: 0, or -EINVAL when it is empty.
 */
int option_set_text(const struct option_row *row, void *field, const char *value);

/**
 * option_set_choice() - Take in which of the words of the row it is; an option_fn.
 * @row: row, whose words stand in the order of the enum
 * @field: an enum, set to the number of the word
 * @value: value
 *
 * Return: 0, or -EINVAL when it is none of them.
 */
int option_set_choice(const struct option_row *row, void *field, const char *value);

/**
 * option_set_switch() - Take in that it was given; an option_fn.
 * @row: row
 * @field: bool, set to true
 * @value: NULL
 *
 * Return: 0.
 */
int option_set_switch(const struct option_row *row, void *field, const char *value);

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
