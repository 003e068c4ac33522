/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define SYNOPSIS_MAX 128  /* bytes of "-o, --output VALUE"; what is longer is shown cut */
#define SYNOPSIS_WIDTH 34 /* columns before the text */

/* An option as it was found on the command line. */
struct found {
	const struct option_row *row;
	const char *value; /* what stands behind '=', or NULL */
};

static bool is_long(const struct option_row *row, const char *name, size_t len)
{
	return strlen(row->name) == len && strncmp(row->name, name, len) == 0;
}

/* "--name" or "--name=value" */
static bool match_long(const struct option_row *row, const char *word, struct found *ret)
{
	const char *name = str_starts_with(word, "--");
	size_t len;

	if (!name)
		return false;
	len = strcspn(name, "=");
	if (!is_long(row, name, len))
		return false;
	*ret = (struct found) { row, name[len] ? name + len + 1 : NULL };
	return true;
}

/* "-n" or "-nVALUE" */
static bool match_short(const struct option_row *row, const char *word, struct found *ret)
{
	if (row->letter == '\0' || word[0] != '-' || word[1] != row->letter)
		return false;
	*ret = (struct found) { row, word[2] ? word + 2 : NULL };
	return true;
}

static bool find_row(const struct option_row *const *tables, const char *word, struct found *ret)
{
	for (; *tables; tables++)
		for (const struct option_row *row = *tables; row->name; row++)
			if (match_long(row, word, ret) || match_short(row, word, ret))
				return true;
	return false;
}

/* Takes in the option at @argv; returns how many words it has. */
static int read_option(const struct option_row *const *tables, const char *const *argv,
		       void *target, struct error *err)
{
	struct found found;
	int n = 1;

	if (!find_row(tables, argv[0], &found))
		return error_set(err, EINVAL, "unknown option '%s'; see --help", argv[0]);
	if (!found.row->value && found.value)
		return error_set(err, EINVAL, "--%s takes no value", found.row->name);
	if (found.row->value && !found.value) {
		found.value = argv[1];
		n = 2;
	}
	if (found.row->value && !found.value)
		return error_set(err, EINVAL, "--%s needs a value: %s", found.row->name,
				 found.row->value);
	if (found.row->set(found.row, (char *)target + found.row->offset, found.value) < 0)
		return error_set(err, EINVAL, "--%s cannot be '%s', expected %s", found.row->name,
				 found.value ? found.value : "set", found.row->value);
	return n;
}

static int add_word(struct options_words *words, const char *word, struct error *err)
{
	if (!words)
		return error_set(err, EINVAL, "unexpected word '%s'; see --help", word);
	if (words->n == words->max)
		return error_set(err, E2BIG, "'%s' is one word too many, at most %zu are read",
				 word, words->max);
	words->list[words->n++] = word;
	return 0;
}

int options_read(const struct option_row *const *tables, const char *const *argv, void *target,
		 struct options_words *words, struct error *err)
{
	bool ended = false;

	while (*argv) {
		int n = 1;

		if (!ended && strcmp(*argv, "--") == 0)
			ended = true;
		else if (!ended && (*argv)[0] == '-' && (*argv)[1] != '\0')
			n = read_option(tables, argv, target, err);
		else if (add_word(words, *argv, err) < 0)
			n = words ? -E2BIG : -EINVAL;
		if (n < 0)
			return n;
		argv += n;
	}
	return 0;
}

int option_set_text(_unused_ const struct option_row *row, void *field, const char *value)
{
	const char **text = field;

	*text = value;
	return value[0] ? 0 : -EINVAL;
}

int option_set_choice(const struct option_row *row, void *field, const char *value)
{
	const char *at = row->value;
	const char *word;
	unsigned int *choice = field;
	unsigned int i = 0;
	size_t len;

	for (; (word = options_next_choice(&at, &len)); i++) {
		if (strlen(value) != len || strncmp(value, word, len) != 0)
			continue;
		*choice = i;
		return 0;
	}
	return -EINVAL;
}

int option_set_switch(_unused_ const struct option_row *row, void *field,
		      _unused_ const char *value)
{
	bool *given = field;

	*given = true;
	return 0;
}

void options_describe(const struct option_row *table, struct strbuf *out)
{
	for (const struct option_row *row = table; row->name; row++) {
		char synopsis[SYNOPSIS_MAX];
		char letter[] = { '-', row->letter, ',', ' ', '\0' };

		(void)snprintf(synopsis, sizeof(synopsis), "%s--%s%s%s", row->letter ? letter : "",
			       row->name, row->value ? " " : "", row->value ? row->value : "");
		strbuf_printf(out, "  %-*s  %s\n", SYNOPSIS_WIDTH, synopsis, row->text);
	}
}

const char *options_next_choice(const char **at, size_t *ret_len)
{
	const char *word = *at;

	if (word[0] == '\0')
		return NULL;
	*ret_len = strcspn(word, "|");
	*at = word + *ret_len + (word[*ret_len] == '|');
	return word;
}
