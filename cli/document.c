/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/document.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/text.h"

#define STEP 2			     /* columns of one level */
#define TEXT_MAX ((size_t)64 * 1024) /* longer than any text that is handed in */

static struct document_level *top(struct document *doc)
{
	return &doc->levels[doc->depth - 1];
}

static void new_line(struct document *doc, size_t indent)
{
	strbuf_printf(doc->out, "\n%*s", (int)indent, "");
}

static void start_json(struct document *doc, const char *key)
{
	if (top(doc)->n > 0)
		strbuf_puts(doc->out, ",");
	new_line(doc, doc->depth * STEP);
	if (key)
		strbuf_printf(doc->out, "\"%s\": ", key);
}

/* The first member of an object in an array stands behind the dash. */
static void start_yaml(struct document *doc, const char *key)
{
	const struct document_level *level = top(doc);
	bool first = level->n == 0;

	if (first && level->item)
		strbuf_puts(doc->out, " ");
	else if (!first || doc->depth > 1)
		new_line(doc, level->indent);
	if (key)
		strbuf_printf(doc->out, "%s:", key);
	else
		strbuf_puts(doc->out, "-");
}

static void start(struct document *doc, const char *key)
{
	if (doc->yaml)
		start_yaml(doc, key);
	else
		start_json(doc, key);
	top(doc)->n++;
}

static void push(struct document *doc, bool array)
{
	const struct document_level *parent = top(doc);
	struct document_level level = { .array = array, .item = parent->array };

	assert(doc->depth < DOCUMENT_DEPTH_MAX);
	assert(!array || !parent->array);
	/* The dashes of an array stand below its key. */
	level.indent = array ? parent->indent : parent->indent + STEP;
	doc->levels[doc->depth++] = level;
	if (!doc->yaml)
		strbuf_puts(doc->out, array ? "[" : "{");
}

struct document document_begin(struct strbuf *out, bool yaml)
{
	struct document doc = { .out = out, .yaml = yaml, .depth = 1 };

	if (!yaml)
		strbuf_puts(out, "{");
	return doc;
}

void document_begin_object(struct document *doc, const char *key)
{
	start(doc, key);
	push(doc, false);
}

void document_begin_array(struct document *doc, const char *key)
{
	start(doc, key);
	push(doc, true);
}

static void end_yaml(struct document *doc, const struct document_level *level)
{
	if (level->n == 0)
		strbuf_puts(doc->out, level->array ? " []" : " {}");
	if (doc->depth == 0)
		strbuf_puts(doc->out, "\n");
}

static void end_json(struct document *doc, const struct document_level *level)
{
	if (level->n > 0)
		new_line(doc, doc->depth * STEP);
	strbuf_puts(doc->out, level->array ? "]" : "}");
	if (doc->depth == 0)
		strbuf_puts(doc->out, "\n");
}

void document_end(struct document *doc)
{
	const struct document_level *level = &doc->levels[--doc->depth];

	if (doc->yaml)
		end_yaml(doc, level);
	else
		end_json(doc, level);
}

static void put(struct document *doc, const char *key, const char *value)
{
	start(doc, key);
	strbuf_printf(doc->out, "%s%s", doc->yaml ? " " : "", value);
}

void document_text(struct document *doc, const char *key, const char *text)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT(TEXT_MAX);

	if (!text) {
		put(doc, key, "null");
		return;
	}
	text_escape(&plain, text);
	start(doc, key);
	strbuf_puts(doc->out, doc->yaml ? " \"" : "\"");
	for (const char *c = strbuf_str(&plain); *c; c++) {
		if (*c == '"' || *c == '\\')
			strbuf_puts(doc->out, "\\");
		strbuf_add(doc->out, c, 1);
	}
	strbuf_puts(doc->out, "\"");
	if (strbuf_error(&plain) < 0 && doc->out->error == 0)
		doc->out->error = strbuf_error(&plain);
}

void document_count(struct document *doc, const char *key, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	put(doc, key, text);
}

void document_number(struct document *doc, const char *key, double value)
{
	char text[48];

	/* Written so that a value that is no number is null as well. */
	if (value >= 0 && value < 1e18)
		(void)snprintf(text, sizeof(text), "%.10g", value);
	else
		(void)snprintf(text, sizeof(text), "null");
	put(doc, key, text);
}

void document_bool(struct document *doc, const char *key, bool value)
{
	put(doc, key, value ? "true" : "false");
}
