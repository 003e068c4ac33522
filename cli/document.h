/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes objects, arrays and values as JSON or as YAML, so that a command says what
 * it knows once.
 *
 *	document_begin_object(&doc, NULL);
 *	document_text(&doc, "id", id);
 *	document_begin_array(&doc, "resources");
 *	...
 *	document_end(&doc);
 *	document_end(&doc);
 *
 * Texts are escaped as text_escape() does it, and so are ASCII in both forms.
 *
 * Source: RFC 8259; YAML 1.2.2, block collections and double-quoted scalars
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define DOCUMENT_DEPTH_MAX 16

struct document {
	struct strbuf *out;
	bool yaml;
	size_t depth; /* of open objects and arrays */
	struct document_level {
		bool array;
		bool item;     /* an object that is the element of an array */
		size_t n;      /* members so far */
		size_t indent; /* columns before a member, in YAML */
	} levels[DOCUMENT_DEPTH_MAX];
};

/**
 * document_begin() - Begin a document, which is one object.
 * @out: appended to
 * @yaml: write YAML instead of JSON
 *
 * Return: the document; nothing to release, document_end() closes the object.
 */
struct document document_begin(struct strbuf *out, bool yaml);

/**
 * document_begin_object() - Begin an object.
 * @doc: document
 * @key: its key, plain ASCII; NULL in an array
 */
void document_begin_object(struct document *doc, const char *key);

/**
 * document_begin_array() - Begin an array, which may hold no array itself.
 * @doc: document
 * @key: its key
 */
void document_begin_array(struct document *doc, const char *key);

/**
 * document_end() - End the object or array that was begun last.
 * @doc: document
 */
void document_end(struct document *doc);

/**
 * document_text() - Add a text.
 * @doc: document
 * @key: its key; NULL in an array
 * @text: any text; NULL is null
 */
void document_text(struct document *doc, const char *key, const char *text);

/**
 * document_count() - Add a whole number.
 * @doc: document
 * @key: its key; NULL in an array
 * @value: the number
 */
void document_count(struct document *doc, const char *key, uint64_t value);

/**
 * document_number() - Add a number.
 * @doc: document
 * @key: its key; NULL in an array
 * @value: the number; a negative one is null, as readings have it
 */
void document_number(struct document *doc, const char *key, double value);

/**
 * document_bool() - Add a truth value.
 * @doc: document
 * @key: its key; NULL in an array
 * @value: the value
 */
void document_bool(struct document *doc, const char *key, bool value);
