/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as a stream of nodes, with the place of each: the only file that knows
 * libyaml.
 *
 * Accepted is the part of YAML that has one reading: a single document in
 * UTF-8, without anchors, aliases and tags.  Plain scalars are sorted into
 * strings, numbers, booleans and null by the YAML 1.1 rules that Kubernetes'
 * own parsers follow, so that a file means the same to both.
 *
 * Source: YAML 1.1 at yaml.org/spec/1.1, and its types at yaml.org/type
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define READER_SCALAR_MAX 4096 /* bytes: several times the longest value that has a meaning */
#define READER_NAME_MAX 160    /* bytes of a file's name in an error; the end of it is shown */
#define READER_QUOTE_MAX 68    /* bytes with the NUL of a value in an error */

enum reader_kind {
	READER_STRING,
	READER_NUMBER,
	READER_BOOLEAN,
	READER_NULL,
	READER_MAPPING,
	READER_LIST,
	READER_MAPPING_END,
	READER_LIST_END,
	READER_END, /* of the document */
	_READER_KIND_MAX,
};

/* A place in a text, both counted from 1; all-zero means none. */
struct reader_mark {
	size_t line;
	size_t column; /* in characters */
};

struct reader_node {
	enum reader_kind kind;
	struct reader_mark mark;
	const char *text; /* of a scalar; borrowed until the next reader_next() */
};

struct reader;

/**
 * reader_new() - Begin to read a text.
 * @ret: the reader, to be released with reader_free()
 * @text: @len bytes; borrowed for the life of the reader
 * @len: number of bytes
 * @name: what error messages call the text; borrowed for the life of the reader
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int reader_new(struct reader **ret, const char *text, size_t len, const char *name,
	       struct error *err);

/**
 * reader_free() - Release a reader.
 * @reader: reader or NULL
 */
void reader_free(struct reader *reader);
DEFINE_CLEANUP(struct reader, reader_free);

/**
 * reader_set_scalar_max() - Allow longer values than READER_SCALAR_MAX.
 * @reader: reader
 * @max: bytes of the longest value, for a format that has certificates in it
 */
void reader_set_scalar_max(struct reader *reader, size_t max);

/**
 * reader_next() - Go to the next node.
 * @reader: reader
 * @ret: the node; READER_END once the document is over, and for an empty one
 * @err: set on failure, with the place in front
 *
 * Return: 0, or
 *   -EINVAL  not YAML, or outside of the part that is accepted
 *   -ENOMEM  no memory
 */
int reader_next(struct reader *reader, struct reader_node *ret, struct error *err);

/**
 * reader_locate() - Put a place in front of an error.
 * @reader: reader of the text
 * @mark: place in the text
 * @r: negative errno that @err was set with
 * @err: error set by the caller, or NULL
 *
 * Return: @r unchanged.
 */
int reader_locate(const struct reader *reader, struct reader_mark mark, int r, struct error *err);

/**
 * reader_quote() - Make text from outside fit for an error message.
 * @buf: buffer of READER_QUOTE_MAX bytes
 * @text: NUL-terminated text, any bytes
 *
 * What is not printable ASCII becomes '?'; a long text is cut and ends with "...".
 *
 * Return: @buf.
 */
const char *reader_quote(char *buf, const char *text);

/**
 * reader_describe() - Say in words what a node is.
 * @node: node
 * @buf: buffer of READER_FOUND_MAX bytes
 *
 * Return: @buf, as in "a list" or "the string 'x'".
 */
const char *reader_describe(const struct reader_node *node, char *buf);
#define READER_FOUND_MAX (READER_QUOTE_MAX + 16)

/**
 * reader_plain_kind() - Sort a plain scalar.
 * @text: NUL-terminated text of a scalar without quotes
 *
 * Return: READER_STRING, READER_NUMBER, READER_BOOLEAN or READER_NULL.
 */
enum reader_kind reader_plain_kind(const char *text);
