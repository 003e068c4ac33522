/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"

/* A byte of the message becomes at most six ("\u001b"), and the frame is short. */
#define LOG_OUTPUT_MAX (LOG_LINE_MAX * 6 + 256)

static const char *const level_names[_LOG_LEVEL_MAX] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level max_level = LOG_LEVEL_INFO;
static enum log_format output_format = LOG_FORMAT_TEXT;

void log_setup(enum log_level level, enum log_format format)
{
	max_level = level;
	output_format = format;
}

/* RFC 3339 in UTC with milliseconds, as in 2026-01-02T03:04:05.678Z. */
static void add_timestamp(struct strbuf *sb)
{
	struct timespec now;
	struct tm tm;
	char date[32];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_printf(sb, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

/* Bytes outside of printable ASCII are escaped: a log line is one line, and a
 * message may quote what a device or a peer sent. */
static void add_escaped(struct strbuf *sb, const char *text, bool json)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (json && (c == '"' || c == '\\'))
			strbuf_printf(sb, "\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			strbuf_add(sb, text, 1);
		else
			strbuf_printf(sb, json ? "\\u%04x" : "\\x%02x", c);
	}
}

static void format_text(struct strbuf *sb, const char *level, const char *component,
			const char *message)
{
	add_timestamp(sb);
	strbuf_printf(sb, " %-7s %s: ", level, component);
	add_escaped(sb, message, false);
	strbuf_puts(sb, "\n");
}

static void format_json(struct strbuf *sb, const char *level, const char *component,
			const char *message)
{
	strbuf_puts(sb, "{\"time\":\"");
	add_timestamp(sb);
	strbuf_printf(sb, "\",\"level\":\"%s\",\"component\":\"", level);
	add_escaped(sb, component, true);
	strbuf_puts(sb, "\",\"message\":\"");
	add_escaped(sb, message, true);
	strbuf_puts(sb, "\"}\n");
}

void log_write(enum log_level level, const char *component, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT(LOG_OUTPUT_MAX);
	int saved_errno = errno;
	char message[LOG_LINE_MAX];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (output_format == LOG_FORMAT_JSON)
		format_json(&sb, level_names[level], component, message);
	else
		format_text(&sb, level_names[level], component, message);
	/* Nothing can be done about a log that cannot be written. */
	if (sb.len > 0 && write(STDERR_FILENO, sb.data, sb.len) < 0)
		errno = saved_errno;
	errno = saved_errno;
}
