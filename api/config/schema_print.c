/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of api/config/schema.h. */
#include "api/config/schema.h"

#include <inttypes.h>
#include <string.h>

#include "api/config/reader.h"
#include "api/config/schema_scan.h"
#include "base/macro.h"

#define INDENT 2

/* YAML in the making. */
struct printer {
	struct strbuf *out;
	unsigned int indent;
	bool dash; /* the next line begins an item, "- " stands in its indent */
};

static void add_scalar(const struct schema_key *key, const void *value, struct strbuf *out);
static void print_value(struct printer *printer, const struct schema_key *key, const void *object);

static void add_duration(struct strbuf *out, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = { { 60 * 60 * 1000, "h" }, { 60 * 1000, "m" }, { 1000, "s" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ms < units[i].ms || ms % units[i].ms != 0)
			continue;
		strbuf_printf(out, "%" PRIu64 "%s", ms / units[i].ms, units[i].name);
		return;
	}
	strbuf_printf(out, "%" PRIu64 "%s", ms, ms == 0 ? "s" : "ms");
}

static void add_bytes(struct strbuf *out, uint64_t bytes)
{
	const struct schema_byte_unit *unit = schema_byte_units;

	while (unit->suffix[0] && (bytes < unit->bytes || bytes % unit->bytes != 0))
		unit++;
	strbuf_printf(out, "%" PRIu64 "%s", bytes / unit->bytes, unit->suffix);
}

static bool is_plain(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._/";

	return text[0] != '-' && text[0] != '.' && text[strspn(text, safe)] == '\0' &&
	       reader_plain_kind(text) == READER_STRING;
}

static void add_string(struct strbuf *out, const char *text)
{
	if (is_plain(text)) {
		strbuf_puts(out, text);
		return;
	}
	strbuf_puts(out, "\"");
	for (; *text; text++)
		strbuf_printf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	strbuf_puts(out, "\"");
}

static uint32_t load_u32(const void *value)
{
	uint32_t number;

	memcpy(&number, value, sizeof(number));
	return number;
}

static void add_string_of(const struct schema_key *key _unused_, const void *value,
			  struct strbuf *out)
{
	add_string(out, value);
}

static void add_enum(const struct schema_key *key, const void *value, struct strbuf *out)
{
	add_string(out, key->values[load_u32(value)]);
}

static void add_u32(const struct schema_key *key _unused_, const void *value, struct strbuf *out)
{
	strbuf_printf(out, "%u", load_u32(value));
}

static void add_bool(const struct schema_key *key _unused_, const void *value, struct strbuf *out)
{
	bool set;

	memcpy(&set, value, sizeof(set));
	strbuf_puts(out, set ? "true" : "false");
}

static void add_bytes_of(const struct schema_key *key _unused_, const void *value,
			 struct strbuf *out)
{
	uint64_t bytes;

	memcpy(&bytes, value, sizeof(bytes));
	add_bytes(out, bytes);
}

static void add_duration_of(const struct schema_key *key _unused_, const void *value,
			    struct strbuf *out)
{
	add_duration(out, load_u32(value));
}

static void start_line(struct printer *printer)
{
	unsigned int indent = printer->indent - (printer->dash ? INDENT : 0);

	strbuf_printf(printer->out, "%*s%s", (int)indent, "", printer->dash ? "- " : "");
	printer->dash = false;
}

static size_t load_n(const struct schema_key *key, const void *object)
{
	size_t n;

	memcpy(&n, (const char *)object + key->n_offset, sizeof(n));
	return n;
}

static bool is_zero(const struct schema_key *key, const void *object)
{
	const char *value = (const char *)object + key->offset;

	switch (key->type) {
	case SCHEMA_STRING:
		return *value == '\0';
	case SCHEMA_LIST:
	case SCHEMA_MAP:
		return load_n(key, object) == 0;
	case SCHEMA_MAPPING:
		for (size_t i = 0; i < key->n_keys; i++)
			if (!is_zero(&key->keys[i], value))
				return false;
		return true;
	default:
		for (size_t i = 0; i < key->size; i++)
			if (value[i] != 0)
				return false;
		return true;
	}
}

/* What was left out stays so where no default would bring it back. */
static bool is_left_out(const struct schema_key *mapping, const struct schema_key *key,
			const void *object)
{
	bool must = key->required || (key->when && !key->optional);

	if (!schema_applies(mapping, key, object))
		return true;
	if (key->default_value && !key->deprecated)
		return false;
	return (key->type == SCHEMA_STRING || !must) && is_zero(key, object);
}

static bool is_empty(const struct schema_key *mapping, const void *object)
{
	for (size_t i = 0; i < mapping->n_keys; i++)
		if (!is_left_out(mapping, &mapping->keys[i], object))
			return false;
	return true;
}

static void print_keys(struct printer *printer, const struct schema_key *mapping,
		       const void *object)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct schema_key *key = &mapping->keys[i];

		if (is_left_out(mapping, key, object))
			continue;
		start_line(printer);
		strbuf_printf(printer->out, "%s:", key->name);
		print_value(printer, key, object);
	}
}

static void print_mapping(struct printer *printer, const struct schema_key *key, const void *object)
{
	const void *value = (const char *)object + key->offset;

	if (is_empty(key, value)) {
		strbuf_puts(printer->out, " {}\n");
		return;
	}
	strbuf_puts(printer->out, "\n");
	printer->indent += INDENT;
	print_keys(printer, key, value);
	printer->indent -= INDENT;
}

static void print_item(struct printer *printer, const struct schema_key *item, const void *object)
{
	printer->dash = true;
	if (!is_empty(item, object)) {
		print_keys(printer, item, object);
		return;
	}
	start_line(printer);
	strbuf_puts(printer->out, "{}\n");
}

static const char *load_items(const struct schema_key *key, const void *object)
{
	const char *items;

	memcpy(&items, (const char *)object + key->offset, sizeof(items));
	return items;
}

/* What stands around scalars: nothing around a single one, which is a list as well. */
static void start_scalars(struct strbuf *out, size_t n)
{
	strbuf_puts(out, n == 1 ? " " : " [");
}

static void end_scalars(struct strbuf *out, size_t n)
{
	strbuf_puts(out, n == 1 ? "\n" : "]\n");
}

static void print_scalars(struct printer *printer, const struct schema_key *item, const char *items,
			  size_t n)
{
	start_scalars(printer->out, n);
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(printer->out, i == 0 ? "" : ", ");
		add_scalar(item, items + i * schema_item_size(item), printer->out);
	}
	end_scalars(printer->out, n);
}

static void print_list(struct printer *printer, const struct schema_key *key, const void *object)
{
	const char *items = load_items(key, object);
	size_t n = load_n(key, object);

	if (key->item->type != SCHEMA_MAPPING) {
		print_scalars(printer, key->item, items, n);
		return;
	}
	strbuf_puts(printer->out, n == 0 ? " []\n" : "\n");
	printer->indent += INDENT;
	for (size_t i = 0; i < n; i++)
		print_item(printer, key->item, items + i * schema_item_size(key->item));
	printer->indent -= INDENT;
}

static void print_map(struct printer *printer, const struct schema_key *key, const void *object)
{
	const struct schema_key *name = &key->item->keys[0], *value = &key->item->keys[1];
	const char *items = load_items(key, object);
	size_t n = load_n(key, object);

	strbuf_puts(printer->out, n == 0 ? " {}\n" : "\n");
	printer->indent += INDENT;
	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * schema_item_size(key->item);

		start_line(printer);
		add_string(printer->out, item + name->offset);
		strbuf_puts(printer->out, ":");
		print_value(printer, value, item);
	}
	printer->indent -= INDENT;
}

static void print_set(struct printer *printer, const struct schema_key *key, const void *object)
{
	uint32_t set = load_u32((const char *)object + key->offset);
	size_t n = (size_t)__builtin_popcount(set);
	const char *separator = "";

	start_scalars(printer->out, n);
	for (size_t i = 0; key->values[i]; i++) {
		if ((set >> i & 1) == 0)
			continue;
		strbuf_puts(printer->out, separator);
		add_string(printer->out, key->values[i]);
		separator = ", ";
	}
	end_scalars(printer->out, n);
}

static void range_string(const struct schema_key *key, struct strbuf *out)
{
	strbuf_printf(out, "a string of %" PRIu64 " to %" PRIu64 " ASCII characters", key->min,
		      key->max);
}

static void add_names(const struct schema_key *key, struct strbuf *out)
{
	bool first = true;

	for (size_t i = 0; key->values[i]; i++) {
		if (!key->values[i][0])
			continue;
		strbuf_printf(out, "%s'%s'", first ? "" : ", ", key->values[i]);
		first = false;
	}
}

static void range_enum(const struct schema_key *key, struct strbuf *out)
{
	strbuf_puts(out, key->values[1] ? "one of " : "");
	add_names(key, out);
}

static void range_set(const struct schema_key *key, struct strbuf *out)
{
	strbuf_puts(out, key->min > 0 ? "one or more of " : "a list of ");
	add_names(key, out);
}

static void range_bool(const struct schema_key *key _unused_, struct strbuf *out)
{
	strbuf_puts(out, "true or false");
}

static void range_u32(const struct schema_key *key, struct strbuf *out)
{
	strbuf_printf(out, "a whole number from %" PRIu64 " to %" PRIu64, key->min, key->max);
	if (key->unit)
		strbuf_printf(out, " %s", key->unit);
}

static void range_bytes(const struct schema_key *key, struct strbuf *out)
{
	strbuf_puts(out, "a number of bytes from ");
	add_bytes(out, key->min);
	strbuf_puts(out, " to ");
	add_bytes(out, key->max);
}

static void range_duration(const struct schema_key *key, struct strbuf *out)
{
	strbuf_puts(out, "a duration from ");
	add_duration(out, key->min);
	strbuf_puts(out, " to ");
	add_duration(out, key->max);
}

static void range_mapping(const struct schema_key *key _unused_, struct strbuf *out)
{
	strbuf_puts(out, "a mapping");
}

static void range_list(const struct schema_key *key, struct strbuf *out)
{
	strbuf_printf(out, "a list of %" PRIu64 " to %" PRIu64 " items", key->min, key->max);
	if (key->item->type == SCHEMA_MAPPING)
		return;
	strbuf_puts(out, ", each ");
	schema_range(key->item, out);
}

static void range_map(const struct schema_key *key, struct strbuf *out)
{
	strbuf_printf(out, "a mapping of %" PRIu64 " to %" PRIu64 " keys, each with ", key->min,
		      key->max);
	schema_range(&key->item->keys[1], out);
}

static void range_foreign(const struct schema_key *key, struct strbuf *out)
{
	if (key->item) {
		schema_range(key->item, out);
		return;
	}
	for (size_t i = 0; key->values[i]; i++)
		strbuf_printf(out, "%san %s", i == 0 ? "" : " or ", key->values[i]);
}

/* A scalar has @scalar, which writes its text; the others have @print, for whole lines. */
static const struct {
	void (*range)(const struct schema_key *key, struct strbuf *out);
	void (*scalar)(const struct schema_key *key, const void *value, struct strbuf *out);
	void (*print)(struct printer *printer, const struct schema_key *key, const void *object);
} types[_SCHEMA_TYPE_MAX] = {
	[SCHEMA_STRING] = { .range = range_string, .scalar = add_string_of },
	[SCHEMA_ENUM] = { .range = range_enum, .scalar = add_enum },
	[SCHEMA_SET] = { .range = range_set, .print = print_set },
	[SCHEMA_BOOL] = { .range = range_bool, .scalar = add_bool },
	[SCHEMA_U32] = { .range = range_u32, .scalar = add_u32 },
	[SCHEMA_BYTES] = { .range = range_bytes, .scalar = add_bytes_of },
	[SCHEMA_DURATION] = { .range = range_duration, .scalar = add_duration_of },
	[SCHEMA_MAPPING] = { .range = range_mapping, .print = print_mapping },
	[SCHEMA_LIST] = { .range = range_list, .print = print_list },
	[SCHEMA_MAP] = { .range = range_map, .print = print_map },
	[SCHEMA_FOREIGN] = { .range = range_foreign },
};

static void add_scalar(const struct schema_key *key, const void *value, struct strbuf *out)
{
	types[key->type].scalar(key, value, out);
}

static void print_value(struct printer *printer, const struct schema_key *key, const void *object)
{
	if (types[key->type].print) {
		types[key->type].print(printer, key, object);
		return;
	}
	strbuf_puts(printer->out, " ");
	add_scalar(key, (const char *)object + key->offset, printer->out);
	strbuf_puts(printer->out, "\n");
}

void schema_print(const struct schema_key *root, const void *object, struct strbuf *out)
{
	struct printer printer = { .out = out };

	print_keys(&printer, root, object);
}

void schema_range(const struct schema_key *key, struct strbuf *out)
{
	types[key->type].range(key, out);
}

static void describe_default(const struct schema_key *mapping, const struct schema_key *key,
			     struct strbuf *out)
{
	bool has_default = key->type != SCHEMA_MAPPING && key->default_value;

	if (has_default)
		strbuf_printf(out, "`%s`", key->default_value);
	if (key->when && key->optional) {
		strbuf_puts(out, has_default ? "; only when " : "only when ");
		schema_when(mapping, key, '`', out);
	} else if (key->when) {
		strbuf_puts(out, "required when ");
		schema_when(mapping, key, '`', out);
		strbuf_puts(out, ", refused otherwise");
	} else if (key->required) {
		strbuf_puts(out, "required");
	}
}

/* @prefix is the path of @mapping with what separates it from a key. */
static void describe_keys(const struct schema_key *mapping, const char *prefix, struct strbuf *out)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		_cleanup_strbuf_ struct strbuf inner = STRBUF_INIT(SCHEMA_PATH_MAX);
		const struct schema_key *key = &mapping->keys[i];

		strbuf_printf(out, "| `%s%s` | ", prefix, key->name);
		schema_range(key, out);
		strbuf_puts(out, " | ");
		describe_default(mapping, key, out);
		strbuf_printf(out, " | %s", key->text);
		if (key->deprecated)
			strbuf_printf(out, " Deprecated: %s.", key->deprecated);
		strbuf_puts(out, " |\n");
		strbuf_printf(&inner, "%s%s", prefix,
			      key->type == SCHEMA_LIST ? key->item->name : key->name);
		if (key->type == SCHEMA_MAP)
			strbuf_puts(&inner, ".*");
		if (key->type == SCHEMA_MAP)
			key = &key->item->keys[1];
		else if (key->type == SCHEMA_LIST)
			key = key->item;
		strbuf_puts(&inner, ".");
		describe_keys(key, strbuf_str(&inner), out);
	}
}

void schema_describe(const struct schema_key *root, struct strbuf *out)
{
	strbuf_puts(out, "| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
	describe_keys(root, "", out);
}
