/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes that are no stanzas, read in parts: Contents, of lines, and AppStream metadata, of
 * YAML documents.
 *
 * Source: Debian wiki, "DebianRepository/Format", Contents indices; AppStream, "DEP-11"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "reservoir/apt/run.h"

#define PARTS_MAX ((size_t)1024 * 1024) /* bytes of a part; the longest line has 100 kB */

enum parts_form {
	PARTS_LINES,
	PARTS_DOCUMENTS, /* each begins with a line "---" */
};

/**
 * typedef parts_fn - Takes a part.
 * @ctx: as given to parts_read()
 * @text: @len bytes with the newline at its end, any value; borrowed during the call
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or negative errno to end the reading.
 */
typedef int (*parts_fn)(void *ctx, const char *text, size_t len, struct error *err);

/**
 * parts_read() - Read an object in parts.
 * @run: run
 * @digest: the object's name
 * @form: what a part is
 * @fn: called for each part
 * @ctx: given to @fn
 * @err: set on failure
 *
 * Return: 0, what @fn returned, as unpack_object(), or -EFBIG when a part is too long.
 */
int parts_read(struct apt_run *run, const struct digest *digest, enum parts_form form, parts_fn fn,
	       void *ctx, struct error *err);

/**
 * typedef parts_name_fn - Whether a package is one of those that stay.
 * @ctx: as given
 * @name: its name
 *
 * Return: true if so.
 */
typedef bool (*parts_name_fn)(void *ctx, const char *name);

/**
 * parts_filter_line() - Leave packages out of a line of Contents.
 * @text: @len bytes: a path, blanks, and "section/name" with commas between
 * @len: number of bytes
 * @fn: asked for each name
 * @ctx: given to @fn
 * @ret: receives the line; nothing when no package is left, or it is no such line
 *
 * Return: 0, or -ENOMEM.
 */
int parts_filter_line(const char *text, size_t len, parts_name_fn fn, void *ctx,
		      struct strbuf *ret);

/**
 * parts_keeps_document() - Whether a document of AppStream metadata stays.
 * @text: @len bytes
 * @len: number of bytes
 * @fn: asked for the name of its package
 * @ctx: given to @fn
 *
 * Return: true if so, and of the first, which is about the file.
 */
bool parts_keeps_document(const char *text, size_t len, parts_name_fn fn, void *ctx);
