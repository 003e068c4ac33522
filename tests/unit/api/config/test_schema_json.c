/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "api/config/config_keys.h"
#include "api/config/schema_json.h"
#include "base/macro.h"
#include "base/parse.h"

#define TEXT_MAX (256 * 1024)

static const char *const units[] = { "whole", "partition", "share", NULL };
static const char *const colors[] = { "", "red", "green", NULL };
static const char *const ways[] = { "env", "cdi", NULL };
static const char *const kinds[] = { "object", "array", NULL };

static const struct schema_key word = {
	.name = "words[]", .type = SCHEMA_STRING, .min = 1, .max = 7
};
static const struct schema_key part_keys[] = {
	{ .name = "name", .type = SCHEMA_STRING, .max = 7, .required = true, .text = "A name." },
};
static const struct schema_key part = { .name = "parts[]",
					.type = SCHEMA_MAPPING,
					.keys = part_keys,
					.n_keys = ARRAY_SIZE(part_keys) };
static const struct schema_key pair_keys[] = {
	{ .name = "key", .type = SCHEMA_STRING, .min = 1, .max = 5, .pattern = "^[a-z]+$" },
	{ .name = "value", .type = SCHEMA_BOOL },
};
static const struct schema_key pair = { .name = "pairs.*",
					.type = SCHEMA_MAPPING,
					.keys = pair_keys,
					.n_keys = ARRAY_SIZE(pair_keys) };

/* What one row becomes; it is called "a". */
static const struct {
	const char *name;
	struct schema_key key;
	const char *json;
} rows[] = {
	{ "a string of a length",
	  { .type = SCHEMA_STRING, .min = 2, .max = 9 },
	  "{'type': 'string', 'pattern': '^[ -~]*$', 'minLength': 2, 'maxLength': 9}" },
	{ "a string of a pattern",
	  { .type = SCHEMA_STRING, .max = 9, .pattern = "^\"x$", .text = "Says \"x\"." },
	  "{'type': 'string', 'pattern': '^\\\"x$', 'maxLength': 9,"
	  " 'description': 'Says \\\"x\\\".'}" },
	{ "a name",
	  { .type = SCHEMA_ENUM, .values = units },
	  "{'enum': ['whole', 'partition', 'share']}" },
	{ "a name that may be left out",
	  { .type = SCHEMA_ENUM, .values = colors },
	  "{'enum': ['red', 'green']}" },
	{ "words in a list only",
	  { .type = SCHEMA_LIST, .item = &word, .lists_only = true, .max = 2 },
	  "{'type': 'array', 'items': {'type': 'string', 'pattern': '^[ -~]*$', 'minLength': 1,"
	  " 'maxLength': 7}, 'maxItems': 2}" },
	{ "several names",
	  { .type = SCHEMA_SET, .values = ways, .min = 1, .max = 2 },
	  "{'anyOf': [{'enum': ['env', 'cdi']}, {'type': 'array', 'items': {'enum': ['env', "
	  "'cdi']},"
	  " 'minItems': 1, 'maxItems': 2, 'uniqueItems': true}]}" },
	{ "yes or no", { .type = SCHEMA_BOOL }, "{'type': 'boolean'}" },
	{ "a number",
	  { .type = SCHEMA_U32, .min = 1, .max = 64 },
	  "{'type': 'integer', 'minimum': 1, 'maximum': 64}" },
	{ "bytes",
	  { .type = SCHEMA_BYTES, .min = 1, .max = 2048, .text = "Room." },
	  "{'anyOf': [{'type': 'integer', 'minimum': 1, 'maximum': 2048}, {'type': 'string',"
	  " 'pattern': '^[0-9]+(Ti|T|Gi|G|Mi|M|Ki|k)?$'}],"
	  " 'description': 'Room. It is a number of bytes from 1 to 2Ki.'}" },
	{ "a duration",
	  { .type = SCHEMA_DURATION, .min = 100, .max = 60000, .text = "Time." },
	  "{'type': 'string', 'pattern': '^[0-9]+(ms|s|m|h)$',"
	  " 'description': 'Time. It is a duration from 100ms to 1m.'}" },
	{ "words, or one of them",
	  { .type = SCHEMA_LIST, .item = &word, .max = 3 },
	  "{'anyOf': [{'type': 'string', 'pattern': '^[ -~]*$', 'minLength': 1, 'maxLength': 7},"
	  " {'type': 'array', 'items': {'type': 'string', 'pattern': '^[ -~]*$', 'minLength': 1,"
	  " 'maxLength': 7}, 'maxItems': 3}]}" },
	{ "mappings",
	  { .type = SCHEMA_LIST, .item = &part, .min = 1, .max = 3 },
	  "{'type': 'array', 'items': {'type': 'object', 'additionalProperties': false,"
	  " 'properties': {'name': {'type': 'string', 'pattern': '^[ -~]*$', 'maxLength': 7,"
	  " 'description': 'A name.'}}, 'required': ['name']}, 'minItems': 1, 'maxItems': 3}" },
	{ "free keys",
	  { .type = SCHEMA_MAP, .item = &pair, .min = 1, .max = 4 },
	  "{'type': 'object', 'propertyNames': {'type': 'string', 'pattern': '^[a-z]+$',"
	  " 'minLength': 1, 'maxLength': 5}, 'additionalProperties': {'type': 'boolean'},"
	  " 'minProperties': 1, 'maxProperties': 4}" },
	{ "anything of two types",
	  { .type = SCHEMA_FOREIGN, .values = kinds },
	  "{'type': ['object', 'array']}" },
	{ "another's mapping, of which nothing is required",
	  { .type = SCHEMA_FOREIGN, .item = &part },
	  "{'type': 'object', 'additionalProperties': false, 'properties': {'name': {'type':"
	  " 'string', 'pattern': '^[ -~]*$', 'maxLength': 7, 'description': 'A name.'}}}" },
};

/* JSON with the other quotes. */
static json_t *load(const char *text)
{
	char copy[1024];
	json_error_t error;
	json_t *value;

	assert_int_equal(str_copy(copy, sizeof(copy), text), 0);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	value = json_loads(copy, 0, &error);
	if (!value)
		fail_msg("%s: %s", text, error.text);
	return value;
}

static json_t *schema_of(const struct schema_key *root)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct error err = { 0 };
	json_error_t error;
	json_t *schema;

	assert_int_equal(schema_json(root, "Test", &text, &err), 0);
	schema = json_loads(strbuf_str(&text), JSON_REJECT_DUPLICATES, &error);
	if (!schema)
		fail_msg("%s:\n%s", error.text, strbuf_str(&text));
	return schema;
}

static void check_equal(const char *name, json_t *have, json_t *want)
{
	char *text = json_dumps(have, JSON_PRESERVE_ORDER);

	if (!json_equal(have, want))
		fail_msg("%s: it is %s", name, text);
	free(text);
}

static void test_types(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct schema_key key = rows[i].key;
		struct schema_key root = { .type = SCHEMA_MAPPING, .keys = &key, .n_keys = 1 };
		json_t *schema, *want = load(rows[i].json);

		key.name = "a";
		schema = schema_of(&root);
		check_equal(rows[i].name,
			    json_object_get(json_object_get(schema, "properties"), "a"), want);
		json_decref(schema);
		json_decref(want);
	}
}

static const struct schema_key unit_keys[] = {
	{ .name = "unit", .type = SCHEMA_ENUM, .values = units, .default_value = "whole" },
	{ .name = "shares", .type = SCHEMA_BOOL, .when = "unit", .when_values = 1u << 2 },
	{ .name = "cores",
	  .type = SCHEMA_BOOL,
	  .when = "unit",
	  .when_values = 1u << 0 | 1u << 1,
	  .optional = true },
	{ .name = "old", .type = SCHEMA_BOOL, .deprecated = "use 'unit'" },
};

static void test_conditions(void **state _unused_)
{
	static const struct schema_key root = { .type = SCHEMA_MAPPING,
						.keys = unit_keys,
						.n_keys = ARRAY_SIZE(unit_keys) };
	json_t *schema = schema_of(&root);
	json_t *want = load(
		"[{'if': {'properties': {'unit': {'enum': ['share']}}, 'required': ['unit']},"
		" 'then': {'required': ['shares']}, 'else': {'properties': {'shares': false}}},"
		" {'if': {'properties': {'unit': {'enum': ['whole', 'partition']}}},"
		" 'then': {}, 'else': {'properties': {'cores': false}}}]");

	check_equal("conditions", json_object_get(schema, "allOf"), want);
	assert_null(json_object_get(json_object_get(schema, "properties"), "old"));
	assert_string_equal(json_string_value(json_object_get(schema, "title")), "Test");
	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	json_decref(want);
	json_decref(schema);
}

/* Every key of the configuration that is not deprecated, and no other. */
static void test_config(void **state _unused_)
{
	json_t *schema = schema_of(&config_root);
	json_t *properties = json_object_get(schema, "properties");
	size_t n = 0;

	for (size_t i = 0; i < config_root.n_keys; i++) {
		const struct schema_key *key = &config_root.keys[i];

		n += !key->deprecated;
		assert_true(!key->deprecated == !!json_object_get(properties, key->name));
	}
	assert_int_equal(json_object_size(properties), n);
	json_decref(schema);
}

static void test_no_room(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);
	struct error err = { 0 };

	assert_int_equal(schema_json(&config_root, "Test", &text, &err), -E2BIG);
	assert_true(err.msg[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
