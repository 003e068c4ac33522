/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each type of a row has a function that makes a tree of jansson's of it.  Whoever
 * builds a part adds what it has and goes on: jansson takes a part that is missing for
 * an error, and struct writer remembers that there was one.
 */
#include "api/config/schema_json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/schema_scan.h"
#include "base/cleanup.h"

#define DIALECT "http://json-schema.org/draft-07/schema#"
#define PRINTABLE "^[ -~]*$"
#define DURATION "^[0-9]+(ms|s|m|h)$" /* parse_duration_ms() */
#define TEXT_MAX 2048		      /* bytes of a description; the longest row has 400 */
#define INDENT 2

struct writer {
	bool failed; /* some part had no memory */
};

static json_t *value_of(struct writer *writer, const struct schema_key *key);

static void set(struct writer *writer, json_t *object, const char *name, json_t *value)
{
	writer->failed |= json_object_set_new(object, name, value) < 0;
}

static void append(struct writer *writer, json_t *array, json_t *value)
{
	writer->failed |= json_array_append_new(array, value) < 0;
}

static void set_number(struct writer *writer, json_t *object, const char *name, uint64_t number)
{
	set(writer, object, name, json_integer((json_int_t)number));
}

static json_t *typed(struct writer *writer, const char *type)
{
	json_t *object = json_object();

	set(writer, object, "type", json_string(type));
	return object;
}

static json_t *patterned(struct writer *writer, const char *pattern)
{
	json_t *object = typed(writer, "string");

	set(writer, object, "pattern", json_string(pattern));
	return object;
}

/* { "anyOf": [ @first, @second ] } */
static json_t *either(struct writer *writer, json_t *first, json_t *second)
{
	json_t *object = json_object(), *array = json_array();

	append(writer, array, first);
	append(writer, array, second);
	set(writer, object, "anyOf", array);
	return object;
}

static json_t *string_of(struct writer *writer, const struct schema_key *key)
{
	json_t *object = patterned(writer, key->pattern ? key->pattern : PRINTABLE);

	if (key->min > 0)
		set_number(writer, object, "minLength", key->min);
	set_number(writer, object, "maxLength", key->max);
	return object;
}

/* A first "" stands for a key that was left out, and cannot be written. */
static json_t *enum_of(struct writer *writer, const struct schema_key *key)
{
	json_t *object = json_object(), *names = json_array();

	for (size_t i = 0; key->values[i]; i++)
		if (key->values[i][0])
			append(writer, names, json_string(key->values[i]));
	set(writer, object, "enum", names);
	return object;
}

static json_t *array_of(struct writer *writer, const struct schema_key *key, json_t *item)
{
	json_t *object = typed(writer, "array");

	set(writer, object, "items", item);
	if (key->min > 0)
		set_number(writer, object, "minItems", key->min);
	set_number(writer, object, "maxItems", key->max);
	return object;
}

/* A single member is a list as well. */
static json_t *set_of(struct writer *writer, const struct schema_key *key)
{
	json_t *array = array_of(writer, key, enum_of(writer, key));

	set(writer, array, "uniqueItems", json_true());
	return either(writer, enum_of(writer, key), array);
}

static json_t *bool_of(struct writer *writer, const struct schema_key *key _unused_)
{
	return typed(writer, "boolean");
}

static json_t *integer_of(struct writer *writer, const struct schema_key *key)
{
	json_t *object = typed(writer, "integer");

	set_number(writer, object, "minimum", key->min);
	set_number(writer, object, "maximum", key->max);
	return object;
}

static json_t *bytes_of(struct writer *writer, const struct schema_key *key)
{
	_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT(TEXT_MAX);
	const struct schema_byte_unit *unit = schema_byte_units;

	strbuf_puts(&pattern, "^[0-9]+(");
	for (; unit->suffix[0]; unit++)
		strbuf_printf(&pattern, "%s%s", unit == schema_byte_units ? "" : "|", unit->suffix);
	strbuf_puts(&pattern, ")?$");
	writer->failed |= strbuf_error(&pattern) < 0;
	return either(writer, integer_of(writer, key), patterned(writer, strbuf_str(&pattern)));
}

static json_t *duration_of(struct writer *writer, const struct schema_key *key _unused_)
{
	return patterned(writer, DURATION);
}

static json_t *list_of(struct writer *writer, const struct schema_key *key)
{
	json_t *array = array_of(writer, key, value_of(writer, key->item));

	if (key->item->type == SCHEMA_MAPPING || key->lists_only)
		return array;
	return either(writer, value_of(writer, key->item), array);
}

static json_t *map_of(struct writer *writer, const struct schema_key *key)
{
	json_t *object = typed(writer, "object");

	set(writer, object, "propertyNames", value_of(writer, &key->item->keys[0]));
	set(writer, object, "additionalProperties", value_of(writer, &key->item->keys[1]));
	if (key->min > 0)
		set_number(writer, object, "minProperties", key->min);
	set_number(writer, object, "maxProperties", key->max);
	return object;
}

static bool has_number(const struct schema_key *key)
{
	return key->type == SCHEMA_DURATION || key->type == SCHEMA_BYTES;
}

static void describe(struct writer *writer, json_t *object, const struct schema_key *key)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	if (!key->text)
		return;
	strbuf_puts(&text, key->text);
	if (has_number(key)) {
		strbuf_puts(&text, " It is ");
		schema_range(key, &text);
		strbuf_puts(&text, ".");
	}
	writer->failed |= strbuf_error(&text) < 0;
	set(writer, object, "description", json_string(strbuf_str(&text)));
}

/* { "properties": { @name: @value } } */
static json_t *property(struct writer *writer, const char *name, json_t *value)
{
	json_t *object = json_object(), *properties = json_object();

	set(writer, properties, name, value);
	set(writer, object, "properties", properties);
	return object;
}

static json_t *names(struct writer *writer, const char *name)
{
	json_t *array = json_array();

	append(writer, array, json_string(name));
	return array;
}

/* Whether the default of the key that @key depends on fulfils the condition. */
static bool holds_by_default(const struct schema_key *on, const struct schema_key *key)
{
	const char *value = on->default_value ? on->default_value : "";

	for (uint32_t i = 0; on->values[i]; i++)
		if (strcmp(on->values[i], value) == 0)
			return (key->when_values >> i & 1) != 0;
	return false;
}

/* The condition of @key: @when has one of the values. */
static json_t *condition_of(struct writer *writer, const struct schema_key *on,
			    const struct schema_key *key)
{
	json_t *values = json_array(), *allowed = json_object(), *object;

	for (uint32_t i = 0; on->values[i]; i++)
		if ((key->when_values >> i & 1) != 0)
			append(writer, values, json_string(on->values[i]));
	set(writer, allowed, "enum", values);
	object = property(writer, on->name, allowed);
	if (!holds_by_default(on, key))
		set(writer, object, "required", names(writer, on->name));
	return object;
}

static json_t *rule_of(struct writer *writer, const struct schema_key *mapping,
		       const struct schema_key *key)
{
	json_t *rule = json_object(), *then = json_object();

	set(writer, rule, "if", condition_of(writer, schema_sibling(mapping, key->when), key));
	if (!key->optional)
		set(writer, then, "required", names(writer, key->name));
	set(writer, rule, "then", then);
	set(writer, rule, "else", property(writer, key->name, json_false()));
	return rule;
}

static void set_if_any(struct writer *writer, json_t *object, const char *name, json_t *array)
{
	if (json_array_size(array) > 0)
		set(writer, object, name, array);
	else
		json_decref(array);
}

static json_t *keys_of(struct writer *writer, const struct schema_key *mapping, bool is_complete)
{
	json_t *object = typed(writer, "object"), *properties = json_object();
	json_t *required = json_array(), *rules = json_array();

	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct schema_key *key = &mapping->keys[i];

		if (key->deprecated)
			continue;
		set(writer, properties, key->name, value_of(writer, key));
		if (key->required && is_complete)
			append(writer, required, json_string(key->name));
		if (key->when)
			append(writer, rules, rule_of(writer, mapping, key));
	}
	set(writer, object, "additionalProperties", json_false());
	set(writer, object, "properties", properties);
	set_if_any(writer, object, "required", required);
	set_if_any(writer, object, "allOf", rules);
	return object;
}

static json_t *mapping_of(struct writer *writer, const struct schema_key *key)
{
	return keys_of(writer, key, true);
}

static json_t *foreign_of(struct writer *writer, const struct schema_key *key)
{
	json_t *object, *types;

	if (key->item)
		return keys_of(writer, key->item, false);
	object = json_object();
	types = json_array();
	for (size_t i = 0; key->values[i]; i++)
		append(writer, types, json_string(key->values[i]));
	set(writer, object, "type", types);
	return object;
}

static json_t *value_of(struct writer *writer, const struct schema_key *key)
{
	static json_t *(*const values[_SCHEMA_TYPE_MAX])(struct writer * writer,
							 const struct schema_key *key) = {
		[SCHEMA_STRING] = string_of,	 [SCHEMA_ENUM] = enum_of,
		[SCHEMA_SET] = set_of,		 [SCHEMA_BOOL] = bool_of,
		[SCHEMA_U32] = integer_of,	 [SCHEMA_BYTES] = bytes_of,
		[SCHEMA_DURATION] = duration_of, [SCHEMA_MAPPING] = mapping_of,
		[SCHEMA_LIST] = list_of,	 [SCHEMA_MAP] = map_of,
		[SCHEMA_FOREIGN] = foreign_of,
	};
	json_t *value = values[key->type](writer, key);

	describe(writer, value, key);
	return value;
}

static void dump(struct writer *writer, const json_t *root, struct strbuf *out)
{
	char *text = json_dumps(root, JSON_INDENT(INDENT) | JSON_PRESERVE_ORDER);

	writer->failed |= text == NULL;
	strbuf_puts(out, text ? text : "");
	strbuf_puts(out, "\n");
	free(text);
}

int schema_json(const struct schema_key *root, const char *title, struct strbuf *out,
		struct error *err)
{
	struct writer writer = { 0 };
	json_t *object = json_object(), *keys = value_of(&writer, root);
	int r;

	set(&writer, object, "$schema", json_string(DIALECT));
	set(&writer, object, "title", json_string(title));
	writer.failed |= json_object_update(object, keys) < 0;
	json_decref(keys);
	if (!writer.failed)
		dump(&writer, object, out);
	json_decref(object);
	r = writer.failed ? -ENOMEM : strbuf_error(out);
	return r < 0 ? error_set(err, -r, "JSON Schema: no room or no memory") : 0;
}
