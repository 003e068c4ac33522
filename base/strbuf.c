/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

#define STRBUF_FIRST_CAP 64

void strbuf_done(struct strbuf *sb)
{
	int saved_errno = errno;

	free(sb->data);
	*sb = STRBUF_INIT(sb->max);
	errno = saved_errno;
}

void strbuf_clear(struct strbuf *sb)
{
	sb->len = 0;
	sb->error = 0;
	if (sb->data)
		sb->data[0] = '\0';
}

/* Makes room for @extra bytes and the NUL. */
static bool strbuf_reserve(struct strbuf *sb, size_t extra)
{
	size_t cap = sb->cap ? sb->cap : STRBUF_FIRST_CAP;
	char *data;

	if (sb->error)
		return false;
	if (extra > sb->max - sb->len) {
		sb->error = -E2BIG;
		return false;
	}
	while (cap < sb->len + extra + 1)
		cap *= 2;
	if (cap == sb->cap)
		return true;
	data = realloc(sb->data, cap);
	if (!data) {
		sb->error = -ENOMEM;
		return false;
	}
	sb->data = data;
	sb->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!strbuf_reserve(sb, len))
		return;
	if (len > 0)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	/* What fits, as nearly everything does, is formatted once only. */
	size_t room = sb->data && !sb->error ? MIN(sb->cap, sb->max + 1) - sb->len : 0;
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(room > 0 ? sb->data + sb->len : NULL, room, fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < room) {
		sb->len += (size_t)len;
		va_end(again);
		return;
	}
	if (room > 0)
		sb->data[sb->len] = '\0';
	if (len < 0 && !sb->error)
		sb->error = -E2BIG;
	if (len >= 0 && strbuf_reserve(sb, (size_t)len)) {
		(void)vsnprintf(sb->data + sb->len, (size_t)len + 1, fmt, again);
		sb->len += (size_t)len;
	}
	va_end(again);
}

const char *strbuf_str(const struct strbuf *sb)
{
	return sb->data ? sb->data : "";
}

int strbuf_error(const struct strbuf *sb)
{
	return sb->error;
}
