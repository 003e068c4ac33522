/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/label_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "node-labeller/label_value.h"

/* Where a key is, or belongs. */
static size_t find_place(const struct label_set *set, const char *key)
{
	size_t first = 0, n = set->n;

	while (n > 0) {
		size_t middle = first + n / 2;

		if (strcmp(set->items[middle].key, key) < 0) {
			n -= middle + 1 - first;
			first = middle + 1;
		} else {
			n = middle - first;
		}
	}
	return first;
}

static bool is_at(const struct label_set *set, size_t place, const char *key)
{
	return place < set->n && strcmp(set->items[place].key, key) == 0;
}

static bool takes_value(const struct label_set *set, const char *value)
{
	if (set->kind == LABEL_SET_LABELS)
		return label_value_is_valid(value);
	return strlen(value) <= ANNOTATION_VALUE_MAX && str_is_printable(value);
}

static int reserve(struct label_set *set)
{
	size_t cap = set->cap > 0 ? set->cap * 2 : 32;
	struct label *grown;

	if (set->n < set->cap)
		return 0;
	grown = reallocarray(set->items, cap, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->items = grown;
	set->cap = cap;
	return 0;
}

/* Key and value in one block. */
static int copy_label(const char *key, const char *value, struct label *ret)
{
	size_t key_size = strlen(key) + 1, value_size = strlen(value) + 1;
	char *block = malloc(key_size + value_size);

	if (!block)
		return -ENOMEM;
	ret->key = memcpy(block, key, key_size);
	ret->value = memcpy(block + key_size, value, value_size);
	return 0;
}

int label_set_add(struct label_set *set, const char *key, const char *value, struct error *err)
{
	struct label label;
	size_t place;

	if (!label_key_is_valid(key))
		return error_set(err, EINVAL, "'%s' is no key of a label", key);
	if (!takes_value(set, value))
		return error_set(err, EINVAL, "'%s' is no value of '%s'", value, key);
	place = find_place(set, key);
	if (is_at(set, place, key))
		return error_set(err, EEXIST, "'%s' is there already", key);
	if (set->n == LABEL_SET_MAX)
		return error_set(err, E2BIG, "more than %d labels", LABEL_SET_MAX);
	if (reserve(set) < 0 || copy_label(key, value, &label) < 0)
		return error_set(err, ENOMEM, "no memory for the label '%s'", key);
	memmove(&set->items[place + 1], &set->items[place], (set->n - place) * sizeof(*set->items));
	set->items[place] = label;
	set->n++;
	return 0;
}

/* Of two sets that are gone through side by side, whose label is next. */
static int compare_next(const struct label_set *a, size_t i, const struct label_set *b, size_t j)
{
	if (i == a->n)
		return 1;
	return j == b->n ? -1 : strcmp(a->items[i].key, b->items[j].key);
}

size_t label_set_diff(const struct label_set *before, const struct label_set *after,
		      label_set_diff_fn fn, void *ctx)
{
	size_t differences = 0, i = 0, j = 0;

	while (i < before->n || j < after->n) {
		int order = compare_next(before, i, after, j);
		const struct label *old = order <= 0 ? &before->items[i++] : NULL;
		const struct label *new = order >= 0 ? &after->items[j++] : NULL;

		if (old && new &&strcmp(old->value, new->value) == 0)
			continue;
		differences++;
		if (fn)
			fn(ctx, old ? old->key : new->key, old ? old->value : NULL,
			   new ? new->value : NULL);
	}
	return differences;
}

bool label_set_equal(const struct label_set *a, const struct label_set *b)
{
	return label_set_diff(a, b, NULL, NULL) == 0;
}

void label_set_done(struct label_set *set)
{
	int saved_errno = errno;

	for (size_t i = 0; i < set->n; i++)
		free(set->items[i].key);
	free(set->items);
	*set = (struct label_set) { .kind = set->kind };
	errno = saved_errno;
}
