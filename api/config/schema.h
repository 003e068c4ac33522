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
 * written.  A key without a default that is not required leaves its value
 * all-zero, and an all-zero value of it is not printed.  A mapping whose keys have
 * defaults of their own has the default "{}".
 *
 * Where a list of scalars is expected, a single scalar is accepted.
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
#define SCHEMA_NOTES_MAX 8  /* deprecated keys in one text; above what the rows have */

enum schema_type {
	SCHEMA_STRING,	 /* char[size], printable ASCII; "" when left out */
	SCHEMA_ENUM,	 /* uint32_t or enum: an index into @values */
	SCHEMA_SET,	 /* uint32_t: bit i stands for @values[i]; written as a list */
	SCHEMA_BOOL,	 /* bool */
	SCHEMA_U32,	 /* uint32_t */
	SCHEMA_BYTES,	 /* uint64_t, written as in "48Gi", "500M" or 4096 */
	SCHEMA_DURATION, /* uint32_t, in milliseconds */
	SCHEMA_MAPPING,	 /* a struct */
	SCHEMA_LIST,	 /* pointer to items on the heap, and a size_t at @n_offset */
	SCHEMA_MAP,	 /* the same of a mapping with free keys, each with its value an item */
	SCHEMA_FOREIGN,	 /* read by somebody else: only told of, never read or printed here */
	_SCHEMA_TYPE_MAX,
};

/* Where a value was written; both begin with 1. */
struct schema_place {
	uint32_t line;
	uint32_t column; /* in characters */
};

struct schema_key {
	const char *name; /* an item's is "list[]" */
	const char *text; /* what it means, Markdown, one line */
	enum schema_type type;
	bool required;	  /* must be written */
	bool optional;	  /* may be left out even when the condition of @when holds */
	bool lists_only;  /* SCHEMA_LIST: to schema_json() an item alone is no list of one */
	uint64_t min;	  /* smallest number, milliseconds, bytes, length or number of items */
	uint64_t max;	  /* largest; of a string, less than @size */
	size_t offset;	  /* of the value in the struct of the mapping; 0 for a root or item */
	size_t size;	  /* of the value, in bytes; not for a SCHEMA_LIST or SCHEMA_MAP */
	const char *unit; /* of a number, as in "cores", or NULL */
	/* SCHEMA_STRING: a regular expression that schema_json() demands, as a @check
	 * cannot be told; NULL for printable ASCII.  */
	const char *pattern;
	const char *default_value; /* YAML, or NULL: the value is all-zero */

	/* What replaces a key that is still accepted, as in "use 'resources'"; else NULL.
	 * It leaves a note when it is written, and is printed only when not all-zero. */
	const char *deprecated;

	/* Required when the SCHEMA_ENUM @when, a row above in the same mapping, has one
	 * of the values whose bits are in @when_values, and refused otherwise; NULL for
	 * no condition. */
	const char *when;
	uint32_t when_values;

	/* SCHEMA_ENUM and SCHEMA_SET: the names, at most 32 of a set, NULL ends.  Of an
	 * enum the first may be "": the value of a key that was left out.
	 * SCHEMA_FOREIGN without @item: the types of JSON that it may be. */
	const char *const *values;
	const struct schema_key *keys; /* SCHEMA_MAPPING */
	size_t n_keys;

	/* SCHEMA_LIST: what each item is, no list.  SCHEMA_MAP: a SCHEMA_MAPPING of two
	 * rows, the free key (a SCHEMA_STRING) and its value (anything).  SCHEMA_FOREIGN:
	 * the SCHEMA_MAPPING that its reader has, in which nothing is required as
	 * defaults have been laid below it; or NULL. */
	const struct schema_key *item;
	size_t n_offset;
	const char *unique; /* SCHEMA_LIST of mappings: a string that no two share, or NULL */
	bool (*may_repeat)(const void *item, const void *other); /* unless this holds; or NULL */

	/* SCHEMA_STRING that is an item of a list: where in the item's struct a struct
	 * schema_place goes, its last member, that tells later checks where the value was
	 * written; 0 for none. */
	size_t place;

	/* Further demands on a value of the right type and size; NULL for none.  Of a
	 * mapping it sees all keys settled, and its faults have the mapping's place. */
	int (*check)(const void *value, struct error *err);
};

/* What is worth telling about a text that was accepted. */
struct schema_notes {
	struct error notes[SCHEMA_NOTES_MAX]; /* "NAME:LINE:COLUMN: ..."; the code says nothing */
	size_t n;
};

/**
 * schema_item_size() - How far the items of a list are apart.
 * @item: row of the items
 *
 * Return: bytes of an item's struct.
 */
size_t schema_item_size(const struct schema_key *item);

/**
 * schema_read() - Fill a struct from YAML.
 * @root: SCHEMA_MAPPING
 * @text: @len bytes of YAML
 * @len: number of bytes
 * @name: what error messages call the text
 * @object: all-zero struct; to be released with schema_done(), on failure too
 * @notes: appended to, a note for each deprecated key; or NULL
 * @err: set on failure, as "NAME:LINE:COLUMN: ..."; the first fault is told
 *
 * Return: 0, or
 *   -EINVAL  the text is refused
 *   -ENOMEM  no memory
 */
int schema_read(const struct schema_key *root, const char *text, size_t len, const char *name,
		void *object, struct schema_notes *notes, struct error *err);

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

/**
 * schema_when() - Say in words when a key may be written.
 * @mapping: SCHEMA_MAPPING
 * @key: row of @mapping with a condition
 * @quote: what names stand between, as in '`'
 * @out: appended to, as in "`unit` is `partition` or `share`"
 */
void schema_when(const struct schema_key *mapping, const struct schema_key *key, char quote,
		 struct strbuf *out);
