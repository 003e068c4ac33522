/* SPDX-License-Identifier: Apache-2.0 */
/* The types of the engine beyond strings, numbers, mappings and lists of them. */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/schema.h"
#include "base/cleanup.h"

#define PRINTED_MAX 4096
#define WORD_MAX 8

/* Rows of the same shape: name, type, what lies where. */
#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define ITEMS(type, member) .offset = offsetof(type, member), .n_offset = offsetof(type, n_##member)

struct label {
	char key[WORD_MAX];
	char value[WORD_MAX];
};

struct group {
	char name[WORD_MAX];
	char (*members)[WORD_MAX];
	size_t n_members;
};

struct part {
	char name[WORD_MAX];
	bool free;
};

struct limit {
	uint32_t low;
	uint32_t high;
};

struct shop {
	bool open;
	uint32_t kind;
	uint32_t days;
	uint64_t room;
	char note[WORD_MAX];
	char (*words)[WORD_MAX];
	size_t n_words;
	struct label *labels;
	size_t n_labels;
	struct group *groups;
	size_t n_groups;
	struct part *parts;
	size_t n_parts;
	struct limit limit;
	bool old;
	uint32_t older;
};

enum kind {
	KIND_NONE,
	KIND_SMALL,
	KIND_LARGE,
	KIND_MOBILE,
};

static const char *const kinds[] = { "", "small", "large", "mobile", NULL };
static const char *const days[] = { "monday", "friday", "sunday", NULL };

static bool is_free(const void *item, const void *other)
{
	return ((const struct part *)item)->free && ((const struct part *)other)->free;
}

static int check_limit(const void *value, struct error *err)
{
	const struct limit *limit = value;

	return limit->low <= limit->high ? 0 : error_set(err, EINVAL, "low is above high");
}

static const struct schema_key word = {
	.name = "words[]", .type = SCHEMA_STRING, .size = WORD_MAX, .min = 1, .max = WORD_MAX - 1
};
static const struct schema_key label_rows[] = {
	{ .name = "label",
	  .type = SCHEMA_STRING,
	  FIELD(struct label, key),
	  .min = 1,
	  .max = WORD_MAX - 1 },
	{ .name = "label value",
	  .type = SCHEMA_STRING,
	  FIELD(struct label, value),
	  .max = WORD_MAX - 1 },
};
static const struct schema_key label = { .name = "labels",
					 .type = SCHEMA_MAPPING,
					 .size = sizeof(struct label),
					 .keys = label_rows,
					 .n_keys = 2 };
static const struct schema_key member = {
	.name = "members[]", .type = SCHEMA_STRING, .size = WORD_MAX, .min = 1, .max = WORD_MAX - 1
};
static const struct schema_key group_rows[] = {
	{ .name = "group",
	  .type = SCHEMA_STRING,
	  FIELD(struct group, name),
	  .min = 1,
	  .max = WORD_MAX - 1 },
	{ .name = "members",
	  .type = SCHEMA_LIST,
	  ITEMS(struct group, members),
	  .min = 1,
	  .max = 2,
	  .item = &member },
};
static const struct schema_key group = { .name = "groups",
					 .type = SCHEMA_MAPPING,
					 .size = sizeof(struct group),
					 .keys = group_rows,
					 .n_keys = 2 };
static const struct schema_key part_rows[] = {
	{ .name = "name",
	  .type = SCHEMA_STRING,
	  FIELD(struct part, name),
	  .min = 1,
	  .max = WORD_MAX - 1,
	  .required = true,
	  .text = "Name." },
	{ .name = "free",
	  .type = SCHEMA_BOOL,
	  FIELD(struct part, free),
	  .default_value = "false",
	  .text = "Free." },
};
static const struct schema_key part = { .name = "parts[]",
					.type = SCHEMA_MAPPING,
					.size = sizeof(struct part),
					.keys = part_rows,
					.n_keys = 2 };
static const struct schema_key limit_rows[] = {
	{ .name = "low",
	  .type = SCHEMA_U32,
	  FIELD(struct limit, low),
	  .min = 1,
	  .max = 9,
	  .required = true,
	  .text = "Low." },
	{ .name = "high",
	  .type = SCHEMA_U32,
	  FIELD(struct limit, high),
	  .min = 1,
	  .max = 9,
	  .default_value = "5",
	  .text = "High." },
};
static const struct schema_key shop_rows[] = {
	{ .name = "open",
	  .type = SCHEMA_BOOL,
	  FIELD(struct shop, open),
	  .default_value = "true",
	  .text = "Open." },
	{ .name = "kind",
	  .type = SCHEMA_ENUM,
	  FIELD(struct shop, kind),
	  .values = kinds,
	  .text = "Kind." },
	{ .name = "days",
	  .type = SCHEMA_SET,
	  FIELD(struct shop, days),
	  .min = 1,
	  .values = days,
	  .default_value = "[monday]",
	  .text = "Days." },
	{ .name = "room",
	  .type = SCHEMA_BYTES,
	  FIELD(struct shop, room),
	  .min = 1,
	  .max = UINT64_C(1) << 43,
	  .text = "Room." },
	{ .name = "note",
	  .type = SCHEMA_STRING,
	  FIELD(struct shop, note),
	  .min = 1,
	  .max = WORD_MAX - 1,
	  .when = "kind",
	  .when_values = 1u << KIND_LARGE | 1u << KIND_MOBILE,
	  .optional = true,
	  .default_value = "none",
	  .text = "Note." },
	{ .name = "words",
	  .type = SCHEMA_LIST,
	  ITEMS(struct shop, words),
	  .min = 1,
	  .max = 3,
	  .item = &word,
	  .text = "Words." },
	{ .name = "labels",
	  .type = SCHEMA_MAP,
	  ITEMS(struct shop, labels),
	  .min = 1,
	  .max = 2,
	  .item = &label,
	  .text = "Labels." },
	{ .name = "groups",
	  .type = SCHEMA_MAP,
	  ITEMS(struct shop, groups),
	  .max = 2,
	  .item = &group,
	  .default_value = "{}",
	  .text = "Groups." },
	{ .name = "parts",
	  .type = SCHEMA_LIST,
	  ITEMS(struct shop, parts),
	  .max = 4,
	  .item = &part,
	  .unique = "name",
	  .may_repeat = is_free,
	  .text = "Parts." },
	{ .name = "limit",
	  .type = SCHEMA_MAPPING,
	  FIELD(struct shop, limit),
	  .keys = limit_rows,
	  .n_keys = 2,
	  .check = check_limit,
	  .text = "Limit." },
	{ .name = "old",
	  .type = SCHEMA_BOOL,
	  FIELD(struct shop, old),
	  .default_value = "false",
	  .deprecated = "use 'open'",
	  .text = "Old." },
	{ .name = "older",
	  .type = SCHEMA_U32,
	  FIELD(struct shop, older),
	  .min = 0,
	  .max = 9,
	  .deprecated = "leave it out",
	  .text = "Older." },
};
static const struct schema_key shop = {
	.name = "shop",
	.type = SCHEMA_MAPPING,
	.size = sizeof(struct shop),
	.keys = shop_rows,
	.n_keys = ARRAY_SIZE(shop_rows),
};

static void shop_done(struct shop *object)
{
	schema_done(&shop, object);
}
#define _cleanup_shop_ _cleanup_(shop_done)

static int read_shop(const char *text, struct shop *object, struct schema_notes *notes,
		     struct error *err)
{
	return schema_read(&shop, text, strlen(text), "t", object, notes, err);
}

static void read_good(const char *text, struct shop *object)
{
	struct error err = { 0 };

	if (read_shop(text, object, NULL, &err) != 0)
		fail_msg("%s: %s", text, err.msg);
}

static void reads_what_is_written(void **state _unused_)
{
	static const char text[] = "open: no\n"
				   "kind: large\n"
				   "days: [sunday, monday]\n"
				   "room: 48Gi\n"
				   "note: big\n"
				   "words: [a, b]\n"
				   "labels: {x: y, 'z': ''}\n"
				   "groups: {g: [m, n], h: o}\n"
				   "parts: [{name: p, free: true}, {name: q}]\n"
				   "limit: {low: 2}\n";
	_cleanup_shop_ struct shop object = { 0 };

	read_good(text, &object);
	assert_false(object.open);
	assert_int_equal(object.kind, KIND_LARGE);
	assert_int_equal(object.days, 1u << 2 | 1u << 0);
	assert_int_equal(object.room, UINT64_C(48) << 30);
	assert_string_equal(object.note, "big");
	assert_int_equal(object.n_words, 2);
	assert_string_equal(object.words[1], "b");
	assert_int_equal(object.n_labels, 2);
	assert_string_equal(object.labels[0].value, "y");
	assert_string_equal(object.labels[1].key, "z");
	assert_string_equal(object.labels[1].value, "");
	assert_int_equal(object.n_groups, 2);
	assert_int_equal(object.groups[0].n_members, 2);
	assert_string_equal(object.groups[1].name, "h");
	assert_string_equal(object.groups[1].members[0], "o");
	assert_true(object.parts[0].free);
	assert_int_equal(object.limit.high, 5);
}

static void leaves_out_what_has_no_default(void **state _unused_)
{
	_cleanup_shop_ struct shop object = { 0 };

	read_good("", &object);
	assert_true(object.open);
	assert_int_equal(object.kind, KIND_NONE);
	assert_int_equal(object.days, 1u << 0);
	assert_int_equal(object.room, 0);
	assert_string_equal(object.note, ""); /* its condition does not hold */
	assert_int_equal(object.n_words, 0);
	assert_int_equal(object.limit.low, 0);
}

static void takes_a_scalar_for_a_list_of_one(void **state _unused_)
{
	_cleanup_shop_ struct shop object = { 0 };

	read_good("{words: a, days: friday}", &object);
	assert_int_equal(object.n_words, 1);
	assert_string_equal(object.words[0], "a");
	assert_int_equal(object.days, 1u << 1);
}

static void reads_sizes(void **state _unused_)
{
	static const struct {
		const char *text, *printed;
		uint64_t bytes;
	} cases[] = {
		{ "1", "1", 1 },
		{ "'7'", "7", 7 },
		{ "4096", "4Ki", 4096 },
		{ "1k", "1k", 1000 },
		{ "3M", "3M", 3000000 },
		{ "2G", "2G", 2000000000 },
		{ "1T", "1T", UINT64_C(1000000000000) },
		{ "1536Mi", "1536Mi", UINT64_C(1536) << 20 },
		{ "8Ti", "8Ti", UINT64_C(8) << 40 },
	};
	static const char *const bad[] = {
		"0",
		"-1",
		"1.5Gi",
		"Gi",
		"''",
		"9Ti",
		"1 Gi",
		"1gi",
		"1_000",
		"0x10",
		"1KiB",
		"18446744073709551616",
		"18014398509481984Ki",
		"99999999999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf printed = STRBUF_INIT(PRINTED_MAX);
		_cleanup_shop_ struct shop object = { 0 };
		char text[64], want[64];

		(void)snprintf(text, sizeof(text), "room: %s\n", cases[i].text);
		(void)snprintf(want, sizeof(want), "room: %s\n", cases[i].printed);
		read_good(text, &object);
		assert_int_equal(object.room, cases[i].bytes);
		schema_print(&shop, &object, &printed);
		assert_non_null(strstr(strbuf_str(&printed), want));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_shop_ struct shop object = { 0 };
		char text[64];

		(void)snprintf(text, sizeof(text), "room: %s\n", bad[i]);
		if (read_shop(text, &object, NULL, NULL) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void prints_what_reads_back(void **state _unused_)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "", "open: true\ndays: monday\ngroups: {}\n" },
		{ "{open: FALSE, days: [sunday, friday], kind: mobile, old: false, older: 0}",
		  "open: false\nkind: mobile\ndays: [friday, sunday]\nnote: none\n"
		  "groups: {}\n" },
		{ "{old: true, older: 3}",
		  "open: true\ndays: monday\ngroups: {}\nold: true\nolder: 3\n" },
		{ "{labels: {'a b': 'yes', c: ''}, groups: {g: [m], h: [n, 'o p']}}",
		  "open: true\ndays: monday\nlabels:\n  \"a b\": \"yes\"\n  c: \"\"\n"
		  "groups:\n  g: m\n  h: [n, \"o p\"]\n" },
		{ "{parts: [{name: p, free: true}, {name: p, free: true}], limit: {low: 5}}",
		  "open: true\ndays: monday\ngroups: {}\nparts:\n- name: p\n  free: true\n"
		  "- name: p\n  free: true\nlimit:\n  low: 5\n  high: 5\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
		_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);
		_cleanup_shop_ struct shop a = { 0 }, b = { 0 };

		read_good(cases[i].text, &a);
		schema_print(&shop, &a, &first);
		assert_string_equal(strbuf_str(&first), cases[i].printed);
		read_good(strbuf_str(&first), &b);
		schema_print(&shop, &b, &second);
		assert_string_equal(strbuf_str(&second), cases[i].printed);
	}
}

static void refuses_with_place_and_reason(void **state _unused_)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{ "open: 1", "t:1:7: 'open' must be true or false, found the number 1" },
		{ "open: 'true'", "t:1:7: 'open' must be true or false, found the string 'true'" },
		{ "kind: ''", "t:1:7: 'kind' must be one of 'small', 'large', 'mobile', found the "
			      "string ''" },
		{ "kind: smal", "t:1:7: 'kind' must be one of 'small', 'large', 'mobile', found "
				"the string 'smal', did you mean 'small'?" },
		{ "days: []", "t:1:7: 'days' must be one or more of 'monday', 'friday', "
			      "'sunday', found 0" },
		{ "days: [monday, mondey]",
		  "t:1:16: 'days' must be one or more of 'monday', 'friday', 'sunday', found the "
		  "string 'mondey', did you mean 'monday'?" },
		{ "days: [monday, friday, monday]", "t:1:24: 'monday' is written twice in 'days'" },
		{ "days: [[monday]]", "t:1:8: 'days' must be one or more of 'monday', 'friday', "
				      "'sunday', found a list" },
		{ "room: 9Ti", "t:1:7: 'room' must be a number of bytes from 1 to 8Ti, found the "
			       "string '9Ti'" },
		{ "note: a", "t:1:1: 'note' is allowed only when 'kind' is 'large' or 'mobile'" },
		{ "{kind: small, note: a}",
		  "t:1:15: 'note' is allowed only when 'kind' is 'large' or 'mobile'" },
		{ "words: []", "t:1:8: 'words' must be a list of 1 to 3 items, each a string of 1 "
			       "to 7 ASCII characters, found 0" },
		{ "words: {a: b}", "t:1:8: 'words' must be a list of 1 to 3 items, each a string "
				   "of 1 to 7 ASCII characters, found a mapping" },
		{ "words: longlong", "t:1:8: 'words[]' must be a string of 1 to 7 ASCII "
				     "characters, found the string 'longlong'" },
		{ "labels: {}", "t:1:9: 'labels' must be a mapping of 1 to 2 keys, each with a "
				"string of 0 to 7 ASCII characters, found 0" },
		{ "labels: {a: b, c: d, e: f}",
		  "t:1:22: 'labels' must be a mapping of 1 to 2 keys, each with a string of 0 to "
		  "7 ASCII characters, found 3" },
		{ "labels: [a]", "t:1:9: 'labels' must be a mapping of 1 to 2 keys, each with a "
				 "string of 0 to 7 ASCII characters, found a list" },
		{ "labels: {a: b, a: c}", "t:1:16: key 'a' is written twice in 'labels'" },
		{ "labels: {1: b}", "t:1:10: 'label' must be a string of 1 to 7 ASCII characters, "
				    "found the number 1" },
		{ "labels: {a: 1}", "t:1:13: 'label value' must be a string of 0 to 7 ASCII "
				    "characters, found the number 1" },
		{ "labels: {[a]: b}", "t:1:10: 'label' must be a string of 1 to 7 ASCII "
				      "characters, found a list" },
		{ "groups: {g: [a, b, c]}", "t:1:20: 'members' must be a list of 1 to 2 items, "
					    "each a string of 1 to 7 ASCII characters, found 3" },
		{ "parts: [{name: p, free: true}, {name: p}]",
		  "t:1:32: the name 'p' is taken by item 1 of 'parts'" },
		{ "limit: {}", "t:1:8: key 'low' is missing" },
		{ "words: [a]\nlimit:\n  low: 7\n  high: 6\n",
		  "t:3:3: 'limit': low is above high" },
		{ "limit: {low: 7}", "t:1:8: 'limit': low is above high" },
		{ "lebels: {}", "t:1:1: unknown key 'lebels', did you mean 'labels'?" },
		{ "members: [a]", "t:1:1: unknown key 'members', known here are 'open', 'kind', "
				  "'days', 'room', 'note', 'words', 'labels', 'groups', 'parts', "
				  "'limit'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_shop_ struct shop object = { 0 };
		struct error err = { 0 };

		if (read_shop(cases[i].text, &object, NULL, &err) != -EINVAL)
			fail_msg("accepted: %s", cases[i].text);
		assert_string_equal(err.msg, cases[i].msg);
	}
}

static void notes_deprecated_keys(void **state _unused_)
{
	_cleanup_shop_ struct shop object = { 0 }, other = { 0 };
	struct schema_notes notes = { 0 };
	struct error err = { 0 };

	assert_int_equal(read_shop("open: true\n", &object, &notes, &err), 0);
	assert_int_equal(notes.n, 0); /* a default is no use of a key */
	assert_int_equal(read_shop("older: 2\nold: yes\n", &other, &notes, &err), 0);
	assert_int_equal(notes.n, 2);
	assert_string_equal(notes.notes[0].msg, "t:1:1: key 'older' is deprecated: leave it out");
	assert_string_equal(notes.notes[1].msg, "t:2:1: key 'old' is deprecated: use 'open'");
}

static void bounds_the_notes(void **state _unused_)
{
	_cleanup_shop_ struct shop object = { 0 };
	struct schema_notes notes = { .n = SCHEMA_NOTES_MAX - 1 };
	struct error err = { 0 };

	assert_int_equal(read_shop("older: 2\nold: yes\n", &object, &notes, &err), -EINVAL);
	assert_int_equal(notes.n, SCHEMA_NOTES_MAX);
	assert_string_equal(err.msg, "t:2:1: more than 8 deprecated keys");
}

static void describes_every_type(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(PRINTED_MAX);

	schema_describe(&shop, &page);
	assert_string_equal(
		strbuf_str(&page),
		"| Key | Value | Default | Meaning |\n"
		"|---|---|---|---|\n"
		"| `open` | true or false | `true` | Open. |\n"
		"| `kind` | one of 'small', 'large', 'mobile' |  | Kind. |\n"
		"| `days` | one or more of 'monday', 'friday', 'sunday' | `[monday]` | Days. |\n"
		"| `room` | a number of bytes from 1 to 8Ti |  | Room. |\n"
		"| `note` | a string of 1 to 7 ASCII characters | `none`; only when `kind` is "
		"`large` or `mobile` | Note. |\n"
		"| `words` | a list of 1 to 3 items, each a string of 1 to 7 ASCII characters |  "
		"| Words. |\n"
		"| `labels` | a mapping of 1 to 2 keys, each with a string of 0 to 7 ASCII "
		"characters |  | Labels. |\n"
		"| `groups` | a mapping of 0 to 2 keys, each with a list of 1 to 2 items, each a "
		"string of 1 to 7 ASCII characters | `{}` | Groups. |\n"
		"| `parts` | a list of 0 to 4 items |  | Parts. |\n"
		"| `parts[].name` | a string of 1 to 7 ASCII characters | required | Name. |\n"
		"| `parts[].free` | true or false | `false` | Free. |\n"
		"| `limit` | a mapping |  | Limit. |\n"
		"| `limit.low` | a whole number from 1 to 9 | required | Low. |\n"
		"| `limit.high` | a whole number from 1 to 9 | `5` | High. |\n"
		"| `old` | true or false | `false` | Old. Deprecated: use 'open'. |\n"
		"| `older` | a whole number from 0 to 9 |  | Older. Deprecated: leave it out. "
		"|\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_written),
		cmocka_unit_test(leaves_out_what_has_no_default),
		cmocka_unit_test(takes_a_scalar_for_a_list_of_one),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(prints_what_reads_back),
		cmocka_unit_test(refuses_with_place_and_reason),
		cmocka_unit_test(notes_deprecated_keys),
		cmocka_unit_test(bounds_the_notes),
		cmocka_unit_test(describes_every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
