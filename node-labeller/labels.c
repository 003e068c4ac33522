/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a row becomes labels.
 *
 *	for each vendor that has cards, or once for the node:
 *		cards that the row is about		collect()
 *		one group, or one for each word		each_word()
 *			what it is worth		say()
 *			key and value			emit()
 *
 * Words are put into groups as they stand in the key, so that two that look the same there
 * are one.  A key that is too long, and a value that is, end up among the annotations, where
 * nothing has to be cut.  Of two rows with one key, as with a described vendor of an unlucky
 * name, the first one counts.
 */
#include "node-labeller/labels.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "node-labeller/label_rows.h"
#include "node-labeller/label_value.h"
#include "node-labeller/view.h"

#define NODE_OVERFLOW "silica.dev/overflow"
#define VENDOR_OVERFLOW "silica.dev/%s.overflow"

/* Words of a row, one for each group, and which group each item belongs to. */
struct words {
	char words[LABEL_SPLIT_MAX][LABEL_TEXT_MAX]; /* in order of appearance */
	size_t n;
	uint8_t *group; /* of each item that was collected; NO_WORD for none */
};

#define NO_WORD UINT8_MAX
_Static_assert(LABEL_SPLIT_MAX < NO_WORD, "every word has a number");

struct making {
	const struct label_view *view;
	struct label_set labels;
	struct label_set annotations;
	struct strbuf overflow;		   /* of the vendor at hand */
	const struct label_item **items;   /* room for all: what a row is about */
	const struct label_item **grouped; /* the same: those of one word */
	struct words words;
};

/* --- keys --- */

/* What stands in a key for something; false if there is nothing, or too much. */
static bool put_word(const char *word, struct strbuf *key)
{
	char value[LABEL_VALUE_MAX];

	if (label_value_make(word, value) < 0 || value[0] == '\0')
		return false;
	strbuf_puts(key, value);
	return true;
}

/* Fills in the template; false if what comes out is no key. */
static bool make_key(const struct label_row *row, const char *vendor, const char *word,
		     struct strbuf *key)
{
	const char *rest = row->key;
	bool whole = true;

	for (const char *brace = strchr(rest, '{'); brace; brace = strchr(rest, '{')) {
		const char *name = str_starts_with(brace, "{vendor}") ? vendor : word;

		strbuf_add(key, rest, (size_t)(brace - rest));
		if (!put_word(name, key)) {
			strbuf_puts(key, name);
			whole = false;
		}
		rest = brace + strcspn(brace, "}");
		rest += *rest == '}';
	}
	strbuf_puts(key, rest);
	return whole && strbuf_error(key) == 0 && label_key_is_valid(strbuf_str(key));
}

/* --- one label --- */

static int add(struct label_set *set, const char *key, const char *value, struct error *err)
{
	int r = label_set_add(set, key, value, err);

	return r == -EEXIST ? 0 : r; /* the first one counts */
}

/* A value that no label can have. */
static int annotate(struct making *making, const char *key, const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(ANNOTATION_VALUE_MAX);

	annotation_value_make(text, &value);
	if (strbuf_error(&value) < 0)
		return error_set(err, -strbuf_error(&value), "annotation '%s' has no room", key);
	return add(&making->annotations, key, strbuf_str(&value), err);
}

/* A key that Kubernetes does not accept; the list of them ends where it is full. */
static void keep_overflow(struct making *making, const char *key, const char *text)
{
	struct strbuf *overflow = &making->overflow;
	size_t size = strlen(key) + strlen(text) + sizeof(",=");

	if (overflow->len + size > ANNOTATION_VALUE_MAX)
		return;
	if (overflow->len > 0)
		strbuf_puts(overflow, ",");
	annotation_value_make(key, overflow);
	strbuf_puts(overflow, "=");
	annotation_value_make(text, overflow);
}

static int emit(struct making *making, const struct label_row *row, const char *vendor,
		const char *word, const char *text, struct error *err)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT(ANNOTATION_VALUE_MAX);
	char value[LABEL_VALUE_MAX];

	if (!make_key(row, vendor, word, &key)) {
		if (strbuf_error(&key) == -ENOMEM)
			return error_set(err, ENOMEM, "no memory for a key");
		keep_overflow(making, strbuf_str(&key), text);
		return 0;
	}
	if (label_value_make(text, value) < 0)
		return annotate(making, strbuf_str(&key), text, err);
	return add(&making->labels, strbuf_str(&key), value, err);
}

/* --- a group --- */

/* What all say that can say something; a card with a fault may well have forgotten. */
static bool agree(label_fact_fn fact, int arg, const struct label_group *group, char *text)
{
	char other[LABEL_TEXT_MAX];
	bool said = false;

	for (size_t i = 0; i < group->n; i++) {
		const struct label_item *item = group->items[i];

		if (!fact(item, arg, said ? other : text)) {
			if (item->device->fault[0] == '\0')
				return false;
		} else if (!said) {
			said = true;
		} else if (strcmp(text, other) != 0) {
			return false;
		}
	}
	return said;
}

static int say(struct making *making, const struct label_row *row, const struct label_group *group,
	       const char *word, struct error *err)
{
	const char *vendor = group->driver ? group->driver->name : "";
	char text[LABEL_TEXT_MAX] = "";
	bool said;

	if (row->also && !agree(row->also, 0, group, text))
		return 0;
	said = row->value ? row->value(group, row->arg, text)
			  : agree(row->fact, row->arg, group, text);
	return said ? emit(making, row, vendor, word, text, err) : 0;
}

/* --- a row --- */

static size_t collect(const struct making *making, const struct label_row *row,
		      const struct driver *driver)
{
	const struct label_view *view = making->view;
	size_t n = 0;

	for (size_t i = 0; i < view->n_items; i++) {
		const struct label_item *item = &view->items[i];
		bool wanted = row->select ? row->select(item) : !item->partition;

		/* By name: a driver that was described anew is another object. */
		if (wanted && item->state->present &&
		    (!driver || strcmp(item->device->driver->name, driver->name) == 0))
			making->items[n++] = item;
	}
	return n;
}

/* Number of a word, which is new perhaps; -E2BIG when there are too many. */
static int find_word(struct words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->words[i], word) == 0)
			return (int)i;
	if (words->n == LABEL_SPLIT_MAX)
		return -E2BIG;
	(void)str_copy(words->words[words->n], LABEL_TEXT_MAX, word);
	return (int)words->n++;
}

/* Gives each of @n items its word, if it has one. */
static int take_words(struct making *making, const struct label_row *row, size_t n)
{
	struct words *words = &making->words;

	words->n = 0;
	for (size_t i = 0; i < n; i++) {
		char text[LABEL_TEXT_MAX], value[LABEL_VALUE_MAX];
		int number;

		words->group[i] = NO_WORD;
		if (!row->split(making->items[i], row->split_arg, text))
			continue;
		number = find_word(words, label_value_make(text, value) == 0 ? value : text);
		if (number < 0)
			return number;
		words->group[i] = (uint8_t)number;
	}
	return 0;
}

static size_t collect_word(struct making *making, size_t n, size_t word)
{
	size_t n_grouped = 0;

	for (size_t i = 0; i < n; i++)
		if (making->words.group[i] == word)
			making->grouped[n_grouped++] = making->items[i];
	return n_grouped;
}

static int each_word(struct making *making, const struct label_row *row,
		     const struct driver *driver, size_t n, struct error *err)
{
	int r = 0;

	if (take_words(making, row, n) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < making->words.n; i++) {
		struct label_group group = { making->view, driver, making->grouped,
					     collect_word(making, n, i) };

		r = say(making, row, &group, making->words.words[i], err);
	}
	return r;
}

static int make_row(struct making *making, const struct label_row *row, const struct driver *driver,
		    struct error *err)
{
	size_t n = collect(making, row, driver);
	struct label_group group = { making->view, driver, making->items, n };

	if (row->split)
		return each_word(making, row, driver, n, err);
	return say(making, row, &group, "", err);
}

/* --- the tables --- */

static bool is_wanted(const struct label_row *row, const struct config_labels *config)
{
	static const struct {
		bool furiosa; /* whether the spelling is asked for: these */
		unsigned int spellings;
		bool beta;
	} whens[_LABEL_WHEN_MAX] = {
		[LABEL_FURIOSA_CODE] = { .furiosa = true,
					 .spellings = 1U << CONFIG_FURIOSA_CODE |
						      1U << CONFIG_FURIOSA_BOTH },
		[LABEL_FURIOSA_DOCS] = { .furiosa = true,
					 .spellings = 1U << CONFIG_FURIOSA_DOCS |
						      1U << CONFIG_FURIOSA_BOTH },
		[LABEL_FURIOSA_DOCS_ONLY] = { .furiosa = true,
					      .spellings = 1U << CONFIG_FURIOSA_DOCS },
		[LABEL_BETA] = { .beta = true },
	};

	if (!(config->families & 1U << row->family))
		return false;
	if (whens[row->when].furiosa && !(whens[row->when].spellings & 1U << config->furiosa))
		return false;
	return !whens[row->when].beta || config->beta_names;
}

static bool is_about(const struct label_row *row, const struct driver *driver)
{
	if (!driver || row->node)
		return !driver && row->node;
	return !row->driver || strcmp(row->driver, driver->name) == 0;
}

static int put_overflow(struct making *making, const struct driver *driver, struct error *err)
{
	char vendor[LABEL_VALUE_MAX], key[LABEL_KEY_MAX] = NODE_OVERFLOW;
	int r = 0;

	if (driver && label_value_make(driver->name, vendor) == 0)
		(void)snprintf(key, sizeof(key), VENDOR_OVERFLOW, vendor);
	if (strbuf_error(&making->overflow) < 0)
		return error_set(err, ENOMEM, "no memory for long names");
	if (making->overflow.len > 0 && label_key_is_valid(key))
		r = add(&making->annotations, key, strbuf_str(&making->overflow), err);
	strbuf_clear(&making->overflow);
	return r;
}

/* @driver is NULL for what is about the node. */
static int make_tables(struct making *making, const struct driver *driver, struct error *err)
{
	const struct label_table *const *tables;
	size_t n;

	tables = label_tables(&n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < tables[i]->n; j++) {
			const struct label_row *row = &tables[i]->rows[j];
			int r = 0;

			if (is_wanted(row, making->view->input->config) && is_about(row, driver))
				r = make_row(making, row, driver, err);
			if (r < 0)
				return r;
		}
	}
	return put_overflow(making, driver, err);
}

static int make_all(struct making *making, struct error *err)
{
	const struct label_view *view = making->view;
	int r;

	making->items = calloc(view->n_items + 1, sizeof(*making->items));
	making->grouped = calloc(view->n_items + 1, sizeof(*making->grouped));
	making->words.group = calloc(view->n_items + 1, sizeof(*making->words.group));
	if (!making->items || !making->grouped || !making->words.group)
		return error_set(err, ENOMEM, "no memory for the groups of cards");
	r = make_tables(making, NULL, err);
	for (size_t i = 0; r == 0 && i < view->n_drivers; i++)
		r = make_tables(making, view->drivers[i], err);
	return r;
}

static void making_done(struct making *making)
{
	label_set_done(&making->labels);
	label_set_done(&making->annotations);
	strbuf_done(&making->overflow);
	free(making->items);
	free(making->grouped);
	free(making->words.group);
}

int labels_make(const struct labels_input *input, struct label_set *labels,
		struct label_set *annotations, struct error *err)
{
	_cleanup_label_view_ struct label_view view = { 0 };
	_cleanup_(making_done) struct making making = {
		.view = &view,
		.labels = { .kind = LABEL_SET_LABELS },
		.annotations = { .kind = LABEL_SET_ANNOTATIONS },
		.overflow = STRBUF_INIT(ANNOTATION_VALUE_MAX),
	};
	int r = label_view_make(input, &view, err);

	if (r == 0)
		r = make_all(&making, err);
	if (r < 0)
		return r;
	label_set_done(labels);
	label_set_done(annotations);
	*labels = making.labels;
	*annotations = making.annotations;
	making.labels = (struct label_set) { 0 };
	making.annotations = (struct label_set) { 0 };
	return 0;
}

void labels_print(const struct label_set *labels, const struct label_set *annotations,
		  struct strbuf *out)
{
	for (size_t i = 0; i < labels->n; i++)
		strbuf_printf(out, "%s=%s\n", labels->items[i].key, labels->items[i].value);
	if (annotations->n > 0)
		strbuf_puts(out, "\n");
	for (size_t i = 0; i < annotations->n; i++)
		strbuf_printf(out, "# annotation %s=%s\n", annotations->items[i].key,
			      annotations->items[i].value);
}
