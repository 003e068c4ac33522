/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/display.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/size.h"

#define WIDTH_DEFAULT 80u
#define WIDTH_MIN 20u
#define WIDTH_MAX 240u /* wider lines are not easier to read */
#define BAR_WIDTH 20u
#define NAME_WIDTH 16
#define ROW_MAX 512u
#define RATE_MS 3000u /* after this long, half of a rate is new */
#define RED "\033[31m"
#define PLAIN "\033[0m"

struct display_style display_style_of(int fd, bool plain)
{
	struct display_style style = { .width = WIDTH_DEFAULT };
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");
	struct winsize size = { 0 };

	if (plain || !isatty(fd) || !term || !term[0] || strcmp(term, "dumb") == 0)
		return style;
	style.is_live = true;
	style.is_coloured = !no_color || !no_color[0];
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = MIN(MAX((unsigned int)size.ws_col, WIDTH_MIN), WIDTH_MAX);
	return style;
}

void display_rate_add(struct display_rate *rate, uint64_t bytes, uint64_t now_ms)
{
	uint64_t elapsed = now_ms - rate->ms;
	uint64_t now;

	/* The time before the first byte is no speed. */
	if (!rate->is_known && (rate->ms == 0 || rate->bytes == 0)) {
		*rate = (struct display_rate) { .bytes = bytes, .ms = MAX(now_ms, 1u) };
		return;
	}
	if (elapsed == 0)
		return;
	/* Bytes that were wrong are taken back: that is no speed. */
	now = bytes > rate->bytes ? (bytes - rate->bytes) * 1000 / elapsed : 0;
	rate->per_second =
		rate->is_known ? (rate->per_second * RATE_MS + now * elapsed) / (RATE_MS + elapsed)
			       : now;
	rate->bytes = bytes;
	rate->ms = now_ms;
	rate->is_known = true;
}

static void put_left(const struct fetch_progress *progress, uint64_t per_second, struct strbuf *out)
{
	uint64_t bytes = progress->bytes_all > progress->bytes_done
				 ? progress->bytes_all - progress->bytes_done
				 : 0;
	uint64_t seconds;

	if (bytes == 0 || per_second == 0)
		return;
	seconds = bytes / per_second + 1;
	if (seconds >= 3600)
		strbuf_printf(out, ", %" PRIu64 ":%02u:%02u left", seconds / 3600,
			      (unsigned int)(seconds % 3600 / 60), (unsigned int)(seconds % 60));
	else
		strbuf_printf(out, ", %u:%02u left", (unsigned int)(seconds / 60),
			      (unsigned int)(seconds % 60));
}

static void put_bar(const struct fetch_progress *progress, struct strbuf *out)
{
	double all = (double)(progress->bytes_all > 0 ? progress->bytes_all : progress->files_all);
	double some =
		(double)(progress->bytes_all > 0 ? progress->bytes_done : progress->files_done);
	unsigned int filled = all > 0 ? (unsigned int)(MIN(some / all, 1.0) * BAR_WIDTH) : 0;

	strbuf_puts(out, "[");
	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		strbuf_puts(out, i < filled ? "#" : ".");
	strbuf_puts(out, "] ");
}

static void put_numbers(const struct fetch_progress *progress, uint64_t per_second,
			struct strbuf *out)
{
	char some[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];

	strbuf_printf(out, "%" PRIu64 "/%" PRIu64 " files, %s of %s, %s/s", progress->files_done,
		      progress->files_all, size_format(progress->bytes_done, some),
		      size_format(progress->bytes_all, all), size_format(per_second, rate));
	put_left(progress, per_second, out);
}

void display_row(const struct fetch_progress *progress, uint64_t per_second,
		 const struct display_style *style, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf row = STRBUF_INIT(ROW_MAX);
	char failed[40] = "";

	if (style->is_live)
		strbuf_printf(&row, "%-*s ", NAME_WIDTH, progress->label);
	else
		strbuf_printf(&row, "%s: ", progress->label);
	if (style->is_live && style->width > WIDTH_DEFAULT)
		put_bar(progress, &row);
	put_numbers(progress, per_second, &row);
	if (progress->files_failed > 0)
		(void)snprintf(failed, sizeof(failed), ", %" PRIu64 " failed",
			       progress->files_failed);
	if (!style->is_live) {
		strbuf_printf(out, "%s%s\n", strbuf_str(&row), failed);
		return;
	}
	/* The last column is left free: some terminals wrap there. */
	strbuf_printf(out, "%.*s", (int)style->width - 1, strbuf_str(&row));
	if (row.len + strlen(failed) < style->width && failed[0])
		strbuf_printf(out, "%s%s%s", style->is_coloured ? RED : "", failed,
			      style->is_coloured ? PLAIN : "");
	strbuf_puts(out, "\n");
}

void display_clear(struct display *display, struct strbuf *out)
{
	if (display->drawn > 0)
		strbuf_printf(out, "\033[%uA\033[J", display->drawn);
	display->drawn = 0;
}

static bool is_going_on(const struct fetch_progress *progress)
{
	return progress->files_done + progress->files_failed < progress->files_all;
}

void display_update(struct display *display, const struct fetch_progress *progress, size_t n,
		    uint64_t now_ms, struct strbuf *out)
{
	unsigned int rows = 0;

	for (size_t i = 0; i < MIN(n, (size_t)DISPLAY_ROWS_MAX); i++)
		display_rate_add(&display->rates[i], progress[i].bytes_done, now_ms);
	if (!display->style.is_live) {
		if (display->said_ms == 0)
			display->said_ms = now_ms;
		if (now_ms - display->said_ms < DISPLAY_PLAIN_MS)
			return;
		display->said_ms = now_ms;
	}
	display_clear(display, out);
	for (size_t i = 0; i < n && rows < DISPLAY_ROWS_MAX; i++) {
		uint64_t rate = i < DISPLAY_ROWS_MAX ? display->rates[i].per_second : 0;

		if (!is_going_on(&progress[i]))
			continue;
		display_row(&progress[i], rate, &display->style, out);
		rows++;
	}
	display->drawn = display->style.is_live ? rows : 0;
}
