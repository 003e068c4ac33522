/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an upstream does not have, so that it is not asked for that again and again.
 *
 * Clients may ask for any name: the table has a fixed size, in memory, and what was
 * noted first in a set gives its place up.
 *
 * Source: RFC 2308 for the idea, of names that do not exist
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct absent;

/**
 * absent_new() - Make a table.
 *
 * Return: the table, to be released with free(); or NULL without memory.
 */
struct absent *absent_new(void);

/**
 * absent_note() - Note that an upstream does not have a path.
 * @absent: table
 * @repository: name of the repository
 * @path: path below it
 * @now: seconds since 1970
 */
void absent_note(struct absent *absent, const char *repository, const char *path, int64_t now);

/**
 * absent_forget() - Note that it has.
 * @absent: table
 * @repository: name of the repository
 * @path: path below it
 */
void absent_forget(struct absent *absent, const char *repository, const char *path);

/**
 * absent_find() - When an upstream was found not to have a path.
 * @absent: table
 * @repository: name of the repository
 * @path: path below it
 * @ret: seconds since 1970
 *
 * Return: true if it was noted and is not forgotten.
 */
bool absent_find(const struct absent *absent, const char *repository, const char *path,
		 int64_t *ret);
