/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text.h"

#include <stdio.h>

#include "base/macro.h"

void text_escape(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\\')
			strbuf_puts(out, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			strbuf_add(out, text, 1);
		else
			strbuf_printf(out, "\\x%02x", c);
	}
}

struct text_short text_bytes(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct text_short ret = { "" };
	uint64_t tenths;
	size_t unit = 0;
	double value = (double)bytes;

	if (bytes == 0)
		return ret;
	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	tenths = (uint64_t)(value * 10 + 0.5);
	if (tenths % 10 == 0 || tenths >= 1000)
		(void)snprintf(ret.text, sizeof(ret.text), "%.0f %s", value, units[unit]);
	else
		(void)snprintf(ret.text, sizeof(ret.text), "%.1f %s", value, units[unit]);
	return ret;
}

#define BAR_PARTS 4

/* How many characters each part gets: in proportion, none of them lost. */
static void scale(const size_t *parts, size_t *chars)
{
	size_t total = 0, used = 0, largest = 0;

	for (size_t i = 0; i < BAR_PARTS; i++)
		total += parts[i];
	for (size_t i = 0; i < BAR_PARTS; i++) {
		chars[i] = total <= TEXT_BAR_WIDTH ? parts[i] : parts[i] * TEXT_BAR_WIDTH / total;
		if (parts[i] > 0 && chars[i] == 0)
			chars[i] = 1;
		used += chars[i];
		if (chars[i] > chars[largest])
			largest = i;
	}
	if (total > TEXT_BAR_WIDTH)
		chars[largest] = chars[largest] + TEXT_BAR_WIDTH - used;
}

void text_bar(const struct text_bar *bar, struct strbuf *out)
{
	static const char marks[] = "#.x-";
	const size_t parts[BAR_PARTS] = { bar->held, bar->free, bar->unusable, bar->hidden };
	size_t chars[BAR_PARTS];

	scale(parts, chars);
	strbuf_puts(out, "[");
	for (size_t i = 0; i < BAR_PARTS; i++)
		for (size_t j = 0; j < chars[i]; j++)
			strbuf_add(out, &marks[i], 1);
	strbuf_puts(out, "]");
}

const char *text_plural(size_t n)
{
	return n == 1 ? "" : "s";
}
