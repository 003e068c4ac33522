/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics/metrics.h"
#include "base/parse.h"

#define NUMBER_MAX 32 /* "-1.7976931348623157e+308" and the NUL */

#define NS_PER_S 1000000000U

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(const char *text, const char *extra)
{
	if (text[0] == '\0' || strlen(text) >= METRICS_NAME_MAX ||
	    (text[0] >= '0' && text[0] <= '9'))
		return false;
	for (; *text; text++)
		if (!is_letter(*text) && !(*text >= '0' && *text <= '9') && !strchr(extra, *text))
			return false;
	return true;
}

bool metrics_text_is_name(const char *name)
{
	return is_word(name, ":");
}

bool metrics_text_is_label_name(const char *name)
{
	return is_word(name, "") && strcmp(name, "le") != 0 && strcmp(name, "quantile") != 0 &&
	       !str_starts_with(name, "__");
}

/* The first bytes of a character of more than one, RFC 3629, 4: where the second
 * byte lies shuts out overlong forms, surrogates and what is past U+10FFFF. */
static const struct utf8_range {
	unsigned char first_min, first_max;
	unsigned char second_min, second_max;
	unsigned char length;
} utf8_ranges[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool has_tail(const unsigned char *at, const struct utf8_range *range)
{
	if (at[1] < range->second_min || at[1] > range->second_max)
		return false;
	for (unsigned int i = 2; i < range->length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Returns how many bytes the character has, 0 when it is none. */
static unsigned int utf8_length(const unsigned char *at)
{
	if (at[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(utf8_ranges); i++)
		if (at[0] >= utf8_ranges[i].first_min && at[0] <= utf8_ranges[i].first_max)
			return has_tail(at, &utf8_ranges[i]) ? utf8_ranges[i].length : 0;
	return 0;
}

bool metrics_text_is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		unsigned int length = utf8_length(at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

/* Writes @text with a backslash before the bytes of @special; a newline is 'n'. */
static void add_escaped(struct strbuf *out, const char *text, const char *special)
{
	while (*text) {
		size_t plain = strcspn(text, special);

		strbuf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		strbuf_puts(out, "\\");
		strbuf_add(out, *text == '\n' ? "n" : text, 1);
		text++;
	}
}

void metrics_text_add_help(struct strbuf *out, const char *help)
{
	add_escaped(out, help, "\\\n");
}

static int check_value(const char *name, const char *value, struct error *err)
{
	if (strlen(value) >= METRICS_LABEL_VALUE_MAX)
		return error_set(err, ENAMETOOLONG,
				 "the label '%s' has a value of %zu bytes, "
				 "more than %d",
				 name, strlen(value), METRICS_LABEL_VALUE_MAX - 1);
	if (!metrics_text_is_utf8(value))
		return error_set(err, EILSEQ, "the label '%s' has a value that is not UTF-8", name);
	return 0;
}

int metrics_text_add_labels(struct strbuf *out, const char *const *names, const char *const *values,
			    struct error *err)
{
	size_t i;

	for (i = 0; names[i] && values[i]; i++) {
		int r = check_value(names[i], values[i], err);

		if (r < 0)
			return r;
		/* Not formatted: every label of every line, and on the way of each call. */
		strbuf_puts(out, i > 0 ? "," : "");
		strbuf_puts(out, names[i]);
		strbuf_puts(out, "=\"");
		add_escaped(out, values[i], "\\\n\"");
		strbuf_puts(out, "\"");
	}
	if (names[i])
		return error_set(err, EINVAL, "the label '%s' is given no value", names[i]);
	if (values[i])
		return error_set(err, EINVAL, "the value '%.100s' has no label", values[i]);
	return 0;
}

void metrics_text_add_number(struct strbuf *out, double value)
{
	char text[NUMBER_MAX];

	if (isnan(value)) {
		strbuf_puts(out, "NaN");
		return;
	}
	if (isinf(value)) {
		strbuf_puts(out, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	/* 15 digits are always kept by a double, 17 always tell two of them apart. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_puts(out, text);
}

void metrics_text_add_seconds(struct strbuf *out, uint64_t ns)
{
	char fraction[NUMBER_MAX];
	size_t len;

	(void)snprintf(fraction, sizeof(fraction), ".%09u", (unsigned int)(ns % NS_PER_S));
	for (len = strlen(fraction); fraction[len - 1] == '0'; len--)
		continue;
	strbuf_printf(out, "%" PRIu64, ns / NS_PER_S);
	if (len > 1)
		strbuf_add(out, fraction, len);
}
