/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and documents a struct by a table: each key of a YAML mapping is
 * one const row that says where its value lies in the struct, what it may be and
 * what it means.
 *
 *	static const struct schema_key keys[] = {
 *		{ .name = "interval", .type = SCHEMA_DURATION, ... },
 *	};
 *	static const struct schema_key root = {
 *		.type = SCHEMA_MAPPING, .size = sizeof(struct foo),
 *		.keys = keys, .n_keys = ARRAY_SIZE(keys),
 *	};
 *
 * A default is YAML text as well, read by the same functions when a key is not
 * written.  A mapping that may be left out has the default "{}".
 *
 * The rows bound what a text can demand: nesting goes no deeper than they do,
 * every list has a maximum, and no key may come twice.
 *
 * Source: one row per key that also writes the manual is the way of librdkafka's
 * src/rdkafka_conf.c
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define SCHEMA_KEYS_MAX 32  /* of one mapping; rows, not input */
#define SCHEMA_PATH_MAX 128 /* bytes with the NUL of "a.b[].c"; rows, not input */

enum schema_type {
	SCHEMA_STRING,	 /* char[size], printable ASCII; "" when left out */
	SCHEMA_ENUM,	 /* uint32_t or enum: an index into @values */
	SCHEMA_U32,	 /* uint32_t */
	SCHEMA_DURATION, /* uint32_t, in milliseconds */
	SCHEMA_MAPPING,	 /* a struct */
	SCHEMA_LIST,	 /* pointer to items on the heap, and a size_t at @n_offset */
	_SCHEMA_TYPE_MAX,
};

struct schema_key {
	const char *name; /* an item's is "list[]" */
	const char *text; /* what it means, Markdown, one line */
	enum schema_type type;
	uint32_t min;	  /* smallest number, milliseconds, length or number of items */
	uint32_t max;	  /* largest; of a string, less than @size */
	bool required;	  /* must be written */
	size_t offset;	  /* of the value in the struct of the mapping; 0 for a root or item */
	size_t size;	  /* of the value, in bytes; not for a SCHEMA_LIST */
	const char *unit; /* of a number, as in "cores", or NULL */
	const char *default_value; /* YAML, or NULL: the value is all-zero */

	/* Required when the SCHEMA_ENUM @when, a row above in the same mapping, has
	 * the value @when_value, and refused otherwise; NULL for no condition. */
	const char *when;
	uint32_t when_value;

	const char *const *values;     /* SCHEMA_ENUM: the names, NULL ends */
	const struct schema_key *keys; /* SCHEMA_MAPPING */
	size_t n_keys;
	const struct schema_key *item; /* SCHEMA_LIST: what each item is, no list */
	size_t n_offset;
	const char *unique; /* SCHEMA_LIST of mappings: a string that no two share, or NULL */

	/* Further demands on a value of the right type and size; NULL for none. */
	int (*check)(const void *value, struct error *err);
};

/**
 * schema_read() - Fill a struct from YAML.
 * @root: SCHEMA_MAPPING
 * @text: @len bytes of YAML
 * @len: number of bytes
 * @name: what error messages call the text
 * @object: all-zero struct; to be released with schema_done(), on failure too
 * @err: set on failure, as "NAME:LINE:COLUMN: ..."; the first fault is told
 *
 * Return: 0, or
 *   -EINVAL  the text is refused
 *   -ENOMEM  no memory
 */
int schema_read(const struct schema_key *root, const char *text, size_t len, const char *name,
		void *object, struct error *err);

/**
 * schema_done() - Release the lists of a struct, and set it to all-zero.
 * @root: SCHEMA_MAPPING
 * @object: struct filled by schema_read(), or all-zero
 */
void schema_done(const struct schema_key *root, void *object);

/**
 * schema_print() - Write a struct as YAML.
 * @root: SCHEMA_MAPPING
 * @object: struct filled by schema_read()
 * @out: appended to; ask strbuf_error() afterwards
 *
 * schema_read() makes an equal struct of the text.
 */
void schema_print(const struct schema_key *root, const void *object, struct strbuf *out);

/**
 * schema_describe() - Write a Markdown table of all keys.
 * @root: SCHEMA_MAPPING
 * @out: appended to; ask strbuf_error() afterwards
 */
void schema_describe(const struct schema_key *root, struct strbuf *out);

/**
 * schema_range() - Say in words what a key may be.
 * @key: row
 * @out: appended to, as in "a whole number from 1 to 100" or "one of 'a', 'b'"
 */
void schema_range(const struct schema_key *key, struct strbuf *out);

/**
 * schema_sibling() - Find a row of a mapping.
 * @mapping: SCHEMA_MAPPING
 * @name: name of the key, NUL-terminated
 *
 * Return: the row, or NULL.
 */
const struct schema_key *schema_sibling(const struct schema_key *mapping, const char *name);

/**
 * schema_applies() - Whether the condition of a key holds.
 * @mapping: SCHEMA_MAPPING
 * @key: row of @mapping
 * @object: struct of the mapping
 *
 * Return: true if @key has no condition or the value it names is there.
 */
bool schema_applies(const struct schema_key *mapping, const struct schema_key *key,
		    const void *object);
