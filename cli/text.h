/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small texts for people: foreign text made fit for a terminal, sizes, bars.
 *
 * Source: units are those of IEC 80000-13
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define TEXT_SHORT_MAX 32 /* bytes with the NUL of a size or a number */

struct text_short {
	char text[TEXT_SHORT_MAX];
};

/**
 * text_escape() - Append text that may have come from anywhere.
 * @out: appended to
 * @text: what to append; printable ASCII stays, any other byte becomes \xNN and a
 *	backslash two
 */
void text_escape(struct strbuf *out, const char *text);

/**
 * text_bytes() - Write a size of memory.
 * @bytes: the size; 0 is not known
 *
 * Return: as in "48 GiB" or "1.5 GiB"; "" when not known.
 */
struct text_short text_bytes(uint64_t bytes);

/* What a bar is made of; the order is that of the bar. */
struct text_bar {
	size_t held;
	size_t free;
	size_t unusable; /* unhealthy and held by nobody */
	size_t hidden;	 /* parts of it are held through another resource */
};

/**
 * text_bar() - Write a bar, as in "[##..x]".
 * @bar: its parts
 * @out: appended to
 *
 * Up to TEXT_BAR_WIDTH units have a character each: '#' is held, '.' free, 'x'
 * unhealthy, '-' hidden.  Of more, each character stands for several, and what
 * there is of any kind has one at least.
 */
void text_bar(const struct text_bar *bar, struct strbuf *out);
#define TEXT_BAR_WIDTH 16

/**
 * text_plural() - The ending of a noun.
 * @n: how many
 *
 * Return: "" for one, else "s".
 */
const char *text_plural(size_t n);
