/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's control files: stanzas of fields, with an empty line between stanzas.
 *
 * A file is read in pieces of any size, a stanza at a time, and never held whole.
 *
 * Source: Debian Policy, chapter 5 "Control files and their fields"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

/* The longest of Debian's Packages is below 100 kB; a Release file is one stanza. */
#define DEB822_STANZA_MAX ((size_t)4 * 1024 * 1024)
#define DEB822_RELEASE_MAX ((size_t)16 * 1024 * 1024) /* Ubuntu's is below 1 MB */

/* A stanza: its bytes, each line with its newline, without the empty line after it. */
struct deb822_stanza {
	const char *text;
	size_t len;
};

/* The value of a field: from after the colon and blanks, to before the last newline. */
struct deb822_value {
	const char *text; /* "" and 0 bytes when there is no such field */
	size_t len;
};

/**
 * typedef deb822_fn - Takes a stanza.
 * @ctx: as given to deb822_init()
 * @stanza: stanza; borrowed during the call
 * @err: set on failure
 *
 * Return: 0, or negative errno to end the reading.
 */
typedef int (*deb822_fn)(void *ctx, const struct deb822_stanza *stanza, struct error *err);

struct deb822_reader {
	struct strbuf rest; /* the beginning of a stanza */
	size_t scanned;	    /* of it, where its end is not */
	deb822_fn fn;
	void *ctx;
};

/**
 * deb822_init() - Begin to read.
 * @reader: reader, to be released with deb822_done()
 * @fn: called for each stanza; a negative return ends the reading
 * @ctx: given to @fn
 */
void deb822_init(struct deb822_reader *reader, deb822_fn fn, void *ctx);

/**
 * deb822_done() - Release what a reader holds.
 * @reader: reader
 */
void deb822_done(struct deb822_reader *reader);
#define _cleanup_deb822_ _cleanup_(deb822_done)

/**
 * deb822_feed() - Read the next bytes.
 * @reader: reader
 * @data: @len bytes, any value
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, what the function returned, or
 *   -EBADMSG  there is a NUL byte
 *   -EFBIG    a stanza has more than DEB822_STANZA_MAX bytes
 *   -ENOMEM   no memory
 */
int deb822_feed(struct deb822_reader *reader, const char *data, size_t len, struct error *err);

/**
 * deb822_end() - Read the last stanza, that no empty line follows.
 * @reader: reader
 * @err: set on failure
 *
 * Return: as deb822_feed().
 */
int deb822_end(struct deb822_reader *reader, struct error *err);

/**
 * deb822_get() - Find a field.
 * @stanza: stanza
 * @name: its name; case does not count
 *
 * Return: its value, borrowed; empty when there is none.
 */
struct deb822_value deb822_get(const struct deb822_stanza *stanza, const char *name);

/**
 * deb822_copy() - Copy the value of a field of one line.
 * @stanza: stanza
 * @name: name of the field
 * @ret: receives the value, "" when there is none
 * @size: bytes of @ret
 * @err: set on failure, naming the field
 *
 * Return: 0, or
 *   -EBADMSG  it has several lines, or bytes that are no printable ASCII
 *   -EFBIG    it does not fit
 */
int deb822_copy(const struct deb822_stanza *stanza, const char *name, char *ret, size_t size,
		struct error *err);

/**
 * deb822_word() - Take the next word of a value.
 * @value: what is left; moved behind the word
 * @ret: the word, borrowed
 *
 * Return: false when there is none.
 */
bool deb822_word(struct deb822_value *value, struct deb822_value *ret);

/**
 * deb822_line() - Take the next line of a value of several lines.
 * @value: what is left; moved behind the line
 * @ret: the line without the blanks around it; may be empty
 *
 * Return: false when there is none.
 */
bool deb822_line(struct deb822_value *value, struct deb822_value *ret);

/**
 * deb822_equal() - Whether a value is a text.
 * @value: value
 * @text: text
 *
 * Return: true if so.
 */
bool deb822_equal(const struct deb822_value *value, const char *text);

/**
 * deb822_u64() - Read a value as a number.
 * @value: value
 * @ret: number
 *
 * Return: 0, or -EBADMSG.
 */
int deb822_u64(const struct deb822_value *value, uint64_t *ret);
