/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a sync shows what it is at: on a terminal a line for each repository, drawn anew
 * in place; elsewhere a line every few seconds.
 *
 * Only the screen below the last line is ever touched, and no mode of the terminal is
 * changed, so that there is nothing to restore however the program ends.
 *
 * Source: ECMA-48 (CUU, ED); no-color.org
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/fetch/fetch.h"

#define DISPLAY_ROWS_MAX 16u /* drawn at once; a terminal has 24 lines */
#define DISPLAY_PLAIN_MS 5000u

/* How fast something has been. */
struct display_rate {
	uint64_t bytes; /* last seen */
	uint64_t ms;	/* when */
	uint64_t per_second;
	bool is_known;
};

struct display_style {
	bool is_live;
	bool is_coloured;
	unsigned int width; /* columns */
};

struct display {
	struct display_style style;
	struct display_rate rates[DISPLAY_ROWS_MAX];
	unsigned int drawn; /* lines on the screen that are to be drawn over */
	uint64_t said_ms;   /* when the last plain line was written */
};

/**
 * display_style_of() - Find out how to show progress on a stream.
 * @fd: where it is written
 * @plain: lines are wanted even on a terminal
 *
 * Return: style; TERM=dumb has no live display, NO_COLOR no colours.
 */
struct display_style display_style_of(int fd, bool plain);

/**
 * display_rate_add() - Note how much there is now.
 * @rate: rate
 * @bytes: number
 * @now_ms: monotonic time
 *
 * Half of the rate is that of the last few seconds.
 */
void display_rate_add(struct display_rate *rate, uint64_t bytes, uint64_t now_ms);

/**
 * display_row() - Write the line of a repository.
 * @progress: numbers
 * @per_second: bytes
 * @style: width and colours; only as many columns are written
 * @out: appended to, with a newline
 */
void display_row(const struct fetch_progress *progress, uint64_t per_second,
		 const struct display_style *style, struct strbuf *out);

/**
 * display_update() - Write what is to be shown now.
 * @display: display
 * @progress: @n rows
 * @n: number
 * @now_ms: monotonic time
 * @out: appended to: nothing when nothing is due
 */
void display_update(struct display *display, const struct fetch_progress *progress, size_t n,
		    uint64_t now_ms, struct strbuf *out);

/**
 * display_clear() - Make room for other lines.
 * @display: display
 * @out: appended to
 */
void display_clear(struct display *display, struct strbuf *out);
