/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/label_value.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PREFIX_MAX 253 /* bytes of a DNS name */

/* No locale is asked. */
static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_inner(char c)
{
	return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

/* --- making --- */

/* Where a run of bytes that no value can have ends. */
static const char *skip_foreign(const char *text)
{
	while (*text != '\0' && !is_inner(*text))
		text++;
	return text;
}

int label_value_make(const char *text, char ret[LABEL_VALUE_MAX])
{
	size_t n = 0, end = 0; /* so far; up to the last letter or digit */

	ret[0] = '\0';
	if (text[0] == '\0')
		return 0;
	while (*text != '\0') {
		char c = *text;

		if (is_inner(c)) {
			text++;
		} else {
			text = skip_foreign(text);
			c = '-';
		}
		if (n == 0 && !is_alphanumeric(c))
			continue;
		if (n < LABEL_VALUE_MAX)
			ret[n] = c;
		n++;
		if (is_alphanumeric(c))
			end = n;
	}
	ret[end < LABEL_VALUE_MAX ? end : 0] = '\0';
	if (end >= LABEL_VALUE_MAX)
		return -ENAMETOOLONG;
	return end > 0 ? 0 : -EINVAL;
}

void annotation_value_make(const char *text, struct strbuf *out)
{
	for (; *text != '\0'; text++)
		strbuf_add(out, *text >= ' ' && *text <= '~' ? text : "?", 1);
}

/* --- checking --- */

/* Whether @len bytes are a name, or a value that is not empty. */
static bool is_name(const char *text, size_t len)
{
	if (len == 0 || len >= LABEL_NAME_MAX || !is_alphanumeric(text[0]) ||
	    !is_alphanumeric(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_inner(text[i]))
			return false;
	return true;
}

bool label_value_is_valid(const char *value)
{
	return value[0] == '\0' || is_name(value, strnlen(value, LABEL_VALUE_MAX));
}

/* A DNS name: labels of lower case, digits and inner '-', joined by dots. */
static bool is_prefix(const char *text, size_t len)
{
	char before = '.';

	if (len == 0 || len > PREFIX_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char after = '.';

		if (i + 1 < len)
			after = text[i + 1];
		if (text[i] == '.' && before == '.')
			return false;
		if (text[i] == '-' && (before == '.' || after == '.'))
			return false;
		if (text[i] != '.' && text[i] != '-' && !is_lower_or_digit(text[i]))
			return false;
		before = text[i];
	}
	return before != '.';
}

bool label_key_is_valid(const char *key)
{
	const char *slash = strchr(key, '/');
	const char *name = slash ? slash + 1 : key;

	if (slash && !is_prefix(key, (size_t)(slash - key)))
		return false;
	return is_name(name, strnlen(name, LABEL_NAME_MAX));
}
