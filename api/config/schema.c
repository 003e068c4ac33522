/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading half: a recursive descent that follows the rows, never the text.
 * A node that no row asks for ends the reading where it stands, so an
 * unexpected structure is not entered, whatever its size.
 *
 *	read_value     one value against its row
 *	  read_scalar    text -> value, by the row's type, then the row's check
 *	  read_list      items against the item's row, then uniqueness
 *	  read_map       free keys, each with its value an item
 *	  read_mapping   keys against rows, then what was left out:
 *	    finish_key     default, "is missing", "only when"
 *
 * From text to the value of a scalar: schema_scan.c.
 */
#include "api/config/schema.h"

#include <stdlib.h>
#include <string.h>

#include "api/config/reader.h"
#include "api/config/schema_scan.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/suggest.h"

#define DEPTH_MAX 8	 /* of rows within rows */
#define RANGE_MAX 192	 /* bytes of "one of 'a', 'b'" in an error */
#define KEY_LIST_MAX 192 /* bytes of a list of keys in an error */

struct context {
	struct reader *reader;
	const struct schema_key *root;
	struct schema_notes *notes; /* NULL while a default is read */
};

static int read_value(const struct context *ctx, const struct reader_node *node,
		      const struct schema_key *key, void *object, struct error *err);

static void *field(const struct schema_key *key, void *object)
{
	return (char *)object + key->offset;
}

const struct schema_key *schema_sibling(const struct schema_key *mapping, const char *name)
{
	for (size_t i = 0; i < mapping->n_keys; i++)
		if (strcmp(mapping->keys[i].name, name) == 0)
			return &mapping->keys[i];
	return NULL;
}

bool schema_applies(const struct schema_key *mapping, const struct schema_key *key,
		    const void *object)
{
	const struct schema_key *other;
	uint32_t value;

	if (!key->when)
		return true;
	other = schema_sibling(mapping, key->when);
	memcpy(&value, (const char *)object + other->offset, sizeof(value));
	return (key->when_values >> value & 1) != 0;
}

void schema_when(const struct schema_key *mapping, const struct schema_key *key, char quote,
		 struct strbuf *out)
{
	const struct schema_key *other = schema_sibling(mapping, key->when);
	bool first = true;

	strbuf_printf(out, "%c%s%c is ", quote, other->name, quote);
	for (size_t i = 0; other->values[i]; i++) {
		if ((key->when_values >> i & 1) == 0)
			continue;
		strbuf_printf(out, "%s%c%s%c", first ? "" : " or ", quote, other->values[i], quote);
		first = false;
	}
}

/* The row of the mapping inside a row in which keys have names: its own, its items', or none. */
static const struct schema_key *inner_mapping(const struct schema_key *key)
{
	if (key->type == SCHEMA_LIST)
		key = key->item;
	else if (key->type == SCHEMA_MAP)
		key = &key->item->keys[1];
	return key->type == SCHEMA_MAPPING ? key : NULL;
}

/* The name among @values or @keys of @key that may have been meant, or NULL. */
static const char *closest(const struct schema_key *key, const char *word)
{
	size_t best = SUGGEST_WORD_MAX + 1;
	const char *name = NULL;

	for (size_t i = 0; key->values ? key->values[i] != NULL : i < key->n_keys; i++) {
		const char *candidate = key->values ? key->values[i] : key->keys[i].name;
		size_t distance = suggest_distance(word, candidate);

		if (candidate[0] && distance < best && suggest_is_close(distance, word)) {
			best = distance;
			name = candidate;
		}
	}
	return name;
}

/* Wrong type and out of range read the same: what must be, and what is. */
static int unexpected(const struct context *ctx, const struct reader_node *node,
		      const struct schema_key *key, struct error *err)
{
	_cleanup_strbuf_ struct strbuf range = STRBUF_INIT(RANGE_MAX);
	char found[READER_FOUND_MAX];
	const char *meant = NULL;

	schema_range(key, &range);
	if (key->values && node->kind == READER_STRING)
		meant = closest(key, node->text);
	error_set(err, EINVAL, "'%s' must be %s, found %s%s%s%s", key->name, strbuf_str(&range),
		  reader_describe(node, found), meant ? ", did you mean '" : "", meant ? meant : "",
		  meant ? "'?" : "");
	return reader_locate(ctx->reader, node->mark, -EINVAL, err);
}

static int run_check(const struct context *ctx, const struct reader_node *node,
		     const struct schema_key *key, const void *value, struct error *err)
{
	int r = key->check ? key->check(value, err) : 0;

	if (r < 0) {
		error_wrap(err, r, "'%s'", key->name);
		return reader_locate(ctx->reader, node->mark, r, err);
	}
	return 0;
}

/* Finds the mapping that is @wanted, or has a row called @name, as a path of mappings; gives
 * the length of the path, or -1. */
static int find_mapping(const struct schema_key *mapping, const struct schema_key *wanted,
			const char *name, const struct schema_key *path[DEPTH_MAX], int depth)
{
	if (mapping == wanted || (name && schema_sibling(mapping, name)))
		return depth;
	for (size_t i = 0; i < mapping->n_keys && depth < DEPTH_MAX; i++) {
		const struct schema_key *inner = inner_mapping(&mapping->keys[i]);
		int found;

		if (!inner)
			continue;
		path[depth] = inner;
		found = find_mapping(inner, wanted, name, path, depth + 1);
		if (found >= 0)
			return found;
	}
	return -1;
}

/* Finds where a key of @mapping would be right: further in, else further out. */
static int find_parent(const struct context *ctx, const struct schema_key *mapping,
		       const char *name, const struct schema_key *path[DEPTH_MAX])
{
	int here = find_mapping(ctx->root, mapping, NULL, path, 0);
	int depth = here < 0 ? -1 : find_mapping(mapping, NULL, name, path, here);

	if (depth >= 0)
		return depth;
	for (depth = here - 1; depth >= 0; depth--)
		if (schema_sibling(depth > 0 ? path[depth - 1] : ctx->root, name))
			break;
	return depth;
}

static void add_path(struct strbuf *out, const struct schema_key *const *path, int depth)
{
	if (depth == 0)
		strbuf_puts(out, "at the top level");
	for (int i = 0; i < depth; i++)
		strbuf_printf(out, "%s%s", i == 0 ? "under '" : ".", path[i]->name);
	if (depth > 0)
		strbuf_puts(out, "'");
}

static void add_names(struct strbuf *out, const struct schema_key *mapping)
{
	const char *separator = "";

	for (size_t i = 0; i < mapping->n_keys; i++) {
		if (mapping->keys[i].deprecated)
			continue;
		strbuf_printf(out, "%s'%s'", separator, mapping->keys[i].name);
		separator = ", ";
	}
}

/* A right key in the wrong place, a slip of the hand, or something else. */
static void unknown_key(const struct context *ctx, const struct reader_node *name,
			const struct schema_key *mapping, struct error *err)
{
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT(KEY_LIST_MAX);
	const struct schema_key *path[DEPTH_MAX];
	int depth = find_parent(ctx, mapping, name->text, path);
	const char *meant = closest(mapping, name->text);
	char quoted[READER_QUOTE_MAX];

	if (depth >= 0) {
		strbuf_puts(&hint, "it belongs ");
		add_path(&hint, path, depth);
	} else if (meant) {
		strbuf_printf(&hint, "did you mean '%s'?", meant);
	} else {
		strbuf_puts(&hint, "known here are ");
		add_names(&hint, mapping);
	}
	error_set(err, EINVAL, "unknown key '%s', %s", reader_quote(quoted, name->text),
		  strbuf_str(&hint));
	reader_locate(ctx->reader, name->mark, -EINVAL, err);
}

/* Returns NULL with @err set when no row has that name. */
static const struct schema_key *find_key(const struct context *ctx, const struct reader_node *name,
					 const struct schema_key *mapping, struct error *err)
{
	const struct schema_key *key;
	char found[READER_FOUND_MAX];

	if (name->kind != READER_STRING) {
		error_set(err, EINVAL, "a key must be a string, found %s",
			  reader_describe(name, found));
		reader_locate(ctx->reader, name->mark, -EINVAL, err);
		return NULL;
	}
	key = schema_sibling(mapping, name->text);
	if (!key)
		unknown_key(ctx, name, mapping, err);
	return key;
}

/* The key was found by its row, so its own text may be gone. */
static int note_deprecated(const struct context *ctx, struct reader_mark mark,
			   const struct schema_key *key, struct error *err)
{
	struct error *note;

	if (!key->deprecated || !ctx->notes)
		return 0;
	if (ctx->notes->n == SCHEMA_NOTES_MAX) {
		error_set(err, EINVAL, "more than %d deprecated keys", SCHEMA_NOTES_MAX);
		return reader_locate(ctx->reader, mark, -EINVAL, err);
	}
	note = &ctx->notes->notes[ctx->notes->n++];
	error_set(note, EINVAL, "key '%s' is deprecated: %s", key->name, key->deprecated);
	reader_locate(ctx->reader, mark, -EINVAL, note);
	return 0;
}

static int read_pair(const struct context *ctx, const struct reader_node *name,
		     const struct schema_key *mapping, struct reader_mark *marks, void *object,
		     struct error *err)
{
	const struct schema_key *key = find_key(ctx, name, mapping, err);
	struct reader_mark *mark;
	struct reader_node value;
	int r;

	if (!key)
		return -EINVAL;
	mark = &marks[key - mapping->keys];
	if (mark->line > 0) {
		error_set(err, EINVAL, "key '%s' is written twice, first in line %zu", key->name,
			  mark->line);
		return reader_locate(ctx->reader, name->mark, -EINVAL, err);
	}
	*mark = name->mark;
	r = note_deprecated(ctx, *mark, key, err);
	if (r < 0)
		return r;
	r = reader_next(ctx->reader, &value, err);
	if (r < 0)
		return r;
	return read_value(ctx, &value, key, object, err);
}

static int read_default(const struct context *ctx, const struct schema_key *key, void *object,
			struct error *err)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct context inner = { .root = ctx->root };
	struct reader_node node;
	int r;

	if (!key->default_value)
		return 0;
	r = reader_new(&reader, key->default_value, strlen(key->default_value), key->name, err);
	if (r < 0)
		return r;
	inner.reader = reader;
	r = reader_next(reader, &node, err);
	if (r < 0)
		return r;
	return read_value(&inner, &node, key, object, err);
}

/* Says what is wrong with a key of a mapping that has ended; false when nothing is. */
static bool is_misused(const struct schema_key *mapping, const struct schema_key *key, bool written,
		       bool applies, struct error *err)
{
	_cleanup_strbuf_ struct strbuf when = STRBUF_INIT(RANGE_MAX);

	if (key->when)
		schema_when(mapping, key, '\'', &when);
	if (written && !applies)
		error_set(err, EINVAL, "'%s' is allowed only when %s", key->name,
			  strbuf_str(&when));
	else if (!written && key->required)
		error_set(err, EINVAL, "key '%s' is missing", key->name);
	else if (!written && key->when && applies && !key->optional)
		error_set(err, EINVAL, "key '%s' is missing, which is required when %s", key->name,
			  strbuf_str(&when));
	else
		return false;
	return true;
}

/* Settles one key of a mapping that has ended; @mark is all-zero if it was left out. */
static int finish_key(const struct context *ctx, const struct schema_key *mapping,
		      struct reader_mark mapping_mark, const struct schema_key *key,
		      struct reader_mark mark, void *object, struct error *err)
{
	bool written = mark.line > 0;
	bool applies = schema_applies(mapping, key, object);

	if (is_misused(mapping, key, written, applies, err))
		return reader_locate(ctx->reader, written ? mark : mapping_mark, -EINVAL, err);
	return written || !applies ? 0 : read_default(ctx, key, object, err);
}

/* In the order of the rows, so that a condition finds its key settled. */
static int finish_mapping(const struct context *ctx, const struct reader_node *node,
			  const struct schema_key *mapping, const struct reader_mark *marks,
			  void *object, struct error *err)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		int r = finish_key(ctx, mapping, node->mark, &mapping->keys[i], marks[i], object,
				   err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_mapping(const struct context *ctx, const struct reader_node *node,
			const struct schema_key *key, void *object, struct error *err)
{
	struct reader_mark marks[SCHEMA_KEYS_MAX] = { 0 };
	struct reader_node name;
	int r;

	object = field(key, object);
	for (;;) {
		r = reader_next(ctx->reader, &name, err);
		if (r < 0)
			return r;
		if (name.kind == READER_MAPPING_END)
			return finish_mapping(ctx, node, key, marks, object, err);
		r = read_pair(ctx, &name, key, marks, object, err);
		if (r < 0)
			return r;
	}
}

/* The items of a list as they lie in the struct. */
struct list {
	char *items;
	size_t n;
};

static struct list load_list(const struct schema_key *key, const void *object)
{
	struct list list;

	memcpy(&list.items, (const char *)object + key->offset, sizeof(list.items));
	memcpy(&list.n, (const char *)object + key->n_offset, sizeof(list.n));
	return list;
}

static void store_list(const struct schema_key *key, struct list list, void *object)
{
	memcpy((char *)object + key->offset, &list.items, sizeof(list.items));
	memcpy((char *)object + key->n_offset, &list.n, sizeof(list.n));
}

size_t schema_item_size(const struct schema_key *item)
{
	return item->place > 0 ? item->place + sizeof(struct schema_place) : item->size;
}

/* The new item counts at once, so that schema_done() finds what it comes to own. */
static char *append_item(const struct schema_key *key, void *object)
{
	struct list list = load_list(key, object);
	size_t size = schema_item_size(key->item);
	char *items = reallocarray(list.items, list.n + 1, size);
	char *item;

	if (!items)
		return NULL;
	item = items + list.n * size;
	memset(item, 0, size);
	store_list(key, (struct list) { .items = items, .n = list.n + 1 }, object);
	return item;
}

/* Compares the newest item with those before it. */
static int check_unique(const struct context *ctx, const struct reader_node *node,
			const struct schema_key *key, const void *object, struct error *err)
{
	const struct schema_key *unique =
		key->unique ? schema_sibling(key->item, key->unique) : NULL;
	struct list list = load_list(key, object);
	const char *newest = list.items + (list.n - 1) * schema_item_size(key->item);

	for (size_t i = 0; unique && i < list.n - 1; i++) {
		const char *other = list.items + i * schema_item_size(key->item);

		if (strcmp(other + unique->offset, newest + unique->offset) != 0 ||
		    (key->may_repeat && key->may_repeat(newest, other)))
			continue;
		error_set(err, EINVAL, "the %s '%.*s' is taken by item %zu of '%s'", unique->name,
			  READER_QUOTE_MAX, other + unique->offset, i + 1, key->name);
		return reader_locate(ctx->reader, node->mark, -EINVAL, err);
	}
	return 0;
}

static int wrong_length(const struct context *ctx, const struct reader_node *node,
			const struct schema_key *key, size_t found, struct error *err)
{
	_cleanup_strbuf_ struct strbuf range = STRBUF_INIT(RANGE_MAX);

	schema_range(key, &range);
	error_set(err, EINVAL, "'%s' must be %s, found %zu", key->name, strbuf_str(&range), found);
	return reader_locate(ctx->reader, node->mark, -EINVAL, err);
}

static int read_item(const struct context *ctx, const struct reader_node *node,
		     const struct schema_key *key, void *object, struct error *err)
{
	char *item;
	int r;

	if (load_list(key, object).n >= key->max)
		return wrong_length(ctx, node, key, (size_t)key->max + 1, err);
	item = append_item(key, object);
	if (!item)
		return error_set(err, ENOMEM, "no memory for '%s'", key->name);
	r = read_value(ctx, node, key->item, item, err);
	if (r < 0)
		return r;
	return check_unique(ctx, node, key, object, err);
}

static int read_member(const struct context *ctx, const struct reader_node *node,
		       const struct schema_key *key, void *object, struct error *err)
{
	uint32_t before, after;

	memcpy(&before, field(key, object), sizeof(before));
	if (node->kind != READER_STRING || !schema_scan(key, node->text, field(key, object)))
		return unexpected(ctx, node, key, err);
	memcpy(&after, field(key, object), sizeof(after));
	if (before != after)
		return 0;
	error_set(err, EINVAL, "'%s' is written twice in '%s'", node->text, key->name);
	return reader_locate(ctx->reader, node->mark, -EINVAL, err);
}

static int read_element(const struct context *ctx, const struct reader_node *node,
			const struct schema_key *key, void *object, struct error *err)
{
	return key->type == SCHEMA_SET ? read_member(ctx, node, key, object, err)
				       : read_item(ctx, node, key, object, err);
}

static size_t count(const struct schema_key *key, const void *object)
{
	uint32_t set;

	if (key->type != SCHEMA_SET)
		return load_list(key, object).n;
	memcpy(&set, (const char *)object + key->offset, sizeof(set));
	return (size_t)__builtin_popcount(set);
}

static int read_elements(const struct context *ctx, const struct reader_node *node,
			 const struct schema_key *key, void *object, struct error *err)
{
	struct reader_node element;
	int r;

	for (;;) {
		r = reader_next(ctx->reader, &element, err);
		if (r < 0)
			return r;
		if (element.kind == READER_LIST_END)
			break;
		r = read_element(ctx, &element, key, object, err);
		if (r < 0)
			return r;
	}
	if (count(key, object) < key->min)
		return wrong_length(ctx, node, key, count(key, object), err);
	return 0;
}

/* A scalar stands for a list of it alone. */
static int read_list(const struct context *ctx, const struct reader_node *node,
		     const struct schema_key *key, void *object, struct error *err)
{
	return node->kind == READER_LIST ? read_elements(ctx, node, key, object, err)
					 : read_element(ctx, node, key, object, err);
}

/* @item is the newest of the map; its key is read from @name. */
static int read_free_key(const struct context *ctx, const struct reader_node *name,
			 const struct schema_key *map, void *object, void *item, struct error *err)
{
	const struct schema_key *key = &map->item->keys[0];
	struct list list = load_list(map, object);
	int r = read_value(ctx, name, key, item, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n - 1; i++) {
		const char *other = list.items + i * schema_item_size(map->item) + key->offset;

		if (strcmp(other, field(key, item)) != 0)
			continue;
		error_set(err, EINVAL, "key '%.*s' is written twice in '%s'", READER_QUOTE_MAX,
			  other, map->name);
		return reader_locate(ctx->reader, name->mark, -EINVAL, err);
	}
	return 0;
}

static int read_free_pair(const struct context *ctx, const struct reader_node *name,
			  const struct schema_key *key, void *object, struct error *err)
{
	struct reader_node value;
	char *item;
	int r;

	if (load_list(key, object).n >= key->max)
		return wrong_length(ctx, name, key, (size_t)key->max + 1, err);
	item = append_item(key, object);
	if (!item)
		return error_set(err, ENOMEM, "no memory for '%s'", key->name);
	r = read_free_key(ctx, name, key, object, item, err);
	if (r < 0)
		return r;
	r = reader_next(ctx->reader, &value, err);
	if (r < 0)
		return r;
	return read_value(ctx, &value, &key->item->keys[1], item, err);
}

static int read_map(const struct context *ctx, const struct reader_node *node,
		    const struct schema_key *key, void *object, struct error *err)
{
	struct reader_node name;
	int r;

	for (;;) {
		r = reader_next(ctx->reader, &name, err);
		if (r < 0)
			return r;
		if (name.kind == READER_MAPPING_END)
			break;
		r = read_free_pair(ctx, &name, key, object, err);
		if (r < 0)
			return r;
	}
	if (count(key, object) < key->min)
		return wrong_length(ctx, node, key, count(key, object), err);
	return 0;
}

static int read_scalar(const struct context *ctx, const struct reader_node *node,
		       const struct schema_key *key, void *object, struct error *err)
{
	if (!schema_scan(key, node->text, field(key, object)))
		return unexpected(ctx, node, key, err);
	if (key->place > 0)
		*(struct schema_place *)((char *)object + key->place) =
			(struct schema_place) { (uint32_t)node->mark.line,
						(uint32_t)node->mark.column };
	return 0;
}

#define KIND(kind) (1u << READER_##kind)

static const struct {
	unsigned int kinds; /* of nodes that it may be written as */
	int (*read)(const struct context *ctx, const struct reader_node *node,
		    const struct schema_key *key, void *object, struct error *err);
} types[_SCHEMA_TYPE_MAX] = {
	[SCHEMA_STRING] = { .kinds = KIND(STRING), .read = read_scalar },
	[SCHEMA_ENUM] = { .kinds = KIND(STRING), .read = read_scalar },
	[SCHEMA_SET] = { .kinds = KIND(LIST) | KIND(STRING), .read = read_list },
	[SCHEMA_BOOL] = { .kinds = KIND(BOOLEAN), .read = read_scalar },
	[SCHEMA_U32] = { .kinds = KIND(NUMBER), .read = read_scalar },
	[SCHEMA_BYTES] = { .kinds = KIND(STRING) | KIND(NUMBER), .read = read_scalar },
	[SCHEMA_DURATION] = { .kinds = KIND(STRING), .read = read_scalar },
	[SCHEMA_MAPPING] = { .kinds = KIND(MAPPING), .read = read_mapping },
	[SCHEMA_LIST] = { .kinds = KIND(LIST), .read = read_list },
	[SCHEMA_MAP] = { .kinds = KIND(MAPPING), .read = read_map },
};

static bool may_be(const struct schema_key *key, enum reader_kind kind)
{
	unsigned int kinds = types[key->type].kinds;

	if (key->type == SCHEMA_LIST && key->item->type != SCHEMA_MAPPING)
		kinds |= types[key->item->type].kinds;
	return (kinds >> kind & 1) != 0;
}

static int read_value(const struct context *ctx, const struct reader_node *node,
		      const struct schema_key *key, void *object, struct error *err)
{
	int r;

	if (!may_be(key, node->kind))
		return unexpected(ctx, node, key, err);
	r = types[key->type].read(ctx, node, key, object, err);
	return r < 0 ? r : run_check(ctx, node, key, field(key, object), err);
}

int schema_read(const struct schema_key *root, const char *text, size_t len, const char *name,
		void *object, struct schema_notes *notes, struct error *err)
{
	static const struct reader_mark none[SCHEMA_KEYS_MAX] = { 0 };
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct context ctx = { .root = root, .notes = notes };
	struct reader_node node;
	int r;

	r = reader_new(&reader, text, len, name, err);
	if (r < 0)
		return r;
	ctx.reader = reader;
	r = reader_next(reader, &node, err);
	if (r < 0)
		return r;
	if (node.kind == READER_END)
		return finish_mapping(&ctx, &node, root, none, object, err);
	r = read_value(&ctx, &node, root, object, err);
	if (r < 0)
		return r;
	return reader_next(reader, &node, err); /* refuses a second document */
}

static void done_list(const struct schema_key *key, void *object)
{
	struct list list = load_list(key, object);
	const struct schema_key *item = key->item;

	for (size_t i = 0; item->type == SCHEMA_MAPPING && i < list.n; i++)
		schema_done(item, list.items + i * schema_item_size(item));
	free(list.items);
}

void schema_done(const struct schema_key *root, void *object)
{
	for (size_t i = 0; i < root->n_keys; i++) {
		const struct schema_key *key = &root->keys[i];

		if (key->type == SCHEMA_MAPPING)
			schema_done(key, field(key, object));
		if (key->type == SCHEMA_LIST || key->type == SCHEMA_MAP)
			done_list(key, object);
	}
	memset(object, 0, root->size);
}
