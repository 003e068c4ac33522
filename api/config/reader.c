/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/macro.h"

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* owns the text of the node given out last */
	const char *text;
	size_t len;
	const char *name;
	size_t scalar_max;
	unsigned int n_documents;
};

int reader_new(struct reader **ret, const char *text, size_t len, const char *name,
	       struct error *err)
{
	_cleanup_free_ struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader || !yaml_parser_initialize(&reader->parser))
		return error_set(err, ENOMEM, "no memory to read '%s'", name);
	reader->text = text;
	reader->len = len;
	reader->name = name;
	reader->scalar_max = READER_SCALAR_MAX;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, len);
	*ret = TAKE_PTR(reader);
	return 0;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
	free(reader);
}

int reader_locate(const struct reader *reader, struct reader_mark mark, int r, struct error *err)
{
	size_t len = strlen(reader->name);
	const char *name = reader->name + (len > READER_NAME_MAX ? len - READER_NAME_MAX : 0);

	return error_wrap(err, r, "%s:%zu:%zu", name, mark.line, mark.column);
}

void reader_set_scalar_max(struct reader *reader, size_t max)
{
	reader->scalar_max = max;
}

static struct reader_mark from_yaml(yaml_mark_t mark)
{
	return (struct reader_mark) { .line = mark.line + 1, .column = mark.column + 1 };
}

/* For bytes that are no characters, of which libyaml gives only the offset. */
static struct reader_mark mark_of_offset(const struct reader *reader, size_t offset)
{
	struct reader_mark mark = { .line = 1, .column = 1 };

	for (size_t i = 0; i < offset && i < reader->len; i++) {
		mark.column++;
		if (reader->text[i] == '\n')
			mark = (struct reader_mark) { .line = mark.line + 1, .column = 1 };
	}
	return mark;
}

static int parse_failed(const struct reader *reader, struct error *err)
{
	const yaml_parser_t *parser = &reader->parser;
	struct reader_mark mark = from_yaml(parser->problem_mark);
	const char *context = parser->context ? parser->context : "";

	if (parser->error == YAML_MEMORY_ERROR)
		return error_set(err, ENOMEM, "no memory to read '%s'", reader->name);
	if (parser->error == YAML_READER_ERROR)
		mark = mark_of_offset(reader, parser->problem_offset);
	error_set(err, EINVAL, "not YAML: %s%s%s", context, *context ? ", " : "",
		  parser->problem ? parser->problem : "unknown problem");
	return reader_locate(reader, mark, -EINVAL, err);
}

static bool has_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor != NULL;
	default:
		return false;
	}
}

static bool has_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag != NULL;
	default:
		return false;
	}
}

/* An escape such as "\0" puts a NUL inside, which would hide what follows. */
static bool has_nul(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL;
}

static int check_event(const struct reader *reader, struct error *err)
{
	static const struct {
		bool (*is)(const yaml_event_t *event);
		const char *refused;
	} rules[] = {
		{ has_anchor, "anchors and aliases are not allowed" },
		{ has_tag, "tags are not allowed" },
		{ has_nul, "a value contains a NUL" },
	};
	const yaml_event_t *event = &reader->event;
	struct reader_mark mark = from_yaml(event->start_mark);

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].is(event))
			return reader_locate(reader, mark,
					     error_set(err, EINVAL, "%s", rules[i].refused), err);
	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.length > reader->scalar_max)
		return reader_locate(reader, mark,
				     error_set(err, EINVAL, "a value is longer than %zu bytes",
					       reader->scalar_max),
				     err);
	if (reader->n_documents > 1)
		return reader_locate(reader, mark, error_set(err, EINVAL, "more than one document"),
				     err);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *text)
{
	return text + strspn(text, "0123456789_");
}

static bool is_hexadecimal(const char *text)
{
	return strncmp(text, "0x", 2) == 0 && text[2] != '\0' &&
	       text[2 + strspn(text + 2, "0123456789abcdefABCDEF_")] == '\0';
}

/* What may follow the digits of a number: nothing, or "e" and digits. */
static bool is_exponent(const char *text)
{
	const char *digits = text + 1;

	if (*text == '\0')
		return true;
	if (*text != 'e' && *text != 'E')
		return false;
	if (*digits == '+' || *digits == '-')
		digits++;
	return is_digit(*digits) && *skip_digits(digits) == '\0';
}

static bool is_number(const char *text)
{
	const char *start = text + (*text == '+' || *text == '-');
	const char *p = skip_digits(start);

	if (is_hexadecimal(start))
		return true;
	if (!is_digit(start[0]) && !(start[0] == '.' && is_digit(start[1])))
		return false;
	if (*p == '.')
		p = skip_digits(p + 1);
	return is_exponent(p);
}

enum reader_kind reader_plain_kind(const char *text)
{
	static const struct {
		const char *word;
		enum reader_kind kind;
	} words[] = {
		{ "", READER_NULL },	    { "~", READER_NULL },	 { "null", READER_NULL },
		{ "true", READER_BOOLEAN }, { "false", READER_BOOLEAN }, { "yes", READER_BOOLEAN },
		{ "no", READER_BOOLEAN },   { "on", READER_BOOLEAN },	 { "off", READER_BOOLEAN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i].word) == 0)
			return words[i].kind;
	return is_number(text) ? READER_NUMBER : READER_STRING;
}

static enum reader_kind event_kind(const yaml_event_t *event)
{
	static const enum reader_kind kinds[] = {
		[YAML_NO_EVENT] = READER_END, /* what libyaml gives behind the end */
		[YAML_STREAM_END_EVENT] = READER_END,
		[YAML_SCALAR_EVENT] = READER_STRING,
		[YAML_SEQUENCE_START_EVENT] = READER_LIST,
		[YAML_SEQUENCE_END_EVENT] = READER_LIST_END,
		[YAML_MAPPING_START_EVENT] = READER_MAPPING,
		[YAML_MAPPING_END_EVENT] = READER_MAPPING_END,
	};

	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return reader_plain_kind((const char *)event->data.scalar.value);
	return kinds[event->type];
}

/* Whether an event says nothing that a reader wants to know. */
static bool is_framing(const yaml_event_t *event)
{
	return event->type == YAML_STREAM_START_EVENT || event->type == YAML_DOCUMENT_START_EVENT ||
	       event->type == YAML_DOCUMENT_END_EVENT;
}

int reader_next(struct reader *reader, struct reader_node *ret, struct error *err)
{
	yaml_event_t *event = &reader->event;
	int r;

	do {
		yaml_event_delete(event);
		if (!yaml_parser_parse(&reader->parser, event))
			return parse_failed(reader, err);
		reader->n_documents += event->type == YAML_DOCUMENT_START_EVENT;
		r = check_event(reader, err);
		if (r < 0)
			return r;
	} while (is_framing(event));
	*ret = (struct reader_node) {
		.kind = event_kind(event),
		.mark = from_yaml(event->start_mark),
		.text = event->type == YAML_SCALAR_EVENT ? (const char *)event->data.scalar.value
							 : NULL,
	};
	return 0;
}

const char *reader_quote(char *buf, const char *text)
{
	static const char more[] = "...";
	size_t len = strlen(text);
	size_t shown = MIN(len, READER_QUOTE_MAX - sizeof(more));

	memcpy(buf, text, shown);
	buf[shown] = '\0';
	for (char *p = buf; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	if (shown < len)
		memcpy(buf + shown, more, sizeof(more));
	return buf;
}

const char *reader_describe(const struct reader_node *node, char *buf)
{
	static const char *const formats[_READER_KIND_MAX] = {
		[READER_STRING] = "the string '",
		[READER_NUMBER] = "the number ",
		[READER_BOOLEAN] = "the boolean ",
		[READER_NULL] = "nothing",
		[READER_MAPPING] = "a mapping",
		[READER_LIST] = "a list",
		[READER_MAPPING_END] = "the end of a mapping",
		[READER_LIST_END] = "the end of a list",
		[READER_END] = "the end of the file",
	};
	char quoted[READER_QUOTE_MAX] = "";

	if (node->text && node->kind != READER_NULL)
		reader_quote(quoted, node->text);
	(void)snprintf(buf, READER_FOUND_MAX, "%s%s%s", formats[node->kind], quoted,
		       node->kind == READER_STRING ? "'" : "");
	return buf;
}
